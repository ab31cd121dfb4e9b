// SPDX-License-Identifier: Apache-2.0

/// Finds the first match at or after a byte of a line; nil when there is none.
public typealias LineFinder = (_ line: [UInt8], _ start: Int) -> Range<Int>?

/// What is not to be seen of log lines: every match of any finder is masked, wherever a line is shown, sent or searched. What lies in the
/// files is left as it is.
public struct Redaction {
    /// What stands where something was.
    public static let mask = "[redacted]"

    private let finders: [LineFinder]

    public init(_ finders: [LineFinder] = []) { self.finders = finders }

    public var isEmpty: Bool { finders.isEmpty }

    /// Finds just these bytes, of which there is at least one. O(line) but for texts that repeat their beginning.
    public static func finder(of text: [UInt8]) -> LineFinder {
        { line, start in
            var place = start
            while let first = line[place...].firstIndex(of: text[0]), first + text.count <= line.count {
                if line[first..<first + text.count].elementsEqual(text) { return first..<first + text.count }
                place = first + 1
            }
            return nil
        }
    }

    /// All finders see the line as it is, so their order means nothing; matches that touch become one mask. Empty matches hide nothing.
    public func applied(to line: [UInt8]) -> [UInt8] {
        var hidden: [Range<Int>] = []
        for finder in finders {
            var start = 0
            while start <= line.count, let found = finder(line, start) {
                if found.isEmpty {
                    start = found.upperBound + 1
                } else {
                    hidden.append(found)
                    start = found.upperBound
                }
            }
        }
        guard !hidden.isEmpty else { return line }
        hidden.sort { $0.lowerBound < $1.lowerBound }
        var shown: [UInt8] = []
        var end = 0
        var isFirst = true
        for range in hidden {
            if isFirst || range.lowerBound > end {
                shown += line[end..<range.lowerBound]
                shown += Self.mask.utf8
            }
            end = max(end, range.upperBound)
            isFirst = false
        }
        return shown + line[end...]
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Looks at each line of a pipe on its way into its file: the bad ones are copied to a file of errors. Lives on the pump's thread.
///
/// A line is looked at while it is still in the pipe, and goes on only afterwards. So a daemon that is killed between the two leaves the line
/// there, and the next one looks at it again: a block of the copy may come twice and none is lost, whatever becomes of the log itself.
final class LineTap {
    private let source: LoggingSpec.Levels.Source
    private let pattern: RegularExpression?
    /// Where bad lines are copied.
    let errors: LogFile
    /// As the log's own.
    private var converter: LineConverter?
    /// Bytes at the head of the pipe that were looked at and have not gone on yet.
    var seen = 0
    /// Bad lines that are not in their file yet.
    var pending: [UInt8] = []
    /// Of a line whose beginning has gone on: whether it is a bad one.
    private var isRestBad: Bool?

    init(_ source: LoggingSpec.Levels.Source, errors: LogFile, converter: LineConverter?) throws(Fault) {
        self.source = source
        self.errors = errors
        self.converter = converter
        if case .pattern(let text) = source { pattern = try RegularExpression(text) } else { pattern = nil }
    }

    /// Goes on where another one is.
    func takeOver(from former: LineTap) {
        seen = former.seen
        pending = former.pending
        isRestBad = former.isRestBad
    }

    /// Looks at lines of which all but the last one have their end; the last one has it, or is cut here. O(bytes).
    func look(at lines: Span<UInt8>, stamp: [UInt8]) {
        var bad: [UInt8] = []
        var start = 0
        while start < lines.count {
            let newline = LineCut.firstNewline(in: lines, from: start)
            let end = newline ?? lines.count
            let line = lines.extracting(start..<end)
            let isBad = isRestBad ?? (level(of: line)?.isError ?? false)
            if isBad {
                unsafe line.withUnsafeBytes { unsafe bad.append(contentsOf: $0) }
                bad.append(10)
            }
            isRestBad = newline == nil ? isBad : nil
            start = end + 1
        }
        seen = lines.count
        guard !bad.isEmpty else { return }
        guard converter != nil else {
            pending += bad
            return
        }
        _ = converter?.convert(
            bad.span, stamp: stamp, remainder: .close, continuing: false, room: .max, into: &pending)
    }

    private func level(of line: Span<UInt8>) -> LogLevel? {
        switch source {
        case .json: LevelReader.json(line)
        case .prefix: LevelReader.prefix(line)
        case .pattern: pattern?.firstMatch(in: line) == nil ? nil : .error
        }
    }
}

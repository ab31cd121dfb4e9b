// SPDX-License-Identifier: Apache-2.0

/// What a POSIX extended regular expression (regex(7)) may cost whoever compiles it, told from its text alone. The C library writes
/// repetitions out, so `((a{999}){999}){999}` is short to write and larger than any memory; and with a back-reference, which it takes though
/// POSIX knows none here, the time of a match may double with each character of a line.
public struct PatternCost: Equatable, Sendable {
    /// Characters to be told apart once all repetitions are written out; saturates.
    public private(set) var size = 0
    /// `\1` to `\9` are in it.
    public private(set) var hasBackReference = false

    /// O(length). Of a text that is no expression the numbers mean nothing.
    public init(_ pattern: String) {
        let bytes = Array(pattern.utf8)
        /// Sizes of what is open: the whole, and each group in it.
        var open = [0]
        /// Of what a repetition would repeat.
        var last = 0
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "("):
                open.append(0)
                last = 0
                at += 1
                continue
            case UInt8(ascii: ")") where open.count > 1:
                last = open.removeLast()
                at += 1
            case UInt8(ascii: "{"):
                let (count, next) = Self.bound(bytes, at)
                at = next
                let before = last
                last = min(Limits.patternSize + 1, last * max(1, count))
                open[open.count - 1] = min(Limits.patternSize + 1, open[open.count - 1] + last - before)
                continue
            case UInt8(ascii: "["):
                last = 1
                at = Self.endOfBracket(bytes, at)
            case UInt8(ascii: "\\"):
                if at + 1 < bytes.count, (49...57).contains(bytes[at + 1]) { hasBackReference = true }
                last = 1
                at += 2
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "|"):
                at += 1
                continue
            default:
                last = 1
                at += 1
            }
            open[open.count - 1] = min(Limits.patternSize + 1, open[open.count - 1] + last)
        }
        size = open.reduce(0) { min(Limits.patternSize + 1, $0 + $1) }
    }

    /// How often `{n,m}` at `start` repeats at most, and where it ends.
    private static func bound(_ bytes: [UInt8], _ start: Int) -> (count: Int, next: Int) {
        var numbers = [0]
        var at = start + 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "}") {
            if bytes[at] == UInt8(ascii: ",") { numbers.append(0) }
            if (48...57).contains(bytes[at]) {
                numbers[numbers.count - 1] = min(100_000, numbers[numbers.count - 1] * 10 + Int(bytes[at] - 48))
            }
            at += 1
        }
        return (numbers.max() ?? 0, at + 1)
    }

    /// Behind a bracket expression, in which `]` is a character at its beginning and in `[:class:]`.
    private static func endOfBracket(_ bytes: [UInt8], _ start: Int) -> Int {
        var at = start + 1
        if at < bytes.count, bytes[at] == UInt8(ascii: "^") { at += 1 }
        if at < bytes.count, bytes[at] == UInt8(ascii: "]") { at += 1 }
        while at < bytes.count, bytes[at] != UInt8(ascii: "]") {
            let isClass =
                bytes[at] == UInt8(ascii: "[") && at + 1 < bytes.count && [58, 46, 61].contains(bytes[at + 1])
            guard isClass else {
                at += 1
                continue
            }
            let kind = bytes[at + 1]
            at += 2
            while at + 1 < bytes.count, !(bytes[at] == kind && bytes[at + 1] == UInt8(ascii: "]")) { at += 1 }
            at += 2
        }
        return at + 1
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A file of `KEY=VALUE` lines. Blank lines and lines that begin with `#` are skipped, `export ` before a key is allowed, values may stand in
/// single quotes (literal) or double quotes (with \n, \r, \t, \" and \\), also over several lines; in a bare value ` #` begins a comment.
/// Nothing is interpolated.
struct EnvFile {
    private(set) var entries: [EnvironmentEntry] = []
    /// Where each begins, from 1.
    private(set) var lines: [Int32] = []
    /// Its index among the files of the load.
    var source = 0
    private(set) var flaws: [Diagnostic] = []

    init(_ source: Source) {
        if let flaw = source.flaw(what: "an env file") {
            flaws = [flaw]
            return
        }
        var reader = Reader(source: source)
        var line: Int32 = 1
        var counted = 0
        while reader.hasMore {
            line += source.lineEnds(in: counted..<reader.at)
            counted = reader.at
            switch reader.next() {
            case .none: break
            case .entry(let entry):
                entries.append(entry)
                lines.append(line)
            case .flaw(let flaw): flaws.append(flaw)
            }
        }
    }

    private enum Line {
        case none
        case entry(EnvironmentEntry)
        case flaw(Diagnostic)
    }

    private struct Reader {
        let source: Source
        var at = 0
        private var bytes: [UInt8] { source.bytes }

        init(source: Source) { self.source = source }

        var hasMore: Bool { at < source.bytes.count }

        mutating func next() -> Line {
            skipBlanks()
            guard hasMore, !isLineEnd(at), bytes[at] != 35 else {
                skipLine()
                return .none
            }
            if bytes[at...].starts(with: "export ".utf8) {
                at += 7
                skipBlanks()
            }
            let start = at
            while hasMore, bytes[at] != 61, !isLineEnd(at) { at += 1 }
            guard hasMore, bytes[at] == 61 else {
                let flaw = flaw(
                    "this line is not KEY=VALUE", at: start, width: at - start,
                    help: "write NAME=value; # begins a comment")
                skipLine()
                return .flaw(flaw)
            }
            let name = String(decoding: bytes[start..<at], as: UTF8.self).trimmingBlanks
            at += 1
            guard !name.isEmpty, !name.utf8.contains(where: { $0 == 32 || $0 == 9 || $0 == 34 || $0 == 39 }) else {
                let flaw = flaw(
                    name.isEmpty ? "a name is missing before =" : "\"\(name)\" is no name for a variable", at: start,
                    width: at - start, help: "write NAME=value, without blanks and quotes in the name")
                skipLine()
                return .flaw(flaw)
            }
            return value(of: name)
        }

        private mutating func value(of name: String) -> Line {
            skipBlanks()
            guard hasMore, bytes[at] == 34 || bytes[at] == 39 else { return .entry(EnvironmentEntry(name, bare())) }
            let quote = bytes[at]
            let opening = at
            at += 1
            var text: [UInt8] = []
            while hasMore, bytes[at] != quote {
                if quote == 34, bytes[at] == 92, at + 1 < bytes.count, let escaped = Self.escapes[bytes[at + 1]] {
                    text.append(escaped)
                    at += 2
                } else {
                    text.append(bytes[at])
                    at += 1
                }
            }
            guard hasMore else {
                return .flaw(
                    flaw(
                        "the quote that begins here is never closed", at: opening, width: 1,
                        help: "close it; a \" inside of double quotes is \\\""))
            }
            at += 1
            skipBlanks()
            if hasMore, !isLineEnd(at), bytes[at] != 35 {
                let flaw = flaw(
                    "nothing can follow the closing quote", at: at, width: 1,
                    help: "put the quotes around all of it; a comment begins with #")
                skipLine()
                return .flaw(flaw)
            }
            skipLine()
            return .entry(EnvironmentEntry(name, String(decoding: text, as: UTF8.self)))
        }

        private mutating func bare() -> String {
            let start = at
            var end = at
            while hasMore, !isLineEnd(at) {
                if bytes[at] == 35, at > start, bytes[at - 1] == 32 || bytes[at - 1] == 9 { break }
                at += 1
                if bytes[at - 1] != 32, bytes[at - 1] != 9 { end = at }
            }
            skipLine()
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }

        private static let escapes: [UInt8: UInt8] = [110: 10, 114: 13, 116: 9, 34: 34, 92: 92, 36: 36]

        private func isLineEnd(_ index: Int) -> Bool { bytes[index] == 10 || bytes[index] == 13 }
        private mutating func skipBlanks() { while hasMore, bytes[at] == 32 || bytes[at] == 9 { at += 1 } }
        private mutating func skipLine() {
            while hasMore, !isLineEnd(at) { at += 1 }
            if hasMore { at += bytes[at] == 13 && at + 1 < bytes.count && bytes[at + 1] == 10 ? 2 : 1 }
        }
        private func flaw(_ message: String, at index: Int, width: Int, help: String) -> Diagnostic {
            Diagnostic(code: "env-file", message, at: source.position(ofByte: index), width: max(1, width), help: help)
        }
    }
}

extension Source {
    /// How many lines end in a range: LF, CR, CR LF.
    fileprivate func lineEnds(in range: Range<Int>) -> Int32 {
        var count: Int32 = 0
        for at in range where bytes[at] == 10 || (bytes[at] == 13 && (at + 1 >= bytes.count || bytes[at + 1] != 10)) {
            count += 1
        }
        return count
    }
}

extension String {
    /// Without blanks at both ends.
    fileprivate var trimmingBlanks: String {
        let bytes = utf8.drop { $0 == 32 || $0 == 9 }
        var kept = bytes
        while let last = kept.last, last == 32 || last == 9 { kept = kept.dropLast() }
        return String(decoding: kept, as: UTF8.self)
    }
}

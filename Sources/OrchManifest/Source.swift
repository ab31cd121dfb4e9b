// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The bytes of one file as they were read, and where its lines are.
struct Source {
    /// The name that diagnostics show.
    let name: String
    /// Without a byte order mark.
    let bytes: [UInt8]

    init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// What keeps these bytes from being text at all: too many of them, not UTF-8, a NUL.
    func flaw(what: String) -> Diagnostic? {
        if bytes.count > Limits.manifestBytes {
            return Diagnostic(
                code: "too-large",
                "\(what) has \(bytes.count) bytes; the limit is \(SizeText.format(Int64(Limits.manifestBytes)))",
                at: Position(file: name, line: 1, column: 1), help: "is it the file that was meant?")
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            return Diagnostic(
                code: "encoding", "\(what) is UTF-16", at: Position(file: name, line: 1, column: 1),
                help: "save it as UTF-8")
        }
        if let index = bytes.firstIndex(of: 0) {
            return Diagnostic(
                code: "encoding", "a NUL byte", at: position(ofByte: index), help: "\(what) must be UTF-8 text")
        }
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        let index = firstInvalidByte
        return Diagnostic(
            code: "encoding", "byte 0x\(hex(bytes[index])) is not valid UTF-8", at: position(ofByte: index),
            help: "save \(what) as UTF-8")
    }

    /// The text of a line that counts from 1, without its end. O(bytes): diagnostics only.
    func line(_ number: Int) -> String {
        var current = 1
        var start = 0
        while current < number, start < bytes.count {
            start = lineEnd(from: start).next
            current += 1
        }
        guard start < bytes.count else { return "" }
        return String(decoding: bytes[start..<lineEnd(from: start).end], as: UTF8.self)
    }

    /// Many lines at once, each found in one walk over the bytes.
    func lines(_ numbers: Set<Int>) -> [Int: String] {
        var found: [Int: String] = [:]
        var current = 1
        var start = 0
        let last = numbers.max() ?? 0
        while start < bytes.count, current <= last {
            let (end, next) = lineEnd(from: start)
            if numbers.contains(current) { found[current] = String(decoding: bytes[start..<end], as: UTF8.self) }
            start = next
            current += 1
        }
        return found
    }

    /// Line and column of a byte.
    func position(ofByte index: Int) -> Position {
        var line = 1
        var start = 0
        while start < bytes.count {
            let (_, next) = lineEnd(from: start)
            if next > index { break }
            start = next
            line += 1
        }
        let scalars = bytes[start..<min(index, bytes.count)].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        return Position(file: name, line: line, column: scalars + 1)
    }

    /// Lines end as libyaml sees it: LF, CR, CR LF, U+0085, U+2028, U+2029.
    private func lineEnd(from start: Int) -> (end: Int, next: Int) {
        var at = start
        while at < bytes.count {
            switch bytes[at] {
            case 10: return (at, at + 1)
            case 13: return (at, at + 1 < bytes.count && bytes[at + 1] == 10 ? at + 2 : at + 1)
            case 0xC2 where at + 1 < bytes.count && bytes[at + 1] == 0x85: return (at, at + 2)
            case 0xE2
            where at + 2 < bytes.count && bytes[at + 1] == 0x80 && (bytes[at + 2] == 0xA8 || bytes[at + 2] == 0xA9):
                return (at, at + 3)
            default: at += 1
            }
        }
        return (at, at)
    }

    private var firstInvalidByte: Int {
        var decoder = UTF8()
        var iterator = CountingIterator(bytes: bytes)
        var before = 0
        while true {
            before = iterator.taken
            switch decoder.decode(&iterator) {
            case .scalarValue: continue
            case .emptyInput: return max(0, bytes.count - 1)
            case .error: return firstInvalid(near: before)
            }
        }
    }

    /// The decoder reads ahead, so the flaw is looked for again from a little before.
    private func firstInvalid(near index: Int) -> Int {
        var start = max(0, index - 8)
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        while start < bytes.count {
            let length = (1...4).first { count in
                start + count <= bytes.count && String(validating: bytes[start..<(start + count)], as: UTF8.self) != nil
            }
            guard let length else { return start }
            start += length
        }
        return max(0, bytes.count - 1)
    }

    private func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.utf8.count == 1 ? "0\(digits)" : digits
    }
}

private struct CountingIterator: IteratorProtocol {
    let bytes: [UInt8]
    var taken = 0
    mutating func next() -> UInt8? {
        guard taken < bytes.count else { return nil }
        taken += 1
        return bytes[taken - 1]
    }
}

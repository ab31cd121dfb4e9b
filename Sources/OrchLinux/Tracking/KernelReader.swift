// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Reads the kernel's small files into one piece of memory, for whoever reads thousands of them in a row.
struct KernelReader {
    private var buffer = [UInt8](repeating: 0, count: 4096)
    /// No line of these files is longer.
    private static let lineBytes = 512

    /// What a file says, all of it; nil when it can't be read.
    mutating func read<Fact>(_ path: String, _ look: (Span<UInt8>) -> Fact?) -> Fact? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var count = 0
        while true {
            let room = buffer.count - count
            let start = count
            let came = unsafe buffer.withUnsafeMutableBytes {
                unsafe Glibc.read(file, $0.baseAddress?.advanced(by: start), room)
            }
            if came < 0, errno == EINTR { continue }
            guard came >= 0 else { return nil }
            count += came
            // A read ends where the next line would not fit: with room for one it was the last, and an empty read would only say so.
            if came == 0 || room - came > Self.lineBytes { break }
            if buffer.count - count <= Self.lineBytes {
                buffer.append(contentsOf: [UInt8](repeating: 0, count: buffer.count))
            }
        }
        return look(buffer.span.extracting(..<count))
    }

    /// The whole number that a file begins with.
    mutating func number(_ path: String) -> UInt64? { read(path) { $0.isEmpty ? nil : Self.number(in: $0, at: 0) } }

    /// The number behind a word, and blanks, of a file of `word number` lines.
    mutating func number(_ path: String, behind word: [UInt8]) -> UInt64? {
        read(path) { text in
            var line = 0
            while line < text.count {
                if Self.begins(text, at: line, with: word) {
                    var place = line + word.count
                    while place < text.count, text[place] == blank { place += 1 }
                    return Self.number(in: text, at: place)
                }
                while line < text.count, text[line] != newline { line += 1 }
                line += 1
            }
            return nil
        }
    }

    /// The numbers of a file, one a line.
    mutating func numbers(_ path: String) -> [Int32] {
        read(path) { text in
            var found: [Int32] = []
            var place = 0
            while place < text.count {
                found.append(Int32(truncatingIfNeeded: Self.number(in: text, at: place)))
                while place < text.count, text[place] != newline { place += 1 }
                place += 1
            }
            return found
        } ?? []
    }

    /// Of one process: clock ticks of processor time, of the children it waited for too, threads, and resident
    /// pages (proc_pid_stat(5): fields 14 to 17, 20 and 24). Nil when there is no such process.
    mutating func use(ofProcess pid: Int32) -> (ticks: UInt64, threads: Int, pages: UInt64)? {
        read("/proc/\(pid)/stat") { text in
            // The name, field 2, may hold anything, also blanks and parentheses.
            var place = text.count - 1
            while place >= 0, text[place] != UInt8(ascii: ")") { place -= 1 }
            guard place >= 0 else { return nil }
            var field = 2
            var ticks: UInt64 = 0
            var threads = 0
            while place < text.count {
                if text[place] == blank {
                    field += 1
                    if (14...17).contains(field) { ticks += Self.number(in: text, at: place + 1) }
                    if field == 20 { threads = Int(clamping: Self.number(in: text, at: place + 1)) }
                    if field == 24 { return (ticks, threads, Self.number(in: text, at: place + 1)) }
                }
                place += 1
            }
            return nil
        }
    }

    private static func number(in text: Span<UInt8>, at start: Int) -> UInt64 {
        var number: UInt64 = 0
        var place = start
        while place < text.count, text[place] >= UInt8(ascii: "0"), text[place] <= UInt8(ascii: "9") {
            number = number &* 10 &+ UInt64(text[place] - UInt8(ascii: "0"))
            place += 1
        }
        return number
    }

    private static func begins(_ text: Span<UInt8>, at start: Int, with word: [UInt8]) -> Bool {
        guard start + word.count <= text.count else { return false }
        for place in word.indices where word[place] != text[start + place] { return false }
        return true
    }
}

private let newline = UInt8(ascii: "\n")
private let blank = UInt8(ascii: " ")

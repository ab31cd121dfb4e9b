// SPDX-License-Identifier: Apache-2.0

/// Tells code from what only looks like it: comments and the inside of string literals become spaces, line breaks stay.
/// Knows Swift's nested comments, raw, multi-line and interpolated strings; what is interpolated is code.
struct CodeScanner {
    private enum Context {
        /// Parentheses that are open; at zero an interpolation ends.
        case code(open: Int)
        case string(hashes: Int, isLong: Bool)
    }

    private let text: [UInt8]
    private var output: [UInt8] = []
    private var at = 0
    private var contexts: [Context] = [.code(open: 0)]

    static func blank(_ text: String) -> String {
        var scanner = CodeScanner(text)
        while scanner.at < scanner.text.count { scanner.step() }
        return String(decoding: scanner.output, as: UTF8.self)
    }

    private init(_ text: String) {
        self.text = Array(text.utf8)
        output.reserveCapacity(self.text.count)
    }

    private func starts(_ word: String) -> Bool { text[at...].starts(with: word.utf8) }

    private mutating func copy(_ count: Int = 1) {
        for byte in text[at..<min(at + count, text.count)] { output.append(byte) }
        at += count
    }

    private mutating func hide(_ count: Int = 1) {
        for byte in text[at..<min(at + count, text.count)] {
            output.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
        }
        at += count
    }

    private mutating func step() {
        switch contexts[contexts.count - 1] {
        case .code(let open): stepInCode(open: open)
        case .string(let hashes, let isLong): stepInString(hashes: hashes, isLong: isLong)
        }
    }

    /// What can begin something other than plain code; the quick way past everything else.
    private static let marks = Set("/\"#'()".utf8)

    private mutating func stepInCode(open: Int) {
        if !CodeScanner.marks.contains(text[at]) {
            copy()
        } else if starts("//") {
            while at < text.count, text[at] != UInt8(ascii: "\n") { hide() }
        } else if starts("/*") {
            hideComment()
        } else if let (hashes, isLong) = openingQuote() {
            copy(hashes + (isLong ? 3 : 1))
            contexts.append(.string(hashes: hashes, isLong: isLong))
        } else if starts("'\"'") || starts("'{'") || starts("'}'") {
            hide(3)
        } else if starts("(") {
            contexts[contexts.count - 1] = .code(open: open + 1)
            copy()
        } else if starts(")") {
            if open == 1, contexts.count > 1 {
                contexts.removeLast()
            } else {
                contexts[contexts.count - 1] = .code(open: open - 1)
            }
            copy()
        } else {
            copy()
        }
    }

    private mutating func hideComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                hide(2)
            } else if starts("*/") {
                depth -= 1
                hide(2)
            } else {
                hide()
            }
        } while depth > 0 && at < text.count
    }

    private func openingQuote() -> (hashes: Int, isLong: Bool)? {
        let hashes = text[at...].prefix { $0 == UInt8(ascii: "#") }.count
        let rest = text[(at + hashes)...]
        guard rest.first == UInt8(ascii: "\"") else { return nil }
        return (hashes, rest.starts(with: "\"\"\"".utf8))
    }

    private mutating func stepInString(hashes: Int, isLong: Bool) {
        guard text[at] == UInt8(ascii: "\\") || text[at] == UInt8(ascii: "\"") || text[at] == UInt8(ascii: "\n") else {
            return hide()
        }
        let fence = String(repeating: "#", count: hashes)
        if starts("\\\(fence)(") {
            copy(1 + hashes)
            contexts.append(.code(open: 0))
        } else if starts("\\\(fence)") {
            hide(2 + hashes)
        } else if starts((isLong ? "\"\"\"" : "\"") + fence) || (!isLong && starts("\n")) {
            contexts.removeLast()
            copy(isLong ? 3 + hashes : 1 + hashes)
        } else {
            hide()
        }
    }
}

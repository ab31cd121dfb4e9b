// SPDX-License-Identifier: Apache-2.0

/// Small conversions between bytes and text that the kernel's files need.
enum Text {
    /// Two lowercase digits a byte.
    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The pieces between separators; empty pieces are kept.
    static func pieces(_ bytes: some Sequence<UInt8>, separatedBy separator: UInt8) -> [String] {
        bytes.split(separator: separator, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The words of a line, by blanks.
    static func words(_ line: Substring) -> [Substring] { line.split { $0 == " " || $0 == "\t" } }

    /// One line for people: control characters as blanks, at most `limit` bytes.
    static func printable(_ bytes: some Sequence<UInt8>, limit: Int) -> String {
        let cleaned = bytes.prefix(limit).map { $0 < 32 || $0 == 127 ? UInt8(ascii: " ") : $0 }
        let text = String(decoding: cleaned, as: UTF8.self)
        return String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

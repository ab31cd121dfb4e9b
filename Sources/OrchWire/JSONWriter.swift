// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// JSON (RFC 8259) for `Value`.
public enum JSON {
    /// One line without spaces; members in their order, so that one value has one text.
    public static func bytes(of value: Value) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        append(value, to: &bytes)
        return bytes
    }

    public static func text(of value: Value) -> String { String(decoding: bytes(of: value), as: UTF8.self) }

    /// Appends the text of a value. O(n). What JSON has no number for (infinity, not a number) is null.
    public static func append(_ value: Value, to bytes: inout [UInt8]) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: flag ? "true".utf8 : "false".utf8)
        case .int(let number): append(number, to: &bytes)
        case .double(let number): bytes.append(contentsOf: number.isFinite ? number.description.utf8 : "null".utf8)
        case .string(let text): append(text, to: &bytes)
        case .array(let items):
            bytes.append(UInt8(ascii: "["))
            var isFirst = true
            for item in items {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                append(item, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for member in members {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                append(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                append(member.value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// A whole number in decimal digits.
    public static func append(_ number: Int64, to bytes: inout [UInt8]) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes.append(decimal: number.magnitude)
    }

    /// A string in quotes. Everything but quotes, backslashes and control characters stands as it is, in UTF-8.
    public static func append(_ text: String, to bytes: inout [UInt8]) {
        let start = bytes.count
        let span = text.utf8.span
        // Without a branch in the loop, so that many bytes are looked at in one step; nearly all texts are plain.
        var isSpecial: UInt8 = 0
        bytes.append(addingCapacity: span.count + 2) { output in
            output.append(quote)
            for place in 0..<span.count {
                let byte = span[place]
                isSpecial |= byte < 0x20 ? 1 : 0
                isSpecial |= byte == quote ? 1 : 0
                isSpecial |= byte == backslash ? 1 : 0
                isSpecial |= byte == 0x7f ? 1 : 0
                output.append(byte)
            }
            output.append(quote)
        }
        guard isSpecial != 0 else { return }
        bytes.removeSubrange(start + 1..<bytes.count)
        for place in 0..<span.count { appendEscaped(span[place], to: &bytes) }
        bytes.append(quote)
    }

    private static func appendEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case quote, backslash: bytes.append(contentsOf: [backslash, byte])
        case 0x0a: bytes.append(contentsOf: [backslash, UInt8(ascii: "n")])
        case 0x0d: bytes.append(contentsOf: [backslash, UInt8(ascii: "r")])
        case 0x09: bytes.append(contentsOf: [backslash, UInt8(ascii: "t")])
        case 0..<0x20, 0x7f:
            bytes.append(contentsOf: [
                backslash, UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0"), hex(byte >> 4), hex(byte & 15),
            ])
        default: bytes.append(byte)
        }
    }

    private static func hex(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
}

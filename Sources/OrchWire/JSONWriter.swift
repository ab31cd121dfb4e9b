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
        var rest = number.magnitude
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var low = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        // In place: to reverse a slice would copy all that is there.
        var high = bytes.count - 1
        while low < high {
            bytes.swapAt(low, high)
            low += 1
            high -= 1
        }
    }

    /// A string in quotes. Everything but quotes, backslashes and control characters stands as it is, in UTF-8.
    public static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(quote)
        if isPlain(text.utf8.span) {
            bytes.append(contentsOf: text.utf8)
        } else {
            for byte in text.utf8 { appendEscaped(byte, to: &bytes) }
        }
        bytes.append(quote)
    }

    /// Without a branch in the loop, so that many bytes are looked at in one step.
    private static func isPlain(_ span: Span<UInt8>) -> Bool {
        var found: UInt8 = 0
        for place in 0..<span.count {
            let byte = span[place]
            found |= byte < 0x20 ? 1 : 0
            found |= byte == quote ? 1 : 0
            found |= byte == backslash ? 1 : 0
            found |= byte == 0x7f ? 1 : 0
        }
        return found == 0
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

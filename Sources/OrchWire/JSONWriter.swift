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
        let span = text.utf8.span
        // Nearly all texts are plain.
        let isPlain = PlainText.isPlain(span)
        bytes.append(addingCapacity: span.count + 2) { output in
            output.append(quote)
            if isPlain { for place in 0..<span.count { output.append(span[place]) } }
            if isPlain { output.append(quote) }
        }
        if isPlain { return }
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

/// Whether a text stands in JSON as it is, eight bytes at a time: the high bit of each says whether that byte is to be escaped.
private enum PlainText {
    static func isPlain(_ text: Span<UInt8>) -> Bool {
        var marks: UInt64 = 0
        var at = 0
        while at &+ 8 <= text.count {
            marks |= special(word(text, at))
            at &+= 8
        }
        if at < text.count {
            if at > 0 {
                // Some of it a second time.
                marks |= special(word(text, text.count &- 8))
            } else {
                var rest = each(UInt8(ascii: "."))
                while at < text.count {
                    rest = rest << 8 | UInt64(text[at])
                    at &+= 1
                }
                marks |= special(rest)
            }
        }
        return marks & each(0x80) == 0
    }

    /// Control characters, quotes and backslashes. A carry may mark the byte above one that is marked, and never hides one.
    private static func special(_ word: UInt64) -> UInt64 {
        let control = (word &- each(0x20)) & ~word
        return control | zero(word ^ each(JSON.quote)) | zero(word ^ each(JSON.backslash)) | zero(word ^ each(0x7f))
    }
    private static func zero(_ word: UInt64) -> UInt64 { (word &- each(1)) & ~word }
    private static func each(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

    /// Eight looks that are one load.
    private static func word(_ text: Span<UInt8>, _ at: Int) -> UInt64 {
        let piece = text.extracting(at..<at &+ 8)
        return half(piece[0], piece[1], piece[2], piece[3]) | half(piece[4], piece[5], piece[6], piece[7]) << 32
    }
    private static func half(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> UInt64 {
        UInt64(a) | UInt64(b) << 8 | UInt64(c) << 16 | UInt64(d) << 24
    }
}

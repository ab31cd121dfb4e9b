// SPDX-License-Identifier: Apache-2.0

/// Strings and their escapes.
extension JSONReader {
    /// From the opening quote to behind the closing one.
    mutating func string() throws(JSONError) -> String {
        let start = at + 1
        let (end, seen) = plainEnd(from: start)
        at = end
        guard at < bytes.count else { throw error("a string has no end") }
        switch bytes[at] {
        case JSON.quote:
            let piece = bytes[start..<at]
            // What has no high bit anywhere is ASCII, which needs no look at its form.
            let found = seen < 0x80 ? String(decoding: piece, as: UTF8.self) : String(validating: piece, as: UTF8.self)
            guard let text = found else { throw error("a string is not UTF-8") }
            at += 1
            return text
        case JSON.backslash: return try escapedString(from: start)
        default: throw error("a control character in a string")
        }
    }

    /// Where the next quote, backslash or control character is, and all bits of what is before it.
    private func plainEnd(from start: Int) -> (end: Int, seen: UInt8) {
        let span = bytes.span
        var end = start
        var seen: UInt8 = 0
        while end < span.count {
            let byte = span[end]
            if byte == JSON.quote || byte == JSON.backslash || byte < 0x20 { break }
            seen |= byte
            end += 1
        }
        return (end, seen)
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var raw = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case JSON.quote:
                guard let text = String(validating: raw, as: UTF8.self) else { throw error("a string is not UTF-8") }
                return text
            case JSON.backslash: try appendEscape(to: &raw)
            case 0..<0x20: throw error("a control character in a string")
            default: raw.append(byte)
            }
        }
        throw error("a string has no end")
    }

    private mutating func appendEscape(to raw: inout [UInt8]) throws(JSONError) {
        guard at < bytes.count else { throw error("a string has no end") }
        let byte = bytes[at]
        at += 1
        switch byte {
        case JSON.quote, JSON.backslash, UInt8(ascii: "/"): raw.append(byte)
        case UInt8(ascii: "b"): raw.append(0x08)
        case UInt8(ascii: "f"): raw.append(0x0c)
        case UInt8(ascii: "n"): raw.append(0x0a)
        case UInt8(ascii: "r"): raw.append(0x0d)
        case UInt8(ascii: "t"): raw.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try escapedScalar()
            raw.append(contentsOf: String(Character(scalar)).utf8)
        default: throw error("an unknown escape")
        }
    }

    /// Four hexadecimal digits, or a pair of surrogates.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, at + 1 < bytes.count, bytes[at] == JSON.backslash, bytes[at + 1] == UInt8(ascii: "u")
        else { throw error("half a surrogate pair") }
        at += 2
        let second = try fourDigits()
        guard (0xdc00...0xdfff).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw error("half a surrogate pair") }
        return scalar
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        guard at + 4 <= bytes.count else { throw error("a string has no end") }
        var result: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch bytes[at] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[at] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[at] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[at] - UInt8(ascii: "A") + 10
            default: throw error("no hexadecimal digit")
            }
            result = result << 4 | UInt32(digit)
            at += 1
        }
        return result
    }
}

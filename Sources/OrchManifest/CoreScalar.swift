// SPDX-License-Identifier: Apache-2.0

/// What a plain scalar means by YAML 1.2's core schema (YAML 1.2.2, §10.3.2), except that decimals with a leading zero stay text: a
/// person who writes `0755` or `007` never means 755 or 7.
enum CoreScalar: Equatable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text

    init(plain text: String) {
        if Self.isNull(text) {
            self = .null
        } else if let flag = Self.boolean(text) {
            self = .boolean(flag)
        } else if let whole = Self.integer(text) {
            self = .integer(whole)
        } else if let number = Self.number(text) {
            self = .number(number)
        } else {
            self = .text
        }
    }

    static func isNull(_ text: String) -> Bool {
        text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL"
    }

    static func boolean(_ text: String) -> Bool? {
        switch text {
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    /// Decimal with a sign if wanted, `0o17`, `0x1F`. Nil for anything else and for what does not fit 64 bits.
    static func integer(_ text: String) -> Int64? {
        let bytes = text.utf8
        guard let first = bytes.first else { return nil }
        if bytes.count > 2, bytes.starts(with: "0x".utf8) { return digits(text.dropFirst(2), radix: 16) }
        if bytes.count > 2, bytes.starts(with: "0o".utf8) { return digits(text.dropFirst(2), radix: 8) }
        let body = first == 43 || first == 45 ? text.dropFirst() : text[...]
        guard let lead = body.utf8.first, body.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
            lead != 48 || body.utf8.count == 1
        else { return nil }
        return Int64(text)
    }

    /// `1.5`, `.5`, `1e3`, `.inf`, `.nan`.
    static func number(_ text: String) -> Double? {
        switch text {
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .infinity
        case "-.inf", "-.Inf", "-.INF": return -.infinity
        case ".nan", ".NaN", ".NAN": return .nan
        default: break
        }
        var digits = 0
        var points = 0
        let bytes = Array(text.utf8)
        let start = bytes.first == 43 || bytes.first == 45 ? 1 : 0
        var at = start
        while at < bytes.count, (bytes[at] >= 48 && bytes[at] <= 57) || bytes[at] == 46 {
            if bytes[at] == 46 { points += 1 } else { digits += 1 }
            at += 1
        }
        guard digits > 0, points <= 1 else { return nil }
        if bytes[start] == 48, start + 1 < bytes.count, bytes[start + 1] >= 48, bytes[start + 1] <= 57 { return nil }
        if at < bytes.count {
            guard bytes[at] == 101 || bytes[at] == 69 else { return nil }
            at += 1
            if at < bytes.count, bytes[at] == 43 || bytes[at] == 45 { at += 1 }
            guard at < bytes.count, bytes[at...].allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        }
        return Double(bytes[start] == 46 ? "\(start == 1 && bytes[0] == 45 ? "-" : "")0\(text.dropFirst(start))" : text)
    }

    private static func digits(_ text: Substring, radix: Int) -> Int64? {
        guard let first = text.utf8.first, first != 43, first != 45 else { return nil }
        return Int64(text, radix: radix)
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A tree of plain data as YAML that reads back as the same tree: block style, short lists of scalars in flow style, and quotes wherever
/// a plain scalar would mean something else.
struct YAMLText {
    private(set) var text = ""

    init(_ value: Value) {
        switch value {
        case .object(let members) where !members.isEmpty: block(members, indent: 0)
        case .array(let items) where !items.isEmpty: block(items, indent: 0)
        case .null, .bool, .int, .double, .string, .array, .object: text = Self.inline(value) + "\n"
        }
    }

    private mutating func block(_ members: [Value.Member], indent: Int) {
        for member in members {
            text += String(repeating: " ", count: indent) + Self.scalar(member.key) + ":"
            append(member.value, indent: indent)
        }
    }

    private mutating func block(_ items: [Value], indent: Int) {
        for item in items {
            text += String(repeating: " ", count: indent) + "-"
            if case .object(let members) = item, let first = members.first, Self.flow(item) == nil {
                text += " " + Self.scalar(first.key) + ":"
                append(first.value, indent: indent + 2)
                block(Array(members.dropFirst()), indent: indent + 2)
            } else {
                append(item, indent: indent)
            }
        }
    }

    private mutating func append(_ value: Value, indent: Int) {
        if let flow = Self.flow(value) {
            text += " \(flow)\n"
            return
        }
        text += "\n"
        switch value {
        case .object(let members): block(members, indent: indent + 2)
        case .array(let items): block(items, indent: indent + 2)
        case .null, .bool, .int, .double, .string: break
        }
    }

    /// One line, when it is short and flat; nil when it needs a block.
    private static func flow(_ value: Value) -> String? {
        switch value {
        case .null, .bool, .int, .double, .string: return inline(value)
        case .object(let members): return members.isEmpty ? "{}" : nil
        case .array(let items):
            let isFlat = items.allSatisfy { item in
                switch item {
                case .null, .bool, .int, .double, .string: true
                case .array, .object: false
                }
            }
            guard isFlat else { return nil }
            let line = inline(value)
            return line.utf8.count <= 100 ? line : nil
        }
    }

    private static func inline(_ value: Value) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .double(let number): self.number(number)
        case .string(let text): scalar(text)
        case .array(let items): "[\(items.map(inline).joined(separator: ", "))]"
        case .object(let members):
            "{\(members.map { "\(scalar($0.key)): \(inline($0.value))" }.joined(separator: ", "))}"
        }
    }

    private static func number(_ number: Double) -> String {
        if number.isNaN { return ".nan" }
        if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
        return "\(number)"
    }

    /// Plain when that is safe everywhere, flow style included; else in double quotes.
    static func scalar(_ text: String) -> String { isPlain(text) ? text : quoted(text) }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, CoreScalar(plain: text) == .text,
            text.utf8.count <= 100
        else { return false }
        guard isWordByte(first) || first == 47 || first == 46 || first == 36 || isFlag(text), last != 58 else {
            return false
        }
        // What YAML 1.1 readers take for truth values, times and octals is quoted too: others read this text as well.
        if first >= 48, first <= 57, text.utf8.allSatisfy({ ($0 >= 48 && $0 <= 58) || $0 == 46 || $0 == 95 }) {
            return false
        }
        if ["yes", "no", "on", "off", "y", "n"].contains(text.lowercased()) { return false }
        var previous: UInt8 = 0
        for byte in text.utf8 {
            let isSafe =
                isWordByte(byte) || [32, 42, 46, 47, 36, 37, 43, 45, 58, 59, 60, 61, 62, 64, 94, 126].contains(byte)
            if !isSafe || (byte == 32 && previous == 58) || (byte == 32 && previous == 32) { return false }
            previous = byte
        }
        return last != 32
    }

    /// `-p`, `--port`: a dash that begins no item of a list and no number.
    private static func isFlag(_ text: String) -> Bool {
        guard let first = text.utf8.first, first == 45 else { return false }
        let rest = text.utf8.drop { $0 == 45 }
        guard let letter = rest.first, text.utf8.count - rest.count <= 2 else { return false }
        return isWordByte(letter) && !(letter >= 48 && letter <= 57)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57) || byte == 95
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default: result += mustEscape(scalar) ? escaped(scalar) : String(scalar)
            }
        }
        return result + "\""
    }

    private static func mustEscape(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 32 || (127...160).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
            || (0x200B...0x200F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
            || scalar.value == 0xFEFF
            || (0xFFFE...0xFFFF).contains(scalar.value)
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let width = scalar.value < 256 ? 2 : scalar.value < 0x10000 ? 4 : 8
        return "\\" + (width == 2 ? "x" : width == 4 ? "u" : "U") + String(repeating: "0", count: width - digits.count)
            + digits
    }
}

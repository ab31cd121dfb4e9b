// SPDX-License-Identifier: Apache-2.0

/// HCL, as Nomad reads it: blocks, attributes and quoted templates.
struct HCLText {
    private(set) var text = ""
    private var depth = 0

    private var margin: String { String(repeating: "  ", count: depth) }

    mutating func comment(_ remark: String) {
        for line in Exporter.comment(remark) { text += margin + line + "\n" }
    }

    mutating func set(_ key: String, _ value: String) { set(key, raw: Self.quoted(value)) }
    mutating func set(_ key: String, raw value: String) { text += "\(margin)\(key) = \(value)\n" }
    mutating func set(_ key: String, _ values: [String]) {
        set(key, raw: "[\(values.map(Self.quoted).joined(separator: ", "))]")
    }

    mutating func block(_ head: String, _ body: (inout HCLText) -> Void) {
        text += "\(margin)\(head) {\n"
        depth += 1
        body(&self)
        depth -= 1
        text += "\(margin)}\n"
    }

    /// In double quotes; `${` and `%{`, which begin templates, are doubled.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 32 || (127..<160).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result.replacing("${", with: "$${").replacing("%{", with: "%%{") + "\""
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Plain data on one line, as a person would write it in YAML's flow style.
enum ValueText {
    static func of(_ value: Value?) -> String {
        switch value {
        case nil: "(none)"
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .double(let number): String(number)
        case .string(let text): string(text)
        case .array(let items): "[\(items.map { of($0) }.joined(separator: ", "))]"
        case .object(let members): "{\(members.map { "\($0.key): \(of($0.value))" }.joined(separator: ", "))}"
        }
    }

    /// Bare while nothing about it is in doubt.
    private static func string(_ text: String) -> String {
        let isBare =
            !text.isEmpty && text.first != " " && text.last != " " && !text.contains { "\"\n,{}[]#".contains($0) }
        if isBare { return text }
        var quoted = "\""
        for character in text {
            switch character {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            default: quoted.append(character)
            }
        }
        return quoted + "\""
    }
}

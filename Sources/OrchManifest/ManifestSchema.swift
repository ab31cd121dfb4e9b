// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The language as a JSON Schema (draft 2020-12), for editors; made from the one table of keys.
public enum ManifestSchema {
    /// The text of `schemas/stack.schema.json`. A value that is interpolated is accepted wherever a scalar is.
    public static var json: String {
        var definitions = Definitions()
        let root = definitions.object(Fields.stack)
        var members: [Value.Member] = [
            .init("$schema", "https://json-schema.org/draft/2020-12/schema"), .init("title", "orch stack"),
        ]
        members += root
        members.append(.init("required", ["services"]))
        members.append(.init("$defs", .object(definitions.done.sorted { $0.key < $1.key })))
        return JSONText.pretty(.object(members)) + "\n"
    }
}

/// The tables that have been written, each once.
private struct Definitions {
    var done: [Value.Member] = []
    private var known: Set<String> = []

    mutating func object(_ table: FieldTable) -> [Value.Member] {
        var properties: [Value.Member] = []
        for field in table.fields {
            // A key whose value is null is as if it were not given; only that can't be said of all that runs.
            let isNeeded = table.title == Fields.stack.title && field.name == "services"
            properties.append(.init(field.name, property(field, isNullable: !isNeeded)))
        }
        return [
            .init("type", "object"), .init("properties", .object(properties)), .init("patternProperties", ["^x-": [:]]),
            .init("additionalProperties", false),
        ]
    }

    private mutating func property(_ field: Field, isNullable: Bool) -> Value {
        guard field.isBuilt else {
            return ["description": .string("Not in this version of orch: \(field.summary)"), "not": [:]]
        }
        let text = field.fallback.isEmpty ? field.summary : "\(field.summary) Default: \(field.fallback)."
        var members = [Value.Member("description", .string(text))]
        members += (isNullable ? orNull(schema(field.form)) : schema(field.form)).members ?? []
        return .object(members)
    }

    private func orNull(_ schema: Value) -> Value {
        let null: Value = ["type": "null"]
        guard let members = schema.members, let first = members.first else { return schema }
        if first.key == "anyOf", let forms = first.value.array {
            return .object([.init("anyOf", .array(forms + (forms.contains(null) ? [] : [null])))])
        }
        guard first.key == "type", first.value != "null" else { return ["anyOf": [schema, null]] }
        let types = first.value.array ?? [first.value]
        return .object([.init("type", .array(types + ["null"]))] + members.dropFirst())
    }

    private mutating func schema(_ form: FieldForm) -> Value {
        switch form {
        case .anything: [:]
        case .null: ["type": "null"]
        case .text: ["type": ["string", "number", "boolean"]]
        case .matching(let text): pattern(text)
        case .boolean: interpolated(["type": "boolean"])
        case .number: interpolated(["type": "number"])
        case .integer(let range):
            interpolated([
                "type": "integer", "minimum": .int(Int64(range.lowerBound)), "maximum": .int(Int64(range.upperBound)),
            ])
        case .duration: pattern(#"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d))+$"#)
        case .size: pattern("^[0-9]+([kKMGT]?B|[KMGT]iB)$")
        case .word(let words): interpolated(["enum": .strings(words)])
        case .list(let inner): ["type": "array", "items": schema(inner)]
        case .map(let inner): ["type": "object", "additionalProperties": schema(inner)]
        case .object(let table): reference(table)
        case .either(let forms): ["anyOf": .array(forms.map { schema($0) })]
        }
    }

    private func interpolated(_ schema: Value) -> Value {
        ["anyOf": [schema, ["type": "string", "pattern": #"\$\{"#]]]
    }

    private func pattern(_ text: String) -> Value { ["type": "string", "pattern": .string(text + #"|\$\{"#)] }

    private mutating func reference(_ table: FieldTable) -> Value {
        let name = table.title.split(separator: " ").last.map(String.init) ?? table.title
        let key = table.title.hasPrefix("the ") ? "stack_\(name)" : name
        if known.insert(key).inserted {
            let members = object(table)
            done.append(.init(key, .object(members)))
        }
        return ["$ref": .string("#/$defs/\(key)")]
    }
}

/// A tree of plain data as indented JSON (RFC 8259).
private enum JSONText {
    static func pretty(_ value: Value, indent: String = "") -> String {
        let inner = indent + "  "
        switch value {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .double(let number): return String(number)
        case .string(let text): return quoted(text)
        case .array(let items):
            let parts = items.map { pretty($0, indent: inner) }
            let line = "[\(parts.joined(separator: ", "))]"
            if line.utf8.count <= 100, !line.utf8.contains(10) { return line }
            return "[\n" + parts.map { inner + $0 }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let parts = members.map { "\(quoted($0.key)): \(pretty($0.value, indent: inner))" }
            let line = "{ \(parts.joined(separator: ", ")) }"
            if line.utf8.count <= 100, !line.utf8.contains(10) { return line }
            return "{\n" + parts.map { inner + $0 }.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    /// The texts of the table hold no control characters.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

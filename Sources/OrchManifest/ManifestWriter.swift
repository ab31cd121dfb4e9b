// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// The resolved manifest as text, for `orch config`.
public enum ManifestWriter {
    /// YAML that loads again to an equal stack, wherever it lies: defaults left out, paths absolute, names resolved. What is inherited from
    /// the caller is not in it.
    public static func yaml(_ request: ApplyRequest) -> String {
        var members = request.stack.value.members ?? []
        for index in members.indices {
            if members[index].key == "services", let services = members[index].value.members {
                members[index].value = .object(
                    services.map { Value.Member($0.key, service(withSecrets($0.value))) })
            } else {
                members[index].value = escaped(members[index].value)
            }
        }
        let secrets = secrets(of: request.stack)
        if !secrets.isEmpty { members.append(Value.Member("secrets", .object(secrets))) }
        return YAMLText(.object(members)).text
    }

    /// Shell text and what is resolved at launch stand as they are; all other texts are read once more.
    private static func service(_ definition: Value) -> Value {
        guard let members = definition.members else { return definition }
        let hasShell = definition["shell"] != nil
        return .object(
            members.map { member in
                switch member.key {
                case "command", "environment", "secrets": member
                case "logging": Value.Member(member.key, logging(member.value))
                case "depends_on": Value.Member(member.key, needs(member.value))
                case "health": Value.Member(member.key, each(member.value) { actions($0, hasShell: hasShell) })
                case "config_files":
                    Value.Member(member.key, escaped(.strings((member.value.members ?? []).map(\.key))))
                case "hooks": Value.Member(member.key, each(member.value) { actions($0, hasShell: hasShell) })
                case "reload": Value.Member(member.key, actions(member.value, hasShell: hasShell))
                case "watch":
                    Value.Member(
                        member.key, .array((member.value.array ?? []).map { watchRule($0, hasShell: hasShell) }))
                case "stop": Value.Member(member.key, stop(member.value, hasShell: hasShell))
                default: Value.Member(member.key, escaped(member.value))
                }
            })
    }

    /// Paths are resolved at launch, patterns are read at once.
    private static func logging(_ value: Value) -> Value {
        guard let members = value.members else { return value }
        return .object(
            members.map { member in
                switch member.key {
                case "redact": Value.Member(member.key, escaped(member.value))
                case "levels":
                    Value.Member(
                        member.key,
                        .object(
                            (member.value.members ?? []).map {
                                $0.key == "from" ? Value.Member($0.key, escaped($0.value)) : $0
                            }))
                default: member
                }
            })
    }

    /// Names of what is no service are read once more.
    private static func needs(_ value: Value) -> Value {
        guard let members = value.members else { return value }
        return .object(
            members.map { member in
                var terms = escaped(member.value).members ?? []
                if OutsideNeed(member.key) != nil { terms.removeAll { $0.key == "condition" } }
                return Value.Member(LaunchTemplate.literal(member.key), .object(terms))
            })
    }

    private static func stop(_ value: Value, hasShell: Bool) -> Value {
        guard let members = value.members else { return value }
        return .object(
            members.map { member in
                guard member.key == "steps", let steps = member.value.array else { return member }
                return Value.Member("steps", .array(steps.map { actions($0, hasShell: hasShell) }))
            })
    }

    /// A probe or a stop step: what is asked or done is text for the launch or for a shell, the rest is read at once.
    private static func actions(_ value: Value, hasShell: Bool) -> Value {
        guard let members = value.members else { return value }
        var result = members.map { member in
            switch member.key {
            case "http": Value.Member("http", http(member.value))
            case "tcp", "command": member
            default: Value.Member(member.key, escaped(member.value))
            }
        }
        // Without its own word it would take the service's shell.
        if hasShell, value["command"]?.string != nil, value["shell"] == nil {
            result.append(Value.Member("shell", .strings(CommandLine.standardShell)))
        }
        return .object(result)
    }

    private static func watchRule(_ value: Value, hasShell: Bool) -> Value {
        .object(
            (value.members ?? []).map { member in
                let isAction = member.key == "action"
                return Value.Member(
                    member.key, isAction ? actions(member.value, hasShell: hasShell) : escaped(member.value))
            })
    }

    private static func http(_ value: Value) -> Value {
        guard let members = value.members else { return value }
        return .object(
            members.map { member in
                switch member.key {
                case "url", "headers", "body": member
                default: Value.Member(member.key, escaped(member.value))
                }
            })
    }

    private static func each(_ value: Value, _ change: (Value) -> Value) -> Value {
        guard let members = value.members else { return value }
        return .object(members.map { Value.Member($0.key, change($0.value)) })
    }

    /// The same texts with their dollars doubled where they would begin a reference.
    private static func escaped(_ value: Value) -> Value {
        switch value {
        case .null, .bool, .int, .double: value
        case .string(let text): .string(LaunchTemplate.literal(text))
        case .array(let items): .array(items.map(escaped))
        case .object: each(value, escaped)
        }
    }
}

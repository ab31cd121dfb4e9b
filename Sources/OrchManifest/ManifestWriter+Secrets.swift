// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Secrets in the manifest's words: a service names them, the stack says where they are.
extension ManifestWriter {
    static func secrets(of stack: Stack) -> [Value.Member] {
        var files: [String: String] = [:]
        for service in stack.services { for secret in service.secrets { files[secret.name] = secret.file } }
        return files.sorted { $0.key < $1.key }.map { name, file in
            Value.Member(name, ["file": .string(LaunchTemplate.literal(file))])
        }
    }

    /// A service's definition with `{ secret: NAME }` where its variables and files are.
    static func withSecrets(_ definition: Value) -> Value {
        guard var members = definition.members, let secrets = definition["secrets"]?.members else { return definition }
        var variables: [Value.Member] = []
        var files: [Value.Member] = []
        for secret in secrets {
            let reference: Value = ["secret": .string(secret.key)]
            variables += names(secret.value["variables"]).map { Value.Member($0, reference) }
            files += names(secret.value["files"]).map { Value.Member($0, reference) }
        }
        members.removeAll { $0.key == "secrets" }
        if !variables.isEmpty {
            let own = definition["environment"]?.members ?? []
            members.removeAll { $0.key == "environment" }
            members.append(Value.Member("environment", .object(own + variables)))
        }
        if !files.isEmpty { members.append(Value.Member("secrets", .object(files))) }
        return .object(members)
    }

    private static func names(_ list: Value?) -> [String] { list?.array?.compactMap(\.string) ?? [] }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// One entry of the manifest's `secrets`.
struct DeclaredSecret {
    var name: String
    var key: NodeID
    /// Absolute; nil: its error has been said.
    var file: String?
    var content: Digest?
    var isUsed = false
}

extension Fields {
    static let secret = FieldTable(
        "a secret",
        [
            Field(
                "file", .text,
                "The file that holds it, read at each start; as a variable it is without its last line break."),
            .later("env", "The variable of the caller that holds it."),
            .later("command", "The command that prints it."),
        ])
    static let secretReference = FieldTable(
        "a secret's use", [Field("secret", .text, "Its name among the manifest's secrets.")])
}

/// `secrets` of the manifest and of services. Nothing here ever sees what they hold.
extension Decoder {
    func declareSecrets(_ node: NodeID) {
        guard tree.kind(node) == .mapping else {
            return wrongForm(
                "secrets", "a map of secrets by name", node, help: "such as { db_password: { file: ./secrets/db } }")
        }
        for (key, value) in tree.entries(node) {
            let name = tree.text(key)
            if name.utf8.starts(with: "x-".utf8) { continue }
            if !Self.isFileName(name) { badFileName(name, key) }
            var secret = DeclaredSecret(name: name, key: key)
            if tree.isNull(value) {
                error("missing", "the secret \"\(name)\" needs a file", at: key, help: "write \(name): { file: PATH }")
            } else if let section = section(value, Fields.secret, name) {
                if let node = section["file"] {
                    secret.file = path(node, "file")
                    if let file = secret.file { secret.content = content(of: file, at: node) }
                } else if section.entries.isEmpty, !reporter.hasErrors {
                    error("missing", "the secret \"\(name)\" needs a file", at: value, help: "write { file: PATH }")
                }
            }
            secrets.append(secret)
        }
    }

    private func content(of file: String, at node: NodeID) -> Digest? {
        guard let look = input.secret else { return nil }
        do throws(Fault) { return try look(file) } catch {
            self.error(
                "secret", error.text, at: node,
                help: error.remedy ?? "it is read at each start, by the user that the daemon runs as")
            return nil
        }
    }

    /// `{ secret: NAME }`; nil after having said what is wrong.
    func secretReference(_ node: NodeID, _ what: String) -> String? {
        guard let section = section(node, Fields.secretReference, what) else { return nil }
        guard let node = section["secret"] else {
            error("missing", "\"\(what)\" needs the name of a secret", at: section.node, help: "write { secret: NAME }")
            return nil
        }
        guard let name = text(node, "secret") else { return nil }
        return known(name, at: node) ? name : nil
    }

    private func known(_ name: String, at node: NodeID) -> Bool {
        if secrets.contains(where: { $0.name == name }) { return true }
        error(
            "unknown-secret", "there is no secret \"\(name)\"", at: node,
            help: Suggestion.help(for: name, among: secrets.map(\.name))
                ?? "declare it beside services:  secrets: { \(name): { file: PATH } }")
        return false
    }

    /// A service's `secrets`: each one a file.
    func secretFiles(_ node: NodeID, in spec: inout ServiceSpec) {
        var taken = KeySet(expecting: Int(tree[node].count))
        switch tree.kind(node) {
        case .scalar: wrongForm("secrets", "a list or a map of secrets", node, help: "write [\(tree.text(node))]")
        case .sequence:
            for item in Array(tree.slots(node)) {
                guard let name = text(item, "secrets"), known(name, at: item) else { continue }
                if taken.insert(name, item) != nil {
                    error("duplicate-key", "\"\(name)\" is given twice", at: item, help: "remove it here")
                } else {
                    use(name, in: &spec) { $0.files.append(name) }
                }
            }
        case .mapping:
            for (key, value) in tree.entries(node) {
                let file = tree.text(key)
                if !Self.isFileName(file) { badFileName(file, key) }
                let name = tree.isNull(value) ? (known(file, at: key) ? file : nil) : secretReference(value, file)
                if let name { use(name, in: &spec) { $0.files.append(file) } }
            }
        }
        for place in spec.secrets.indices { spec.secrets[place].files.sort() }
    }

    func use(_ name: String, in spec: inout ServiceSpec, _ change: (inout SecretUse) -> Void) {
        guard let place = secrets.firstIndex(where: { $0.name == name }) else { return }
        secrets[place].isUsed = true
        guard let file = secrets[place].file else { return }
        if !spec.secrets.contains(where: { $0.name == name }) {
            spec.secrets.append(SecretUse(name, file: file, content: secrets[place].content))
        }
        for place in spec.secrets.indices where spec.secrets[place].name == name { change(&spec.secrets[place]) }
    }

    func checkSecrets() {
        for secret in secrets where !secret.isUsed && secret.file != nil {
            warn(
                "no-effect", "no service has the secret \"\(secret.name)\"", at: secret.key,
                help:
                    "write environment: { NAME: { secret: \(secret.name) } } or secrets: [\(secret.name)] in a service")
        }
    }

    private func badFileName(_ name: String, _ node: NodeID) {
        error(
            "name", "\"\(name.prefix(80))\" can't name a secret", at: node,
            help: "letters, digits, ., _ and -, not beginning with a dot")
    }

    /// It becomes the name of a file.
    private static func isFileName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != 46, name.utf8.count <= 200 else { return false }
        return name.utf8.allSatisfy {
            ($0 >= 97 && $0 <= 122) || ($0 >= 65 && $0 <= 90) || ($0 >= 48 && $0 <= 57) || $0 == 46 || $0 == 95
                || $0 == 45
        }
    }
}

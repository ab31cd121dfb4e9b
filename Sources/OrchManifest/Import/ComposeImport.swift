// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Docker Compose's files (compose-spec).
final class ComposeImport {
    /// A service of the file, before anything is made of it.
    struct Service {
        var wanted: String
        var key: NodeID
        /// With those of what it extends.
        var entries: [YAMLSource.Entry]
        var notes: [ImportNote]
        var name = ""
        /// Somebody waits for its end.
        var isTask = false

        subscript(key: String) -> NodeID? { entries.first { $0.name == key }?.value }
    }

    let importer: Importer
    let yaml: YAMLSource
    private(set) var services: [Service] = []
    /// Secrets of the file that are files.
    private(set) var secrets: Set<String> = []

    init?(_ importer: Importer) {
        self.importer = importer
        guard let yaml = YAMLSource(importer) else { return nil }
        self.yaml = yaml
    }

    func draft() -> [DraftEntry] {
        guard yaml.isMap(yaml.root) else {
            yaml.error("a Compose file is a map", at: yaml.root, help: "with  services:  at its top")
            return []
        }
        guard let node = serviceNode() else { return [] }
        let dotEnv = importer.readDotEnv()
        collect(node)
        let secretEntries = topSecrets()
        var drafts = services.map { draft(of: $0) }
        var top: [DraftEntry] = []
        if let node = yaml[yaml.root, "name"], let text = yaml.raw(node) {
            let plain = DollarText(text).flattened
            let name = Name.made(from: plain) ?? "stack"
            let notes = name == text ? [] : [yaml.changed("the stack is named \"\(name)\" here", at: node)]
            top.append(DraftEntry("name", .value(.string(name)), at: yaml.position(node), notes: notes))
        }
        top += topNotes()
        top += dotEnvEntries(dotEnv)
        top += secretEntries
        if importer.shares("restart", "no", &drafts) {
            var defaults = DraftEntry("defaults", .map([DraftEntry("restart", "no")]))
            defaults.remarks = ["Compose restarts only what says so."]
            top.append(defaults)
        }
        return top + [DraftEntry("services", .map(drafts), at: yaml.position(node))]
    }

    /// Where the services are; the oldest files have nothing else.
    private func serviceNode() -> NodeID? {
        if let node = yaml.tree.value(yaml.root, "services") {
            guard yaml.isMap(node) else {
                yaml.error("\"services\" must be a map of services by name", at: node)
                return nil
            }
            return node
        }
        let isOld = yaml.entries(yaml.root).contains { entry in
            yaml.isMap(entry.value) && ["image", "build", "command"].contains { yaml[entry.value, $0] != nil }
        }
        if isOld { return yaml.root }
        yaml.error("there are no services in it", at: yaml.root, help: "a Compose file has  services:  at its top")
        return nil
    }

    private func collect(_ node: NodeID) {
        for entry in yaml.entries(node) where !entry.name.hasPrefix("x-") {
            guard yaml.isMap(entry.value) else {
                yaml.error("the service \"\(entry.name.prefix(80))\" has no definition", at: entry.key)
                continue
            }
            var notes: [ImportNote] = []
            let entries = extended(entry.value, in: node, depth: 0, notes: &notes)
            services.append(Service(wanted: entry.name, key: entry.key, entries: entries, notes: notes))
        }
        for index in services.indices {
            let named = importer.name(for: services[index].wanted, at: yaml.position(services[index].key))
            services[index].name = named.name
            services[index].notes = named.notes + services[index].notes
        }
        for service in services {
            guard let needs = service["depends_on"], yaml.isMap(needs) else { continue }
            for need in yaml.entries(needs)
            where yaml.raw(yaml[need.value, "condition"]) == "service_completed_successfully" {
                for index in services.indices where services[index].wanted == need.name {
                    services[index].isTask = true
                }
            }
        }
    }

    /// Its own keys, and beneath them those of the service of this file that it extends.
    private func extended(_ node: NodeID, in all: NodeID, depth: Int, notes: inout [ImportNote]) -> [YAMLSource.Entry] {
        let own = yaml.entries(node).filter { $0.name != "extends" }
        guard let entry = yaml.entries(node).first(where: { $0.name == "extends" }) else { return own }
        let name = yaml.raw(entry.value) ?? (yaml.isMap(entry.value) ? yaml.raw(yaml[entry.value, "service"]) : nil)
        let file = yaml.isMap(entry.value) ? yaml.raw(yaml[entry.value, "file"]) : nil
        guard file == nil, depth < 16, let name, let base = yaml[all, name], yaml.isMap(base) else {
            notes.append(
                yaml.lost(
                    entry, because: file.map { "it is in \($0)" } ?? "there is no such service",
                    instead: "copy its keys to here and import again"))
            return own
        }
        var result = own
        for weaker in extended(base, in: all, depth: depth + 1, notes: &notes) {
            guard let at = result.firstIndex(where: { $0.name == weaker.name }) else {
                if weaker.name != "depends_on" { result.append(weaker) }
                continue
            }
            if weaker.name == "environment" || weaker.name == "labels" {
                notes.append(
                    yaml.changed(
                        "\"\(weaker.name)\" of the extended service \"\(name)\" is not merged with this one",
                        at: result[at].key, help: "copy what is missing from line \(yaml.position(weaker.key).line)"))
            }
        }
        return result
    }

    func service(named wanted: String) -> Service? { services.first { $0.wanted == wanted } }

    // MARK: Around the services

    /// Keys of the file that have nothing to become here.
    private func topNotes() -> [DraftEntry] {
        let known = ["services", "name", "version", "volumes", "networks", "secrets"]
        var notes: [ImportNote] = []
        for entry in yaml.entries(yaml.root)
        where !known.contains(entry.name) && !entry.name.hasPrefix("x-") && service(named: entry.name) == nil {
            switch entry.name {
            case "include":
                notes.append(
                    yaml.lost(
                        entry, because: "each file is imported on its own",
                        instead: "import those files too, then  include: [THE-MANIFESTS]"))
            case "configs":
                notes.append(
                    yaml.lost(
                        entry, because: "processes see the host's own files", instead: "put them where they are read"))
            default: notes.append(yaml.lost(entry, because: "it is no key that orch knows of a Compose file"))
            }
        }
        return notes.isEmpty ? [] : [.notes(notes)]
    }

    /// `.env`, where it gives a variable its value; Compose hands it to nobody else.
    private func dotEnvEntries(_ entries: [DraftEntry]) -> [DraftEntry] {
        entries.compactMap { entry in
            guard entry.key == "env_file" else { return entry }
            guard yaml.asked.contains(where: { importer.isInDotEnv($0) }) else { return nil }
            var entry = entry
            entry.remarks = [
                "Compose reads it only for what the file calls ${…}, and lets the caller's variables win; here services get its variables, and it wins."
            ]
            return entry
        }
    }

    private func topSecrets() -> [DraftEntry] {
        guard let node = yaml[yaml.root, "secrets"], yaml.isMap(node) else { return [] }
        var entries: [DraftEntry] = []
        for entry in yaml.entries(node) {
            guard yaml.isMap(entry.value), let file = yaml[entry.value, "file"] else {
                let note = yaml.lost(
                    entry, because: "only secrets that are files can be used",
                    instead: "write it into a file that only its user can read, then  \(entry.name): { file: PATH }")
                entries.append(.notes([note]))
                continue
            }
            var notes: [ImportNote] = []
            guard let path = yaml.text(file, isText: false, notes: &notes) else { continue }
            let isUsed = services.contains { uses(entry.name, $0) }
            guard isUsed else { continue }
            secrets.insert(entry.name)
            entries.append(
                DraftEntry(
                    entry.name, .value(.object([Value.Member("file", .string(path))])), at: yaml.position(entry.key),
                    notes: notes))
        }
        return entries.isEmpty ? [] : [DraftEntry("secrets", .map(entries), at: yaml.position(node))]
    }

    private func uses(_ secret: String, _ service: Service) -> Bool {
        guard command(of: service) != nil, let node = service["secrets"] else { return false }
        return yaml.items(node).contains { item in
            yaml.raw(item) == secret || (yaml.isMap(item) && yaml.raw(yaml[item, "source"]) == secret)
        }
    }
}

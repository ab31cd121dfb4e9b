// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A map whose keys have been held against their table.
struct Section {
    struct Entry {
        var name: String
        var key: NodeID
        var value: NodeID
        var isNull: Bool
    }
    let node: NodeID
    let entries: [Entry]

    /// The value of a key; nil when it is not given or null.
    subscript(name: String) -> NodeID? {
        for entry in entries where entry.name == name { return entry.isNull ? nil : entry.value }
        return nil
    }

    /// The entry of a key, whatever its value.
    func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }
    func key(_ name: String) -> NodeID { entry(name)?.key ?? node }
    func has(_ name: String) -> Bool { self[name] != nil }
}

extension Decoder {
    /// Reads a map by its table: what is unknown or not there yet is said, free keys are left out. Nil when it is no map.
    func section(_ id: NodeID, _ table: FieldTable, _ what: String) -> Section? {
        guard tree.kind(id) == .mapping else {
            wrongForm(
                what, "a map", id,
                help: Self.keys(of: table) ?? "a map has keys, each with a colon: \(table.names[0]): …")
            return nil
        }
        var entries: [Section.Entry] = []
        entries.reserveCapacity(Int(tree[id].count) / 2)
        let slots = tree.slots(id)
        for at in stride(from: slots.startIndex, to: slots.endIndex - 1, by: 2) {
            let name = tree.text(slots[at])
            if let isBuilt = table.isBuilt(name) {
                if isBuilt {
                    entries.append(
                        .init(name: name, key: slots[at], value: slots[at + 1], isNull: tree.isNull(slots[at + 1])))
                } else {
                    error(
                        "not-yet", "\"\(name)\" is part of the language, but this version of orch does not have it yet",
                        at: slots[at], help: "remove it; names that begin with x- are left alone")
                }
            } else if !name.utf8.starts(with: "x-".utf8) {
                error(
                    "unknown-key", "\"\(name)\" is not a key of \(table.title)", at: slots[at],
                    help: remedy(for: name, table))
            }
        }
        return Section(node: id, entries: entries)
    }

    private func remedy(for name: String, _ table: FieldTable) -> String {
        if let help = Suggestion.help(for: name, among: table.names) { return help }
        if let known = Self.foreign[name] { return known }
        return Self.keys(of: table) ?? "orch explain lists the keys; those that begin with x- are left alone"
    }

    /// As a remedy; nil when they are too many for one.
    private static func keys(of table: FieldTable) -> String? {
        let names = table.fields.filter(\.isBuilt).map(\.name)
        if names.count == 1 { return "its key is \(names[0])" }
        return names.count <= 16 ? "its keys are \(names.joined(separator: ", "))" : nil
    }

    /// Keys of other tools, and what this language has instead.
    private static let foreign = [
        "version": "a manifest has no version; remove it", "image": "orch runs processes of this host; give a command",
        "build": "orch runs processes of this host; give a command", "entrypoint": "write all of it in command",
        "volumes": "processes see the host's own files; remove it",
        "networks": "processes use the host's own network; remove it",
        "container_name": "a service's name is its key; remove it", "processes": "write services",
        "is_daemon": "orch follows the whole tree; remove it",
        "availability": "write restart", "readiness_probe": "write health: { readiness: … }",
        "liveness_probe": "write health: { liveness: … }",
        "log_location": "write logging: { stdout: FILE }", "shutdown": "write stop", "env": "write environment",
        "cwd": "write working_dir",
        "cmd": "write command", "run": "write command", "args": "write all of it in command",
        "autorestart": "write restart",
    ]
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What Compose runs beside a container, and the files that it follows.
extension ComposeImport {
    /// `post_start` and `pre_stop`.
    func addHook(_ entry: YAMLSource.Entry, of service: Service, to draft: inout Draft) {
        let name = entry.name == "post_start" ? "post_ready" : "pre_stop"
        if service.isTask, name == "post_ready" {
            return draft.lose(yaml.lost(entry, because: "a task is never ready"))
        }
        var notes: [ImportNote] = []
        let items = yaml.isList(entry.value) ? yaml.items(entry.value) : []
        guard items.count == 1, let command = yaml[items[0], "command"], let words = words(of: command, notes: &notes)
        else {
            return draft.lose(
                yaml.lost(
                    entry, because: "a hook is one command here",
                    instead: "write hooks: { \(name): { command: [./all-of-it.sh] } }"))
        }
        for inner in yaml.entries(items[0]) where inner.name != "command" {
            notes.append(yaml.lost(inner, because: "a hook runs as its service does"))
        }
        let hook = DraftEntry(
            name, .map([DraftEntry("command", .value(.strings(words)))]), at: yaml.position(entry.key), notes: notes)
        draft.add(DraftEntry("hooks", .map([hook]), at: yaml.position(entry.key)))
    }

    /// `develop.watch`.
    func addDevelop(_ entry: YAMLSource.Entry, to draft: inout Draft) {
        for inner in yaml.entries(entry.value) where inner.name != "watch" {
            draft.lose(yaml.lost(inner, because: "orch has nothing like it"))
        }
        guard let watch = yaml[entry.value, "watch"], yaml.isList(watch) else { return }
        var notes: [ImportNote] = []
        var rules: [DraftEntry] = []
        for item in yaml.items(watch) {
            guard let path = yaml[item, "path"], let place = yaml.text(path, isText: false, notes: &notes) else {
                continue
            }
            let action = yaml.raw(yaml[item, "action"]) ?? ""
            guard action == "restart" || action == "sync+restart" else {
                let why = action == "rebuild" ? "orch builds nothing" : "processes see the files themselves"
                notes.append(
                    importer.lost(
                        "action: \(action)", at: yaml.position(item), because: why,
                        instead: "watch: [\(place)] restarts it"))
                continue
            }
            var terms = [DraftEntry("path", .value(.string(place)), at: yaml.position(path))]
            for key in ["include", "ignore"] {
                guard let node = yaml[item, key], yaml.isList(node) else { continue }
                // A folder goes by its name alone.
                let names = yaml.words(node, notes: &notes).map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
                terms.append(DraftEntry(key, .value(.strings(names))))
            }
            rules.append(DraftEntry("", .map(terms), at: yaml.position(item)))
        }
        if rules.isEmpty {
            if !notes.isEmpty { draft.add(.notes(notes)) }
        } else {
            draft.add(DraftEntry("watch", .list(rules), at: yaml.position(entry.key), notes: notes))
        }
    }
}

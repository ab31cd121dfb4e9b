// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A foreign file in YAML, with the place of everything.
final class YAMLSource {
    let importer: Importer
    let tree: Tree
    let root: NodeID
    /// Names of variables that texts asked for.
    private(set) var asked: Set<String> = []
    /// Whether a dollar in it means anything.
    var expands = true

    /// A key of a map and its value.
    struct Entry {
        var name: String
        var key: NodeID
        var value: NodeID
    }

    /// Nil after having said what is wrong.
    init?(_ importer: Importer) {
        self.importer = importer
        var tree = Tree()
        var expanded = 0
        let root = TreeBuilder.build(
            importer.sources[0], file: 0, into: &tree, counting: &expanded, reporter: &importer.reporter)
        guard let root else { return nil }
        self.tree = tree
        self.root = root
    }

    // MARK: Looking

    func position(_ id: NodeID) -> Position {
        Position(file: importer.sources[0].name, line: Int(tree[id].line), column: Int(tree[id].column))
    }

    func entries(_ id: NodeID?) -> [Entry] {
        guard let id else { return [] }
        return tree.entries(id).map { Entry(name: tree.text($0.key), key: $0.key, value: $0.value) }
    }

    /// The items of a list; a scalar is a list of one.
    func items(_ id: NodeID) -> [NodeID] {
        switch tree.kind(id) {
        case .sequence: Array(tree.slots(id))
        case .scalar: tree.isNull(id) ? [] : [id]
        case .mapping: []
        }
    }

    /// The value of a key; nil when it is not there or null.
    subscript(id: NodeID, key: String) -> NodeID? {
        tree.value(id, key).flatMap { tree.isNull($0) ? nil : $0 }
    }

    func isMap(_ id: NodeID) -> Bool { tree.kind(id) == .mapping }
    func isList(_ id: NodeID) -> Bool { tree.kind(id) == .sequence }

    /// A scalar as it is written; nil for anything else and for null.
    func raw(_ id: NodeID?) -> String? {
        guard let id, tree.kind(id) == .scalar, !tree.isNull(id) else { return nil }
        return tree.text(id)
    }

    func flag(_ id: NodeID?) -> Bool? {
        guard let text = raw(id)?.lowercased() else { return nil }
        switch text {
        case "true", "yes", "on", "y", "1": return true
        case "false", "no", "off", "n", "0": return false
        default: return nil
        }
    }

    func error(_ message: String, at id: NodeID, help: String? = nil) {
        importer.error("import", message, at: position(id), width: Int(tree[id].width), help: help)
    }

    func lost(_ entry: Entry, because why: String, instead help: String? = nil) -> ImportNote {
        importer.lost(entry.name, at: position(entry.key), because: why, instead: help)
    }

    func changed(_ message: String, at id: NodeID, help: String? = nil) -> ImportNote {
        importer.changed(message, at: position(id), help: help)
    }

    // MARK: Texts with variables

    /// A scalar as orch reads the same; what it can't is a note.
    func text(_ id: NodeID, isText: Bool = true, notes: inout [ImportNote]) -> String? {
        guard let raw = raw(id) else { return nil }
        return text(raw, at: id, isText: isText, notes: &notes)
    }

    func text(_ raw: String, at id: NodeID, isText: Bool = true, notes: inout [ImportNote]) -> String {
        guard raw.utf8.contains(36) else { return raw }
        let source = expands ? DollarText(raw) : DollarText(literal: raw)
        asked.formUnion(source.names)
        let (text, flaws) = source.orch(isText: isText) { importer.isInDotEnv($0) }
        notes += flaws.map { changed($0, at: id) }
        return text
    }

    /// A setting that is no text: `KEY: value` as it stands, its number or truth value unquoted.
    func setting(_ key: String, _ id: NodeID, at place: NodeID) -> DraftEntry? {
        var notes: [ImportNote] = []
        guard let text = text(id, isText: false, notes: &notes) else { return nil }
        return DraftEntry(key, Self.content(text), at: position(place), notes: notes)
    }

    /// Numbers and truth values need no quotes where any scalar is read as text.
    static func content(_ text: String) -> DraftEntry.Content {
        switch CoreScalar(plain: text) {
        case .integer, .boolean: .plain(text)
        case .number(let number) where number.isFinite: .plain(text)
        case .null, .number, .text: .value(.string(text))
        }
    }

    /// Words of a list, each as orch reads the same.
    func words(_ id: NodeID, notes: inout [ImportNote]) -> [String] {
        items(id).compactMap { text($0, notes: &notes) }
    }

    /// `environment` in either of its forms. `value`: what becomes of each text.
    func variables(
        _ id: NodeID, notes: inout [ImportNote],
        value: (String, inout [ImportNote]) -> String = { text, _ in text }
    ) -> [DraftEntry] {
        var entries: [DraftEntry] = []
        func add(_ name: String, _ raw: String?, _ node: NodeID) {
            var own: [ImportNote] = []
            guard !name.isEmpty, !name.utf8.contains(61), !entries.contains(where: { $0.key == name }) else {
                notes.append(
                    importer.lost(name, at: position(node), because: "it can't name a variable, or is given twice"))
                return
            }
            guard let raw else {
                asked.insert(name)
                let isKnown = importer.isInDotEnv(name)
                if !isKnown {
                    own.append(
                        changed(
                            "where the caller has no \"\(name)\", it is empty here instead of unset", at: node))
                }
                entries.append(
                    DraftEntry(
                        name, .string(isKnown ? "${\(name)}" : "${\(name):-}"), at: position(node)))
                entries[entries.count - 1].notes = own
                return
            }
            let text = value(text(raw, at: node, notes: &own), &own)
            entries.append(DraftEntry(name, Self.content(text), at: position(node), notes: own))
        }
        if isMap(id) {
            for entry in self.entries(id) {
                if isMap(entry.value) || isList(entry.value) {
                    notes.append(lost(entry, because: "a variable is a text"))
                } else {
                    add(entry.name, raw(entry.value), entry.key)
                }
            }
        } else {
            for item in items(id) {
                guard let raw = raw(item) else { continue }
                let parts = raw.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                add(String(parts[0]), parts.count == 2 ? String(parts[1]) : nil, item)
            }
        }
        return entries
    }
}

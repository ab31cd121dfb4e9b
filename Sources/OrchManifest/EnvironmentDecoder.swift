// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Variables that a level declares, after all its sources.
struct DeclaredVariables {
    enum Content {
        /// In the form of a `LaunchTemplate`.
        case text(String)
        case unset
        case secret(String)
    }
    /// Sorted by name.
    var entries: [(name: String, content: Content)] = []
}

extension Decoder {
    /// A map or list of variables as a layer; nothing is interpolated yet.
    func layer(_ id: NodeID?, _ what: String, title: String) -> Layer {
        var layer = Layer()
        layer.title = title
        guard let id, let map = asMap(id, what) else { return layer }
        for (key, value) in tree.entries(map) {
            let name = tree.text(key)
            guard !name.isEmpty, !name.utf8.contains(61), !tree[key].hasNUL else {
                error("name", "\"\(name)\" can't name a variable", at: key, help: "a name is not empty and holds no =")
                continue
            }
            let node = tree[key]
            let place = Layer.Place(source: Int32(node.file), line: node.line, column: node.column)
            layer.define(name, state(value, name), at: place)
        }
        return layer
    }

    private func state(_ value: NodeID, _ name: String) -> Layer.State {
        if tree.isNull(value) { return .unset }
        guard tree.kind(value) == .mapping else { return .pending(value) }
        guard tree.value(value, "secret") != nil else {
            wrongForm(
                name, "text, or { secret: NAME }", value,
                help: "a variable is one text: give each its own name, such as \(name)_HOST")
            return .broken
        }
        return secretReference(value, name).map { .secret($0) } ?? .broken
    }

    /// Lists of `NAME=value` become maps; a bare `NAME` takes the value of the next weaker source.
    func asMap(_ id: NodeID, _ what: String) -> NodeID? {
        switch tree.kind(id) {
        case .mapping: return id
        case .scalar:
            wrongForm(what, "a map or a list of NAME=value", id, help: "such as { NAME: value } or [NAME=value]")
            return nil
        case .sequence:
            var slots: [NodeID] = []
            var keys = KeySet(expecting: Int(tree[id].count))
            for item in Array(tree.slots(id)) {
                let node = tree[item]
                guard node.kind == .scalar, !tree.isNull(item) else {
                    wrongForm(
                        what, "a list of NAME=value", item,
                        help: "such as [NAME=value]; a bare [NAME] takes the value it has outside")
                    continue
                }
                let parts = node.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                var key = node
                key.text = String(parts[0])
                var value = node
                value.tag = .string
                value.text = parts.count == 2 ? String(parts[1]) : "${\(parts[0])}"
                value.hasDollar = value.text.utf8.contains(36)
                let name = tree.add(key)
                if let first = keys.insert(key.text, name) {
                    error(
                        "duplicate-key", "\"\(key.text)\" is given twice", at: item,
                        help: "remove one of them; the first is at line \(tree[first].line)")
                    continue
                }
                slots.append(name)
                slots.append(tree.add(value))
            }
            var map = tree[id]
            map.kind = .mapping
            return tree.add(map, children: slots)
        }
    }

    /// The variables of the env files named at a node; later files win.
    func envFileLayer(_ id: NodeID?, title: String) -> Layer {
        var layer = Layer()
        layer.title = title
        guard let id else { return layer }
        let names = tree.kind(id) == .sequence ? Array(tree.slots(id)) : [id]
        for name in names {
            var path: NodeID? = name
            var isRequired = true
            if tree.kind(name) == .mapping {
                guard let section = section(name, Fields.envFileEntry, "env_file") else { continue }
                path = section["path"]
                if path == nil {
                    error(
                        "missing", "an env_file needs a path", at: name, help: "such as { path: .env, required: false }"
                    )
                }
                if let node = section["required"], let flag = flag(node, "required") { isRequired = flag }
            }
            guard let path, let text = text(path, "env_file") else { continue }
            guard let file = envFile(text, at: path, isRequired: isRequired) else { continue }
            for (entry, line) in zip(file.entries, file.lines) {
                let place = Layer.Place(source: Int32(clamping: file.source), line: line, column: 1)
                layer.define(entry.name, .known(LaunchTemplate.literal(entry.text)), at: place)
            }
        }
        return layer
    }

    private func envFile(_ path: String, at id: NodeID, isRequired: Bool) -> EnvFile? {
        let folder = folders[Int(tree[id].file)]
        let absolute = LexicalPath.absolute(path, from: folder.absolute)
        if let known = envFiles[absolute] { return known }
        let bytes: [UInt8]
        do throws(Fault) {
            bytes = try input.read(absolute)
        } catch {
            if isRequired || !error.reason.contains("ENOENT") {
                self.error(
                    "env-file", error.text, at: id,
                    help: error.reason.contains("ENOENT")
                        ? "write { path: \(path), required: false } if it may be missing"
                        : error.remedy ?? "whoever applies must be able to read it")
            }
            return nil
        }
        let source = Source(name: LexicalPath.joined(path, to: folder.shown), bytes: bytes)
        sources.append(source)
        var file = EnvFile(source)
        file.source = sources.count - 1
        for flaw in file.flaws { reporter.add(flaw) }
        envFiles[absolute] = file
        return file
    }

    /// Every definition of a scope's layers, the strongest of each name, over what lies beneath.
    func declared(_ scope: Scope, over base: DeclaredVariables, overrides: Layer) -> DeclaredVariables {
        var own: [(name: String, content: DeclaredVariables.Content)] = []
        for (layer, content) in scope.layers.enumerated() {
            for (index, definition) in content.definitions.enumerated() {
                let name = definition.name
                if scope.layers[..<layer].contains(where: { $0.find(name) != nil }) { continue }
                switch scope.layers[layer][index] {
                case .known(let text): own.append((name, .text(text)))
                case .unset: own.append((name, .unset))
                case .secret(let secret): own.append((name, .secret(secret)))
                case .broken, .open: break
                case .pending:
                    if case .value(let text) = resolve(name, at: index, layer: layer, in: scope) {
                        own.append((name, .text(text)))
                    }
                }
            }
        }
        if own.isEmpty { return base }
        own.sort { $0.name < $1.name }
        guard !base.entries.isEmpty else { return DeclaredVariables(entries: own) }
        return DeclaredVariables(entries: Self.merged(own, over: base.entries, keeping: overrides))
    }

    private static func merged(
        _ own: [(name: String, content: DeclaredVariables.Content)],
        over base: [(name: String, content: DeclaredVariables.Content)], keeping overrides: Layer
    ) -> [(name: String, content: DeclaredVariables.Content)] {
        var result: [(name: String, content: DeclaredVariables.Content)] = []
        result.reserveCapacity(own.count + base.count)
        var (i, j) = (0, 0)
        while i < own.count || j < base.count {
            if j == base.count || (i < own.count && own[i].name < base[j].name) {
                result.append(own[i])
                i += 1
            } else if i == own.count || base[j].name < own[i].name {
                result.append(base[j])
                j += 1
            } else {
                result.append(overrides.find(own[i].name) == nil ? own[i] : base[j])
                i += 1
                j += 1
            }
        }
        return result
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A manifest that another one includes: its services are the stack's, its variables and defaults hold for them alone.
struct Part {
    /// What was read, further files of the entry laid over the first.
    var root: NodeID
    /// What the entry names as `env_file`.
    var envFile: NodeID?
    /// Its files, absolute, and its env files as they are written: the same again is the same part.
    var files: [String]
    var envFiles: [String]
}

/// `include`: other manifests that are part of this one.
extension Decoder {
    /// Manifests that were given together, each with what it includes, each laid over those before it. `chain`: the files that are being
    /// read, these last.
    func merged(_ roots: [NodeID], chain: [[String]]) -> NodeID? {
        // What a later file takes away, or replaces as a whole, is not read at all.
        let first = roots.lastIndex { root in
            tree.value(root, "include").map { tree[$0].tag == .reset || tree[$0].tag == .override } ?? false
        }
        var result: NodeID?
        var isWhole = true
        for (index, root) in roots.enumerated() {
            let complete = index < first ?? 0 ? root : including(root, chain, &isWhole)
            result = result.map { overlay(complete, on: $0, as: .stack, .file) } ?? complete
        }
        return isWhole ? result : nil
    }

    /// The root with the services and secrets of all that it includes. `isWhole` becomes false when one of them can't be read.
    private func including(_ root: NodeID, _ chain: [[String]], _ isWhole: inout Bool) -> NodeID {
        guard tree.kind(root) == .mapping, let list = tree.value(root, "include"), !tree.isNull(list),
            tree[list].tag != .reset
        else { return root }
        var result = root
        let entries = tree.kind(list) == .sequence ? Array(tree.slots(list)) : [list]
        for entry in entries {
            guard let part = part(entry, chain, &isWhole) else { continue }
            for key in ["services", "secrets"] { result = joined(result, with: part, key, at: entry) }
        }
        return result
    }

    /// Reads one entry of the list; nil when it is there already, or after having said what is wrong.
    private func part(_ entry: NodeID, _ chain: [[String]], _ isWhole: inout Bool) -> NodeID? {
        var nodes = [entry]
        var envFile: NodeID?
        if tree.kind(entry) == .mapping {
            guard let section = section(entry, Fields.includeEntry, "include") else { return nil }
            guard let path = section["path"] else {
                error("missing", "an include needs a path", at: entry, help: "such as { path: ./more.yaml }")
                return nil
            }
            nodes = tree.kind(path) == .sequence ? Array(tree.slots(path)) : [path]
            envFile = section["env_file"]
        }
        let shown = nodes.compactMap { node in text(node, "include").map { (node: node, path: $0) } }
        guard shown.count == nodes.count, !shown.isEmpty else {
            isWhole = false
            return nil
        }
        let folder = { (node: NodeID) in self.folders[Int(self.tree[node].file)] }
        let files = shown.map { LexicalPath.absolute($0.path, from: folder($0.node).absolute) }
        let envFiles = envFile.map { self.written($0) } ?? []
        if let known = parts.first(where: { $0.files == files }), !isOpen(files, chain) {
            if known.envFiles != envFiles {
                error(
                    "conflict", "\(shown[0].path) is included twice, with other env files", at: entry,
                    help: "give both the same env_file, or include it once")
            }
            return nil
        }
        guard mayOpen(files, chain, at: shown[0].node) else {
            isWhole = false
            return nil
        }
        var roots: [NodeID] = []
        for (file, place) in zip(files, shown) {
            let name = LexicalPath.joined(place.path, to: folder(place.node).shown)
            let isBelow = name.utf8.first != 47 && file.hasPrefix(input.currentDirectory + "/")
            let short = isBelow ? String(file.utf8.dropFirst(input.currentDirectory.utf8.count + 1)) ?? name : name
            if let root = parse(file, shown: short, for: place.node) { roots.append(root) }
        }
        guard roots.count == files.count else {
            isWhole = false
            return nil
        }
        let own = Set(
            roots.flatMap { tree.value($0, "services").map { tree.entries($0) } ?? [] }.map { tree.text($0.key) })
        let number = parts.count
        parts.append(Part(root: roots[0], envFile: envFile, files: files, envFiles: envFiles))
        guard let root = merged(roots, chain: chain + [files]) else {
            isWhole = false
            return nil
        }
        parts[number].root = root
        for name in own where partOf[name] == nil { partOf[name] = number }
        return root
    }

    private func parse(_ file: String, shown: String, for node: NodeID) -> NodeID? {
        do throws(Fault) { return parse(try input.read(file), file, shown: shown) } catch {
            self.error(
                "include", error.text, at: node,
                help: error.reason.contains("ENOENT")
                    ? "paths are relative to the file that names them"
                    : error.remedy ?? "whoever applies must be able to read it")
            return nil
        }
    }

    private func isOpen(_ files: [String], _ chain: [[String]]) -> Bool {
        chain.contains { $0.contains(where: files.contains) }
    }

    /// Refuses what would never end.
    private func mayOpen(_ files: [String], _ chain: [[String]], at node: NodeID) -> Bool {
        if let start = chain.firstIndex(where: { $0.contains(where: files.contains) }) {
            let loop = (chain[start...].compactMap(\.first) + [files[0]]).map { LexicalPath.lastPart(of: $0) }
            error(
                "cycle", "manifests include each other in a loop: \(loop.joined(separator: " -> "))", at: node,
                help: "remove this include")
            return false
        }
        guard chain.count <= Limits.includeDepth else {
            error(
                "too-large", "manifests include each other more than \(Limits.includeDepth) deep", at: node,
                help: "name them all in one include list of the first")
            return false
        }
        guard sources.count + files.count <= Limits.manifestFiles else {
            error(
                "too-large", "a stack has at most \(Limits.manifestFiles) manifests", at: node,
                help: "join some of them")
            return false
        }
        return true
    }

    /// The env files of an entry as they are written, each with the folder that it is relative to.
    private func written(_ node: NodeID) -> [String] {
        let items = tree.kind(node) == .sequence ? Array(tree.slots(node)) : [node]
        return items.map { item in
            let path = tree.kind(item) == .mapping ? tree.value(item, "path") ?? item : item
            return LexicalPath.absolute(tree.text(path), from: folders[Int(tree[path].file)].absolute)
        }
    }

    /// What both have under `key`, in one map; a name that both have is a conflict.
    private func joined(_ root: NodeID, with part: NodeID, _ key: String, at entry: NodeID) -> NodeID {
        guard let theirs = tree.value(part, key), tree.kind(theirs) == .mapping else {
            return root
        }
        guard let ours = tree.value(root, key), !tree.isNull(ours) else {
            let name = tree.entries(part).first { tree.text($0.key) == key }?.key ?? theirs
            let slots = Array(tree.slots(root)) + [name, theirs]
            // An empty key of that name would hide what was found.
            let kept = stride(from: 0, to: slots.count - 1, by: 2).filter {
                tree.text(slots[$0]) != key || !tree.isNull(slots[$0 + 1])
            }
            return tree.add(tree[root], children: kept.flatMap { [slots[$0], slots[$0 + 1]] })
        }
        guard tree.kind(ours) == .mapping else { return root }
        var slots = Array(tree.slots(ours))
        var keys = KeySet(expecting: slots.count + tree.slots(theirs).count)
        for entry in tree.entries(ours) { _ = keys.insert(tree.text(entry.key), entry.key) }
        for entry in tree.entries(theirs) {
            let name = tree.text(entry.key)
            guard let first = keys.insert(name, entry.key) else {
                slots += [entry.key, entry.value]
                continue
            }
            if name.utf8.starts(with: "x-".utf8) { continue }
            error(
                "conflict", "\"\(name)\" is also defined at \(position(first).text)", at: entry.key,
                help: "rename one of them; a further -f file may change what is included")
        }
        let map = tree.add(tree[ours], children: slots)
        let entries = tree.entries(root).flatMap { [$0.key, $0.value == ours ? map : $0.value] }
        return tree.add(tree[root], children: entries)
    }
}

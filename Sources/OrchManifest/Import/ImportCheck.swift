// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The loader itself is the judge of what an import has put together: what it refuses becomes a comment, with its reason.
extension Importer {
    /// How often the loader is asked; each time it refuses something else than before.
    private static let rounds = 64

    func settled(_ draft: [DraftEntry]) -> Result<ImportedManifest, ManifestErrors> {
        var draft = draft
        let header =
            "Made by `orch import \(input.format.rawValue)` from \(sources.map(\.name).joined(separator: ", ")); what could not be carried over is said where it belongs."
        for _ in 0..<Self.rounds {
            takeOutIdle(&draft)
            let text = DraftText(draft, header: header, namesFiles: sources.count > 1)
            let check = load(text.text)
            switch check.result {
            case .success(let loaded): return .success(imported(draft, text.text, loaded, check.needed))
            case .failure(let errors):
                guard takeOut(errors.diagnostics, of: &draft, text) else { return .failure(unsettled(errors)) }
            }
        }
        return .failure(unsettled(ManifestErrors(diagnostics: [])))
    }

    private func imported(
        _ draft: [DraftEntry], _ text: String, _ loaded: LoadedManifest, _ needed: [String]
    ) -> ImportedManifest {
        ImportedManifest(
            text: text, notes: located(draft.flatMap(\.allNotes)), services: loaded.request.stack.services.count,
            variables: needed)
    }

    /// In the order of the source, each with its line.
    private func located(_ notes: [ImportNote]) -> [Diagnostic] {
        var rank: [String: Int] = [:]
        for (index, source) in sources.enumerated() where rank[source.name] == nil { rank[source.name] = index }
        var found = notes.map(\.diagnostic)
        for (index, source) in sources.enumerated() where rank[source.name] == index {
            let lines = source.lines(
                Set(found.compactMap { $0.position?.file == source.name ? $0.position?.line : nil }))
            for place in found.indices where found[place].position?.file == source.name {
                found[place].sourceLine = found[place].position.flatMap { lines[$0.line] }
            }
        }
        let order = found.indices.sorted { a, b in
            guard let p = found[a].position, let q = found[b].position else { return a < b }
            return (rank[p.file] ?? 0, p.line, p.column, a) < (rank[q.file] ?? 0, q.line, q.column, b)
        }
        return order.map { found[$0] }
    }

    /// Loads the text where nothing but `.env` is known: other env files and secrets are empty, and each variable without a default has
    /// some value.
    private func load(_ text: String) -> (result: Result<LoadedManifest, ManifestErrors>, needed: [String]) {
        var caller: [EnvironmentEntry] = []
        while true {
            let input = ManifestInput(
                files: ["orch.yaml"], currentDirectory: input.folder, callerEnvironment: caller
            ) { [self] path throws(Fault) in
                if path.hasSuffix("/orch.yaml") { return Array(text.utf8) }
                return path == LexicalPath.absolute(".env", from: self.input.folder)
                    ? self.input.beside(".env") ?? [] : []
            }
            let result = ManifestLoader.load(input)
            guard case .failure(let errors) = result else { return (result, caller.map(\.name).sorted()) }
            let known = caller.count
            for name in errors.diagnostics.compactMap(Self.undefined) where !caller.contains(where: { $0.name == name })
            {
                // Different ones, and all of them numbers: most of what must not be empty is one.
                caller.append(EnvironmentEntry(name, String(1_000 + caller.count)))
            }
            if caller.count == known || known > 1_000 { return (result, caller.map(\.name).sorted()) }
        }
    }

    /// The variable whose absence is the error.
    private static func undefined(_ diagnostic: Diagnostic) -> String? {
        guard diagnostic.code == "undefined-variable", diagnostic.message.hasPrefix("${") else { return nil }
        let name = diagnostic.message.dropFirst(2).prefix { $0 != "}" }
        return LaunchTemplate.isLaunchName(String(name)) ? nil : String(name)
    }

    /// Makes comments of what the errors are about; false when that changes nothing.
    private func takeOut(_ errors: [Diagnostic], of draft: inout [DraftEntry], _ text: DraftText) -> Bool {
        var isChanged = false
        for error in errors where error.severity == .error {
            guard let position = error.position, position.file == "orch.yaml",
                text.paths.indices.contains(position.line - 1)
            else { continue }
            let path = text.paths[position.line - 1]
            // The services as a whole can't be left out.
            guard let entry = draft.entry(at: path), !(path.count == 1 && entry.key == "services"), entry.isLive
            else { continue }
            let note = note(for: error, on: entry, at: origin(of: path, in: draft))
            draft.change(path) { $0.takeOut(note) }
            isChanged = true
        }
        return isChanged
    }

    /// What has nothing to execute any more can't stand.
    private func takeOutIdle(_ draft: inout [DraftEntry]) {
        guard let at = draft.firstIndex(where: { $0.key == "services" }) else { return }
        for (index, service) in draft[at].children.enumerated() where !service.isOut {
            guard !service.children.contains(where: { $0.key == "command" && $0.isLive }) else { continue }
            let note = lost(
                service.key,
                at: service.origin ?? draft[at].origin ?? Position(file: sources[0].name, line: 1, column: 1),
                because: "nothing says what it executes", instead: "give it a command")
            draft[at].children[index].takeOut(note)
        }
    }

    private func note(for error: Diagnostic, on entry: DraftEntry, at position: Position) -> ImportNote {
        // Lines of a text that nobody has seen yet help nobody.
        let help = error.help.flatMap { $0.contains("at line") ? nil : $0 }
        return ImportNote(
            kind: .lost, position: position, what: entry.key.isEmpty ? "this" : entry.key, reason: error.message,
            help: help)
    }

    private func origin(of path: [Int], in draft: [DraftEntry]) -> Position {
        for length in stride(from: path.count, to: 0, by: -1) {
            if let origin = draft.entry(at: path.prefix(length))?.origin { return origin }
        }
        return Position(file: sources[0].name, line: 1, column: 1)
    }

    private func unsettled(_ errors: ManifestErrors) -> ManifestErrors {
        let reason =
            errors.diagnostics.first { $0.severity == .error }?.message ?? "too much in it can't be carried over"
        error(
            "import", "no manifest can be made of this: \(reason)",
            at: Position(file: sources[0].name, line: 1, column: 1))
        return self.errors
    }
}

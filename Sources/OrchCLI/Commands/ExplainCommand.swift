// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchManifest
internal import OrchModel

struct ExplainCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tell what a key of the manifest means.")

    @Argument(help: "The key: `restart`, `health.readiness.http`; default: lists all.")
    var key: String?

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let key else {
            try context.console.print(Self.table(ManifestReference.topKeys, width: context.console.width))
            return .success
        }
        guard let entry = ManifestReference.key(key) else {
            let near = ManifestReference.suggestion(for: key)
            throw Failure(
                .failed, "the manifest has no key \"\(key)\"",
                help: near.map { "did you mean \"\($0)\"?" } ?? "`orch explain` lists them")
        }
        try context.console.print(Self.page(entry, width: context.console.width))
        return .success
    }

    private static func page(_ entry: KeyReference, width: Int?) -> [Line] {
        var lines = [
            Line(entry.path, .strong) + Line("  of \(entry.owner)", .faint), Line("  \(entry.summary)"), Line(),
        ]
        guard entry.isBuilt else { return lines + [Line("  This version of orch does not have it yet.", .caution)] }
        var facts = [("form", entry.form)]
        if !entry.fallback.isEmpty { facts.append(("default", entry.fallback)) }
        switch entry.fate {
        case .live: facts.append(("a change", "live: no process is touched"))
        case .reload: facts.append(("a change", "reload: the process is asked to reread"))
        case .restart: facts.append(("a change", "restart: its process is replaced"))
        case nil: break
        }
        for (name, text) in facts {
            let room = width.map { max(20, $0 - 13) } ?? .max
            for (index, part) in DisplayWidth.wrapped(text, to: room).enumerated() {
                let label = index == 0 ? name : ""
                lines.append(Line("  ") + Line(label, .faint).padded(to: 10) + Line(" \(part)"))
            }
        }
        return entry.keys.isEmpty ? lines : lines + [Line()] + table(entry.keys, width: width)
    }

    private static func table(_ keys: [KeyReference], width: Int?) -> [Line] {
        var table = Table([
            Table.Column(heading: "KEY"), Table.Column(heading: "DEFAULT", minimum: 8, dispensability: 1),
            Table.Column(heading: "MEANING", minimum: 20),
        ])
        table.rows = keys.map { Table.Row(cells: [Line($0.path), Line($0.fallback, .faint), Line($0.summary)]) }
        return table.lines(width: width, indent: 2)
    }
}

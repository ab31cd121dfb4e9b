// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What was applied, the newest first, and for a service also what was launched.
struct HistoryView {
    var history: StackHistory
    var time: TimeText
    var width: Int?

    func lines() -> [Line] {
        var result = revisions()
        guard let service = history.service else { return result }
        result.append(Line())
        guard !history.launches.isEmpty else { return result + [Line("No launch of \(service) is known.", .faint)] }
        return result + launches()
    }

    private func revisions() -> [Line] {
        let name = history.service.map { "\(history.stack)/\($0)" } ?? history.stack
        guard !history.revisions.isEmpty else { return [Line("No revision of \(name) is kept.", .faint)] }
        var table = Table([
            Table.Column(heading: ""), Table.Column(heading: "REVISION"), Table.Column(heading: "APPLIED"),
            Table.Column(heading: "BY", minimum: 6, dispensability: 1), Table.Column(heading: "CHANGES", minimum: 20),
        ])
        table.rows = history.revisions.map { entry in
            Table.Row(
                cells: [
                    entry.isCurrent ? Line("●", .good) : Line(" "),
                    Line(entry.revision.short, entry.isCurrent ? .strong : .plain),
                    Line(time.clock(entry.appliedAt)) + Line(" (\(time.ago(entry.appliedAt)))", .faint),
                    Line(entry.author), Line(Self.text(of: entry)),
                ], notes: notes(of: entry))
        }
        return table.lines(width: width)
    }

    private func notes(of entry: AppliedRevision) -> [Line] {
        let text: String
        switch entry.origin {
        case .apply: return []
        case .rollback: text = "a rollback from \(entry.left?.short ?? "another revision")"
        case .automaticRollback:
            text = "rolled back by itself from \(entry.left?.short ?? "another revision"): \(entry.because)"
        }
        return DisplayWidth.wrapped(text, to: max(20, (width ?? 200) - 4)).map { Line($0, .caution) }
    }

    /// `restart web; create cache, db`.
    static func text(of entry: AppliedRevision) -> String {
        guard let count = entry.changeCount else { return "not known any more" }
        guard count > 0 else { return "no service" }
        guard count <= entry.changes.count else { return "\(count) services" }
        let parts: [String] = Change.Action.allCases.compactMap { action in
            let names = entry.changes.filter { $0.action == action }.map(\.service)
            guard !names.isEmpty else { return nil }
            let word = action == .live ? "change live" : action.rawValue
            return names.count <= 3 ? "\(word) \(names.joined(separator: ", "))" : "\(word) \(names.count) services"
        }
        return parts.joined(separator: "; ")
    }

    private func launches() -> [Line] {
        var table = Table([
            Table.Column(heading: "LAUNCH", alignedRight: true), Table.Column(heading: "INSTANCE"),
            Table.Column(heading: "LAUNCHED"), Table.Column(heading: "BECAUSE", minimum: 12, dispensability: 1),
            Table.Column(heading: "ENDED"), Table.Column(heading: "HOW", minimum: 12),
        ])
        table.rows = history.launches.map { launch in
            Table.Row(cells: [
                Line(String(launch.launch.number)), Line(launch.instance.name),
                Line((launch.launchedAt ?? launch.startedAt).map { time.clock($0) } ?? ""), Line(launch.because),
                Line(launch.exitedAt.map { time.clock($0) } ?? ""),
                launch.exitedAt == nil ? Line("not ended", .faint) : Line(launch.end),
            ])
        }
        return table.lines(width: width)
    }
}

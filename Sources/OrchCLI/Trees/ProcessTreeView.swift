// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Each instance with its processes, as `orch tree` prints them.
struct ProcessTreeView {
    var forests: [ProcessForest]
    var time: TimeText
    /// Whose eyes these are.
    var user: String
    /// Nil: as wide as it gets.
    var width: Int?

    private static let columns = [
        Table.Column(heading: "PID", alignedRight: true),
        Table.Column(heading: "USER", dispensability: 1),
        Table.Column(heading: "CPU", alignedRight: true, dispensability: 3),
        Table.Column(heading: "MEM", alignedRight: true, dispensability: 2),
        Table.Column(heading: "FDS", alignedRight: true, dispensability: 4),
        Table.Column(heading: "THREADS", alignedRight: true, dispensability: 5),
        Table.Column(heading: "AGE", alignedRight: true, dispensability: 6),
        Table.Column(heading: "COMMAND", minimum: 12),
    ]

    func lines() -> [Line] {
        guard !forests.isEmpty else { return ["Nothing is applied."] }
        var result: [Line] = []
        for (index, forest) in forests.enumerated() {
            if index > 0 { result.append(Line()) }
            result.append(heading(of: forest).fitted(to: width))
            guard !forest.nodes.isEmpty else {
                result.append(Line("  no processes", .faint))
                continue
            }
            var table = Table(Self.columns)
            table.rows = forest.nodes.map(row)
            result += table.lines(width: width, indent: 2)
        }
        return result + notes
    }

    private func heading(of forest: ProcessForest) -> Line {
        let instance = forest.instance
        var line = Line("\(instance.id.service.stack)/\(instance.label)", .strong) + "  "
        line += Line(instance.phase.rawValue, PhaseText.style(of: instance.phase))
        if let launch = instance.launch { line += Line("  launch \(launch.number)", .faint) }
        if let tracking = instance.tracking, !forest.nodes.isEmpty {
            line += Line(tracking == SessionHold.word ? "  held by session" : "  held by control group", .faint)
        }
        return line
    }

    private func row(_ node: ProcessForest.Node) -> Table.Row {
        var branch = ""
        for (level, goesOn) in node.branches.enumerated() {
            let isOwn = level == node.branches.count - 1
            branch += isOwn ? (goesOn ? "├─ " : "└─ ") : (goesOn ? "│  " : "   ")
        }
        let mark = node.isOutside && node.depth == 0 ? Line("outside ", .caution) : Line()
        guard let facts = node.facts else {
            let unknown = Line("?", .faint)
            return Table.Row(
                cells: [Line("\(node.mark.pid)")] + [Line](repeating: unknown, count: 6)
                    + [Line(branch) + mark + Line("gone meanwhile, or hidden from \(user)", .faint)])
        }
        return Table.Row(cells: [
            Line("\(facts.mark.pid)"), Line(facts.user), Line(TimeText.elapsed(facts.cpu)),
            Line(ByteText.of(facts.memoryBytes)), facts.descriptors.map { Line("\($0)") } ?? Line("?", .faint),
            Line("\(facts.threads)"), Line(time.age(of: facts.startedAt)), Line(branch) + mark + Line(facts.command),
        ])
    }

    private var notes: [Line] {
        let nodes = forests.flatMap(\.nodes)
        var notes: [Line] = []
        if nodes.contains(where: { $0.isOutside }) {
            notes.append(
                Line(
                    "outside: of the service, and no descendant of its main process any more; a stop ends it as well",
                    .faint))
        }
        if nodes.contains(where: { $0.facts?.descriptors == nil && $0.facts != nil }) {
            notes.append(Line("?: \(user) may not look into that process", .faint))
        }
        return notes.isEmpty ? [] : [Line()] + notes.map { $0.fitted(to: width) }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A play as people read it: the picture, act by act what happened and why, and what should be known of each instance.
struct ScoreView {
    var rehearsal: Rehearsal
    var score: RehearsalScore
    /// Nil: as wide as it gets.
    var width: Int?

    private var advice: RehearsalAdvice { RehearsalAdvice(rehearsal: rehearsal, score: score) }
    /// The same thing happens to an instance so often in one act before it is only counted.
    private static let encores = 3

    func lines() -> [Line] {
        var lines = [heading.fitted(to: width), Line()]
        let picture = PlayPicture(score: score, width: width).lines()
        if !picture.isEmpty { lines += picture + [Line()] }
        for (number, act) in score.acts.enumerated() { lines += self.lines(of: act, number + 1) + [Line()] }
        return lines + summary()
    }

    private var heading: Line {
        let count = CountText.of(rehearsal.request.stack.services.count, "service")
        return Line("Rehearsal of ") + Line(rehearsal.request.stack.name, .strong)
            + Line("  \(count), played in memory: nothing is touched  seed \(rehearsal.seed)", .faint)
    }

    // MARK: Acts

    private func lines(of act: RehearsalScore.Act, _ number: Int) -> [Line] {
        var lines = [Line("\(number)  ", .faint) + Line(act.title, .strong)]
        let labels = score.parts.reduce(into: [InstanceID: String]()) { $0[$1.id] = $1.label }
        let nameWidth = min(30, score.parts.reduce(6) { max($0, DisplayWidth.of($1.label)) })
        var played: [String: Int] = [:]
        let shown = act.entries.indices.filter { isShown(act.entries[$0], at: $0, of: act) }
        let encores = encores(of: act, shown)
        for place in shown {
            let entry = act.entries[place]
            if case .orch(let occurrence) = entry.content {
                let key = Self.encoreKey(occurrence)
                played[key, default: 0] += 1
                let total = encores[key] ?? 0
                let ordinal = played[key] ?? 0
                if total > Self.encores + 1, ordinal > Self.encores, ordinal < total {
                    if ordinal == Self.encores + 1 {
                        let who = occurrence.instance.flatMap { labels[$0] } ?? ""
                        let more = "\(total - Self.encores - 1) more times"
                        lines.append(
                            margin(at: nil) + Line("").padded(to: 2) + Line(who, .faint).padded(to: nameWidth)
                                + Line("  \(occurrence.kind.rawValue) \(more)", .faint))
                    }
                    continue
                }
            }
            lines += line(of: entry, labels, nameWidth)
        }
        return lines + wrapped(advice.sentence(on: act), after: Line("   → ", .faint))
    }

    /// What says nothing that its neighbours don't say: a task's exit before its success, the moment of execution.
    private func isShown(_ entry: RehearsalScore.Entry, at place: Int, of act: RehearsalScore.Act) -> Bool {
        guard case .orch(let occurrence) = entry.content else { return true }
        if [.started, .removed, .applied].contains(occurrence.kind) { return false }
        // The first daemon's start is no news.
        if occurrence.kind == .daemonStarted { return entry.at > .zero }
        guard occurrence.kind == .exited else { return true }
        // The world said it, or what follows from it says it again.
        return !act.entries.dropFirst(place + 1).prefix(8).contains { next in
            guard case .orch(let other) = next.content, other.instance == occurrence.instance else { return false }
            return [.done, .failed, .backoff, .stopped].contains(other.kind)
        }
    }

    private func encores(of act: RehearsalScore.Act, _ shown: [Int]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for place in shown {
            if case .orch(let occurrence) = act.entries[place].content {
                counts[Self.encoreKey(occurrence), default: 0] += 1
            }
        }
        return counts
    }

    private static func encoreKey(_ occurrence: Occurrence) -> String {
        "\(occurrence.instance?.description ?? "") \(occurrence.kind.rawValue)"
    }

    private func line(of entry: RehearsalScore.Entry, _ labels: [InstanceID: String], _ nameWidth: Int) -> [Line] {
        var head = margin(at: entry.at)
        switch entry.content {
        case .world(let instance, let text):
            head += Line("✝ ", .bad)
            head += Line(instance.map { labels[$0] ?? $0.name } ?? "", .strong).padded(to: nameWidth)
            return [(head + Line("  ") + Line(text, .bad)).fitted(to: width)]
        case .orch(let occurrence):
            let name = occurrence.instance.map { labels[$0] ?? $0.name } ?? occurrence.service ?? "orchd"
            head += Line("  ") + Line(name).padded(to: nameWidth) + Line("  ")
            head += Line(occurrence.kind.rawValue, PhaseText.style(of: occurrence.kind)).padded(to: 9) + Line("  ")
            let place = occurrence.position.map { Line("  \($0.text)", .faint) } ?? Line()
            return wrapped(Line(cause(of: occurrence)) + place, after: head)
        }
    }

    /// Pids and the like of a machine that is none would mislead.
    private func cause(of occurrence: Occurrence) -> String {
        if occurrence.kind == .adopted { return "the daemon was replaced; it runs on" }
        return occurrence.kind == .daemonStarted ? "" : occurrence.cause
    }

    private func margin(at time: Duration?) -> Line {
        Line(time.map { PlayTime.text($0) } ?? "…", .faint).padded(to: 10, alignedRight: true) + Line("  ")
    }

    private func wrapped(_ line: Line, after head: Line) -> [Line] {
        guard let width, head.width + line.width > width else { return [head + line] }
        let room = max(24, width - head.width)
        let style = line.spans.first?.style ?? .plain
        let indent = Line(String(repeating: " ", count: head.width))
        return DisplayWidth.wrapped(line.text, to: room).enumerated().map {
            ($0.offset == 0 ? head : indent) + Line($0.element, style)
        }
    }

    // MARK: Summary

    private func summary() -> [Line] {
        guard !score.parts.isEmpty else { return [] }
        var table = Table([
            Table.Column(heading: "INSTANCE", minimum: 8),
            Table.Column(heading: "IN THE END"),
            Table.Column(heading: "UP AFTER", alignedRight: true),
            Table.Column(heading: "AWAY", alignedRight: true),
            Table.Column(heading: "LAUNCHES", alignedRight: true, dispensability: 1),
        ])
        table.rows = score.parts.map { part in
            let away = advice.away(part)
            let phase = part.last?.phase ?? .idle
            let cells = [
                Line(part.label), Line(phase.rawValue, PhaseText.style(of: phase)),
                Line(advice.upAfter(part).map { PlayTime.text($0) } ?? "never"),
                Line(away > .zero ? PlayTime.text(away) : "–", away > .zero ? .caution : .faint),
                Line(String(part.launches), part.launches > 1 ? .caution : .faint),
            ]
            let notes = advice.notes(on: part).flatMap { wrapped($0, after: Line("  ")) }
            return Table.Row(cells: cells, notes: notes)
        }
        return table.lines(width: width)
    }
}

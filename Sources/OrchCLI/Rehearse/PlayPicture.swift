// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A row an instance, a column a while. Each act has the same room, and a time of its own: a start of two seconds and a wait of ten
/// minutes are both to be seen.
struct PlayPicture {
    var score: RehearsalScore
    var width: Int?

    private static let usualWidth = 100
    /// Acts that are narrower show nothing.
    private static let narrowest = 3
    private static let widest = 24
    /// What has more rows is no picture any more.
    private static let tallest = 60

    func lines() -> [Line] {
        let labelWidth = min(30, score.parts.reduce(0) { max($0, DisplayWidth.of($1.label)) })
        let room = (width ?? Self.usualWidth) - labelWidth - 2
        guard !score.acts.isEmpty, !score.parts.isEmpty, score.parts.count <= Self.tallest else { return [] }
        let columns = min(Self.widest, room / score.acts.count - 1)
        guard columns >= Self.narrowest else { return [] }
        var result = [heading(columns, labelWidth)]
        var used: Set<Phase> = []
        for part in inOrderOfStart {
            var line = Line(DisplayWidth.fitted(part.label, to: labelWidth)).padded(to: labelWidth) + Line("  ")
            for (place, act) in score.acts.enumerated() {
                if place > 0 { line += Line("│", .faint) }
                line += row(of: part, in: act, columns, &used)
            }
            result.append(line)
        }
        return result + [Line()] + legend(used, labelWidth)
    }

    /// So that a start is a staircase.
    private var inOrderOfStart: [RehearsalScore.Part] {
        func start(_ part: RehearsalScore.Part) -> Duration {
            part.spans.first { $0.phase != .waiting && $0.phase != .idle }?.from ?? Limits.longestDuration
        }
        return score.parts.sorted { (start($0), $0.id) < (start($1), $1.id) }
    }

    private func heading(_ columns: Int, _ labelWidth: Int) -> Line {
        var line = Line(String(repeating: " ", count: labelWidth + 2))
        for (place, act) in score.acts.enumerated() {
            if place > 0 { line += Line("│", .faint) }
            let number = Line("\(place + 1)", .strong)
            let length = Line(" \(Duration.nanoseconds((act.to - act.from).nanoseconds).brief)", .faint)
            line += ((number + length).width <= columns ? number + length : number).fitted(to: columns).padded(
                to: columns)
        }
        return line
    }

    private func row(of part: RehearsalScore.Part, in act: RehearsalScore.Act, _ columns: Int, _ used: inout Set<Phase>)
        -> Line
    {
        var line = Line()
        let total = max(1, (act.to - act.from).nanoseconds)
        for column in 0..<columns {
            let from = act.from.nanoseconds + total * Int64(column) / Int64(columns)
            let to = act.from.nanoseconds + total * Int64(column + 1) / Int64(columns)
            let isLast = column == columns - 1
            let isStruck = act.entries.contains { entry in
                guard case .world(let id, _) = entry.content, id == part.id else { return false }
                return entry.at.nanoseconds >= from
                    && (entry.at.nanoseconds < to || isLast && entry.at.nanoseconds == to)
            }
            if isStruck {
                line += Line("✝", .bad)
                continue
            }
            guard let phase = phase(of: part, from, to) else {
                line += Line(" ")
                continue
            }
            used.insert(phase)
            line += Line(Self.letter(of: phase), PhaseText.style(of: phase))
        }
        return line
    }

    /// The most telling one of a while: the longest that is not as it is to be, else how it ends.
    private func phase(of part: RehearsalScore.Part, _ from: Int64, _ to: Int64) -> Phase? {
        var longest: (phase: Phase, length: Int64)?
        var last: Phase?
        for span in part.spans where span.from.nanoseconds < to && (span.to.nanoseconds > from || span.to == span.from)
        {
            guard span.from.nanoseconds >= from || span.to.nanoseconds > from else { continue }
            last = span.phase
            let length = min(span.to.nanoseconds, to) - max(span.from.nanoseconds, from)
            if !span.phase.isUp(part.kind), length >= longest?.length ?? 1 { longest = (span.phase, length) }
        }
        return longest?.phase ?? last
    }

    private func legend(_ used: Set<Phase>, _ labelWidth: Int) -> [Line] {
        var signs: [Line] = []
        for phase in Phase.allCases where used.contains(phase) && phase != .idle {
            signs.append(Line(Self.letter(of: phase), PhaseText.style(of: phase)) + Line(" \(phase.rawValue)", .faint))
        }
        signs.append(Line("✝", .bad) + Line(" mishap", .faint))
        let margin = Line(String(repeating: " ", count: labelWidth + 2))
        var lines = [margin]
        for sign in signs {
            let last = lines.count - 1
            if lines[last].width + sign.width > width ?? Self.usualWidth { lines.append(margin) }
            lines[lines.count - 1] += sign + Line("  ")
        }
        return lines
    }

    static func letter(of phase: Phase) -> String {
        switch phase {
        case .idle: " "
        case .waiting: "·"
        case .backoff: "~"
        case .starting: "░"
        case .running: "▒"
        case .ready: "█"
        case .unhealthy: "▚"
        case .reloading: "▓"
        case .stopping: "▼"
        case .done: "─"
        case .failed: "×"
        case .stuck: "!"
        }
    }
}

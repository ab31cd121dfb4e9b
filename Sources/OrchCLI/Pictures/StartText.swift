// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A start as lines: a row an instance, time from left to right.
struct StartText {
    var story: StartStory
    var time: TimeText
    /// Nil: as wide as it gets.
    var width: Int?

    private static let usualWidth = 100
    private static let narrowest = 10

    func lines() -> [Line] {
        guard !story.parts.isEmpty else { return [Line("Nothing is known of a start of \(story.stack).")] }
        let labels = min(30, story.parts.reduce(0) { max($0, DisplayWidth.of($1.label)) })
        let room = (width ?? Self.usualWidth) - labels - 2
        let columns = max(Self.narrowest, min(40, room / 2))
        var result = [heading.fitted(to: width), Line()]
        result.append(Line(String(repeating: " ", count: labels + 2)) + scale(columns))
        for part in story.parts {
            let row =
                Line(DisplayWidth.fitted(part.label, to: labels)).padded(to: labels) + "  " + bar(of: part, columns)
            result.append((row + "  " + Self.words(of: part, since: story.from)).fitted(to: width))
        }
        return result + [Line(), legend]
    }

    private var span: Int64 { max(1, (story.to - story.from).nanoseconds) }

    private var heading: Line {
        var line = Line(story.stack, .strong) + "  began \(time.clock(story.from, milliseconds: true))"
        let isThere = story.parts.allSatisfy { $0.end == .ready || $0.end == .done }
        line += Line(isThere ? ", all up after \(TimeText.elapsed(story.to - story.from))" : "")
        if let cause = story.beginning?.cause, !cause.isEmpty { line += Line("  \(cause)", .faint) }
        return line
    }

    private func scale(_ columns: Int) -> Line {
        let end = TimeText.elapsed(.nanoseconds(span))
        return Line("0s".padded(to: max(2, columns - end.utf8.count)) + end, .faint)
    }

    private func bar(of part: StartStory.Part, _ columns: Int) -> Line {
        var line = Line()
        for column in 0..<columns {
            let (from, to) = (span * Int64(column) / Int64(columns), span * Int64(column + 1) / Int64(columns))
            let phase = phase(of: part, from, to)
            line += phase.map { Line(PlayPicture.letter(of: $0), PhaseText.style(of: $0)) } ?? Line(" ")
        }
        return line
    }

    /// What it did longest in a while: nothing before it began, what it came to after its last span.
    private func phase(of part: StartStory.Part, _ from: Int64, _ to: Int64) -> Phase? {
        var longest: (phase: Phase, length: Int64)?
        for span in part.spans {
            let (begin, end) = ((span.from - story.from).nanoseconds, (span.to - story.from).nanoseconds)
            let length = min(end, to) - max(begin, from)
            if length > longest?.length ?? 0 { longest = (span.phase, length) }
        }
        if let longest { return longest.phase }
        return (part.to - story.from).nanoseconds <= from ? part.end : nil
    }

    /// `ready after 1.2s; waited 0.4s for db to be ready`.
    static func words(of part: StartStory.Part, since beginning: WallTime) -> Line {
        let after = TimeText.elapsed(part.to - beginning)
        var line: Line
        switch part.end {
        case .ready, .done: line = Line("\(part.end?.rawValue ?? "")", .good) + Line(" after \(after)")
        case .failed, .stuck: line = Line("\(part.end?.rawValue ?? "")", .bad) + Line(" after \(after)")
        case .idle: line = Line("stopped", .faint) + Line(" after \(after)")
        case nil, .waiting, .backoff, .starting, .running, .unhealthy, .reloading, .stopping:
            line = Line("\(part.spans.last?.phase.rawValue ?? "under way")", .active) + Line(" still")
        }
        if part.attempts > 1 { line += Line(", \(part.attempts) launches", .caution) }
        if let wait = part.longestWait {
            let what = part.waitedFor.map { "waiting for \($0)" } ?? wait.cause
            line += Line("  \(TimeText.elapsed(wait.to - wait.from)) \(what)", .faint)
        }
        return line
    }

    private var legend: Line {
        var used: [Phase] = []
        for phase in Phase.allCases
        where story.parts.contains(where: { $0.end == phase || $0.spans.contains { $0.phase == phase } })
            && phase != .idle
        {
            used.append(phase)
        }
        var line = Line()
        for phase in used {
            line +=
                Line(PlayPicture.letter(of: phase), PhaseText.style(of: phase)) + Line(" \(phase.rawValue)  ", .faint)
        }
        return line.fitted(to: width)
    }
}

extension String {
    fileprivate func padded(to columns: Int) -> String {
        self + String(repeating: " ", count: max(0, columns - utf8.count))
    }
}

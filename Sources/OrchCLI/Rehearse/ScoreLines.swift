// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A play for programs: one object a line, in the order of the play. Times are seconds since the first apply.
struct ScoreLines {
    var rehearsal: Rehearsal
    var score: RehearsalScore

    var values: [Value] {
        let advice = RehearsalAdvice(rehearsal: rehearsal, score: score)
        var lines: [Value] = []
        for act in score.acts {
            lines.append(["at": .double(act.from.inSeconds), "act": .string(act.title)])
            lines += act.entries.map(value)
            lines.append([
                "at": .double(act.to.inSeconds), "outcome": .string(Self.word(act.outcome)),
                "text": .string(advice.sentence(on: act).text),
            ])
        }
        lines += score.parts.map { value(of: $0, advice) }
        lines.append([
            "end": .string(score.violations.isEmpty ? "played" : "broken"), "seed": .string(String(rehearsal.seed)),
            "turns": .int(Int64(score.turns)), "violations": .strings(score.violations),
        ])
        return lines
    }

    private func value(_ entry: RehearsalScore.Entry) -> Value {
        var w = ObjectWriter()
        w.set("at", .double(entry.at.inSeconds))
        switch entry.content {
        case .world(let instance, let text):
            w.set("world", text)
            w.set("instance", .optional(instance?.name))
        case .orch(let occurrence):
            w.set("event", occurrence.kind.rawValue)
            w.set("instance", .optional(occurrence.instance?.name))
            w.set("cause", occurrence.cause)
            w.set("exit", occurrence.exit?.value ?? .null)
            w.set("position", .optional(occurrence.position?.text))
        }
        return w.value
    }

    private func value(of part: RehearsalScore.Part, _ advice: RehearsalAdvice) -> Value {
        [
            "instance": .string(part.id.name), "phase": .optional(part.last?.phase.rawValue),
            "launches": .int(Int64(part.launches)),
            "up_after": advice.upAfter(part).map { .double($0.inSeconds) } ?? .null,
            "away": .double(advice.away(part).inSeconds), "notes": .strings(advice.notes(on: part).map(\.text)),
        ]
    }

    private static func word(_ outcome: RehearsalScore.Act.Outcome) -> String {
        switch outcome {
        case .settled: "settled"
        case .failed: "failed"
        case .stuck: "stuck"
        case .unsettled: "unsettled"
        case .gone: "gone"
        }
    }
}

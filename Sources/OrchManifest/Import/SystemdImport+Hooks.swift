// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What a unit executes around its life, and how it reloads.
extension SystemdImport {
    /// `ExecStartPre` and its kin; several of one key make one hook.
    func hooks(_ unit: Unit) -> [DraftEntry] {
        var notes: [ImportNote] = []
        var items: [DraftEntry] = []
        let start = unit.last("TimeoutStartSec") ?? unit.last("TimeoutSec")
        let stop = unit.last("TimeoutStopSec") ?? unit.last("TimeoutSec")
        for (key, name, limit) in [
            ("ExecStartPre", "pre_start", start), ("ExecStartPost", "post_ready", start),
            ("ExecStopPost", "post_stop", stop),
        ] {
            let steps = steps(key, unit, &notes)
            guard let first = steps.first else { continue }
            if key == "ExecStartPost", unit.isTask {
                notes.append(
                    importer.lost(
                        key, at: first.position, because: "a task is never ready",
                        instead: "make it a task of its own that depends on this one"))
                continue
            }
            if key == "ExecStartPost" {
                notes.append(
                    importer.changed(
                        "nobody waits for a post_ready, and one that fails is only told", at: first.position))
            }
            var terms = [DraftEntry("command", content(of: steps, unit), at: first.position)]
            let span = limit.map { UnitText.duration($0.value) ?? $0.value } ?? "90s"
            // Nothing lasts for ever here.
            if span != "30s" {
                terms.append(DraftEntry("timeout", .value(.string(["none", "0s"].contains(span) ? "1h" : span))))
            }
            items.append(DraftEntry(name, .map(terms), at: first.position))
        }
        guard let first = items.first else { return notes.isEmpty ? [] : [.notes(notes)] }
        return [DraftEntry("hooks", .map(items), at: first.origin, notes: notes)]
    }

    /// One command as it is; several, and one whose failure counts for nothing, through a shell.
    private func content(of steps: [Step], _ unit: Unit) -> DraftEntry.Content {
        let told = steps.map { step in
            var step = step
            step.pieces = step.pieces.map { $0.map(Self.told) }
            return step
        }
        guard told.count > 1 || told[0].isForgiving else {
            return .value(
                .strings(
                    told[0].pieces.map { pieces in
                        DollarText(pieces: pieces).orch(isText: true) { $0.hasPrefix("ORCH_") || isSet($0, in: unit) }
                            .text
                    }))
        }
        let lines = ["set -e"] + told.map { Self.line($0) + ($0.isForgiving ? " || :" : "") }
        return .value(.string(lines.joined(separator: "\n") + "\n"))
    }

    /// What a hook is told under another name.
    private static func told(_ piece: DollarText.Piece) -> DollarText.Piece {
        let names = ["MAINPID": "ORCH_MAIN_PID", "EXIT_STATUS": "ORCH_EXIT_CODE"]
        guard case .variable(let name, let fallback, let takesEmpty) = piece, let known = names[name] else {
            return piece
        }
        return .variable(name: known, fallback: fallback, takesEmpty: takesEmpty)
    }

    /// `ExecReload`, and what `Type=notify-reload` means.
    func reload(_ unit: Unit) -> [DraftEntry] {
        let given = unit.values("ExecReload", in: "Service")
        guard let first = given.first else { return [] }
        func lost(_ why: String, _ instead: String?) -> [DraftEntry] {
            [.notes([importer.lost("ExecReload", at: first.position, because: why, instead: instead)])]
        }
        if unit.isTask { return lost("a task ends by itself", nil) }
        if unit.last("Type")?.value == "notify-reload" { return lost("it reloads by notify", nil) }
        let commands = given.flatMap { UnitText.commands($0.value) ?? [] }
        if commands.count == 1, let name = Self.killed(commands[0].words) {
            return [DraftEntry("reload", .map([DraftEntry("signal", .value(.string(name)))]), at: first.position)]
        }
        if commands.contains(where: { $0.words.contains { $0.contains("MAINPID") } }) {
            return lost("a reload's command is not told a pid", "write reload: { signal: … }, or one that finds it")
        }
        var notes: [ImportNote] = []
        let steps = steps("ExecReload", unit, &notes)
        guard !steps.isEmpty else { return [.notes(notes)] }
        var terms = [DraftEntry("command", content(of: steps, unit), at: first.position)]
        let limit = unit.last("TimeoutStartSec") ?? unit.last("TimeoutSec")
        let span = limit.map { UnitText.duration($0.value) ?? $0.value } ?? "90s"
        if span != "30s" {
            terms.append(DraftEntry("timeout", .value(.string(["none", "0s"].contains(span) ? "1h" : span))))
        }
        return [DraftEntry("reload", .map(terms), at: first.position, notes: notes)]
    }
}

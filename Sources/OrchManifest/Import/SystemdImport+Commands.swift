// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What a unit executes, and how it is stopped.
extension SystemdImport {
    struct Step {
        var pieces: [[DollarText.Piece]]
        var isForgiving: Bool
        var position: Position
    }

    /// One command is executed as it is. Several of a task make one text for a shell, which ends by becoming the last.
    func command(_ unit: Unit) -> [DraftEntry] {
        var notes: [ImportNote] = []
        var main = steps("ExecStart", unit, &notes)
        guard let last = main.popLast() else { return notes.isEmpty ? [] : [.notes(notes)] }
        if main.isEmpty {
            if last.isForgiving {
                notes.append(
                    importer.lost(
                        "-", at: last.position, because: "an end that counts for nothing can't be said in one sign",
                        instead: "write success_exit_codes"))
            }
            let words = last.pieces.map { DollarText(pieces: $0).orch(isText: true) { isSet($0, in: unit) }.text }
            return [DraftEntry("command", .value(.strings(words)), at: last.position, notes: notes)]
        }
        var lines = ["set -e"]
        for step in main { lines.append(Self.line(step) + (step.isForgiving ? " || :" : "")) }
        lines.append(last.isForgiving ? Self.line(last) + " || :" : "exec " + Self.line(last))
        let text = lines.joined(separator: "\n") + "\n"
        return [DraftEntry("command", .value(.string(text)), at: last.position, notes: notes)]
    }

    func steps(_ key: String, _ unit: Unit, _ notes: inout [ImportNote]) -> [Step] {
        var found: [Step] = []
        for entry in unit.values(key, in: "Service") {
            guard let commands = UnitText.commands(entry.value) else {
                notes.append(importer.lost(key, at: entry.position, because: "a quote in it is not closed"))
                continue
            }
            for command in commands {
                if command.isPrivileged {
                    notes.append(
                        importer.lost(
                            key, at: entry.position, because: "nothing of a service runs as another user than it",
                            instead: "make it a task of its own, and depend on that"))
                    continue
                }
                var words = command.words
                if command.hasOwnName, words.count > 1 {
                    notes.append(
                        importer.lost(
                            words[1], at: entry.position, because: "a program is told its own name"))
                    words.remove(at: 1)
                }
                let pieces = words.map {
                    self.pieces($0, of: unit, at: entry.position, expands: !command.isLiteral, notes: &notes)
                }
                found.append(Step(pieces: pieces, isForgiving: command.isForgiving, position: entry.position))
            }
        }
        return found
    }

    static func line(_ step: Step) -> String {
        step.pieces.map { pieces in
            let word = pieces.map { piece in
                switch piece {
                case .text(let bytes): bytes.isEmpty ? "" : ShellText.quoted(String(decoding: bytes, as: UTF8.self))
                case .variable(let name, _, _): "\"${\(name)}\""
                }
            }.joined()
            return word.isEmpty ? "''" : word
        }.joined(separator: " ")
    }

    func isSet(_ name: String, in unit: Unit) -> Bool {
        if name == "HOME" || name == "USER" { return true }
        return unit.values("Environment", in: "Service").contains { entry in
            (UnitText.words(entry.value) ?? []).contains { $0.hasPrefix("\(name)=") }
        }
    }

    // MARK: Stopping

    func stop(_ unit: Unit) -> [DraftEntry] {
        var notes: [ImportNote] = []
        var entries: [DraftEntry] = []
        let signal = unit.last("KillSignal")
        let name = signal.map { Signal(text: $0.value)?.name ?? $0.value } ?? "SIGTERM"
        let limit = unit.last("TimeoutStopSec") ?? unit.last("TimeoutSec")
        let wait = limit.map { UnitText.duration($0.value) ?? $0.value }
        var span = wait ?? "90s"
        if span == "none" || span == "0s" {
            // Nothing waits for ever here.
            span = "1h"
            notes.append(
                importer.changed(
                    "a stop has a limit here", at: limit?.position ?? unit.position, help: "write how long it may take")
            )
        }
        if let mode = unit.last("KillMode"), ["process", "none"].contains(mode.value) {
            notes.append(
                importer.lost(
                    "KillMode", at: mode.position, because: "orch leaves nothing of a service behind"))
        }
        var steps = stopCommands(unit, span, &notes)
        guard steps.isEmpty else {
            let last = [
                DraftEntry("signal", .value(.string(name)), at: signal?.position),
                DraftEntry("wait", .value(.string(span)), at: limit?.position),
            ]
            steps.append(DraftEntry("", .map(last)))
            return [DraftEntry("stop", .list(steps), at: unit.last("ExecStop")?.position, notes: notes)]
        }
        if name != "SIGTERM" { entries.append(DraftEntry("stop_signal", .value(.string(name)), at: signal?.position)) }
        if span != "10s" {
            entries.append(DraftEntry("stop_grace_period", .value(.string(span)), at: limit?.position))
        }
        if notes.isEmpty { return entries }
        return [.notes(notes)] + entries
    }

    private func stopCommands(_ unit: Unit, _ span: String, _ notes: inout [ImportNote]) -> [DraftEntry] {
        var found: [DraftEntry] = []
        for entry in unit.values("ExecStop", in: "Service") {
            for command in UnitText.commands(entry.value) ?? [] {
                let wait = DraftEntry("wait", .value(.string(span)))
                if let name = Self.killed(command.words) {
                    let signal = [DraftEntry("signal", .value(.string(name))), DraftEntry("to", "main"), wait]
                    found.append(DraftEntry("", .map(signal), at: entry.position))
                    continue
                }
                guard !command.words.contains(where: { $0.contains("MAINPID") }) else {
                    notes.append(
                        importer.lost(
                            "ExecStop", at: entry.position, because: "a step of a stop is not told a pid",
                            instead:
                                "write { signal: …, to: main }, or hooks: { pre_stop: … }, which is told ORCH_MAIN_PID")
                    )
                    continue
                }
                let words = command.words.map {
                    DollarText(
                        pieces: pieces($0, of: unit, at: entry.position, expands: !command.isLiteral, notes: &notes)
                    ).orch(isText: true) { isSet($0, in: unit) }.text
                }
                found.append(
                    DraftEntry("", .map([DraftEntry("command", .value(.strings(words))), wait]), at: entry.position))
            }
        }
        return found
    }

    /// The signal of `kill -QUIT $MAINPID`; nil when it is another command.
    static func killed(_ words: [String]) -> String? {
        guard LexicalPath.lastPart(of: words[0]) == "kill", let last = words.last,
            ["$MAINPID", "${MAINPID}"].contains(last)
        else { return nil }
        var middle = words.dropFirst().dropLast().map { String($0) }
        if middle.first == "-s" { middle.removeFirst() }
        guard middle.count <= 1 else { return nil }
        return Signal(text: middle.first.map { String($0.drop { $0 == "-" }) } ?? "TERM")?.name
    }
}

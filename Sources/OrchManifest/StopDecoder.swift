// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    /// The ladder of a service, from `stop` or its two shorthands.
    func stop(_ section: Section, command: CommandLine, _ reader: HealthReader) -> StopSpec {
        let signal = section["stop_signal"].flatMap { self.signal($0, "stop_signal") } ?? .terminate
        let grace = section["stop_grace_period"].flatMap { span($0, "stop_grace_period") } ?? .seconds(10)
        let standard = StopSpec.standard(for: command, signal: signal, grace: grace)
        guard let node = section["stop"] else { return standard }
        for name in ["stop_signal", "stop_grace_period"] where section.has(name) {
            error(
                "conflict", "\"\(name)\" and \"stop\" are the same thing", at: section.key(name),
                help: "keep one of them")
        }
        if tree.kind(node) == .sequence { return ladder(node, command, reader) ?? standard }
        guard let stop = self.section(node, Fields.stop, "stop") else { return standard }
        var result = stop["steps"].flatMap { ladder($0, command, reader) } ?? standard
        if let node = stop["scope"], let scope = word(node, "scope", as: StopSpec.Scope.self) { result.scope = scope }
        return result
    }

    private func ladder(_ node: NodeID, _ command: CommandLine, _ reader: HealthReader) -> StopSpec? {
        guard let items = items(node, "stop", of: "steps") else { return nil }
        if items.count > Limits.stopSteps {
            error(
                "too-large", "a stop ladder has at most \(Limits.stopSteps) steps, not \(items.count)", at: node,
                help: "leave some out; a command can do several things")
        }
        var steps: [StopSpec.Step] = []
        for (index, item) in items.enumerated() {
            guard let step = step(item, command, reader) else { continue }
            if step.action == .kill, index + 1 < items.count {
                error("value", "nothing comes after kill", at: item, help: "make it the last step")
                continue
            }
            steps.append(step)
        }
        return StopSpec(steps: steps)
    }

    private func step(_ node: NodeID, _ command: CommandLine, _ reader: HealthReader) -> StopSpec.Step? {
        guard let section = section(node, Fields.stopStep, "a stop step") else { return nil }
        let actions = ["signal", "http", "command", "stdin", "kill"].filter { section.has($0) }
        guard actions.count == 1 else {
            if actions.isEmpty {
                error(
                    "missing", "a stop step needs one of signal, http, command, stdin and kill", at: node,
                    help: "such as { signal: SIGTERM, wait: 10s }")
            } else {
                error(
                    "conflict", "a stop step does one thing; here are \(actions.joined(separator: " and "))",
                    at: section.key(actions[1]), help: "make it two steps, one after the other")
            }
            return nil
        }
        if section.has("to"), !section.has("signal") {
            error(
                "misplaced", "\"to\" says whom a signal is sent to, and this step sends none", at: section.key("to"),
                help: "remove it, or add signal")
        }
        let wait = section["wait"].flatMap { span($0, "wait") }
        if section.has("kill") {
            if section.has("wait") {
                error(
                    "misplaced", "kill waits for nothing", at: section.key("wait"),
                    help: "remove wait; give it to the step before")
            }
            guard let node = section["kill"], let text = text(node, "kill") else { return nil }
            guard text == "tree" else {
                badWord(node, "kill", text, ["tree"])
                return nil
            }
            return StopSpec.Step(.kill, wait: .zero)
        }
        return action(section, command, reader).map { StopSpec.Step($0, wait: wait ?? .seconds(10)) }
    }

    private func action(_ section: Section, _ main: CommandLine, _ reader: HealthReader) -> StopSpec.Action? {
        if let node = section["signal"] {
            guard let signal = signal(node, "signal") else { return nil }
            let recipient =
                section["to"].flatMap { word($0, "to", as: StopSpec.Recipient.self) } ?? (main.isShell ? .group : .main)
            return .signal(signal, to: recipient)
        }
        if let node = section["http"] { return http(node).map { .http($0) } }
        if let node = section["command"] { return command(node, shell: shell(section, reader)).map { .command($0) } }
        if let node = section["stdin"] { return text(node, "stdin").map { .stdin($0) } }
        return nil
    }
}

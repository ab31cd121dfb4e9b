// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What a service's own end leads to: `on_exit`.
extension Decoder {
    func exitActions(_ node: NodeID, _ kind: ServiceSpec.Kind) -> ExitActions {
        guard let map = asMap(node, "on_exit") else { return ExitActions() }
        var rules: [ExitActions.Rule] = []
        var fallback: ExitActions.Action?
        for (key, value) in tree.entries(map) {
            guard let action = exitAction(value, tree.text(key), kind) else { continue }
            if tree.text(key) == "default" {
                fallback = action
            } else if let pattern = exitPattern(key) {
                guard !rules.contains(where: { $0.pattern == pattern }) else {
                    error(
                        "duplicate-key", "\"on_exit\" says twice what \"\(tree.text(key))\" leads to", at: key,
                        help: "remove one of the two; a signal has a name and a number")
                    continue
                }
                rules.append(.init(pattern, action))
            }
        }
        return ExitActions(rules, fallback: fallback)
    }

    private func exitPattern(_ key: NodeID) -> ExitPattern? {
        let text = tree.text(key)
        if let pattern = ExitPattern(key: text) { return pattern }
        if let number = Int(text) {
            error(
                "range", "\"on_exit\": an exit code is from 0 to 255, not \(number)", at: key,
                help: "a program's exit code is one byte; signals go by their names, such as SIGKILL")
            return nil
        }
        error(
            "value", "\"on_exit\": \"\(text)\" is neither an exit code nor a signal", at: key,
            help: Suggestion.help(for: text.uppercased(), among: Signal.allNames)
                ?? Suggestion.help(for: text, among: ["default"])
                ?? "keys are exit codes, signals such as SIGSEGV, and default")
        return nil
    }

    private func exitAction(_ node: NodeID, _ key: String, _ kind: ServiceSpec.Kind) -> ExitActions.Action? {
        guard let action: ExitActions.Action = word(node, "on_exit.\(key)") else { return nil }
        if action == .ignore, kind == .task {
            error(
                "value", "\"on_exit.\(key)\" can't be \"ignore\" here: a task is never up, it is done", at: node,
                help: "write stop")
            return nil
        }
        return action
    }
}

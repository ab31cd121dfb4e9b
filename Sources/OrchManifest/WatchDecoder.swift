// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// `watch`: files whose change does something to the service.
extension Decoder {
    func watch(_ node: NodeID, of spec: ServiceSpec, _ health: HealthReader) -> [WatchRule] {
        guard let items = items(node, "watch", of: "paths and what a change of them does") else { return [] }
        if items.count > Limits.watchRules {
            error(
                "limit", "\"watch\" has \(items.count) rules, and a service has at most \(Limits.watchRules)", at: node,
                help: "watch a folder with include instead of its files")
        }
        return items.compactMap { watchRule($0, of: spec, health) }
    }

    /// A path alone is short for a rule that restarts.
    private func watchRule(_ node: NodeID, of spec: ServiceSpec, _ health: HealthReader) -> WatchRule? {
        if tree.kind(node) == .scalar { return path(node, "watch").map { WatchRule(path: $0) } }
        guard let section = section(node, Fields.watchRule, "watch") else { return nil }
        guard let place = section["path"] else {
            error("missing", "a watch rule needs a path", at: node, help: "such as  path: ./src")
            return nil
        }
        guard let path = path(place, "path") else { return nil }
        var rule = WatchRule(path: path)
        if let node = section["include"], let patterns = patterns(node, "include") { rule.include = patterns }
        if let node = section["ignore"], let patterns = patterns(node, "ignore") { rule.ignore = patterns }
        if let node = section["debounce"], let span = span(node, "debounce") { rule.debounce = span }
        if let node = section["action"], let action = watchAction(node, health) {
            rule.action = action
            if action == .reload, spec.reload == nil {
                error(
                    "missing", "this action needs to know how the service reloads", at: node,
                    help: "such as  reload: { signal: SIGHUP }  beside watch")
            }
        }
        if let node = section["cascade"], let flag = flag(node, "cascade") {
            rule.cascade = flag
            if flag, rule.action != .restart {
                warn(
                    "no-effect", "only a restart goes on to the services that need this one",
                    at: section.key("cascade"), help: "remove it, or write action: restart")
            }
        }
        return rule
    }

    private func patterns(_ node: NodeID, _ key: String) -> [String]? {
        guard let patterns = words(node, key) else { return nil }
        if patterns.isEmpty, key == "include" {
            error("value", "\"include\" is empty: no file would count", at: node, help: "such as [\"*.py\"]")
        }
        return patterns
    }

    private func watchAction(_ node: NodeID, _ health: HealthReader) -> WatchRule.Action? {
        guard tree.kind(node) == .mapping else {
            guard let scalar = scalar(node, "action", "restart, reload, { signal: … } or { command: … }") else {
                return nil
            }
            switch scalar.text {
            case "restart": return .restart
            case "reload": return .reload
            default:
                error(
                    "value", "\"action\" can't be \"\(scalar.text)\"", at: node,
                    help: Suggestion.help(for: scalar.text, among: ["restart", "reload"])
                        ?? "it is restart, reload, { signal: SIGHUP } or { command: … }")
                return nil
            }
        }
        guard let section = section(node, Fields.watchAction, "action") else { return nil }
        switch (section["signal"], section["command"]) {
        case (let inner?, nil): return signal(inner, "signal").map { .signal($0) }
        case (nil, let inner?): return command(inner, shell: shell(section, health)).map { .command($0) }
        case (nil, nil):
            error(
                "missing", "an action is restart, reload, a signal or a command", at: node,
                help: "such as { signal: SIGHUP }")
        case (_?, _?):
            error(
                "conflict", "an action is one of signal and command", at: section.key("command"),
                help: "keep one of them; a command can send a signal, too")
        }
        return nil
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What the probes of one service have in common.
struct HealthReader {
    var shell: [String]
    var isTask: Bool
}

extension Decoder {
    func health(_ section: Section, into spec: inout ServiceSpec, _ reader: HealthReader) {
        if let node = section["health"], let probes = self.section(node, Fields.health, "health") {
            for kind in ProbeKind.allCases {
                guard let node = probes[kind.rawValue] else { continue }
                spec.health[kind] = probe(node, kind, reader)
                if reader.isTask, kind == .readiness {
                    warn(
                        "no-effect", "nothing waits for a task to be ready", at: probes.key(kind.rawValue),
                        help: "a task counts when it has succeeded")
                }
            }
        }
        if let node = section["healthcheck"] {
            if spec.health.readiness != nil {
                error(
                    "conflict", "\"healthcheck\" and \"health.readiness\" are the same thing",
                    at: section.key("healthcheck"), help: "keep one of them")
            }
            healthcheck(node, into: &spec, section, reader)
        }
        if let node = section["ready"], let ready = self.section(node, Fields.ready, "ready") {
            spec.ready = self.ready(ready)
            if reader.isTask, spec.ready != nil {
                warn(
                    "no-effect", "nothing waits for a task to be ready", at: section.key("ready"),
                    help: "a task counts when it has succeeded")
            }
        }
    }

    private func probe(_ node: NodeID, _ kind: ProbeKind, _ reader: HealthReader) -> Probe? {
        let what = kind.rawValue
        guard let section = section(node, Fields.probe, what) else { return nil }
        let isNotify = section["notify"].flatMap { flag($0, "notify") } ?? false
        let actions =
            ["http", "tcp", "command", "log", "file"].filter { section.has($0) } + (isNotify ? ["notify"] : [])
        guard actions.count == 1 else {
            if actions.isEmpty {
                error(
                    "missing", "a probe needs one of http, tcp, command, log, file and notify", at: node,
                    help: "such as { tcp: \"127.0.0.1:8080\" } or { command: [./check] }")
            } else {
                error(
                    "conflict", "a probe asks one question; here are \(actions.joined(separator: " and "))",
                    at: section.key(actions[1]), help: "keep one of them; a command can ask several")
            }
            return nil
        }
        guard let action = action(section, reader) else { return nil }
        var probe = Probe(action)
        if let node = section["initial_delay"], let span = span(node, "initial_delay") { probe.initialDelay = span }
        if let node = section["interval"], let span = positive(node, "interval") { probe.interval = span }
        if probe.waitsForLine { probe.timeout = probe.interval }
        if let node = section["timeout"], let span = positive(node, "timeout") { probe.timeout = span }
        if let node = section["success_threshold"], let count = integer(node, "success_threshold", in: 1...1_000) {
            probe.successThreshold = count
        }
        if let node = section["failure_threshold"], let count = integer(node, "failure_threshold", in: 1...1_000) {
            probe.failureThreshold = count
        }
        if let node = section["on_failure"] {
            if let reaction = reaction(node) { probe.onFailure = reaction }
            if kind != .liveness {
                warn(
                    "no-effect", "only a liveness probe acts on failure; \"on_failure\" does nothing here",
                    at: section.key("on_failure"), help: "remove it, or move the probe to liveness")
                probe.onFailure = .restart
            }
        }
        warnOfIdleKeys(section, probe, kind)
        return probe
    }

    /// Keys that a probe has and that do nothing for it.
    private func warnOfIdleKeys(_ section: Section, _ probe: Probe, _ kind: ProbeKind) {
        guard probe.action == .notify else { return }
        let isWatchdog = kind == .liveness
        let idle =
            isWatchdog
            ? ["timeout"]
            : ["initial_delay", "interval", "timeout", "success_threshold", "failure_threshold"]
        for key in idle where section.has(key) {
            let why = isWatchdog ? "nobody asks: WATCHDOG=1 comes or does not" : "what the service says counts at once"
            warn(
                "no-effect", "\"\(key)\" does nothing beside notify: \(why)", at: section.key(key),
                help: isWatchdog
                    ? "interval times failure_threshold is the time it has"
                    : "remove it; start_timeout says how long it may take")
        }
    }

    private func action(_ section: Section, _ reader: HealthReader) -> Probe.Action? {
        if let node = section["http"] { return http(node).map { .http($0) } }
        if let node = section["tcp"] { return endpoint(node).map { .tcp($0) } }
        if let node = section["command"] { return command(node, shell: shell(section, reader)).map { .command($0) } }
        if let node = section["log"] { return pattern(node, "log").map { .log($0) } }
        if let node = section["file"] { return path(node, "file", mode: .launch).map { .file($0) } }
        return .notify
    }

    /// What reads a command of a probe or a stop step that is a string.
    func shell(_ section: Section, _ reader: HealthReader) -> [String] {
        guard let node = section["shell"], let words = words(node, "shell") else { return reader.shell }
        if words.isEmpty { error("value", "\"shell\" is empty", at: node, help: "such as [/bin/sh, -c]") }
        return words
    }

    func positive(_ node: NodeID, _ what: String) -> Duration? {
        guard let span = span(node, what) else { return nil }
        guard span > .zero else {
            error("range", "\"\(what)\" must be longer than 0s", at: node, help: "such as 1s")
            return nil
        }
        return span
    }

    private func reaction(_ node: NodeID) -> Probe.Reaction? {
        if tree.kind(node) == .mapping {
            guard let section = section(node, Fields.reaction, "on_failure"), let inner = section["signal"] else {
                return nil
            }
            return signal(inner, "signal").map { .signal($0) }
        }
        guard let scalar = scalar(node, "on_failure", "restart, stop, report or { signal: … }") else { return nil }
        switch scalar.text {
        case "restart": return .restart
        case "stop": return .stop
        case "report": return .report
        default:
            badWord(node, "on_failure", scalar.text, ["restart", "stop", "report"])
            return nil
        }
    }

    /// `host:port`, where the port may be a launch variable.
    private func endpoint(_ node: NodeID) -> String? {
        guard let text = text(node, "tcp", mode: .launch) else { return nil }
        if let (flaw, help) = endpointFlaw(text) {
            error("value", "\"tcp\": \(flaw)", at: node, help: help)
            return nil
        }
        return text
    }

    /// What is wrong with a `host:port`, and what helps; nil when nothing is.
    func endpointFlaw(_ text: String) -> (flaw: String, help: String)? {
        let help = "such as 127.0.0.1:5432, [::1]:5432 or 127.0.0.1:${PORT}"
        guard let split = Self.portStart(text), split > text.startIndex else {
            let port = Int(text).map { "did you mean \"127.0.0.1:\($0)\"?" }
            return ("\"\(text)\" is not host:port", port ?? help)
        }
        guard isPort(text[text.index(after: split)...]) else {
            return ("\"\(text)\" does not end in a port from 1 to 65535", help)
        }
        return nil
    }

    /// The colon before the port; colons inside of `${…}` and `[…]` do not count.
    private static func portStart(_ text: String) -> String.Index? {
        var depth = 0
        var found: String.Index?
        for index in text.utf8.indices {
            switch text.utf8[index] {
            case 91, 123: depth += 1
            case 93, 125: depth -= 1
            case 58 where depth == 0: found = index
            default: break
            }
        }
        return found
    }

    /// Whether a text is a port number or still holds variables.
    func isPort(_ text: Substring) -> Bool {
        if text.contains("${") { return true }
        guard text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int(text) else { return false }
        return (1...65_535).contains(number)
    }

    private func healthcheck(_ node: NodeID, into spec: inout ServiceSpec, _ service: Section, _ reader: HealthReader) {
        guard let section = section(node, Fields.healthcheck, "healthcheck") else { return }
        if let node = section["disable"], flag(node, "disable") == true { return }
        guard let test = section["test"] else {
            error(
                "missing", "a healthcheck needs a test", at: node,
                help: "such as  test: [CMD, curl, -f, http://localhost]")
            return
        }
        guard let command = composeTest(test, reader) else { return }
        var probe = Probe(.command(command))
        probe.interval = section["interval"].flatMap { positive($0, "interval") } ?? .seconds(30)
        probe.timeout = section["timeout"].flatMap { positive($0, "timeout") } ?? .seconds(30)
        probe.failureThreshold = section["retries"].flatMap { integer($0, "retries", in: 1...1_000) } ?? 3
        if let node = section["start_period"], let span = span(node, "start_period"), !service.has("start_timeout"),
            !reader.isTask
        {
            spec.startTimeout = .seconds(60) + span
        }
        spec.health.readiness = probe
    }

    /// Compose's `test`: the first word of a list says how the rest is run.
    private func composeTest(_ node: NodeID, _ reader: HealthReader) -> CommandLine? {
        if tree.kind(node) == .scalar { return command(node, shell: reader.shell) }
        guard let items = items(node, "test", of: "words"), let first = items.first else {
            error(
                "value", "\"test\" is empty", at: node,
                help: "such as [CMD, curl, -f, http://localhost]; [NONE] is no probe")
            return nil
        }
        switch tree.text(first) {
        case "NONE": return nil
        case "CMD":
            let words = items.dropFirst().compactMap { text($0, "test", mode: .launch) }
            guard words.count == items.count - 1, !words.isEmpty else {
                error(
                    "value", "\"test\" names no program after CMD", at: node,
                    help: "such as [CMD, curl, -f, http://localhost]")
                return nil
            }
            return .exec(words)
        case "CMD-SHELL" where items.count == 2: return command(items[1], shell: reader.shell)
        default:
            error(
                "value", "\"test\" must begin with CMD, CMD-SHELL or NONE", at: first,
                help: "[CMD, word…], [CMD-SHELL, text] or [NONE]")
            return nil
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What a unit executes, when it is started again and how it is stopped.
extension SystemdExport {
    /// A command as systemd takes it: it looks for programs in its own folders, and for none in the working directory.
    func line(_ words: [String], of spec: ServiceSpec) -> String {
        var words = words
        if let first = words.first, first.contains("/"), !first.hasPrefix("/") {
            words[0] = LexicalPath.absolute(first, from: spec.workingDirectory)
        }
        // A dollar in the name of the program is one dollar: only its arguments are expanded (systemd.service(5)).
        guard let first = words.first else { return "" }
        let rest = words.dropFirst()
        return UnitWriter.quoted(first) + (rest.isEmpty ? "" : " ") + UnitWriter.command(Array(rest))
    }

    func execution(of spec: ServiceSpec, in unit: inout UnitWriter) {
        func hook(_ kind: HookKind, _ key: String) {
            guard let hook = spec.hooks[kind] else { return }
            let words = exporter.words(hook.command, of: spec, at: "hooks.\(kind.rawValue)")
            if words.contains(where: { $0.contains("ORCH_") }) {
                exporter.change(
                    "hooks.\(kind.rawValue)", of: spec.name,
                    "it is told SERVICE_RESULT, EXIT_CODE, EXIT_STATUS and MAINPID there, not ORCH_…")
            }
            unit.add(key, raw: line(words, of: spec))
        }
        for need in spec.dependsOn {
            guard let outside = OutsideNeed(need.on) else { continue }
            unit.add("ExecStartPre", raw: line(waiting(for: outside), of: spec))
        }
        hook(.preStart, "ExecStartPre")
        unit.add("ExecStart", raw: line(exporter.words(spec.command, of: spec, at: "command"), of: spec))
        for kind in [ProbeKind.startup, .readiness] {
            guard let probe = spec.health.asked[kind] else { continue }
            unit.add("ExecStartPost", raw: line(polling(probe, "health.\(kind.rawValue)", of: spec), of: spec))
        }
        hook(.postReady, "ExecStartPost")
        switch spec.reload {
        case .signal(let signal): unit.add("ExecReload", raw: "/bin/kill -\(signal.name.dropFirst(3)) $MAINPID")
        case .command(let command, _):
            unit.add("ExecReload", raw: line(exporter.words(command, of: spec, at: "reload"), of: spec))
        case .notify:
            if spec.ready != .notify {
                exporter.lose(
                    "reload", of: spec.name, because: "Type=notify-reload also says when it is ready",
                    instead: "write ready: { notify: true }")
            }
        case nil: break
        }
        hook(.preStop, "ExecStop")
        ladder(of: spec, in: &unit)
        hook(.postStop, "ExecStopPost")
    }

    /// Asks until the answer is yes.
    private func polling(_ probe: Probe, _ path: String, of spec: ServiceSpec) -> [String] {
        let asked = exporter.command(asking: probe, of: spec, at: path).map(ShellText.quoted).joined(separator: " ")
        let delay = probe.initialDelay > .zero ? "sleep \(Exporter.seconds(probe.initialDelay)); " : ""
        let text =
            "\(delay)until timeout \(Exporter.seconds(probe.timeout)) \(asked); do sleep \(Exporter.seconds(probe.interval)); done"
        return ["/bin/sh", "-c", text]
    }

    private func waiting(for need: OutsideNeed) -> [String] {
        let asked: String
        switch need {
        case .tcp(let address):
            let colon = address.lastIndex(of: ":") ?? address.endIndex
            let host = address[..<colon].filter { $0 != "[" && $0 != "]" }
            let script = ShellText.quoted("exec 3<>/dev/tcp/$0/$1")
            asked =
                "/bin/bash -c \(script) \(ShellText.quoted(host)) \(address[colon...].dropFirst())"
        case .http(let url): asked = "curl -fsS -o /dev/null --max-time 5 \(ShellText.quoted(url))"
        case .file(let path), .lock(let path): asked = "test -e \(ShellText.quoted(path))"
        }
        return ["/bin/sh", "-c", "until \(asked); do sleep 1; done"]
    }

    // MARK: Restarts

    func startLimit(of spec: ServiceSpec, in unit: inout UnitWriter) {
        if let schedule = spec.schedule {
            guard schedule.retries > 0 else { return }
            let all = schedule.retryDelay.nanoseconds * Int64(schedule.retries + 1)
            unit.add("StartLimitIntervalSec", raw: UnitWriter.span(.nanoseconds(all)))
            unit.add("StartLimitBurst", raw: "\(schedule.retries + 1)")
        } else if spec.restart.policy == .no {
            return
        } else if let attempts = spec.restart.maxAttempts {
            unit.add("StartLimitIntervalSec", raw: UnitWriter.span(spec.restart.window))
            unit.add("StartLimitBurst", raw: "\(attempts + 1)")
        } else {
            unit.add("StartLimitIntervalSec", raw: "0")
        }
    }

    func restart(of spec: ServiceSpec, in unit: inout UnitWriter) {
        if let schedule = spec.schedule {
            if schedule.retries > 0 {
                unit.add("Restart", raw: "on-failure")
                unit.add("RestartSec", raw: UnitWriter.span(schedule.retryDelay))
            }
        } else {
            let policy = spec.restart
            var word =
                switch policy.policy {
                case .no: "no"
                case .onFailure: "on-failure"
                case .always, .unlessStopped: "always"
                }
            if spec.kind == .task, word == "always" {
                exporter.change(
                    "restart.policy", of: spec.name, "a unit that runs to its end is restarted after a failure only")
                word = "on-failure"
            }
            unit.add("Restart", raw: word)
            if word != "no" {
                unit.add("RestartSec", raw: UnitWriter.span(policy.delay))
                let steps = Self.steps(of: policy)
                if steps > 0 {
                    unit.add("RestartSteps", raw: "\(steps)")
                    unit.add("RestartMaxDelaySec", raw: UnitWriter.span(policy.maxDelay))
                }
            }
        }
        ends(of: spec, in: &unit)
    }

    /// How many delays there are until the longest, each a factor longer; none where they stay as they are.
    static func steps(of policy: RestartPolicy) -> Int {
        guard policy.factor > 1, policy.delay > .zero, policy.maxDelay > policy.delay else { return 0 }
        var (delay, steps) = (Double(policy.delay.nanoseconds), 0)
        while delay * 1.0001 < Double(policy.maxDelay.nanoseconds), steps < 100 {
            delay *= policy.factor
            steps += 1
        }
        return steps
    }

    private func ends(of spec: ServiceSpec, in unit: inout UnitWriter) {
        func text(_ pattern: ExitPattern) -> String {
            switch pattern {
            case .code(let code): "\(code)"
            case .signal(let signal): signal.name
            }
        }
        if !spec.successExitCodes.contains(.code(0)) {
            exporter.lose(
                "success_exit_codes", of: spec.name, because: "0 is always a success",
                instead: "write a command that ends otherwise")
        }
        let good = spec.successExitCodes.filter { $0 != .code(0) }.map(text)
        if !good.isEmpty { unit.add("SuccessExitStatus", raw: good.joined(separator: " ")) }
        var (stopping, again): ([String], [String]) = ([], [])
        for rule in spec.onExit.rules {
            switch rule.action {
            case .stop: stopping.append(text(rule.pattern))
            case .restart: again.append(text(rule.pattern))
            case .ignore where rule.pattern == .code(0) && spec.kind == .service:
                unit.add("RemainAfterExit", raw: "yes")
            case .ignore, .stopStack:
                exporter.lose(
                    "on_exit.\(text(rule.pattern))", of: spec.name, because: "a unit has no such end",
                    instead: rule.action == .stopStack
                        ? "give the target BindsTo= and After= with the name of the unit" : nil)
            }
        }
        if spec.onExit.fallback != nil {
            exporter.lose(
                "on_exit.default", of: spec.name, because: "only ends that are named can be treated apart",
                instead: "name them")
        }
        if !stopping.isEmpty { unit.add("RestartPreventExitStatus", raw: stopping.joined(separator: " ")) }
        if !again.isEmpty { unit.add("RestartForceExitStatus", raw: again.joined(separator: " ")) }
    }

    // MARK: Stopping

    /// All steps before the last signal, as commands.
    private func ladder(of spec: ServiceSpec, in unit: inout UnitWriter) {
        let steps = spec.stop.steps
        let last = steps.lastIndex { if case .signal = $0.action { true } else { false } }
        for (index, step) in steps.enumerated() where index != last {
            let limit = Exporter.seconds(step.wait)
            switch step.action {
            case .signal(let signal, _):
                let name = signal.name.dropFirst(3)
                let text = "kill -s \(name) \"$MAINPID\" && timeout \(limit) tail --pid=\"$MAINPID\" -f /dev/null"
                unit.add("ExecStop", raw: "-/bin/sh -c " + UnitWriter.quoted(text.replacing("$", with: "$$")))
            case .command(let command):
                let words = exporter.words(command, of: spec, at: "stop")
                unit.add("ExecStop", raw: "-" + line(["/usr/bin/timeout", limit] + absolute(words, spec), of: spec))
            case .http(let request):
                let words = exporter.curl(request, within: step.wait, of: spec, at: "stop")
                unit.add("ExecStop", raw: "-" + line(words, of: spec))
            case .stdin, .kill: break
            }
        }
        if spec.stop.scope != .tree {
            exporter.change("stop.scope", of: spec.name, "a stop waits for the whole control group")
        }
    }

    private func absolute(_ words: [String], _ spec: ServiceSpec) -> [String] {
        guard let first = words.first, first.contains("/") else { return words }
        return [LexicalPath.absolute(first, from: spec.workingDirectory)] + words.dropFirst()
    }

    func stop(of spec: ServiceSpec, in unit: inout UnitWriter) {
        let signals = spec.stop.steps.compactMap { step -> (Signal, StopSpec.Recipient, Duration)? in
            if case .signal(let signal, let to) = step.action { (signal, to, step.wait) } else { nil }
        }
        guard let last = signals.last else {
            // Nothing but the kill.
            unit.add("KillSignal", raw: "SIGKILL")
            unit.add("TimeoutStopSec", raw: UnitWriter.span(max(.seconds(1), Exporter.grace(of: spec.stop))))
            return
        }
        if last.0 != .terminate { unit.add("KillSignal", raw: last.0.name) }
        if last.1 == .main { unit.add("KillMode", raw: "mixed") }
        let longest = spec.stop.steps.map(\.wait).max() ?? last.2
        unit.add("TimeoutStopSec", raw: UnitWriter.span(longest == .zero ? .seconds(1) : longest))
    }

    // MARK: Logs

    func output(of spec: ServiceSpec, in unit: inout UnitWriter) {
        let logging = spec.logging
        for (key, name, sink) in [
            ("StandardOutput", "stdout", logging.stdout), ("StandardError", "stderr", logging.stderr),
        ] {
            switch sink {
            case .standard:
                // Without a word errors go where output goes.
                if name == "stderr", logging.stdout != .standard { unit.add(key, raw: "journal") }
            case .discard: unit.add(key, raw: "null")
            case .merge: unit.add(key, raw: "inherit")
            case .append(let path):
                unit.add(key, "append:\(exporter.text(path, of: spec, at: "logging.\(name)"))")
            case .file(let path):
                unit.add(key, "append:\(exporter.text(path, of: spec, at: "logging.\(name)"))")
                exporter.change(
                    "logging.\(name)", of: spec.name, "the file grows without an end",
                    help: "write a rule for logrotate, with copytruncate")
            }
        }
        if logging.forward != .none, logging.stdout != .standard {
            exporter.lose(
                "logging.forward", of: spec.name, because: "output goes to a file or to the journal, not to both",
                instead: "leave out stdout")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

extension Scenario {
    /// What there is and what is done, for people: the stacks, the acts with their times, the launches that do not simply behave.
    public var text: [String] {
        var lines: [String] = []
        for (place, stack) in revisions.enumerated() where isApplied(place) {
            lines.append("revision \(place) of \(stack.name)")
            for spec in stack.services { lines.append("    \(spec.summary)") }
        }
        var time = Duration.zero
        for act in acts {
            time += act.after
            lines.append("at \(time.text) \(act.deed.summary(self))")
        }
        for quirk in quirks { lines.append("launch \(quirk.nth) of \(quirk.instance): \(quirk.life.summary)") }
        return lines
    }

    private func isApplied(_ place: Int) -> Bool {
        acts.contains { act in
            switch act.deed {
            case .ask(_, .apply(place), _), .ask(_, .diff(place), _), .ask(_, .tryOut(place, _), _): true
            case .ask, .vanish, .intrude, .strike, .touch, .killDaemon, .killKeeper, .reboot, .terminate, .step,
                .suspend, .lag,
                .lose, .fillDisk, .fillRun, .damageHistory, .echo:
                false
            }
        }
    }
}

extension ServiceSpec {
    /// What is not as in a plain service.
    var summary: String {
        let plain = ServiceSpec(name: name, kind: kind, command: .exec(["/bin/\(name)"]), workingDirectory: "/")
        var parts: [String] = []
        for need in dependsOn {
            let limits = (need.required ? "" : ", not required") + (need.timeout.map { ", \($0.text) at most" } ?? "")
            parts.append("needs \(need.on) \(need.condition.rawValue)\(limits)")
        }
        if replicas != 1 { parts.append("\(replicas) replicas") }
        if !enabled { parts.append("disabled") }
        switch ready {
        case .notify: parts.append("says READY")
        case .log, .fd: parts.append("writes that it is ready")
        case nil: break
        }
        if !watch.isEmpty { parts.append("watches files") }
        if !resources.isEmpty { parts.append("has limits, on_exceed \(resources.onExceed.rawValue)") }
        for kind in HookKind.allCases where hooks[kind] != nil { parts.append(kind.rawValue) }
        for kind in ProbeKind.allCases {
            if let probe = health[kind] { parts.append("\(kind.rawValue) probe every \(probe.interval.text)") }
        }
        if startTimeout != plain.startTimeout { parts.append("start timeout \(startTimeout?.text ?? "none")") }
        if restart != plain.restart {
            let tries = restart.maxAttempts.map { ", \($0) attempts" } ?? ""
            parts.append(
                "restart \(restart.policy.rawValue)\(tries)\(restart.retryAfter.map { ", retry after \($0.text)" } ?? "")"
            )
        }
        if stop != plain.stop { parts.append("stop \(stop.steps.map { "\($0.action) \($0.wait.text)" })") }
        switch reload {
        case .signal(let signal): parts.append("reloads by \(signal.name)")
        case .command(_, let limit): parts.append("reloads by a command within \(limit.text)")
        case .notify(let limit): parts.append("reloads by notify within \(limit.text)")
        case nil: break
        }
        for file in configFiles { parts.append("\(file.path) is \(file.content.short.prefix(4))") }
        if essential { parts.append("essential") }
        if onExit != plain.onExit {
            let rules = onExit.rules.map { "\($0.pattern) \($0.action.rawValue)" }
            parts.append("on exit \(rules)" + (onExit.fallback.map { ", else \($0.rawValue)" } ?? ""))
        }
        if !locks.isEmpty { parts.append("locks \(locks.joined(separator: ", "))") }
        if let schedule {
            parts.append(
                "\(schedule.triggerText), overlap \(schedule.overlap.rawValue), missed \(schedule.missed.rawValue)")
        }
        if update != plain.update {
            parts.append(
                "update \(update.order.rawValue), \(update.parallelism) at a time, on failure \(update.onFailure.rawValue)"
            )
        }
        if let entry = environment.first { parts.append("\(entry.name)=\(entry.text)") }
        return "\(kind.rawValue) \(name)" + (parts.isEmpty ? "" : ": " + parts.joined(separator: "; "))
    }
}

extension SimulatedLife {
    /// What is not as in a plain life.
    var summary: String {
        let plain = SimulatedLife()
        var parts: [String] = []
        if let fault { parts.append("\(isScarcity ? "lacks something" : "can't execute"): \(fault.reason)") }
        if execution != plain.execution { parts.append("executes after \(execution.text)") }
        if readyAfter != plain.readyAfter { parts.append("ready after \(readyAfter.text)") }
        if let endsAfter { parts.append("ends after \(endsAfter.text) with \(exit.text)") }
        if isEndless { parts.append("never ends") }
        if let stopsWithin {
            if stopsWithin != plain.stopsWithin { parts.append("stops within \(stopsWithin.text)") }
        } else {
            parts.append("deaf")
        }
        if let childOutlives { parts.append("a child outlives it by \(childOutlives.text)") }
        if let swellsAfter { parts.append("beyond its memory after \(swellsAfter.text)") }
        if let sickensAfter { parts.append("sick after \(sickensAfter.text)") }
        if let wavers { parts.append("well and sick by turns of \(wavers.text)") }
        if stepsTake != plain.stepsTake { parts.append("its steps take \(stepsTake.text)") }
        if diesWithin != plain.diesWithin { parts.append("dies within \(diesWithin.text) of its kill") }
        if answersAfter != plain.answersAfter { parts.append("answers after \(answersAfter.text)") }
        if escapes > 0 { parts.append("escapes \(escapes) kills") }
        if refusesSteps { parts.append("its steps fail") }
        if drainsAfter != plain.drainsAfter { parts.append("drains after \(drainsAfter.text)") }
        return parts.isEmpty ? "behaves" : parts.joined(separator: "; ")
    }
}

extension Deed {
    func summary(_ scenario: Scenario) -> String {
        switch self {
        case .ask(let client, let question, let pieces):
            "client \(client) asks: \(question.summary(scenario))" + (pieces > 1 ? ", in \(pieces) pieces" : "")
        case .vanish(let client, let isRude): "client \(client) leaves" + (isRude ? " in the middle of a frame" : "")
        case .intrude(let intruder): "an intruder: \(intruder)"
        case .touch(let instance): "files of \(instance.service) change"
        case .strike(let instance, let exit): "\(instance) ends: \(exit.text)"
        case .killDaemon(let after, let tears, let again):
            "the daemon dies after \(after) more deeds" + (tears ? ", tearing its ledger" : "")
                + (again.map { ", the next one after \($0)" } ?? "")
        case .killKeeper: "the keeper dies"
        case .reboot: "power is cut"
        case .terminate: "SIGTERM to the daemon"
        case .step(let span): "the wall clock steps by \(span.text)"
        case .suspend(let span): "the machine sleeps for \(span.text)"
        case .lag(let span): "the next wake-up comes \(span.text) late"
        case .lose(let need, let span): "\(need.text) is away for \(span.text)"
        case .fillDisk(let span): "the disk is full for \(span.text)"
        case .fillRun(let span): "the run directory is full for \(span.text)"
        case .damageHistory(let rescues): "the history is damaged" + (rescues ? ", departures can be read" : "")
        case .echo: "old news come again"
        }
    }
}

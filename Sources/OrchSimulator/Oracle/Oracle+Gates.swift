// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What gates a start beside services, and what an end leads to.
extension Machine {
    /// Launches under way at a time; few in some lives.
    var startsAtOnce: Int { scenario.seed % 3 == 0 ? 1 + Int(scenario.seed % 2) : Limits.startsAtOnce }

    func checkGates(_ order: LaunchOrder) {
        var underWay = 1
        for other in processes.compactMap({ $0 }) where !other.watched.isStray {
            if other.executedAt == nil, !other.isOver { underWay += 1 }
            guard other.isAlive else { continue }
            for lock in order.spec.locks where other.order.spec.locks.contains(lock) {
                violate("\(order.instance) is launched while \(other.order.instance) has the lock \(lock)")
            }
        }
        if underWay > startsAtOnce { violate("\(underWay) launches are under way at once") }
        for lock in order.spec.locks where lock.utf8.contains(47) { checkSeen(.lock(lock), order.instance) }
        checkEnd(order.instance)
        checkTries(order)
        checkRolledBack(order)
    }

    /// What its own end has led to stands until somebody asks for something else.
    private func checkEnd(_ id: InstanceID) {
        guard !watch.isDiskBehind,
            let end = seats[seat(of: id)].lastEnd, !end.wasStopped, !end.isOfShutdown,
            let exit = end.exit,
            end.definition == definitionNow(of: id.service), end.definition == targetNow(of: id),
            end.at > watch.allCommandedAt,
            // A restart that was asked for while it ran is still owed.
            end.orderedAt > (watch.restartAskedAt[id.service.stack] ?? .zero),
            end.at > (watch.commandedAt[id.service.stack] ?? .zero), let spec = specNow(of: id.service)
        else { return }
        switch spec.onExit.action(for: exit) {
        case .stop, .ignore, .stopStack: violate("\(id) is launched again though \(exit.text) is to end it")
        case .restart, nil: break
        }
    }

    func check(_ need: OutsideNeed, _ dependency: Dependency, of instance: InstanceID) {
        if dependency.required { checkSeen(need, instance) }
    }

    private func checkSeen(_ need: OutsideNeed, _ instance: InstanceID) {
        guard let seenAt = watch.seenAt[need.text], clock - seenAt <= .seconds(5) else {
            return violate("\(instance) is launched though \(need.text) was not found to be there")
        }
    }

    func watchCommand(_ question: Question) {
        switch question {
        case .apply(let place), .tryOut(let place, _): watch.commandedAt[scenario.revisions[place].name] = clock
        case .diff: break
        case .command(let command):
            switch command {
            case .start(let targets), .stop(let targets, _):
                for target in targets { watch.commandedAt[target.stack] = clock }
            case .restart(let targets):
                for target in targets {
                    watch.commandedAt[target.stack] = clock
                    watch.restartAskedAt[target.stack] = clock
                }
            case .down(let stack, _): watch.commandedAt[stack] = clock
            case .rollback(let request): watch.commandedAt[request.stack] = clock
            case .daemonStop: watch.allCommandedAt = clock
            case .reload(let targets): watch.reloadsAsked += targets
            case .signal(let targets, let signal): watch.signalsAsked += targets.map { ($0, signal) }
            case .apply, .applyKnown, .diff, .recall, .rollbackPlan, .status, .processes, .follow, .why, .events,
                .history,
                .scale, .rotateLogs, .daemonStatus, .daemonRestart, .daemonUpgrade:
                break
            }
        }
    }

    // MARK: Stacks that stop by themselves

    func watchHalt(_ halt: Halt) {
        let stack = halt.instance.service.stack
        watch.halts[stack] = halt
        if !watch.isDiskBehind, !mayStopStack(halt.instance) {
            violate("\(halt.instance) stops its stack and is not to")
        }
        for service in stackNow(stack)?.request.stack.services ?? [] {
            for replica in stride(from: 1, through: service.replicas, by: 1) {
                watch.halted.insert(
                    InstanceID(service: ServiceID(stack: stack, service: service.name), replica: replica))
            }
        }
        watch.wholeGoesAt[stack] = clock
        let limit = clock + (stackNow(stack)?.request.stack.stopTimeout ?? .zero)
        watch.hurriedBy[stack] = min(watch.hurriedBy[stack] ?? .distantFuture, limit)
    }

    /// By the present definition, or by the one before an update, if that is what ended.
    private func mayStopStack(_ id: InstanceID) -> Bool {
        let former = seats[seat(of: id)].lastEnd.flatMap { specNow(of: id.service, running: $0.definition) }
        let specs = [specNow(of: id.service), former].compactMap { $0 }
        return specs.isEmpty || specs.contains { $0.essential || $0.onExit.stopsStack }
    }

    /// An essential service of this stack has ended it, and waits less for another one than that may take though nothing goes wrong: it
    /// ends the stack whenever it is started, as its manifest says.
    func isHopeless(_ stack: String) -> Bool {
        guard let halt = watch.halts[stack], watch.halted.contains(halt.instance),
            let spec = specNow(of: halt.instance.service), spec.essential
        else { return false }
        return spec.dependsOn.contains { need in need.timeout.map { $0 < longest(need, in: stack) } ?? false }
    }

    /// How long it may take until what is needed is there, while nothing goes wrong.
    private func longest(_ need: Dependency, in stack: String) -> Duration {
        let other = ServiceID(stack: stack, service: need.on)
        guard OutsideNeed(need.on) == nil, let spec = specNow(of: other) else { return .seconds(5) }
        var span: Duration = spec.kind == .task ? .seconds(2) : .milliseconds(100)
        for probe in ProbeKind.allCases.compactMap({ spec.health[$0] }) {
            span += probe.initialDelay + probe.interval * (probe.successThreshold + 1)
        }
        return span + (spec.dependsOn.map { longest($0, in: stack) }.max() ?? .zero)
    }

    func watchEnd(_ id: InstanceID, _ outcome: Outcome) {
        guard outcome.phase != .ready, !watch.isDiskBehind, specNow(of: id.service)?.essential == true,
            !watch.halted.contains(id), !watch.pastHalts.contains(id)
        else { return }
        violate("\(id) is essential, is \(outcome.phase.rawValue), and its stack goes on")
    }

    /// A new daemon knows of it what the run directory has.
    func recallHalts(_ notes: [LaunchNote]) {
        watch.halted = []
        for note in notes {
            switch note {
            case .halted(let halt, let appliedAt):
                if stackNow(halt.instance.service.stack)?.appliedAt == appliedAt { watchHalt(halt) }
            case .resumed(let id): watch.halted.remove(id)
            case .ordered, .executed, .ready, .announced, .told, .locked, .stopping, .reloadOwed, .reloadEnded,
                .configured,
                .failed, .forgiven,
                .probed, .tallied, .released,
                .ended, .runs, .hook, .renamed:
                break
            }
        }
    }
}

extension ExitActions {
    var stopsStack: Bool { fallback == .stopStack || rules.contains { $0.action == .stopStack } }
}

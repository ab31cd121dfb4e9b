// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import OrchWire

/// The rules that hold in every turn, judged by the machine's own facts.
extension Machine {
    // MARK: Launches

    /// Before a launch: alone, wanted, with a number of its own, and with everything there that it needs.
    func check(_ order: LaunchOrder) {
        watch.touch(seat(of: order.instance))
        checkAlone(order)
        if hasErrands(seat(of: order.instance)) {
            violate("\(order.instance) is launched while an errand of its former launch runs")
        }
        if order.launch.number <= watch.highestOrdered { violate("launch number \(order.launch.number) is used again") }
        watch.highestOrdered = max(watch.highestOrdered, order.launch.number)
        checkGates(order)
        checkHooks(order)
        guard !watch.isDiskBehind, !isOverlap(order.instance) else { return }
        checkRun(order)
        if !isWanted(order.instance) { violate("\(order.instance) is launched and not wanted") }
        let needs = specNow(of: order.instance.service)?.dependsOn ?? order.spec.dependsOn
        for need in needs { check(need, of: order.instance) }
    }

    private func check(_ need: Dependency, of instance: InstanceID) {
        if let outside = OutsideNeed(need.on) { return check(outside, need, of: instance) }
        let service = ServiceID(stack: instance.service.stack, service: need.on)
        guard let spec = specNow(of: service) else {
            if need.required { violate("\(instance) is launched without \(service), which is not there") }
            return
        }
        for replica in stride(from: 1, through: spec.replicas, by: 1) {
            let id = InstanceID(service: service, replica: replica)
            if !need.required, !isWanted(id) { continue }
            if isNews(id) { continue }
            if let lack = lack(of: need.condition, id, spec) {
                violate("\(instance) is launched while its need \(id) \(lack)")
            }
        }
    }

    /// What the daemon is being told of the instance it may not have read yet when somebody asks it something before.
    private func isNews(_ id: InstanceID) -> Bool {
        guard isAskedWithin, let seat = seatIndex[id].map({ seats[$0] }) else { return false }
        let living = seat.living.flatMap { places[$0] }.flatMap { processes[$0] }
        return (living?.newsIn ?? seat.lastEnd?.toldIn) == batch
    }

    /// What keeps an instance from meeting a condition; nil when nothing is known to.
    private func lack(of condition: Dependency.Condition, _ id: InstanceID, _ spec: ServiceSpec) -> String? {
        guard let seat = seatIndex[id] else { return condition == .completed ? nil : "was never launched" }
        guard let launch = seats[seat].living, let place = places[launch], let process = processes[place] else {
            return lackOfEnd(condition, seats[seat], spec)
        }
        // One that was to take over has ended, and may count as up without a process while the former one is still there.
        if let end = seats[seat].lastEnd, end.launch > launch, end.definition == targetNow(of: id),
            let exit = end.exit,
            [.ignore, .stop].contains(spec.onExit.action(for: exit)) || exit.matches(spec.successExitCodes)
        {
            return lackOfEnd(condition, seats[seat], spec)
        }
        switch condition {
        case .completed, .succeeded: return "runs"
        case .started, .ready, .healthy: break
        }
        if process.executedAt == nil { return "is not executed" }
        if !process.isMainAlive { return "has ended" }
        if process.watched.step >= 0 { return "is being stopped" }
        if process.watched.definition != targetNow(of: id) { return "runs another definition" }
        guard condition != .started else { return nil }
        learnt(place)
        if processes[place]?.watched.wasReady == false { return "is not ready" }
        for kind in [ProbeKind.readiness, .liveness]
        where spec.health[kind] != nil && process.watched[kind].verdict == .failing {
            return "fails its \(kind.rawValue) probe"
        }
        if condition == .healthy, specNow(of: process)?.health.liveness != nil,
            process.watched.liveness.verdict != .passing
        {
            return "is not healthy"
        }
        return nil
    }

    private func lackOfEnd(_ condition: Dependency.Condition, _ seat: Seat, _ spec: ServiceSpec) -> String? {
        let action = seat.lastEnd?.exit.flatMap { spec.onExit.action(for: $0) }
        if condition == .started, seat.lastEnd?.motive == .retired { return nil }
        switch condition {
        case .ready, .healthy: if action != .ignore { return "does not run" }
        case .completed: return nil
        case .started, .succeeded: break
        }
        guard let end = seat.lastEnd, let exit = end.exit, !end.wasStopped else { return "has not succeeded" }
        if action == .ignore || action == .stop { return nil }
        if end.definition != targetNow(of: seat.id) { return "has succeeded only as another definition" }
        return exit.matches(spec.successExitCodes) ? nil : "has failed: \(exit.text)"
    }

    // MARK: Stops

    /// A signal or step goes out: not after the kill, unless another daemon begins anew.
    func watchSignal(_ place: Int) {
        guard let process = processes[place] else { return }
        if process.watched.killedBy == daemon { violate("\(process.launch.number) is sent a signal after its kill") }
    }

    func watchNote(_ note: LaunchNote) {
        switch note {
        case .ordered(_, _, let definition, _, _): watch.definition = definition
        case .stopping(let launch, let motive, let reason, let step, _):
            if step < 0 { checkLimit(launch, reason) }
            stops(launch, motive, step)
        case .ready(let launch, let moment):
            guard let place = places[launch] else { return }
            learnt(place)
            if processes[place]?.watched.wasReady == false { violate("\(launch.number) is called ready and is not") }
            processes[place]?.watched.isReadyNoted = true
            processes[place]?.watched.readySince = moment.instant
        case .announced(let launch):
            guard let place = places[launch] else { return }
            if processes[place]?.hasSpoken == false { violate("\(launch.number) is said to have spoken and has not") }
            processes[place]?.watched.isSpeechNoted = true
        case .probed(let launch, let kind, let isPassing):
            guard let place = places[launch], let process = processes[place] else { return }
            processes[place]?.watched[kind].noted = isPassing ? .passing : .failing
            processes[place]?.watched[kind].notedTally = 0
            if kind == .liveness, !isPassing, specNow(of: process)?.watchdog != nil {
                // The next daemon may say once more what was noted before.
                if process.watched.liveness.verdict != .failing { watchSilence(place) }
                return
            }
            if process.watched[kind].isDoubtful, !isPassing {
                processes[place]?.watched[kind].verdict = .failing
                processes[place]?.watched[kind].isDoubtful = false
                return
            }
            if process.watched[kind].verdict != (isPassing ? .passing : .failing) {
                violate(
                    "\(launch.number): its \(kind.rawValue) probe is called \(isPassing ? "passing" : "failing") and is not"
                )
            }
        case .tallied(let launch, let kind, let tally):
            if let place = places[launch] { processes[place]?.watched[kind].notedTally = tally }
        case .runs(let id, let state): watchRuns(id, state)
        case .halted(let halt, let appliedAt):
            // One that is written after a revision took its place, in the same turn, holds nothing back.
            let isPast = stackNow(halt.instance.service.stack)?.appliedAt != appliedAt
            if watch.isDiskBehind || !isPast { watchHalt(halt) } else { watch.pastHalts.insert(halt.instance) }
        case .resumed(let id): watch.halted.remove(id)
        case .ended(let id, _, _, _, let outcome): watchEnd(id, outcome)
        case .failed(let id, _, _): checkFailure(id)
        case .released(let launch): if let place = places[launch] { processes[place]?.isClosed = true }
        case .reloadOwed, .reloadEnded, .configured: watchReload(note)
        case .executed(let launch, _, _, _, _):
            if let place = places[launch] { processes[place]?.watched.isStartNoted = true }
        case .renamed(let former, let present): renameStored(former, to: present)
        case .forgiven, .told, .locked, .hook: break
        }
    }

    private func stops(_ launch: LaunchID, _ motive: StopMotive, _ step: Int) {
        guard let place = places[launch], let process = processes[place] else { return }
        let before = process.watched.step
        let isRepeat = step == before && process.watched.stepBy != daemon
        if step != before + 1, !isRepeat, process.watched.killedBy != daemon {
            violate("\(launch.number) is at step \(step) of its ladder after step \(before)")
        }
        if before < 0 {
            processes[place]?.watched.motive = motive
            processes[place]?.watched.stopBegan = (batch, watch.deedsOfTurn)
            // What it is stopped for was decided before its pre_stop.
            if !process.watched.isStray, process.watched.stopBegan == nil { checkTurnover(process, motive) }
        }
        if before < 0, !process.watched.wasStopped {
            // What has no place any more has none in the order.
            if !process.watched.isStray { checkOrder(process) }
            processes[place]?.watched.wasStopped = process.isMainAlive || !process.isOver
        }
        processes[place]?.watched.step = step
        processes[place]?.watched.stepBy = daemon
        watch.touch(process.seat)
    }

    /// When it goes down together with what needs it, it goes after it.
    private func checkOrder(_ process: MachineProcess) {
        let id = process.order.instance
        guard process.isMainAlive, !isWanted(id), !watch.isDiskBehind, process.watched.startup.verdict != .failing,
            process.watched.liveness.verdict != .failing
        else { return }
        if let by = watch.hurriedBy[id.service.stack], by <= clock { return }
        if let limit = process.order.spec.startTimeout, !process.watched.wasReady || process.order.spec.kind == .task,
            clock - (process.executedAt ?? process.orderedAt) >= limit
        {
            return
        }
        for place in processes.indices {
            guard let other = processes[place], other.isMainAlive,
                other.order.instance.service.stack == id.service.stack,
                other.launch != process.launch, !other.watched.isStray, !isWanted(other.order.instance),
                (specNow(of: other.order.instance.service) ?? lastSpec(of: other)).dependsOn.contains(where: {
                    $0.on == id.service.service
                })
            else { continue }
            violate("\(id) is told to stop while \(other.order.instance), which goes too, still needs it")
        }
    }

    /// What the manifest said of it when it last named it: the order of stops is live.
    private func lastSpec(of process: MachineProcess) -> ServiceSpec {
        let service = process.order.instance.service
        for applied in (disk.kept[service.stack] ?? []).reversed() {
            if let spec = applied.request.stack.service(service.service) { return spec }
        }
        return process.order.spec
    }

    // MARK: Clients

    func heard(_ reply: Reply, _ place: Int) {
        let name = clients[place].name
        if reply.id == 0 {
            if !clients[place].isUnwelcome { violate("client \(name) is told \(reply.body.word)") }
            return
        }
        guard let found = clients[place].pending.firstIndex(where: { $0.id == reply.id }) else {
            return violate(
                "client \(name) gets a reply to #\(reply.id), which it does not wait for: \(reply.body.word)")
        }
        let request = clients[place].pending[found]
        guard reply.isFinal else {
            if !request.isStream, reply.body.isOccurrence == false {
                violate("client \(name) #\(reply.id) gets more than one reply")
            }
            return
        }
        clients[place].pending.remove(at: found)
        switch reply.body {
        case .accepted(let plan, _):
            watch.acceptedOfTurn.append((request.order, request.question))
            accepted(request.question, since: request.order, plan, clients[place])
        case .verdict(let verdict): if name == Self.judge { verdicts.append(verdict) }
        case .refusal(let refusal):
            if name == Self.judge { verdicts.append(.failed(refusal.message)) }
            if clients[place].isOtherVersion, refusal.kind != .version {
                violate("another version is refused for \(refusal.kind)")
            }
        case .status, .processes, .plan, .recalled, .there, .instance, .gone, .occurrence, .why, .history, .rotated,
            .daemon, .end:
            break
        }
    }

    /// What is acknowledged is on the disk.
    private func accepted(_ question: Question, since order: Int, _ plan: Plan?, _ client: SimulatedClient) {
        switch question {
        case .apply(let place), .tryOut(let place, _):
            if client.isOtherVersion { violate("another version has changed something") }
            let name = scenario.revisions[place].name
            calm(name, since: order)
            if !watch.saved.contains(where: { $0.stack == name && $0.revision?.hex == plan?.revision }) {
                violate("apply of \(name) is acknowledged and not saved")
            }
        case .diff: violate("a diff is accepted")
        case .command(let command): accepted(command, since: order)
        }
    }

    private func accepted(_ command: Command, since order: Int) {
        // An apply that came before it in this turn has let time pass again.
        hurry(by: command)
        checkDepartures(command)
        func isSaved(_ stack: String, isLeaving: Bool) -> Bool {
            watch.saved.contains { $0.stack == stack && ($0.revision == nil) == isLeaving }
        }
        if case .down(let stack, _) = command, !isSaved(stack, isLeaving: true) {
            violate("down of \(stack) is acknowledged and not saved")
        } else if case .rollback(let request) = command {
            calm(request.stack, since: order)
            if !isSaved(request.stack, isLeaving: false) {
                violate("rollback of \(request.stack) is acknowledged and not saved")
            }
        } else if case .daemonStop = command {
            isShuttingDown = true
        } else if case .signal(let targets, let signal) = command {
            watch.signalsOwed.append((targets, signal))
        }
    }

    /// A request has come as a whole; some give a stop less time than its ladder and its order need.
    func hurry(by question: Question) {
        watchCommand(question)
        watch.commandsOfTurn += 1
        if case .command(let command) = question { hurry(by: command) }
    }

    private func hurry(by command: Command) {
        if case .down(let stack, let timeout) = command {
            hurry(stack, min(timeout ?? .seconds(1 << 30), stackNow(stack)?.request.stack.stopTimeout ?? .zero))
        } else if case .stop(let targets, let timeout?) = command {
            for target in targets { hurry(target.stack, timeout) }
        } else if case .daemonStop = command {
            hurryAll()
        }
    }

    func hurryAll() {
        for applied in disk.state.stacks {
            watch.wholeGoesAt[applied.request.stack.name] = clock
            hurry(applied.request.stack.name, applied.request.stack.stopTimeout)
        }
    }

    /// Time passes again from that request on; one that came behind it in the same turn may have been answered before it.
    private func calm(_ stack: String, since order: Int) {
        watch.hurriedBy[stack] = nil
        for later in watch.acceptedOfTurn where later.order > order {
            if case .command(let command) = later.question { hurry(by: command) }
        }
    }

    private func hurry(_ stack: String, _ timeout: Duration) {
        watch.hurriedBy[stack] = min(watch.hurriedBy[stack] ?? .distantFuture, clock + timeout)
    }
}

extension Reply.Body {
    var isOccurrence: Bool { if case .occurrence = self { true } else { false } }
}

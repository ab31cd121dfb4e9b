// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Commands around the life of a service. Each call is a launch of its own, one after the other for one instance: the keeper holds it and its
/// end over the death of a daemon. That it is owed is noted before what it is owed for; it is noted as over before its launch is let go of.
extension Fleet {
    /// From now on a hook is to run, if the service has one of this kind and it is not owed already.
    mutating func owe(
        _ kind: HookKind, _ place: Int, about incarnation: Incarnation?, _ reason: String, at now: Moment,
        _ effects: inout [Effect]
    ) {
        guard let slot = slots[place], hasHooks(slot.service) else { return }
        let known = incarnation.map { version(of: slot, $0) } ?? spec(of: slot)
        guard known.value.hooks[kind] != nil else { return }
        // What comes after a launch is its instance's, whichever place that launch had.
        let heir = kind == .preStop || kind == .postReady ? place : slot.successor ?? place
        touch(heir)
        let isOwed =
            slots[heir]?.hooks.contains { $0.call.kind == kind && $0.call.about == incarnation?.launch } ?? true
        if isOwed { return }
        let isAlive = incarnation?.hasEnded == false
        let call = HookCall(
            id: takeLaunch(), kind, of: slot.id, definition: incarnation?.definition ?? targetDefinition(of: slot),
            about: incarnation?.launch, exit: incarnation?.exit, reason: reason,
            attempt: kind == .onFailed ? max(1, slot.streak) : slot.streak + 1, pid: isAlive ? incarnation?.pid : nil,
            ports: incarnation?.ports ?? known.value.ports.compactMap(\.fixed))
        slots[heir]?.hooks.append(HookRun(call))
        hookCount += 1
        effects.append(.note(.hook(call, .owed)))
    }

    private func hasHooks(_ service: Int) -> Bool {
        !services[service].known.value.hooks.isEmpty || services[service].former?.value.hooks.isEmpty == false
    }

    /// Whether what comes before a start is done; if not, it begins.
    mutating func isPrepared(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard let slot = slots[place] else { return false }
        let definition = targetDefinition(of: slot)
        if let prepared = slot.prepared, prepared.definition != definition {
            dropPreparation(place, at: now, &effects)
            return false
        }
        guard slot.prepared == nil, targetVersion(of: slot).spec.hooks[.preStart] != nil else { return true }
        leaveLines(place)
        slots[place]?.waitingSince = nil
        slots[place]?.retryAt = nil
        slots[place]?.stopBy = nil
        slots[place]?.outcome = nil
        owe(.preStart, place, about: nil, slot.nextCause ?? "wanted by the manifest", at: now, &effects)
        return false
    }

    /// The start that was prepared does not come: what was done for it is to be undone.
    mutating func dropPreparation(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place], let call = slot.prepared else { return }
        owe(.postStop, place, about: nil, "it was not started after its pre_start", at: now, &effects)
        slots[place]?.prepared = nil
        effects.append(.note(.hook(call, .over(nil, isSuccess: false))))
    }

    /// Begins the first of the calls that are owed, lets time act on it, and concludes it.
    mutating func attendHooks(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        while slots[place]?.hooks.isEmpty == false {
            countHookStart(place)
            guard let run = slots[place]?.hooks.first else { return }
            if run.isOver {
                conclude(place, run, at: now, &effects)
            } else if run.launch == nil {
                guard isNeeded(run, place) else {
                    forget(place, run, &effects)
                    continue
                }
                guard run.notBefore.map({ $0 <= now.instant }) ?? true, !isEarly(run, place), !isBesideAnother(place)
                else {
                    return
                }
                return begin(place, run, at: now, &effects)
            } else {
                return watch(place, run, at: now, &effects)
            }
        }
    }

    /// What it is called for has not passed.
    private func isNeeded(_ run: HookRun, _ place: Int) -> Bool {
        guard let slot = slots[place] else { return false }
        let isSame = slot.current?.launch == run.call.about && slot.current?.hasEnded == false
        switch run.call.kind {
        case .preStart:
            return slot.current == nil && isWanted(slot) && run.call.definition == targetDefinition(of: slot)
        case .postReady: return isSame && slot.current?.isStopping == false
        case .preStop: return isSame && slot.current?.isStopping == true
        case .postStop, .onFailed: return true
        }
    }

    /// What a former daemon noted and did not live to note what it follows: that it is ready, or that its end is closed.
    private func isEarly(_ run: HookRun, _ place: Int) -> Bool {
        switch run.call.kind {
        case .postStop, .onFailed: run.call.about.map { launchIndex[$0] != nil } ?? false
        case .postReady: slots[place]?.current?.readyAt == nil
        case .preStart, .preStop: false
        }
    }

    /// The launch that takes over from this one, or the one it takes over from, has a hook under way: they are one instance.
    private func isBesideAnother(_ place: Int) -> Bool {
        guard let slot = slots[place], let other = slot.successor ?? slot.predecessor else { return false }
        return slots[other]?.hooks.first?.launch != nil
    }

    private mutating func begin(_ place: Int, _ run: HookRun, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place] else { return }
        guard let order = order(of: run.call, slot) else { return forget(place, run, &effects) }
        var begun = run
        begun.launch = order.launch
        begun.began = now
        begun.firstTriedAt = run.firstTriedAt ?? now.instant
        begun.notBefore = nil
        if run.call.kind == .preStart {
            begun.isUnderWay = true
            startsUnderWay += 1
            begun.locks = order.spec.locks
            takeLocks(begun.locks, order.launch)
        }
        slots[place]?.hooks[0] = begun
        hookIndex[order.launch] = place
        effects.append(.note(.hook(run.call, .begun(order.launch, at: now))))
        effects.append(.launch(order))
        tell(
            place, .hook, "\(run.call.kind.rawValue) runs: \(order.spec.command.words)", at: now, launch: order.launch,
            key: run.call.key, &effects)
    }

    /// The service's own order, but for what is executed and what only the service itself needs; nil when the manifest has no such hook any more.
    private mutating func order(of call: HookCall, _ slot: Slot) -> LaunchOrder? {
        let (spec, inherited, fileLimit) = version(of: call, slot)
        guard let hook = spec.hooks[call.kind] else { return nil }
        let launch = takeLaunch()
        var own = ServiceSpec(
            name: spec.name, kind: .task, command: hook.command, workingDirectory: spec.workingDirectory)
        own.environment = spec.environment
        own.unset = spec.unset
        own.secrets = spec.secrets
        own.user = spec.user
        own.process = spec.process
        own.logging = spec.logging
        if call.kind == .preStart { own.locks = spec.locks }
        return LaunchOrder(
            launch: launch, instance: slot.id, spec: own, label: label(of: slot), inherited: inherited,
            fileLimit: fileLimit, because: call.reason, hook: call)
    }

    private func version(
        of call: HookCall, _ slot: Slot
    ) -> (spec: ServiceSpec, inherited: [EnvironmentEntry], fileLimit: UInt64?) {
        let service = services[slot.service]
        if let previous = service.rollout?.previous, previous.definition == call.definition {
            return (previous.spec, previous.inherited, previous.fileLimit)
        }
        return (service.spec, service.inherited, service.fileLimit)
    }

    func hook(of call: HookCall, _ slot: Slot) -> Hook? {
        let service = services[slot.service]
        let former = service.formerDefinition == call.definition ? service.former?.value : nil
        return (former ?? service.spec).hooks[call.kind]
    }

    /// It was launched, or never will be.
    private mutating func countHookStart(_ place: Int) {
        guard let run = slots[place]?.hooks.first, run.isUnderWay, run.hasExecuted || run.isOver || run.exit != nil
        else { return }
        slots[place]?.hooks[0].isUnderWay = false
        startsUnderWay -= 1
    }

    // MARK: While it runs

    /// Ends what is not needed any more, and what takes too long.
    private mutating func watch(_ place: Int, _ run: HookRun, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place], let launch = run.launch else { return }
        var after = run
        if run.exit == nil, run.calledOffAt == nil, isCalledOff(run, slot) {
            after.calledOffAt = now.instant
            after.obstacle = "it was not needed any more"
            effects.append(.signal(launch, .terminate, to: .tree))
        }
        if let due = killAt(after, slot), due <= now.instant {
            if run.exit == nil, after.obstacle == nil { after.obstacle = lateness(after, slot, at: now.instant) }
            after.killedAt = after.killedAt ?? now.instant
            after.killAgainAt = now.instant + Patience.killAgain
            effects.append(.kill(launch))
        }
        slots[place]?.hooks[0] = after
    }

    private func isCalledOff(_ run: HookRun, _ slot: Slot) -> Bool {
        switch run.call.kind {
        case .preStart: !isWanted(slot) || run.call.definition != targetDefinition(of: slot)
        case .postReady:
            slot.current?.launch != run.call.about || slot.current?.hasEnded == true || slot.current?.isStopping == true
        case .preStop, .postStop, .onFailed: false
        }
    }

    /// When its tree is killed, for the first time or again.
    private func killAt(_ run: HookRun, _ slot: Slot) -> Instant? {
        if let again = run.killAgainAt { return again }
        if let exitAt = run.exitAt { return exitAt + Patience.clearing }
        guard let began = run.began?.instant else { return nil }
        var due = began + timeout(of: run, slot)
        if let calledOffAt = run.calledOffAt { due = min(due, calledOffAt + Patience.stray) }
        guard let stopBy = slot.stopBy else { return due }
        switch run.call.kind {
        case .preStart, .postReady, .preStop: return min(due, stopBy)
        // It may only be begun by then.
        case .postStop, .onFailed: return min(due, max(stopBy, began + Patience.lateHook))
        }
    }

    private func timeout(of run: HookRun, _ slot: Slot) -> Duration {
        hook(of: run.call, slot)?.timeout ?? Hook.standardTimeout
    }

    private func lateness(_ run: HookRun, _ slot: Slot, at now: Instant) -> String {
        let limit = timeout(of: run, slot)
        let isLate = run.began.map { $0.instant + limit <= now } ?? true
        return isLate ? "no end within \(limit.text)" : "the time that the stop was given is over"
    }

    /// When something happens to the first call by itself.
    func nextHook(of slot: Slot) -> Instant? {
        guard let run = slot.hooks.first, !run.isOver else { return nil }
        return run.launch == nil ? run.notBefore : killAt(run, slot)
    }

    // MARK: What it holds up

    /// The launch waits for what was begun for it while it lived.
    func holdsUpClose(_ slot: Slot) -> Bool {
        guard !slot.hooks.isEmpty, let launch = slot.current?.launch else { return false }
        return slot.hooks.contains { $0.call.about == launch && $0.launch != nil }
    }

    /// The ladder begins after it.
    func preStop(of slot: Slot) -> HookRun? {
        guard !slot.hooks.isEmpty, let launch = slot.current?.launch else { return nil }
        return slot.hooks.first { $0.call.kind == .preStop && $0.call.about == launch }
    }

    /// The call that its start or its stop waits for.
    func lifeHook(of slot: Slot) -> HookRun? {
        guard let run = slot.hooks.first, slot.current == nil else { return nil }
        switch run.call.kind {
        case .preStart, .postStop: return run
        case .postReady, .preStop, .onFailed: return nil
        }
    }

    /// Where the instance stands while such a call is under way.
    func hookStanding(of slot: Slot, at now: Instant) -> (Phase, String, String)? {
        guard let run = lifeHook(of: slot) else { return nil }
        let text = text(of: run, slot)
        if let killedAt = run.killedAt, now - killedAt >= Patience.stuck {
            let span = (now - killedAt).brief
            return (.stuck, "its \(run.call.kind.rawValue) is still alive \(span) after SIGKILL", run.call.key)
        }
        guard run.call.kind == .preStart else { return (.stopping, "\(run.call.reason); \(text)", run.call.key) }
        return isWanted(slot)
            ? (.starting, text, run.call.key) : (.stopping, "\(goingBecause(slot)); \(text)", run.call.key)
    }

    /// For people.
    func text(of run: HookRun, _ slot: Slot) -> String {
        let name = run.call.kind.rawValue
        if run.calledOffAt != nil { return "its \(name) is being ended" }
        let words = hook(of: run.call, slot)?.command.words ?? ""
        return run.launch == nil ? "its \(name) is to run: \(words)" : "\(name) runs: \(words)"
    }
}

extension PortSpec {
    /// What it will be, where that does not depend on what is free.
    fileprivate var fixed: AssignedPort? {
        port == 0 || onConflict == .next ? nil : AssignedPort(name: name, port: port, transport: transport)
    }
}

extension HookCall {
    /// Of the manifest.
    var key: String { "hooks.\(kind.rawValue)" }
}

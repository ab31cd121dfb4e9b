// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What follows an end.
extension Fleet {
    /// What follows is written down before the launch is released: who dies between the two has forgotten nothing.
    mutating func close(_ place: Int, _ incarnation: Incarnation, at now: Moment, _ effects: inout [Effect]) {
        let end = incarnation.exit?.text ?? incarnation.fault?.text ?? ""
        owe(.postStop, place, about: incarnation, incarnation.stopping?.reason ?? end, at: now, &effects)
        conclude(place, incarnation, at: now, &effects)
        effects.append(.release(incarnation.launch))
        effects.append(.note(.released(incarnation.launch)))
        releaseLocks(incarnation.locks, incarnation.launch)
    }

    private mutating func conclude(
        _ place: Int, _ incarnation: Incarnation, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let slot = slots[place] else { return }
        let isReplaced = mustGo(slot) && isWanted(slot)
        slots[place]?.current = nil
        launchIndex[incarnation.launch] = nil
        rememberClosed(incarnation.launch, of: slot.id)
        let isInstanceWanted = isWanted(slot.successor.flatMap { slots[$0] } ?? slot)
        let isAsked = incarnation.stopping?.motive == .requested || isReplaced
        let isStay = !isAsked && isWanted(slot) && action(on: incarnation, of: slot) == .ignore
        if isInstanceWanted, services[slot.service].spec.kind == .service, incarnation.isExecuted, !isStay {
            pass(on: .restart, from: slot, at: now, &effects)
        }
        // The daemon that noted that this end stops the stack did not live to say more of it.
        let isItsOwnHalt = halt(of: slot)?.instance == slot.id && slot.departure == nil
        guard isWanted(slot) || isItsOwnHalt, !isAsked else {
            closeAsAsked(place, incarnation, isReplaced: isReplaced, at: now, &effects)
            return
        }
        // A task that was not let end has not done what those after it count on.
        let retired: Phase = services[slot.service].spec.kind == .task ? .failed : .done
        if incarnation.stopping?.motive == .retired {
            giveUp(place, retired, incarnation.stopping?.reason ?? "", last: incarnation, at: now, &effects)
            return
        }
        if isRetiredByKernel(incarnation, slot) {
            let reason = "\(endText(of: incarnation, slot) ?? "") (on_exceed: stop)"
            giveUp(place, retired, reason, last: incarnation, at: now, key: "resources", &effects)
            return
        }
        judge(place, incarnation, at: now, &effects)
    }

    private mutating func closeAsAsked(
        _ place: Int, _ incarnation: Incarnation, isReplaced: Bool, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let slot = slots[place] else { return }
        let reason = incarnation.stopping?.reason ?? goingBecause(slot)
        tell(place, .stopped, reason, at: now, launch: incarnation.launch, &effects)
        endRun(place, .stopped, incarnation, at: now, &effects)
        slots[place]?.restarts = 0
        forgiveFailures(place, &effects)
        guard isWanted(slot) else { return }
        if slot.isRestartAsked {
            slots[place]?.nextCause = slot.restartCause ?? "restarted by hand"
        } else {
            slots[place]?.nextCause =
                isReplaced || incarnation.stopping == nil ? reason : "wanted again while it was stopping"
        }
    }

    /// What `on_exit` says of an end that nobody asked for; nil leaves it to `restart`.
    private func action(on incarnation: Incarnation, of slot: Slot) -> ExitActions.Action? {
        switch incarnation.stopping?.motive {
        case .requested, .failure, .retired: return nil
        case .clearing, nil:
            return incarnation.exit.flatMap { version(of: slot, incarnation).value.onExit.action(for: $0) }
        }
    }

    /// An end that nobody asked for: `on_exit` decides, and then the restart policy.
    /// `how` it ended in words, where it does not say so itself.
    mutating func judge(
        _ place: Int, _ incarnation: Incarnation, how told: String? = nil, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let slot = slots[place] else { return }
        let spec = version(of: slot, incarnation).value
        let hasFailedAlive = incarnation.stopping?.motive == .failure
        let isSuccess = !hasFailedAlive && (incarnation.exit?.matches(spec.successExitCodes) ?? false)
        let end = incarnation.fault?.text ?? endText(of: incarnation, slot) ?? ""
        let how = told ?? (hasFailedAlive ? incarnation.stopping?.reason ?? "" : end)
        let action = action(on: incarnation, of: slot)
        if action != .stop, action != .stopStack,
            judgeRun(place, incarnation, isSuccess: isSuccess, how, at: now, &effects)
        {
            return
        }
        if incarnation.isScarcity {
            slots[place]?.retryAt = now.instant + max(spec.restart.delay, Patience.scarcity)
            slots[place]?.nextCause = "tried again after: \(how)"
            tell(place, .backoff, "not counted as a failure: \(how)", at: now, &effects)
            return
        }
        switch action {
        case .restart:
            countFailure(place, incarnation, spec.restart, "\(how) (on_exit: restart)", at: now, &effects)
        case .ignore: standIn(place, incarnation, incarnation.exit ?? .unknown(how), at: now, &effects)
        case .stop:
            giveUp(place, .done, "\(how); on_exit: stop", last: incarnation, at: now, key: "on_exit", &effects)
        case .stopStack:
            giveUp(
                place, isSuccess ? .done : .failed, "\(how); on_exit: stop-stack", last: incarnation, at: now,
                key: "on_exit", stopsStack: true, &effects)
        case nil: followPolicy(place, incarnation, spec, how, isSuccess: isSuccess, at: now, &effects)
        }
    }

    private mutating func followPolicy(
        _ place: Int, _ incarnation: Incarnation, _ spec: ServiceSpec, _ how: String, isSuccess: Bool, at now: Moment,
        _ effects: inout [Effect]
    ) {
        let policy = spec.restart
        let isRestarted: Bool
        switch policy.policy {
        case .no: isRestarted = false
        case .onFailure: isRestarted = !isSuccess
        case .always, .unlessStopped: isRestarted = spec.kind == .service || !isSuccess
        }
        guard isRestarted else {
            let phase: Phase = isSuccess ? .done : .failed
            giveUp(
                place, phase, isSuccess ? "ended with \(how)" : "\(how); restart: \(policy.policy.rawValue)",
                last: incarnation, at: now, &effects)
            return
        }
        countFailure(place, incarnation, policy, how, at: now, &effects)
    }

    private mutating func countFailure(
        _ place: Int, _ incarnation: Incarnation, _ policy: RestartPolicy, _ how: String, at now: Moment,
        _ effects: inout [Effect]
    ) {
        if updateFailed(place, incarnation.definition, how, at: now, &effects) { return }
        let upSince = incarnation.readyAt ?? incarnation.executedAt
        let end = (incarnation.exitAt ?? now).instant
        if let upSince, end - upSince.instant >= policy.resetAfter { forgiveFailures(place, &effects) }
        slots[place]?.failures.append(now.instant)
        slots[place]?.streak += 1
        slots[place]?.failures.removeAll { now.instant - $0 > policy.window }
        guard let slot = slots[place] else { return }
        if let limit = policy.maxAttempts, slot.failures.count > limit {
            let reason = "gave up after \(slot.failures.count) failures within \(policy.window.text); the last: \(how)"
            // Its note is the only one: who dies after one of two would try once more.
            giveUp(place, .failed, reason, last: incarnation, at: now, &effects)
            return
        }
        effects.append(.note(.failed(slot.id, incarnation.launch, at: now)))
        slots[place]?.restarts += 1
        let delay = backoff(policy, attempt: slot.streak)
        slots[place]?.retryAt = now.instant + delay
        slots[place]?.nextCause = "restart \(slot.restarts + 1) after \(how)"
        tell(
            place, .backoff, "retry \(slot.streak) in \(delay.brief) after \(how)", at: now,
            launch: incarnation.launch, key: "restart", &effects)
    }

    /// min(max_delay, delay × factor^(attempt−1)), varied by the jitter.
    mutating func backoff(_ policy: RestartPolicy, attempt: Int) -> Duration {
        let cap = policy.maxDelay.inSeconds
        var seconds = policy.delay.inSeconds
        for _ in 1..<max(1, attempt) {
            seconds *= policy.factor
            if seconds >= cap { break }
        }
        seconds = min(seconds, cap)
        if policy.jitter > 0 { seconds *= 1 + policy.jitter * random.symmetric() }
        return .nanoseconds(Int64(max(0, seconds) * 1e9))
    }

    /// Nothing more is done by itself (but for `retry_after`). The end of an essential service ends its stack.
    mutating func giveUp(
        _ place: Int, _ phase: Phase, _ reason: String, last incarnation: Incarnation?, at now: Moment,
        key: String = "restart", stopsStack: Bool = false, _ effects: inout [Effect]
    ) {
        guard let slot = slots[place] else { return }
        let spec = spec(of: slot).value
        leaveLines(place)
        let definition = incarnation?.definition ?? targetDefinition(of: slot)
        if phase == .failed, updateFailed(place, definition, reason, at: now, &effects) { return }
        let outcome = Outcome(phase: phase, reason: reason, definition: definition, key: key)
        if spec.essential || stopsStack {
            let key = spec.essential ? "essential" : key
            halt(by: place, outcome, incarnation?.exit, key, at: now, &effects)
        }
        if phase == .failed { owe(.onFailed, place, about: incarnation, reason, at: now, &effects) }
        slots[place]?.outcome = outcome
        slots[place]?.retryAt = phase == .failed ? spec.restart.retryAfter.map { now.instant + $0 } : nil
        endRun(place, phase == .done ? .succeeded : .failed, incarnation, at: now, &effects)
        note(outcome, of: place, incarnation, at: now, &effects)
        tell(place, phase == .done ? .done : .failed, reason, at: now, launch: incarnation?.launch, key: key, &effects)
        if phase == .failed { pass(on: .failure, from: slot, at: now, &effects) }
    }

    /// What keeps it so over the death of a daemon.
    func note(
        _ outcome: Outcome, of place: Int, _ incarnation: Incarnation?, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let id = slots[place]?.id else { return }
        let exit = incarnation?.exit ?? .unknown(outcome.reason)
        effects.append(.note(.ended(id, incarnation?.launch ?? LaunchID(0), exit, at: now, outcome)))
    }

    private enum Misfortune { case restart, failure }

    /// What happened to a dependency does to its living dependants what their `on_restart` and `on_failure` say.
    private mutating func pass(on misfortune: Misfortune, from slot: Slot, at now: Moment, _ effects: inout [Effect]) {
        let name = label(of: slot)
        for dependant in services[slot.service].neededBy {
            for dependency in dependencies(of: dependant, on: slot.id.service.service) {
                let reaction = misfortune == .restart ? dependency.onRestart : dependency.onFailure
                let cause = misfortune == .restart ? "\(name) restarted (on_restart)" : "\(name) failed (on_failure)"
                for place in services[dependant].slots { react(place, reaction, cause, at: now, &effects) }
            }
        }
    }

    private mutating func react(
        _ place: Int, _ reaction: Dependency.Reaction, _ cause: String, at now: Moment, _ effects: inout [Effect]
    ) {
        // Where the whole stack stops, it goes in its order.
        guard let slot = slots[place], let incarnation = slot.current, !incarnation.hasEnded, !slot.isHalted,
            incarnation.stopping == nil
        else { return }
        switch reaction {
        case .ignore: return
        case .restart:
            slots[place]?.isRestartAsked = true
            slots[place]?.restartCause = cause
        case .stop: beginStop(place, .retired, cause, at: now, &effects)
        }
        touch(place)
    }

    /// Failures so far count no more, and how it last ended is forgotten.
    mutating func forgiveFailures(_ place: Int, _ effects: inout [Effect]) {
        if let note = forgive(place, isAnew: true) { effects.append(.note(note)) }
    }

    /// On behalf of a command. `isAnew`: how it last ended is forgotten, too. The note must come before what follows.
    mutating func forgive(_ place: Int, isAnew: Bool) -> LaunchNote? {
        guard let slot = slots[place] else { return nil }
        slots[place]?.failures = []
        slots[place]?.streak = 0
        if isAnew {
            slots[place]?.retryAt = nil
            slots[place]?.outcome = nil
        }
        let isNews = slot.streak > 0 || !slot.failures.isEmpty || (isAnew && slot.outcome != nil)
        return isNews ? .forgiven(slot.id, isAnew: isAnew) : nil
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Where a slot stands, and when it must be looked at again.
extension Fleet {
    /// Concludes phase, signature and deadline of a settled slot, and wakes the neighbours if they would now see something else.
    mutating func present(_ place: Int, at now: Moment) {
        guard let view = view(of: place, at: now.instant) else { return }
        if view.isPhaseNew {
            slots[place]?.phase = view.phase
            slots[place]?.since = now.wall
        }
        if view.isPhaseNew || view.isReasonNew || view.isSignatureNew { noteChange(place) }
        if view.phase == .failed, !trials.isEmpty { noteFailure(place) }
        if view.isReasonNew { slots[place]?.reason = view.reason }
        if view.isKeyNew { slots[place]?.reasonKey = view.key }
        if view.isSignatureNew {
            slots[place]?.signature = view.signature
            for neighbour in neighbours(of: view.service) { touch(service: neighbour) }
        }
        if view.isDeadlineNew {
            slots[place]?.deadline = view.deadline
            if let next = view.deadline { heap.push(next, place) }
        }
    }

    /// What a slot is to be seen as, and what of that is news. Nobody holds a copy of the slot once it is written to.
    private struct View {
        var service: Int
        var phase: Phase
        var reason: String
        var key: String
        var signature: Signature
        var deadline: Instant?
        var isPhaseNew = false
        var isReasonNew = false
        var isKeyNew = false
        var isSignatureNew = false
        var isDeadlineNew = false
    }

    private func view(of place: Int, at now: Instant) -> View? {
        guard let slot = slots[place] else { return nil }
        let (phase, reason, key) = standing(of: slot, at: now)
        var view = View(
            service: slot.service, phase: phase, reason: reason, key: key, signature: signature(of: slot),
            deadline: soonest(slot, after: now))
        view.isPhaseNew = phase != slot.phase
        view.isReasonNew = reason != slot.reason
        view.isKeyNew = key != slot.reasonKey
        view.isSignatureNew = view.signature != slot.signature
        view.isDeadlineNew = view.deadline != slot.deadline
        return view
    }

    private func signature(of slot: Slot) -> Signature {
        let isReady = isReady(slot)
        return Signature(
            isOpen: isUp(slot), isStarted: isStarted(slot), isReady: isReady,
            isHealthy: isReady && staysHealthy(slot), isProven: isReady && hasLasted(slot),
            isPaired: slot.predecessor != nil, isCompleted: slot.outcomePhase != nil && !isStandIn(slot),
            isSucceeded: slot.outcomePhase == .done, isHooked: lifeHook(of: slot) != nil, mustGo: mustGo(slot))
    }

    /// The phase as a function of facts and desire, with the reason in words and the manifest's key that it is about.
    func standing(of slot: Slot, at now: Instant) -> (Phase, String, String) {
        if let incarnation = slot.current { return standing(of: slot, incarnation, at: now) }
        let (phase, reason, key) = standing(ofEmpty: slot, at: now)
        guard let former = slot.predecessor.flatMap({ slots[$0] }), former.current != nil else {
            return (phase, reason, key)
        }
        // The former launch is what there is of the instance.
        let (serving, itsReason, itsKey) = standing(of: former, at: now)
        guard isWanted(slot) else { return (serving, itsReason, itsKey) }
        return (serving, "its successor is \(phase.rawValue): \(reason)", key)
    }

    private func standing(ofEmpty slot: Slot, at now: Instant) -> (Phase, String, String) {
        if let found = hookStanding(of: slot, at: now) { return found }
        guard isWanted(slot) else {
            let spec = services[slot.service].known.value
            let isEnabled = spec.enabled
            if slot.departure == .stopped { return (.idle, "stopped by hand", "") }
            if let halt = halt(of: slot), isEnabled {
                if let outcome = slot.outcome, outcome.phase != .ready {
                    return (outcome.phase, outcome.reason, outcome.key)
                }
                return (isUp(slot) ? .stopping : .idle, "the stack stopped: \(halt.reason)", halt.key)
            }
            return (.idle, isEnabled ? "" : spec.disabledBecause, spec.profiles.isEmpty ? "enabled" : "profiles")
        }
        if let standing = scheduledStanding(of: slot, at: now) { return standing }
        if let outcome = slot.outcome, outcome.definition == targetDefinition(of: slot) {
            return (outcome.phase, outcome.reason, outcome.key)
        }
        if let retryAt = slot.retryAt, retryAt > now { return (.backoff, slot.nextCause ?? "", "restart") }
        if let launch = stray(of: slot.id) {
            return (.waiting, "waiting for its launch \(launch.number) of a former daemon to end", "")
        }
        if let other = awaitsPredecessor(slot) { return (.waiting, "waiting for \(other)", "update") }
        let (what, key) = waiting(slot)
        return (.waiting, what, key)
    }

    private func standing(of slot: Slot, _ incarnation: Incarnation, at now: Instant) -> (Phase, String, String) {
        if let progress = incarnation.stopping {
            if let killedAt = progress.killedAt, now - killedAt >= Patience.stuck {
                let names =
                    incarnation.survivors.isEmpty ? "something of it" : incarnation.survivors.joined(separator: ", ")
                return (
                    .stuck, "still alive \((now - killedAt).brief) after SIGKILL (uninterruptible sleep?): \(names)",
                    "stop"
                )
            }
            if progress.step < 0, let run = preStop(of: slot) {
                return (.stopping, "\(progress.reason); \(text(of: run, slot))", run.call.key)
            }
            return (.stopping, "\(progress.reason); \(progress.stepText)", "stop")
        }
        if incarnation.hasEnded { return (.stopping, "its main process ended; looking after what it left behind", "") }
        if incarnation.told.stoppingSince != nil { return (.stopping, "it said STOPPING=1", "stop") }
        let goes =
            mustGo(slot)
            ? "\(goingBecause(slot)); it goes once \(holdsUpStop(of: slot) ?? "its turn comes") is done" : ""
        let known = spec(of: slot)
        guard incarnation.isExecuted else { return (.starting, goes.isEmpty ? "being executed" : goes, "command") }
        if known.value.kind == .task { return (.running, goes, "") }
        guard incarnation.readyAt != nil else {
            let complaint = complaint(incarnation)
            let lack = lack(known.value, incarnation)
            let text = complaint.isEmpty ? lack?.lack ?? "its probes have not passed yet" : complaint
            return (.starting, text + predecessorText(of: slot), complaint.isEmpty ? lack?.key ?? "health" : "health")
        }
        if let progress = incarnation.reload?.underWay { return (.reloading, progress.text, "reload") }
        if incarnation.reloadingSince != nil { return (.reloading, incarnation.said ?? "it is reloading", "") }
        for kind in [ProbeKind.readiness, .liveness] {
            if incarnation.verdict(of: kind) == .failing, let state = incarnation.probes[kind] {
                return (.unhealthy, "\(kind.rawValue) probe: \(state.complaint)", "health.\(kind.rawValue)")
            }
        }
        if goes.isEmpty, let held = holdText(of: slot) { return (.ready, held, "update") }
        if goes.isEmpty, let fault = incarnation.reload?.fault {
            return (.ready, "it runs as it was: its reload failed: \(fault)", "reload")
        }
        return (.ready, goes, "")
    }

    /// The next instant at which something happens to the slot by itself.
    private func soonest(_ slot: Slot, after now: Instant) -> Instant? {
        var candidates = Soonest(after: now)
        if let incarnation = slot.current {
            if let progress = incarnation.stopping {
                candidates.append(progress.deadline)
                if let stopBy = slot.stopBy, !progress.isAtKill { candidates.append(stopBy) }
                if let killedAt = progress.killedAt { candidates.append(killedAt + Patience.stuck) }
            } else if incarnation.hasEnded {
                if let exitAt = incarnation.exitAt { candidates.append(exitAt.instant + Patience.clearing) }
            } else {
                if let by = startDeadline(slot) { candidates.append(by) }
                if let by = stoppedBy(slot) { candidates.append(by) }
                if mustGo(slot), let stopBy = slot.stopBy { candidates.append(stopBy) }
                if let by = incarnation.reload?.underWay?.deadline { candidates.append(by) }
                if let by = reloadedBy(slot) { candidates.append(by) }
                if let at = provenAt(slot) { candidates.append(at) }
                let spec = spec(of: slot)
                for kind in ProbeKind.allCases {
                    guard let state = incarnation.stand(of: kind), spec.has(kind), !state.isAsked else {
                        continue
                    }
                    if kind == .startup && state.verdict == .passing { continue }
                    candidates.append(state.next)
                }
            }
        } else if isWanted(slot) {
            if let retryAt = slot.retryAt { candidates.append(retryAt) }
            if let since = slot.waitingSince, slot.outcomePhase == nil {
                for index in services[slot.service].timed {
                    let timeout = services[slot.service].spec.dependsOn[index].timeout
                    if let timeout { candidates.append(since + timeout) }
                }
            }
            for instant in outsideDeadlines(slot) { candidates.append(instant) }
        } else if isStandIn(slot), let stopBy = slot.stopBy {
            candidates.append(stopBy)
        }
        if let due = nextWatch(of: slot) { candidates.append(due) }
        if let due = nextHook(of: slot) { candidates.append(due) }
        if let killedAt = slot.hooks.first?.killedAt { candidates.append(killedAt + Patience.stuck) }
        if slot.hasSchedule, let fireAt = slot.schedule?.fireAt { candidates.append(fireAt) }
        return candidates.found
    }
}

/// The first of some instants that lies ahead.
private struct Soonest {
    private let now: Instant
    private(set) var found: Instant?

    init(after now: Instant) { self.now = now }

    mutating func append(_ instant: Instant) {
        if instant > now, found.map({ instant < $0 }) ?? true { found = instant }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What is wanted, and the two gates. They look at facts, not at what was concluded in an earlier turn: two slots that change in
/// the same instant must see each other.
extension Fleet {
    func isWanted(_ slot: Slot) -> Bool {
        guard !isShuttingDown, !services[slot.service].isRetired, !slot.isLeaving, !slot.isHalted else { return false }
        switch slot.departure {
        case .started: return true
        case .stopped: return false
        case .scaled, nil: return services[slot.service].spec.enabled
        }
    }

    /// Alive, and to be stopped or replaced.
    func mustGo(_ slot: Slot) -> Bool {
        if lifeHook(of: slot) != nil { return !isWanted(slot) }
        let own = slot.current?.definition ?? (isStandIn(slot) ? slot.outcome?.definition : nil)
        guard let own else { return false }
        // A run under way ends as it began; the next one has the new definition.
        let isStale = own != targetDefinition(of: slot) && !isScheduled(slot)
        return !isWanted(slot) || slot.isRestartAsked || isStale
    }

    /// Why it must go, in words.
    func goingBecause(_ slot: Slot) -> String {
        if isShuttingDown { return "the daemon is stopping" }
        let service = services[slot.service]
        if service.isRetired { return "the stack is going down" }
        if let cause = successionCause(slot) { return cause }
        if service.isRemoved { return "it was removed from the manifest" }
        if slot.isLeaving { return "scaled down to \(service.replicas)\(service.scaled == nil ? "" : " by hand")" }
        if slot.departure == .stopped { return "stopped by hand" }
        if let halt = halt(of: slot) { return "the stack stops: \(halt.reason)" }
        if !isWanted(slot) { return "it is \(service.spec.disabledBecause)" }
        if slot.isRestartAsked { return slot.restartCause ?? "restarted by hand" }
        return slot.isHeld ? "it returns to the definition from before the update" : causeOfChange(slot.id.service)
    }

    func isStarted(_ slot: Slot) -> Bool {
        guard let incarnation = slot.current else {
            let isDone = slot.outcomePhase == .done && slot.outcome?.definition == targetDefinition(of: slot)
            return isDone || isStandIn(slot)
        }
        return incarnation.isExecuted && !incarnation.hasEnded && !incarnation.isStopping
    }

    /// Ready now, and about to stay: what must go does not count.
    func isReady(_ slot: Slot) -> Bool {
        if isStandIn(slot) { return true }
        guard let incarnation = slot.current, incarnation.readyAt != nil, !incarnation.hasEnded,
            !incarnation.isStopping, incarnation.told.stoppingSince == nil
        else { return false }
        return incarnation.verdict(of: .readiness) != .failing && incarnation.verdict(of: .liveness) != .failing
    }

    func isHealthy(_ slot: Slot) -> Bool {
        isReady(slot) && staysHealthy(slot)
    }

    /// One that is ready passes its liveness probe, if it has one.
    func staysHealthy(_ slot: Slot) -> Bool {
        !spec(of: slot).has(.liveness) || isStandIn(slot) || slot.current?.verdict(of: .liveness) == .passing
    }

    private func meets(_ condition: Dependency.Condition, _ slot: Slot) -> Bool {
        guard !mustGo(slot), lifeHook(of: slot) == nil else { return false }
        let outcome = slot.outcome.flatMap { $0.definition == targetDefinition(of: slot) ? $0.phase : nil }
        switch condition {
        case .started: return isStarted(slot)
        case .ready: return isReady(slot)
        case .healthy: return isHealthy(slot)
        case .completed: return outcome != nil
        case .succeeded: return outcome == .done
        }
    }

    /// Whether the slot meets the condition now, for whoever asks from outside.
    func hasReached(_ condition: Dependency.Condition, _ slot: Slot) -> Bool { meets(condition, slot) }

    /// What is missing of one dependency; nil when it is met.
    func missing(_ dependency: Dependency, at need: Int?) -> String? {
        guard let need, !services[need].isRemoved else {
            return dependency.required ? "\(dependency.on), which is not in the stack" : nil
        }
        for place in services[need].slots {
            guard let slot = slots[place], !slot.isLeaving, !meets(dependency.condition, slot) else { continue }
            if !isWanted(slot), !dependency.required { continue }
            return "\(label(of: slot)) to be \(dependency.condition.word)"
        }
        return nil
    }

    /// Whether the slot may start; if not, it waits, and at the dependency's `timeout` it is failed.
    mutating func gate(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard let slot = slots[place] else { return false }
        guard let (index, what) = firstMissing(slot) else { return true }
        slots[place]?.blocker = index
        if slot.waitingSince == nil {
            slots[place]?.waitingSince = now.instant
            let key = "depends_on.\(services[slot.service].spec.dependsOn[index].on)"
            tell(place, .waiting, "waiting for \(what)", at: now, key: key, &effects)
        }
        let since = slots[place]?.waitingSince ?? now.instant
        if let (timeout, what, key) = overdue(slot, since: since, at: now.instant) {
            slots[place]?.waitingSince = nil
            giveUp(place, .failed, "waited \(timeout.text) for \(what)", last: nil, at: now, key: key, &effects)
        }
        return false
    }

    /// A dependency that is missing for longer than it may be, whatever else is missing too.
    private func overdue(_ slot: Slot, since: Instant, at now: Instant) -> (Duration, String, String)? {
        let service = services[slot.service]
        for index in service.timed {
            let dependency = service.spec.dependsOn[index]
            guard let timeout = dependency.timeout, since + timeout <= now,
                let what = missing(dependency, at: service.needs[index])
            else { continue }
            return (timeout, what, "depends_on.\(dependency.on)")
        }
        return nil
    }

    /// The first dependency that is missing, looking first where it was missing last time: a fan-in costs one look for each event.
    func firstMissing(_ slot: Slot) -> (index: Int, what: String)? {
        let place = slot.service
        let spec = services[place].known
        let count = spec.value.dependsOn.count
        guard count > 0 else { return nil }
        let first = slot.blocker < count ? slot.blocker : 0
        for step in 0..<count {
            let index = (first + step) % count
            if services[place].outside[index] != nil { continue }
            let need = services[place].needs[index]
            if let what = missing(spec.value.dependsOn[index], at: need) { return (index, what) }
        }
        return nil
    }

    /// What the slot waits for when that is over and not as it is needed: it waits until somebody does something. Nil while there is hope.
    func vainWait(of slot: Slot) -> String? {
        guard slot.phase == .waiting, slot.current == nil, let (index, _) = firstMissing(slot),
            let need = services[slot.service].needs[index]
        else { return nil }
        let condition = services[slot.service].spec.dependsOn[index].condition
        for place in services[need].slots {
            guard let other = slots[place], isWanted(other), !other.isDirty, !isScheduled(other), other.current == nil,
                other.predecessor == nil, let outcome = other.outcome, outcome.phase == .done,
                outcome.definition == targetDefinition(of: other), lifeHook(of: other) == nil, !meets(condition, other)
            else { continue }
            return "\(slot.reason), and \(label(of: other)) is done: \(outcome.reason)"
        }
        return nil
    }

    /// Who must be gone, or ready again, before this one may be stopped; nil when nothing holds it up.
    func holdsUpStop(of slot: Slot) -> String? {
        if let successor = holdsUpDeparture(of: slot) { return successor }
        if let holder = firstHolder(of: slot) { return holder.label }
        return holdsUpReplacement(of: slot)
    }

    /// The first dependant that goes too and is not gone yet, looking first where it was last time: a fan-out costs one look an event.
    func firstHolder(of slot: Slot) -> (index: Int, label: String)? {
        let count = services[slot.service].neededBy.count
        for step in 0..<count {
            let index = (slot.holder + step) % count
            let dependant = services[slot.service].neededBy[index]
            for places in [services[dependant].slots, services[dependant].outgoing] {
                for place in places {
                    if let other = slots[place], isGoing(other, before: slot) { return (index, label(of: other)) }
                }
            }
        }
        return nil
    }
}

extension Dependency.Condition {
    /// As in "waiting for db to be …".
    var word: String {
        switch self {
        case .started: "started"
        case .ready: "ready"
        case .healthy: "healthy"
        case .completed: "completed"
        case .succeeded: "successful"
        }
    }
}

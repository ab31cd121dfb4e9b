// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// `on_exit: ignore`: an instance that counts as up without a process.
extension Fleet {
    /// Its process ended and that is to be ignored.
    func isStandIn(_ slot: Slot) -> Bool {
        guard slot.current == nil, slot.outcomePhase == .ready else { return false }
        return !hasCeasedToStandIn(slot)
    }

    /// It counted as up, and does no more: by what holds for the definition that it ran.
    func hasCeasedToStandIn(_ slot: Slot) -> Bool {
        guard let outcome = slot.outcome, outcome.phase == .ready else { return false }
        let service = services[slot.service]
        let previous = service.rollout?.previous
        return hasCeasedToStandIn(
            slot, previous?.definition == outcome.definition ? previous?.spec ?? service.spec : service.spec)
    }

    /// It counted as up, and does no more by this revision: `on_exit` is live.
    func hasCeasedToStandIn(_ slot: Slot, _ spec: ServiceSpec) -> Bool {
        guard slot.current == nil, slot.outcomePhase == .ready, let exit = slot.lastExit else { return false }
        return spec.onExit.action(for: exit) != .ignore
    }

    /// Something of it is to be stopped in order: a process, or what counts as one.
    func isUp(_ slot: Slot) -> Bool { slot.current != nil || isStandIn(slot) || lifeHook(of: slot) != nil }

    /// From now on it counts as up.
    mutating func standIn(
        _ place: Int, _ incarnation: Incarnation, _ exit: Exit, at now: Moment, _ effects: inout [Effect]
    ) {
        let reason = "\(exit.text); on_exit: ignore, so it counts as up without a process"
        let outcome = Outcome(phase: .ready, reason: reason, definition: incarnation.definition, key: "on_exit")
        slots[place]?.outcome = outcome
        slots[place]?.retryAt = nil
        note(outcome, of: place, incarnation, at: now, &effects)
        tell(place, .ready, reason, at: now, launch: incarnation.launch, key: "on_exit", &effects)
    }

    /// Nothing has to be ended; its turn in the order of a stop it waits for all the same. True once it is gone.
    mutating func standDown(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard let slot = slots[place], isStandIn(slot) else { return true }
        let isLate = slot.stopBy.map { $0 <= now.instant } ?? false
        guard isLate || holdsUpStop(of: slot) == nil else { return false }
        let reason = goingBecause(slot)
        forgiveFailures(place, &effects)
        tell(place, .stopped, reason, at: now, launch: slot.lastLaunch, &effects)
        if isWanted(slot) { slots[place]?.nextCause = reason }
        return true
    }
}

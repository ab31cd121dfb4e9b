// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What a failed instance does to the update that it is part of.
extension Fleet {
    /// Takes note of a failure of the slot with `definition`. True when the slot returns to the previous definition because of it, so
    /// that no restart policy need be asked.
    mutating func updateFailed(
        _ place: Int, _ definition: Digest, _ how: String, at now: Moment, _ effects: inout [Effect]
    ) -> Bool {
        guard let slot = slots[place], slot.successor == nil, !slot.isHeld,
            let rollout = services[slot.service].rollout, rollout.stance == .going,
            definition == services[slot.service].definition
        else { return false }
        let reason = "\(label(of: slot)) failed with the new definition: \(how)"
        switch services[slot.service].spec.update.onFailure {
        case .continue:
            slots[place]?.isPassedOver = true
            touch(service: slot.service)
        case .pause: hold(slot.service, .paused, reason, at: now, &effects)
        case .rollback: hold(slot.service, .rolledBack, reason, at: now, &effects)
        }
        return slots[place]?.isHeld ?? false
    }

    private mutating func hold(
        _ service: Int, _ stance: Rollout.Stance, _ reason: String, at now: Moment, _ effects: inout [Effect]
    ) {
        services[service].rollout?.stance = stance
        services[service].rollout?.reason = reason
        var isAnyHeld = false
        for place in services[service].slots {
            guard let slot = slots[place], !slot.isLeaving, stance == .rolledBack || isUntouched(slot) else { continue }
            isAnyHeld = true
            slots[place]?.isHeld = true
            if slot.current == nil {
                forgiveFailures(place, &effects)
                slots[place]?.nextCause = "it returns to the definition from before the update"
            }
            tell(place, .warning, "\(stance.text): \(reason)", at: now, key: "update", &effects)
        }
        if isAnyHeld { keep(service, &effects) } else { end(rolloutOf: service, &effects) }
        touch(service: service)
    }

    /// It runs the previous definition, or ran it last, or is one that its former launch can still stand in for.
    private func isUntouched(_ slot: Slot) -> Bool {
        if servingPredecessor(of: slot) != nil, !isProven(slot) { return true }
        return slot.launched != services[slot.service].definition
    }

    /// Why an instance keeps the previous definition, and what a person can do; nil for one that doesn't.
    func holdText(of slot: Slot) -> String? {
        guard slot.isHeld, let rollout = services[slot.service].rollout else { return nil }
        return "\(rollout.stance.text), \(rollout.reason); mend it and apply, or apply again to go on"
    }

    /// What an apply comes to whose update did not get through; pending while instances still return.
    func verdictOnUpdate(_ slot: Slot) -> Verdict? {
        guard let rollout = services[slot.service].rollout else { return nil }
        switch rollout.stance {
        case .going:
            if let outcome = slot.outcome, outcome.phase == .failed { return .failed(outcome.reason) }
            let isThrough = slot.predecessor == nil && (slot.current == nil || isProven(slot))
            return isThrough ? nil : .pending
        case .paused: return slot.isHeld ? .failed("\(rollout.stance.text), \(rollout.reason)") : nil
        case .rolledBack:
            // With the definition from before, too: there is nothing to wait for.
            if let outcome = slot.outcome, outcome.phase == .failed { return .failed(outcome.reason) }
            let isBack = services[slot.service].slots.allSatisfy { place in
                guard let other = slots[place], isWanted(other) else { return true }
                return !mustGo(other) && other.predecessor == nil && (isReady(other) || other.outcome != nil)
            }
            return isBack ? .failed("\(rollout.stance.text), \(rollout.reason)") : .pending
        }
    }
}

extension Rollout.Stance {
    var text: String {
        switch self {
        case .going: "the update goes on"
        case .paused: "it keeps the definition from before the update, which is paused"
        case .rolledBack: "the update was rolled back"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Whether a goal goes on being waited for, without a look at everything that it covers: where thousands start, each of hundreds of turns
/// changes a few.
extension Fleet {
    /// True only if the verdict, pending when `witness` was found, can't be another one after nothing but `changed` has changed. False says
    /// nothing.
    public func isPending(_ goal: Goal, by witness: InstanceID?, though changed: [InstanceID]) -> Bool {
        switch goal {
        case .settled, .stopped: break
        case .reached, .reloaded, .proven, .gone, .forever: return false
        }
        guard let witness, let place = slotPlace(witness), let slot = slots[place],
            verdict(on: goal, for: slot) == .pending
        else { return false }
        return changed.allSatisfy { id in
            guard let place = slotPlace(id), let other = slots[place], isOnItsWay(other, to: goal) else { return false }
            if case .failed = verdict(on: goal, for: other) { return false }
            return true
        }
    }

    /// What others wait for has not failed and won't be missed by this change.
    private func isOnItsWay(_ slot: Slot, to goal: Goal) -> Bool {
        switch slot.phase {
        case .waiting, .starting, .running, .ready: true
        case .stopping, .idle, .done: goal == .stopped
        case .backoff, .unhealthy, .reloading, .failed, .stuck: false
        }
    }
}

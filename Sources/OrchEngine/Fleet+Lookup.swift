// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Small questions, answered without a row.
extension Fleet {
    /// The revision of a stack that is applied and stays; nil when there is none.
    public func revision(of stack: String) -> Digest? {
        guard let place = stackPlace(stack), !stacks[place].applied.isLeaving else { return nil }
        return stacks[place].applied.revision
    }

    /// The instances that the targets cover, each once, sorted; of all stacks when there is no target.
    public func instances(of targets: [Target]) -> [InstanceID] {
        var found: [InstanceID] = []
        for (place, stack) in stacks.enumerated() {
            let meant = targets.filter { $0.stack == stack.name }
            guard targets.isEmpty || !meant.isEmpty else { continue }
            for service in placesOfServices(place) {
                for slot in services[service].slots {
                    guard let id = slots[slot]?.id, meant.isEmpty || meant.contains(where: { $0.covers(id) }) else {
                        continue
                    }
                    found.append(id)
                }
            }
        }
        return found.sorted()
    }

    /// Whether an instance is where a stack that is up has it: ready, or done.
    public func isThere(_ instance: InstanceID) -> Bool {
        guard let place = slotPlace(instance), let slot = slots[place] else { return false }
        return slot.phase == .ready || slot.phase == .done
    }
}

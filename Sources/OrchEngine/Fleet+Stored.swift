// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Descriptors that an instance has handed over (sd_notify(3), FDSTORE=1) are held while it is to be up: over restarts and updates, and while
/// a retry is waited for. Once it is stopped, done or failed nobody is going to take them back.
extension Fleet {
    mutating func attendStored(_ place: Int, _ effects: inout [Effect]) {
        guard let slot = slots[place], slot.hasStored, slot.current == nil else { return }
        if let successor = slot.successor {
            slots[successor]?.hasStored = true
        } else if slot.predecessor != nil || isWanted(slot) && slot.outcome == nil {
            return
        } else {
            effects.append(.dropStored(slot.id))
        }
        slots[place]?.hasStored = false
    }

    /// What the host holds, by the names that the instances had.
    mutating func recall(stored: [InstanceID], renamed: [(from: ServiceID, to: String)]) {
        for former in stored {
            let name = renamed.first { $0.from == former.service }?.to ?? former.service.service
            let present = InstanceID(
                service: ServiceID(stack: former.service.stack, service: name), replica: former.replica)
            if let place = slotPlace(present) {
                slots[place]?.hasStored = true
                touch(place)
            } else if let stray = strays.firstIndex(where: { $0.instance == former }) {
                strays[stray].hasStored = true
            } else {
                pending.append(.dropStored(former))
            }
        }
    }
}

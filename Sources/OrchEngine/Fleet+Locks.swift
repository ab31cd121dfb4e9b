// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Locks. A launch has those that it was ordered with until it is closed; all of them are taken in one decision, or none. Who waits
/// longest goes first, and is not overtaken on a lock that is free as long as what it lacks will end by itself: a task, or something on
/// its way out. Behind a service that is kept up nobody knows how long the wait is, so there others may pass.
extension Fleet {
    enum LockObstacle {
        /// Somebody has it.
        case held(String, by: LaunchID)
        /// It is free, and somebody who waits longer goes next.
        case kept(String, for: Int)
    }

    /// Whether it may have all its locks now; if not, it stands in line for them.
    mutating func mayLock(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard let slot = slots[place] else { return false }
        let names = targetLocks(of: slot)
        if let waited = slot.lockWait, waited != names { leaveLocks(place) }
        guard lockObstacle(slot) != nil else { return true }
        if slots[place]?.lockWait == nil {
            slots[place]?.lockWait = names
            locks.join(names, place)
        }
        tellWaiting(place, .locks, at: now, &effects)
        if !isNext(place) { passOn(place, names) }
        return false
    }

    mutating func leaveLocks(_ place: Int) {
        guard let names = slots[place]?.lockWait else { return }
        passOn(place, names)
        slots[place]?.lockWait = nil
        locks.leave(names, place)
    }

    /// Those behind it look again at what is free.
    private mutating func passOn(_ place: Int, _ names: [String]) {
        for name in names where locks.holder(of: name) == nil {
            if let next = locks.waiter(for: name, behind: place) { touch(next) }
        }
    }

    mutating func takeLocks(_ names: [String], _ launch: LaunchID) {
        guard !names.isEmpty else { return }
        locks.take(names, launch)
        guard !willEnd(launch) else { return }
        // Who waits for it as for one lock of several lets others pass from now on.
        for name in names {
            for waiter in locks.waiters(for: name) where (slots[waiter]?.lockWait?.count ?? 0) > 1 { touch(waiter) }
        }
    }

    /// Once the launch is closed: its process is known to have ended and nothing of its tree is left.
    mutating func releaseLocks(_ names: [String], _ launch: LaunchID) {
        guard !names.isEmpty else { return }
        locks.release(names, launch)
        for name in names { if let first = locks.waiter(for: name) { touch(first) } }
    }

    /// What keeps the slot from taking its locks; nil when it may.
    func lockObstacle(_ slot: Slot) -> LockObstacle? {
        let names = targetLocks(of: slot)
        for name in names { if let launch = locks.holder(of: name) { return .held(name, by: launch) } }
        for name in names {
            for waiter in locks.waiters(for: name) {
                if slots[waiter]?.id == slot.id { break }
                if isNext(waiter) { return .kept(name, for: waiter) }
            }
        }
        return nil
    }

    /// Everything that it lacks will be free without anybody's doing.
    private func isNext(_ waiter: Int) -> Bool {
        guard let names = slots[waiter]?.lockWait else { return false }
        return names.allSatisfy { name in locks.holder(of: name).map { willEnd($0) } ?? true }
    }

    private func willEnd(_ launch: LaunchID) -> Bool {
        guard let place = launchIndex[launch], let slot = slots[place], let incarnation = slot.current else {
            return true
        }
        return services[slot.service].spec.kind == .task || incarnation.stopping != nil || incarnation.hasEnded
    }

    /// `lock gpu, which lab/train has (launch 7)`, as somebody of this stack reads it.
    func text(of obstacle: LockObstacle, in stack: String) -> String {
        switch obstacle {
        case .held(let name, let launch):
            guard let holder = (launchIndex[launch] ?? hookIndex[launch]).flatMap({ slots[$0] }) else {
                return "lock \(name), which launch \(launch.number) of a former daemon has"
            }
            return "lock \(name), which \(label(of: holder, in: stack)) has (launch \(launch.number))"
        case .kept(let name, let waiter):
            guard let other = slots[waiter] else { return "lock \(name)" }
            return "lock \(name), which is kept for \(label(of: other, in: stack)), as it has waited longer"
        }
    }

    /// Locks are shared by all stacks.
    private func label(of slot: Slot, in stack: String) -> String {
        slot.id.service.stack == stack ? label(of: slot) : "\(slot.id.service.stack)/\(label(of: slot))"
    }
}

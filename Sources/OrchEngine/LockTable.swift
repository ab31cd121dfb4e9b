// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Who has each lock and who waits for it: an index over what open launches and waiting slots say themselves.
struct LockTable: Sendable {
    private struct Lock: Sendable {
        var holder: LaunchID?
        /// Slots, longest waiting first.
        var waiters: [Int] = []
    }
    private var locks: [String: Lock] = [:]

    func holder(of name: String) -> LaunchID? { locks[name]?.holder }

    /// Longest waiting first.
    func waiters(for name: String) -> [Int] { locks[name]?.waiters ?? [] }

    /// The one that waits longest, or the one behind `slot`.
    func waiter(for name: String, behind slot: Int? = nil) -> Int? {
        guard let waiters = locks[name]?.waiters else { return nil }
        guard let slot else { return waiters.first }
        guard let place = waiters.firstIndex(of: slot), place + 1 < waiters.count else { return nil }
        return waiters[place + 1]
    }

    mutating func take(_ names: [String], _ launch: LaunchID) {
        for name in names { locks[name, default: Lock()].holder = launch }
    }

    /// What another launch has meanwhile stays with it.
    mutating func release(_ names: [String], _ launch: LaunchID) {
        for name in names where locks[name]?.holder == launch {
            locks[name]?.holder = nil
            tidy(name)
        }
    }

    mutating func join(_ names: [String], _ slot: Int) {
        for name in names { locks[name, default: Lock()].waiters.append(slot) }
    }

    mutating func leave(_ names: [String], _ slot: Int) {
        for name in names {
            if let place = locks[name]?.waiters.firstIndex(of: slot) { locks[name]?.waiters.remove(at: place) }
            tidy(name)
        }
    }

    private mutating func tidy(_ name: String) {
        if let lock = locks[name], lock.holder == nil, lock.waiters.isEmpty { locks[name] = nil }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Launches that are closed and whose ends history does not have yet. The keeper's table is the record of how they ended until history
/// is: so they are released behind it. Nothing waits for them; what replaces them was launched before.
struct HeldReleases {
    private var queue: [(launch: LaunchID, after: Int)] = []
    private var first = 0
    /// There is more to release at once than one turn does.
    private(set) var deadline: Instant?
    private static let pause = Duration.milliseconds(1)
    /// Launches whose ends history had before this daemon began: nothing is to be waited for.
    private var told: Set<LaunchID>
    /// Launches that are over for the mind, and of whose output not all is in its files.
    private var undrained: Set<LaunchID> = []

    init(told: Set<LaunchID>) { self.told = told }

    /// Its end is in the history already. Asked once.
    mutating func isTold(_ launch: LaunchID) -> Bool { told.remove(launch) != nil }

    /// Not all that it wrote can be read yet.
    func isUndrained(_ launch: LaunchID) -> Bool { undrained.contains(launch) }
    mutating func begin(_ launch: LaunchID) { undrained.insert(launch) }
    mutating func drained(_ launch: LaunchID) { undrained.remove(launch) }

    var count: Int { queue.count - first }
    /// So many wait that the history is to be written now.
    var isCrowded: Bool { count >= Limits.heldReleases }

    /// `after`: so many occurrences come before it in the history.
    mutating func hold(_ launch: LaunchID, after: Int) { queue.append((launch, after)) }

    /// The next one to release, once the history has come so far; beyond the limit whatever it has.
    mutating func next(settled: Int) -> LaunchID? {
        guard first < queue.count, queue[first].after <= settled || count > Limits.releasesBeyondHistory else {
            return nil
        }
        defer {
            first += 1
            if first == queue.count || first > 4_096 {
                queue.removeFirst(first)
                first = 0
            }
        }
        return queue[first].launch
    }

    /// A turn has released what it may: what else is due waits for the next one.
    mutating func rest(settled: Int, at now: Instant) {
        let isDue = first < queue.count && queue[first].after <= settled
        deadline = isDue ? now + Self.pause : nil
    }
}

extension Conductor {
    /// The launch is over for the mind; the keeper may forget it once the history says how it ended.
    mutating func release(_ launch: LaunchID) {
        releases.begin(launch)
        if releases.isTold(launch) || journal.recorded == journal.settled {
            return host.perform(.effect(.release(launch)))
        }
        releases.hold(launch, after: journal.recorded)
    }

    /// Writes what is due, and lets go what has waited for it: so many at once.
    mutating func tend(at now: Moment, releasing most: Int = Limits.releasesPerTurn) {
        journal.tend(at: now, isUrgent: releases.isCrowded || hastensHistory)
        hastensHistory = false
        for _ in 0..<most {
            guard let launch = releases.next(settled: journal.settled) else { break }
            host.perform(.effect(.release(launch)))
        }
        releases.rest(settled: journal.settled, at: now.instant)
    }

    /// Another daemon finds with the keeper what could not be written. When everything ends nobody will: an end that a full disk does not
    /// take is lost then, and the daemon does not stay for it.
    mutating func releaseAll(before reason: Ending) {
        let settled = reason == .shutdown ? Int.max : journal.settled
        while let launch = releases.next(settled: settled) { host.perform(.effect(.release(launch))) }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Everything that a start waits for, in this order: services, what is no service, locks, and a place among the starts.
extension Fleet {
    mutating func mayStart(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard gate(place, at: now, &effects) else {
            leaveLines(place)
            return false
        }
        guard isMetOutside(place, at: now, &effects) else { return false }
        guard mayLock(place, at: now, &effects) else {
            // Now one of ours has them: there is nothing to ask of the rest of the machine.
            leaveAskings(place)
            return false
        }
        return mayBegin(place) && isStillMetOutside(place, at: now, &effects)
    }

    /// It waits for nothing any more: it starts, or is not to.
    mutating func leaveLines(_ place: Int) {
        leaveAskings(place)
        leaveLocks(place)
        slots[place]?.isOutsideMet = false
        slots[place]?.toldWait = nil
    }

    /// What a slot waits for that is to start, in words, and the key of the manifest.
    func waiting(_ slot: Slot) -> (String, String) {
        if let (index, what) = firstMissing(slot) {
            return ("waiting for \(what)", "depends_on.\(services[slot.service].spec.dependsOn[index].on)")
        }
        if let (need, answer) = missingOutside(slot) {
            if case .lock = need { return ("waiting for \(need.text) (\(answer))", "locks") }
            return ("waiting for \(need.text) (\(answer))", "depends_on.\(need.text)")
        }
        if let obstacle = lockObstacle(slot) {
            return ("waiting for \(text(of: obstacle, in: slot.id.service.stack))", "locks")
        }
        if slot.isQueued { return ("waiting for its turn: \(startsUnderWay) starts are under way", "") }
        return ("waiting for its turn", "depends_on")
    }

    /// Tells once in a wait what it waits for, and again when that is something of another kind.
    mutating func tellWaiting(_ place: Int, _ wait: ToldWait, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place], slot.toldWait != wait else { return }
        slots[place]?.toldWait = wait
        let (what, exactly) = waiting(slot)
        tell(place, .waiting, what, at: now, key: exactly, &effects)
    }

    /// Something of its own kind holds it back that another instance of its service may be the reason of.
    func isHeldBack(_ slot: Slot) -> Bool {
        slot.lockWait != nil || !slot.askings.isEmpty || firstMissing(slot) != nil
    }

    // MARK: A place among the starts

    /// Whether one more launch may be ordered now; if not, it is called when one that is under way has executed.
    private mutating func mayBegin(_ place: Int) -> Bool {
        guard startsUnderWay >= startsAtOnce else { return true }
        guard let slot = slots[place], !slot.isQueued else { return false }
        slots[place]?.isQueued = true
        startQueue.append(place)
        return false
    }

    /// Makes as many slots dirty as there is room for, longest waiting first. False when nobody was called.
    mutating func callStarters() -> Bool {
        let room = startsAtOnce - startsUnderWay
        guard room > 0, !startQueue.isEmpty else { return false }
        let called = startQueue.prefix(room)
        startQueue.removeFirst(called.count)
        for place in called {
            slots[place]?.isQueued = false
            touch(place)
        }
        return true
    }

    /// The launch has executed, or never will.
    mutating func countStart(_ place: Int) {
        guard slots[place]?.current?.isUnderWay == true,
            slots[place]?.current.map({ $0.isExecuted || $0.hasEnded }) ?? false
        else { return }
        slots[place]?.current?.isUnderWay = false
        startsUnderWay -= 1
    }
}

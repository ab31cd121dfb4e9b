// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// `start-first`: the new launch of an instance takes over from the old one. The old one moves to a place of its own, so that each place
/// has at most one launch; two launches of one instance are never of the same definition, and never of the same instance three.
extension Fleet {
    /// The lock that one launch has the other can't have beside it.
    private func startsFirst(_ service: Int) -> Bool {
        services[service].spec.update.order == .startFirst && services[service].spec.locks.isEmpty
    }

    /// Whether the instance is to be replaced by starting its successor first.
    func isToBeSucceeded(_ slot: Slot) -> Bool {
        startsFirst(slot.service) && services[slot.service].spec.kind == .service && slot.successor == nil
            && isWanted(slot)
            && !slot.isRestartAsked && isReady(slot)
    }

    /// Lets the successor of a ready instance begin, when it is its turn. True when the slot is free for it.
    mutating func beginSuccession(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard let slot = slots[place] else { return false }
        guard let former = slot.predecessor.flatMap({ slots[$0] }) else {
            guard holdsUpReplacement(of: slot) == nil else { return false }
            stepAside(place)
            services[slot.service].lastReplaced = place
            return true
        }
        // Another revision came while it took over: its predecessor stands in, unless it can't.
        guard let serving = servingPredecessor(of: slot) else { return false }
        if serving.definition == targetDefinition(of: slot) || isReady(former) {
            beginStop(place, .requested, goingBecause(slot), at: now, &effects)
        }
        return false
    }

    /// Moves the launch of the slot aside, so that its successor can be launched here.
    mutating func stepAside(_ place: Int) {
        guard let slot = slots[place], let incarnation = slot.current, slot.predecessor == nil else { return }
        var aside = Slot(id: slot.id, service: slot.service, since: slot.since)
        aside.isLeaving = true
        aside.successor = place
        aside.current = incarnation
        aside.lastLaunch = incarnation.launch
        aside.launched = incarnation.definition
        aside.phase = slot.phase
        let former = freeSlots.popLast() ?? slots.count
        if former < slots.count {
            slots[former] = aside
            stories[former] = []
        } else {
            slots.append(aside)
            stories.append([])
        }
        slots[place]?.current = nil
        slots[place]?.predecessor = former
        services[slot.service].outgoing.append(former)
        launchIndex[incarnation.launch] = former
        moveHooks(about: incarnation.launch, from: place, to: former)
        if let stack = stackPlace(slot.id.service.stack) { stacks[stack].slotCount += 1 }
        touch(former)
    }

    /// The former launch returns to its place: it still runs, and it is what the slot is to run after all, or goes before its successor
    /// begins, when it is its turn.
    private mutating func takeBack(_ place: Int) {
        guard let slot = slots[place], let former = slot.predecessor, let incarnation = slots[former]?.current else {
            return
        }
        // It is replaced anyway, and waits for its turn like others.
        if incarnation.definition != targetDefinition(of: slot) { slots[place]?.isRestartAsked = false }
        slots[place]?.current = incarnation
        slots[place]?.lastLaunch = incarnation.launch
        slots[place]?.launched = incarnation.definition
        slots[place]?.nextCause = nil
        if let note = forgive(place, isAnew: true) { pending.append(.note(note)) }
        launchIndex[incarnation.launch] = place
        moveHooks(about: incarnation.launch, from: former, to: place)
        slots[former]?.current = nil
        dropAside(former)
        touch(place)
    }

    /// Gives up an empty place of a former launch.
    mutating func dropAside(_ former: Int) {
        guard let slot = slots[former], let place = slot.successor else { return }
        slots[former] = nil
        freeSlots.append(former)
        slots[place]?.predecessor = nil
        services[slot.service].outgoing.removeAll { $0 == former }
        if let stack = stackPlace(slot.id.service.stack) { stacks[stack].slotCount -= 1 }
        for neighbour in neighbours(of: slot.service) { touch(service: neighbour) }
    }

    /// The launch beside which the slot's own one runs, while it serves: alive and not on its way out.
    func servingPredecessor(of slot: Slot) -> Incarnation? {
        guard let former = slot.predecessor.flatMap({ slots[$0] }), let incarnation = former.current,
            incarnation.stopping == nil, !incarnation.hasEnded
        else { return nil }
        return incarnation
    }

    /// What keeps the slot from being launched beside its former launch; nil when nothing does.
    func awaitsPredecessor(_ slot: Slot) -> String? {
        guard let former = slot.predecessor.flatMap({ slots[$0]?.current }) else { return nil }
        // A later revision may say stop-first.
        let isBesides = startsFirst(slot.service)
        guard isBesides, former.definition != targetDefinition(of: slot) else {
            return "its launch \(former.launch.number) to end"
        }
        var pairs = 0
        for place in services[slot.service].outgoing {
            guard let other = slots[place]?.successor, slots[place]?.current != nil else { continue }
            if slots[other]?.current != nil { pairs += 1 }
        }
        let limit = services[slot.service].spec.update.parallelism
        return pairs < limit ? nil : "another instance to be replaced (parallelism: \(limit))"
    }

    /// Whether the slot may be launched as far as its former launch goes; takes that one back if it is the one that is wanted.
    mutating func isClearOfPredecessor(_ place: Int) -> Bool {
        guard let slot = slots[place], slot.predecessor != nil else { return true }
        if let serving = servingPredecessor(of: slot),
            serving.definition == targetDefinition(of: slot) || !startsFirst(slot.service)
        {
            takeBack(place)
            return false
        }
        return awaitsPredecessor(slot) == nil
    }

    /// What a former launch waits for before it goes: its successor has to prove itself. Nil for any other launch.
    func holdsUpDeparture(of slot: Slot) -> String? {
        guard let successor = slot.successor.flatMap({ slots[$0] }), isWanted(successor), let incarnation = slot.current
        else { return nil }
        // It is wanted again itself: the successor goes instead.
        if incarnation.definition == targetDefinition(of: successor) { return label(of: successor) }
        if isProven(successor) || successor.outcome?.phase == .done { return nil }
        return label(of: successor)
    }

    /// Why a former launch goes; nil for any other launch, and for one whose instance goes as a whole.
    func successionCause(_ slot: Slot) -> String? {
        guard let successor = slot.successor.flatMap({ slots[$0] }) else { return nil }
        guard isWanted(successor) else { return goingBecause(successor) }
        guard let launch = successor.current?.launch, isProven(successor) else { return "its definition changed" }
        return "its launch \(launch.number) took over"
    }

    /// Whether `slot` is on its way out and needs what `need` is: then it goes first. One that serves until its successor is ready does
    /// not go before that, and the successor may be waiting for `need`.
    func isGoing(_ slot: Slot, before need: Slot) -> Bool {
        guard isUp(slot), mustGo(slot) else { return false }
        if let incarnation = slot.current, incarnation.stopping != nil || incarnation.hasEnded { return true }
        if services[need.service].isRemoved || services[need.service].isRetired || isShuttingDown { return true }
        if slot.successor != nil { return holdsUpDeparture(of: slot) == nil }
        return !isToBeSucceeded(slot)
    }

    /// The words for a former launch that serves meanwhile; empty when there is none.
    func predecessorText(of slot: Slot) -> String {
        servingPredecessor(of: slot).map { "; its launch \($0.launch.number) serves meanwhile" } ?? ""
    }
}

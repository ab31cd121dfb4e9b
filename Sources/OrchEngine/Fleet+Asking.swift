// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// One question about something that is no service, for all who wait for the same thing.
struct Asking: Sendable {
    let need: OutsideNeed
    /// Slots. Empty only while an answer is still to come: a question never overlaps itself.
    var waiters: [Int] = []
    var round: UInt64 = 0
    /// The answer to the present round is still to come.
    var isAsked = false
    /// When to ask next, unless it is being asked.
    var next: Instant
    var pause = Patience.askFirst
    var answer: ProbeResult?
    var answeredAt = Instant.zero
    /// What the heap says of it.
    var deadline: Instant?

    /// Whoever comes next takes no part in what others were told.
    mutating func forgetWhenUnwanted() {
        guard waiters.isEmpty else { return }
        answer = nil
        pause = Patience.askFirst
    }
}

/// What a start waits for that is no service. It is asked while somebody waits for it, and gates starts only.
extension Fleet {
    /// Whether all of it is there; if not, the slot is among those for whom it is asked.
    mutating func isMetOutside(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard let slot = slots[place] else { return false }
        let service = services[slot.service]
        guard service.hasOutside, !slot.isOutsideMet else { return true }
        let since = slot.askingSince ?? now.instant
        slots[place]?.askingSince = since
        var isMet = true
        var skipped: [String] = []
        for (index, dependency) in service.spec.dependsOn.enumerated() {
            guard let need = service.outside[index], !isThere(place, need, at: now) else { continue }
            let isOver = dependency.timeout.map { since + $0 <= now.instant } ?? false
            if isOver, dependency.required {
                let answer = answer(to: need)
                let reason = "waited \((dependency.timeout ?? .zero).text) for \(need.text) (\(answer))"
                giveUp(place, .failed, reason, last: nil, at: now, key: "depends_on.\(need.text)", &effects)
                return false
            }
            if isOver || (!dependency.required && dependency.timeout == nil) {
                skipped.append("\(need.text) (\(answer(to: need)))")
            } else {
                isMet = false
            }
        }
        guard isMet else {
            tellWaiting(place, .outside, at: now, &effects)
            return false
        }
        for what in skipped {
            tell(place, .warning, "goes on without \(what)", at: now, key: "depends_on", &effects)
        }
        let seenAt = (slots[place]?.askings ?? []).compactMap { index in
            askings[index].flatMap { $0.answer == .success ? $0.answeredAt : nil }
        }
        leaveAskings(place)
        slots[place]?.isOutsideMet = true
        slots[place]?.outsideMetAt = seenAt.min() ?? now.instant
        return true
    }

    /// Just before the start: an answer that has become old is asked for again, and locks that are files are asked of the machine, where
    /// somebody else may have them.
    mutating func isStillMetOutside(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard let slot = slots[place] else { return false }
        if services[slot.service].hasOutside, slot.outsideMetAt + Patience.answerHolds < now.instant {
            slots[place]?.isOutsideMet = false
            guard isMetOutside(place, at: now, &effects) else { return false }
        }
        var isFree = true
        for name in targetLocks(of: slot) where name.utf8.contains(47) {
            if !isThere(place, .lock(name), at: now) { isFree = false }
        }
        if !isFree { tellWaiting(place, .locks, at: now, &effects) }
        return isFree
    }

    /// Asks for the slot, too. A known refusal lets others pass in the lines that it stands in.
    private mutating func isThere(_ place: Int, _ need: OutsideNeed, at now: Moment) -> Bool {
        let index = asking(about: need, at: now)
        if let slot = slots[place], !slot.askings.contains(index) {
            slots[place]?.askings.append(index)
            askings[index]?.waiters.append(place)
        }
        guard let asking = askings[index], let answer = asking.answer else { return false }
        switch answer {
        case .success: return asking.answeredAt + Patience.answerHolds >= now.instant
        case .failure, .unasked:
            leaveLocks(place)
            return false
        }
    }

    private mutating func asking(about need: OutsideNeed, at now: Moment) -> Int {
        if let index = askIndex[need] {
            // What was there a while ago is asked again at once.
            if let asking = askings[index], asking.answer == .success, !asking.isAsked,
                asking.answeredAt + Patience.answerHolds < now.instant
            {
                askings[index]?.answer = nil
                schedule(index, at: now.instant)
            }
            return index
        }
        let asking = Asking(need: need, next: now.instant)
        let index = freeAskings.popLast() ?? askings.count
        if index < askings.count { askings[index] = asking } else { askings.append(asking) }
        askIndex[need] = index
        schedule(index, at: now.instant)
        return index
    }

    private mutating func schedule(_ index: Int, at instant: Instant) {
        askings[index]?.next = instant
        askings[index]?.deadline = instant
        askHeap.push(instant, index)
    }

    /// Nothing is asked for which nobody waits.
    mutating func leaveAskings(_ place: Int) {
        slots[place]?.askingSince = nil
        guard let joined = slots[place]?.askings, !joined.isEmpty else { return }
        slots[place]?.askings = []
        for index in joined {
            askings[index]?.waiters.removeAll { $0 == place }
            askings[index]?.forgetWhenUnwanted()
            dropAsking(index)
        }
    }

    private mutating func dropAsking(_ index: Int) {
        guard let asking = askings[index], asking.waiters.isEmpty, !asking.isAsked else { return }
        askIndex[asking.need] = nil
        askings[index] = nil
        freeAskings.append(index)
    }

    /// Puts the questions whose time has come.
    mutating func askDue(_ effects: inout [Effect]) {
        while let entry = askHeap.first, entry.at <= clock || askings[entry.slot]?.deadline != entry.at {
            _ = askHeap.pop()
            guard let asking = askings[entry.slot], asking.deadline == entry.at else { continue }
            askings[entry.slot]?.deadline = nil
            askRound += 1
            askings[entry.slot]?.round = askRound
            askings[entry.slot]?.isAsked = true
            effects.append(.ask(asking.need, round: askRound, timeout: Patience.askTimeout))
        }
    }

    mutating func observe(_ need: OutsideNeed, _ round: UInt64, _ answer: ProbeResult, at now: Moment) {
        guard let index = askIndex[need], let asking = askings[index], asking.isAsked, asking.round == round else {
            return
        }
        askings[index]?.isAsked = false
        askings[index]?.answer = answer
        askings[index]?.answeredAt = now.instant
        guard !asking.waiters.isEmpty else { return dropAsking(index) }
        if answer != .success {
            schedule(index, at: now.instant + asking.pause)
            askings[index]?.pause = min(asking.pause + asking.pause, Patience.askAtMost)
        }
        // The same refusal once more changes nothing for anybody.
        guard answer == .success || answer != asking.answer else { return }
        for place in asking.waiters { touch(place) }
    }

    /// The first thing that is not there, and what was last said of it.
    func missingOutside(_ slot: Slot) -> (OutsideNeed, String)? {
        for index in slot.askings {
            if let asking = askings[index], asking.answer != .success { return (asking.need, answer(to: asking.need)) }
        }
        return nil
    }

    private func answer(to need: OutsideNeed) -> String {
        switch askIndex[need].flatMap({ askings[$0]?.answer }) {
        case nil, .success: "asked just now"
        case .failure(let text): text
        case .unasked(let text): "it can't be asked: \(text)"
        }
    }

    /// When a wait for something outside is over.
    func outsideDeadlines(_ slot: Slot) -> [Instant] {
        guard let since = slot.askingSince else { return [] }
        let service = services[slot.service]
        return service.spec.dependsOn.indices.compactMap { index in
            service.outside[index] == nil ? nil : service.spec.dependsOn[index].timeout.map { since + $0 }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What the daemon writes down. What must be durable is, before it is answered; history is written behind, in batches, never on the
/// way from a death to its replacement. A store that fails is remembered, said and tried again; supervision goes on without it.
struct Journal {
    private var store: any Store
    /// Not yet in the store, in order.
    private var unwritten: [Occurrence] = []
    /// Occurrences that came, ever; the last ones of them are unwritten.
    private(set) var recorded = 0
    /// Occurrences that were given up, as the store failed for too long.
    private var lost = 0
    private var flushAt: Instant?
    /// Launch numbers below it are not handed out again, as the disk says; 0 until this daemon has said so.
    private var reservedBelow = LaunchID(0)
    /// Stacks that are to be dropped, and departures to be written, once the store works again.
    private var forgets: [String] = []
    private var departures: [(stack: String, departures: [Departure])] = []
    /// Of schedules, what is not on the disk yet: the newest of each.
    private var marks: [ScheduleMark] = []
    /// Revisions that the fleet took up by itself, in order.
    private var revisions: [AppliedStack] = []
    private var retryAt: Instant?
    /// Stacks whose updates have come further than the disk says, and when they may be written.
    private var keeps: [AppliedStack] = []
    private var keepAt = Instant.zero
    /// Since when so many were written.
    private var keepWindow = (since: Instant.zero, count: 0)
    private static var keepsPerWindow: Int { 16 }
    /// What the store said last, while it fails.
    private(set) var trouble: Fault?
    /// Writes that failed since one did not.
    private var failures = 0
    /// It has just worked again.
    private var isRelieved = false
    /// The lowest number that no launch has.
    private var upcoming: LaunchID

    private static var pause: Duration { .seconds(1) }
    /// Whoever is in the way of a write may be gone in a moment; a full disk is asked ever more rarely.
    private var retryPause: Duration { min(.seconds(15), .seconds(1 << min(max(failures, 1) - 1, 4))) }

    init(store: any Store, nextLaunch: LaunchID) {
        self.store = store
        upcoming = nextLaunch
    }

    /// When there is something to write; nil when nothing is left.
    var deadline: Instant? {
        Instant.soonest(Instant.soonest(flushAt, retryAt), keeps.isEmpty ? nil : keepAt)
    }

    /// So many of `recorded` are in the store or were given up.
    var settled: Int { recorded - unwritten.count }

    /// For the daemon's status.
    var remark: String? {
        guard let trouble else { return nil }
        return trouble.text + (lost > 0 ? "; \(lost) events are lost" : "")
    }

    mutating func record(_ occurrence: Occurrence, at now: Moment) {
        unwritten.append(occurrence)
        recorded += 1
        if unwritten.count > Limits.occurrencesInMemory * 5 / 4 {
            let surplus = unwritten.count - Limits.occurrencesInMemory
            unwritten.removeFirst(surplus)
            lost += surplus
        }
        if flushAt == nil { flushAt = now.instant + Self.pause }
    }

    /// Writes what is due. After it `deadline` lies in the future. `isUrgent`: the history is due at once, if the store is well.
    mutating func tend(at now: Moment, isUrgent: Bool = false) {
        if isRelieved { hasten(at: now) }
        if isUrgent, trouble == nil, flushAt != nil { flushAt = now.instant }
        if let flushAt, flushAt <= now.instant { flush(at: now) }
        if let retryAt, retryAt <= now.instant { payDebts(at: now) }
        if !keeps.isEmpty, keepAt <= now.instant { writeKeeps(at: now) }
    }

    /// All that is owed is written as soon as anything could be written again.
    private mutating func hasten(at now: Moment) {
        isRelieved = false
        if flushAt != nil { flushAt = now.instant }
        if retryAt != nil { retryAt = now.instant }
        if !keeps.isEmpty { keepAt = now.instant }
    }

    mutating func flush(at now: Moment) {
        if !keeps.isEmpty { writeKeeps(at: now) }
        flushAt = nil
        writeMarks(at: now)
        guard !unwritten.isEmpty else { return }
        do {
            // What a cut of power leaves of the history names no launch whose number could be used again.
            if upcoming > reservedBelow { try reserve() }
            let all = unwritten
            try guarded { (store: inout any Store) throws(Fault) in try store.append(all) }
            unwritten.removeAll(keepingCapacity: unwritten.count < 1_024)
        } catch {
            flushAt = now.instant + retryPause
        }
    }

    // MARK: What is durable before it is answered

    mutating func save(_ applied: AppliedStack) throws(Fault) {
        try guarded { (store: inout any Store) throws(Fault) in try store.save(applied) }
        forgets.removeAll { $0 == applied.request.stack.name }
        revisions.removeAll { $0.request.stack.name == applied.request.stack.name }
        keeps.removeAll { $0.request.stack.name == applied.request.stack.name }
    }

    mutating func save(_ all: [(stack: String, departures: [Departure])]) throws(Fault) {
        for (stack, departures) in all {
            // They say how the fleet's revision is departed from: one that is owed comes first.
            try saveOwed { $0 == stack }
            try save(departures, of: stack)
        }
    }

    private mutating func save(_ list: [Departure], of stack: String) throws(Fault) {
        try guarded { (store: inout any Store) throws(Fault) in try store.save(departures: list, of: stack) }
        departures.removeAll { $0.stack == stack }
    }

    /// What a turn says of schedules: at once when a run is about to begin, else with the history.
    mutating func save(_ newest: [ScheduleMark], at now: Moment) {
        guard !newest.isEmpty else { return }
        let names = Set(newest.map(\.instance))
        marks = marks.filter { !names.contains($0.instance) } + newest
        if newest.contains(where: \.isUrgent) { writeMarks(at: now) }
        if !marks.isEmpty, flushAt == nil { flushAt = now.instant + Self.pause }
    }

    /// What can't be written now is tried again with the history: a run doesn't wait for a disk.
    private mutating func writeMarks(at now: Moment) {
        guard !marks.isEmpty else { return }
        let all = marks
        do {
            try guarded { (store: inout any Store) throws(Fault) in try store.save(marks: all) }
            marks = []
        } catch { flushAt = now.instant + retryPause }
    }

    // MARK: What is owed while the store fails

    /// The answer does not depend on it: a failure is tried again.
    mutating func saveEventually(_ all: [(stack: String, departures: [Departure])], at now: Moment) {
        for (stack, list) in all {
            departures.removeAll { $0.stack == stack }
            departures.append((stack, list))
        }
        payDebts(at: now)
    }

    mutating func saveEventually(_ applied: AppliedStack, at now: Moment) {
        keeps.removeAll { $0.request.stack.name == applied.request.stack.name }
        revisions.append(applied)
        payDebts(at: now)
    }

    /// An update has come further. Written at once, but when thousands move, not for each of them: a daemon that dies before takes it up
    /// where the last record says, and comes to the same.
    mutating func keep(_ stack: String, _ applied: AppliedStack?, at now: Moment) {
        keeps.removeAll { $0.request.stack.name == stack }
        guard let applied else { return }
        revisions.removeAll { $0.request.stack.name == stack }
        keeps.append(applied)
        if keepAt <= now.instant { writeKeeps(at: now) }
    }

    private mutating func writeKeeps(at now: Moment) {
        if keepWindow.since + Self.pause <= now.instant { keepWindow = (now.instant, 0) }
        keepWindow.count += 1
        keepAt = keepWindow.count < Self.keepsPerWindow ? now.instant : now.instant + Self.pause
        do { for applied in keeps { try save(applied) } } catch { keepAt = now.instant + retryPause }
    }

    mutating func forget(_ stack: String, at now: Moment) {
        revisions.removeAll { $0.request.stack.name == stack }
        keeps.removeAll { $0.request.stack.name == stack }
        forgets.append(stack)
        marks.removeAll { $0.instance.service.stack == stack }
        payDebts(at: now)
    }

    private mutating func payDebts(at now: Moment) {
        retryAt = nil
        do {
            try saveOwed { _ in true }
            for (stack, list) in departures { try save(list, of: stack) }
            for stack in forgets {
                try guarded { (store: inout any Store) throws(Fault) in try store.forget(stack: stack) }
                forgets.removeAll { $0 == stack }
            }
        } catch { retryAt = now.instant + retryPause }
    }

    /// Revisions of some stacks, in order.
    private mutating func saveOwed(_ isMeant: (String) -> Bool) throws(Fault) {
        while let place = revisions.firstIndex(where: { isMeant($0.request.stack.name) }) {
            let applied = revisions[place]
            try guarded { (store: inout any Store) throws(Fault) in try store.save(applied) }
            revisions.remove(at: place)
        }
    }

    /// Sees to it that no launch below `next` is handed out twice, with room to spare so that it rarely waits for the disk.
    mutating func cover(_ next: LaunchID, at now: Moment) {
        upcoming = max(upcoming, next)
        guard next.number + Limits.launchReservation / 4 > reservedBelow.number else { return }
        // Numbers are in the notes of this boot too: a store that fails is not asked at every launch.
        if let retryAt, retryAt > now.instant { return }
        do { try reserve() } catch { retryAt = now.instant + retryPause }
    }

    private mutating func reserve() throws(Fault) {
        let bound = LaunchID(upcoming.number + Limits.launchReservation)
        try guarded { (store: inout any Store) throws(Fault) in try store.reserve(launchesBelow: bound) }
        reservedBelow = bound
    }

    // MARK: Reading

    /// Newest first.
    mutating func history(of stack: String) throws(Fault) -> [AppliedRevision] { try store.history(of: stack) }

    mutating func revision(_ digest: Digest, of stack: String) throws(Fault) -> AppliedStack? {
        try store.revision(digest, of: stack)
    }

    /// The newest `limit`, in order, with what is not written yet.
    mutating func occurrences(of target: Target?, since: WallTime?, limit: Int) throws(Fault) -> [Occurrence] {
        let stored = try store.occurrences(of: target, since: since, limit: limit)
        let newer = unwritten.filter { occurrence in
            occurrence.isCovered(by: target) && since.map { occurrence.time >= $0 } ?? true
        }
        return Array((stored + newer).suffix(limit))
    }

    private mutating func guarded(_ work: (inout any Store) throws(Fault) -> Void) throws(Fault) {
        do {
            try work(&store)
            isWell()
        } catch {
            trouble = error
            failures += 1
            throw error
        }
    }

    private mutating func isWell() {
        if trouble != nil { isRelieved = true }
        trouble = nil
        failures = 0
    }
}

extension Occurrence {
    /// Whether it is about the target, or part of it; nil covers everything.
    func isCovered(by target: Target?) -> Bool {
        guard let target else { return true }
        guard stack == target.stack else { return false }
        if let service = target.service, service != self.service ?? instance?.service.service { return false }
        if let replica = target.replica, replica != instance?.replica { return false }
        return true
    }
}

extension Effect {
    fileprivate var isMark: Bool { if case .mark = self { true } else { false } }
}

extension [Effect] {
    /// The newest mark of each instance.
    var marks: [ScheduleMark] {
        guard contains(where: \.isMark) else { return [] }
        var found: [ScheduleMark] = []
        var seen: Set<InstanceID> = []
        for case .mark(let mark) in reversed() {
            guard seen.insert(mark.instance).inserted else {
                // What was decided stays said, whatever else the turn says of the schedule.
                guard let place = found.firstIndex(where: { $0.instance == mark.instance }) else { continue }
                if found[place].decided == nil { found[place].decided = mark.decided }
                if mark.isUrgent { found[place].isUrgent = true }
                continue
            }
            found.append(mark)
        }
        return found.reversed()
    }
}

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// The one mind: told facts, asked what to do. A value without clock, I/O, task or hash-ordered iteration.
///
/// How it works. Every instance has a `Slot`; a slot has at most one open `Incarnation`. `observe` writes facts into them and marks
/// the slot dirty. `reconcile` takes dirty slots, and those whose deadline came, in order, and `settle`s each: close what has ended,
/// let time act (ladder, probes, deadlines), then compare what is wanted with what is there and begin to stop or launch. When a
/// settled slot looks different to its neighbours (its `Signature`), they become dirty too. There is no orchestration of waves:
/// order emerges from two gates, may start (everything needed is there) and may stop (nothing that goes down too still needs it).
/// An event costs its service and its neighbours, not the fleet.
public struct Fleet: Sendable {
    var services: [Service] = []
    var serviceIndex: [ServiceID: Int] = [:]
    var slots: [Slot?] = []
    /// What happened to each slot's instance, newest last, of which `Limits.causesPerInstance` count; by the slot's place. Beside the slots, so that
    /// a copy of a slot does not hold it.
    var stories: [[Occurrence]] = []
    var freeSlots: [Int] = []
    var freeServices: [Int] = []
    /// Sorted by name.
    var stacks: [StackRecord] = []
    /// Open incarnations, and launches that run for a probe or a step are not among them.
    var launchIndex: [LaunchID: Int] = [:]
    /// Places of the slots whose hooks run as these launches.
    var hookIndex: [LaunchID: Int] = [:]
    /// Calls of hooks that are not over.
    var hookCount = 0
    var strays: [Stray] = []
    /// Revisions that are taken back if they fail.
    var trials: [TrialRecord] = []
    var locks = LockTable()
    /// Questions about what is no service; places that are free hold nil.
    var askings: [Asking?] = []
    var askIndex: [OutsideNeed: Int] = [:]
    var freeAskings: [Int] = []
    var askHeap = DeadlineHeap()
    var askRound: UInt64 = 0
    /// Launches that are ordered and have neither executed nor failed, and slots that wait for one of their places.
    var startsUnderWay = 0
    let startsAtOnce: Int
    var startQueue: [Int] = []
    var dirty: [Int] = []
    var heap = DeadlineHeap()
    var changed: [InstanceID] = []
    var pending: [Effect] = []
    var upcoming: LaunchID
    var random: SplitMix
    let boot: String
    /// The latest closed launches, oldest first.
    var lately: [(launch: LaunchID, instance: InstanceID)] = []
    /// Launches whose use is looked at, and when next; nil while there are none.
    var measured: [LaunchID] = []
    var measureAt: Instant?
    /// When the host is looked at next; nil while nobody asks for it.
    var hostAt: Instant?
    var isShuttingDown = false
    /// What the machine had slept when it was last looked at.
    var slept = Duration.zero
    /// The machine was away before this turn.
    var isDiscontinuous = false
    /// In the order in which they were asked for.
    var zones: [ReadZone] = []
    /// The instant of the last turn: `deadline` must lie after it.
    var clock = Instant.zero
    /// The same moment in civil time.
    var wallOfClock = WallTime(nanoseconds: 0)

    public init(recovering recovery: Recovery, at now: Moment) {
        upcoming = recovery.nextLaunch
        random = SplitMix(seed: recovery.seed)
        boot = recovery.boot
        startsAtOnce = max(1, recovery.startsAtOnce)
        clock = now.instant
        slept = now.slept
        wallOfClock = now.wall
        recover(recovery, at: now)
    }

    /// Learns, never acts.
    public mutating func observe(_ event: Event, at now: Moment) {
        sense(now)
        switch event {
        case .commanded(let order): observe(order, at: now)
        case .launched(let launch, let pid, let ports, let tracking):
            learn(ofHook: launch) { $0.hasExecuted = true }
            learn(launch) { incarnation in
                guard incarnation.executedAt == nil, !incarnation.hasEnded else { return }
                incarnation.executedAt = now
                incarnation.pid = pid
                incarnation.ports = ports
                incarnation.tracking = tracking
            }
        case .launchFailed(let launch, let fault, let isScarcity):
            learnEnd(ofStray: launch, nil, "never executed: \(fault.text)", at: now)
            bury(stray: launch)
            learn(ofHook: launch) { $0.hear(fault, isScarcity: isScarcity) }
            learn(launch) { incarnation in
                guard !incarnation.hasEnded else { return }
                incarnation.fault = fault
                incarnation.isScarcity = isScarcity
            }
        case .exited(let launch, let exit):
            learnEnd(ofStray: launch, exit, exit.text, at: now)
            learn(ofHook: launch) { $0.hear(exit, at: now.instant) }
            learn(launch) { incarnation in
                guard !incarnation.hasEnded else { return }
                incarnation.exit = exit
                incarnation.exitAt = now
            }
        case .emptied(let launch):
            bury(stray: launch)
            learn(ofHook: launch) { $0.isEmptied = true }
            learn(launch) { $0.isEmptied = true }
        case .drained: break
        case .notified(let launch, let notice): hear(launch, notice, at: now)
        case .probed(let launch, let kind, let round, let result):
            observe(launch, kind, round, result, at: now)
        case .answered(let need, let round, let answer): observe(need, round, answer, at: now)
        case .stepEnded(let launch, let step, let fault): observe(launch, step, fault, at: now)
        case .errandEnded(let launch, let runner, let fault): learn(launch) { $0.endErrand(runner, fault) }
        case .changed(let service, let rule, let names): observe(changed: names, of: service, rule: rule, at: now)
        case .reacted(let launch, let fault): reacted(launch, fault, at: now)
        case .measured(let sample): observe(sample, at: now)
        case .hostMeasured(let readings): observe(readings, at: now)
        case .clockSet: clockWasSet(at: now)
        case .zoneRead(let name, let zone): learn(zone: name, zone, at: now)
        case .survivorsSeen(let launch, let names): learn(launch) { $0.survivors = names }
        }
    }

    /// Acts, never learns. Asked again at the same instant it returns nothing; afterwards `deadline` lies in the future.
    public mutating func reconcile(at now: Moment) -> [Effect] {
        sense(now)
        defer { isDiscontinuous = false }
        if now.instant > clock { clock = now.instant }
        wallOfClock = now.wall
        var effects = pending
        pending.removeAll()
        tendStrays(&effects)
        wakeDue()
        repeat { settleDirty(at: now, &effects) } while callStarters() || judgeTrials(at: now, &effects)
        askDue(&effects)
        measureDue(&effects)
        lookAtHost(&effects)
        finishLeaving(at: now, &effects)
        dropStale()
        effects += pending
        pending.removeAll()
        return effects
    }

    private mutating func settleDirty(at now: Moment, _ effects: inout [Effect]) {
        var next = 0
        while next < dirty.count {
            let slot = dirty[next]
            next += 1
            guard slots[slot] != nil else { continue }
            slots[slot]?.isDirty = false
            settle(slot, at: now, &effects)
            if next > 4_096 {
                dirty.removeFirst(next)
                next = 0
            }
        }
        dirty.removeAll(keepingCapacity: true)
    }

    /// When to ask again though nothing happened; nil sleeps for ever.
    public var deadline: Instant? {
        var soonest = Instant.soonest(heap.first?.at, Instant.soonest(askHeap.first?.at, trialDeadline))
        soonest = Instant.soonest(soonest, Instant.soonest(measureAt, hostAt))
        for stray in strays { soonest = Instant.soonest(soonest, stray.next) }
        return soonest
    }

    /// The lowest number that no launch has had.
    public var nextLaunch: LaunchID { upcoming }

    /// True once everything is stopped after `.shutdown`.
    public var isShutDown: Bool {
        isShuttingDown && launchIndex.isEmpty && hookCount == 0 && strays.isEmpty && pending.isEmpty
    }

    /// Launches that are alive or not yet released, sorted.
    public var openLaunches: [LaunchID] { launchIndex.keys.sorted() }

    /// No stack, no slot, no stray: nothing at all is kept.
    public var isEmpty: Bool { stacks.isEmpty && launchIndex.isEmpty && strays.isEmpty }

    /// The stack is applied and not leaving.
    public func hasStack(_ name: String) -> Bool { stackPlace(name).map { !stacks[$0].applied.isLeaving } ?? false }

    /// Instances whose status changed since the last call, sorted; clears the list.
    public mutating func takeChanged() -> [InstanceID] {
        if changed.isEmpty { return [] }
        defer { changed.removeAll() }
        for id in changed { if let slot = slotPlace(id) { slots[slot]?.isChanged = false } }
        return changed.sorted()
    }
}

extension Fleet {
    /// Everything whose deadline has come becomes dirty; entries that no longer say the truth are dropped.
    private mutating func wakeDue() {
        while let entry = heap.first, entry.at <= clock || slots[entry.slot]?.deadline != entry.at {
            _ = heap.pop()
            guard slots[entry.slot]?.deadline == entry.at else { continue }
            slots[entry.slot]?.deadline = nil
            touch(entry.slot)
        }
    }

    /// Nobody is to be woken for what a slot no longer waits for.
    private mutating func dropStale() {
        while let entry = heap.first, slots[entry.slot]?.deadline != entry.at { _ = heap.pop() }
        while let entry = askHeap.first, askings[entry.slot]?.deadline != entry.at { _ = askHeap.pop() }
    }

    mutating func touch(_ slot: Int) {
        guard let isDirty = slots[slot]?.isDirty, !isDirty else { return }
        slots[slot]?.isDirty = true
        dirty.append(slot)
    }

    mutating func touch(service: Int) {
        for slot in services[service].slots { touch(slot) }
        for slot in services[service].outgoing { touch(slot) }
    }

    /// Hands an open incarnation to be written to; a launch that is not open is a fact about the past and changes nothing.
    mutating func learn(_ launch: LaunchID, _ write: (inout Incarnation) -> Void) {
        guard let slot = launchIndex[launch], slots[slot]?.current?.launch == launch else { return }
        slots[slot]?.current?.learn(write)
        touch(slot)
    }

    func slotPlace(_ id: InstanceID) -> Int? {
        guard let service = serviceIndex[id.service] else { return nil }
        // Slots are sorted by replica.
        let places = services[service].slots
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            guard let replica = slots[places[middle]]?.id.replica else { return nil }
            if replica == id.replica { return places[middle] }
            if replica < id.replica { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    func stackPlace(_ name: String) -> Int? {
        var low = 0
        var high = stacks.count
        while low < high {
            let middle = (low + high) / 2
            if stacks[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < stacks.count && stacks[low].name == name ? low : nil
    }

    mutating func takeLaunch() -> LaunchID {
        defer { upcoming = LaunchID(upcoming.number + 1) }
        return upcoming
    }
}

// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

/// A machine in memory around one fleet: processes, time, and an oracle that watches every effect.
/// Time jumps from one thing that happens to the next, so a day takes as long as its events.
public struct FleetWorld {
    public internal(set) var fleet: Fleet
    public private(set) var now: Moment
    /// Rules that were broken, in words, with the time.
    public private(set) var violations: [String] = []
    /// Everything that happened and was done, one line each: the run as a score.
    public private(set) var score: [String] = []
    public private(set) var turns = 0
    var processes: [SimulatedProcess] = []
    var coming: [Coming] = []
    var sequence: UInt64 = 0
    private let life: (InstanceID, Int) -> SimulatedLife
    private var launches: [InstanceID: Int] = [:]
    private let keepsScore: Bool
    /// A command gave a stop less time than its ladder: order may yield to it.
    private var isHurried = false
    private var isHealed = false
    /// Whether something that is no service is there, when it is asked.
    public var outside: (OutsideNeed) -> Bool = { _ in true }
    /// Questions about that so far.
    public private(set) var askCount = 0
    /// What the disk and the run directory hold for the next daemon.
    var stored: [AppliedStack] = []
    /// Everything that was ever stored.
    var revisions: [AppliedStack] = []
    var departures: [String: [Departure]] = [:]
    var notes: [LaunchNote] = []
    var marks: [ScheduleMark] = []
    /// What the host knows of time zones; it has no others.
    public var zones: [String: TimeZone] = [ScheduleSpec.hostZone: .utc]
    /// Effects that are still performed before the daemon dies; nil while it is to live.
    var lifeLeft: Int?
    var generation: UInt64 = 1
    let startsAtOnce: Int

    struct Coming {
        var at: Instant
        var sequence: UInt64
        var event: Event
    }

    /// `life` chooses what the n-th launch (from 1) of an instance does.
    public init(
        seed: UInt64 = 1, keepsScore: Bool = true, startsAtOnce: Int = Limits.startsAtOnce,
        life: @escaping (InstanceID, Int) -> SimulatedLife = { _, _ in SimulatedLife() }
    ) {
        now = Moment(
            instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))
        var recovery = Recovery()
        recovery.seed = seed
        recovery.startsAtOnce = startsAtOnce
        self.startsAtOnce = startsAtOnce
        fleet = Fleet(recovering: recovery, at: now)
        self.life = life
        self.keepsScore = keepsScore
    }

    /// Applies a stack as the daemon does.
    public mutating func apply(_ request: ApplyRequest) throws(Refusal) {
        let applied = try fleet.admit(request, at: now)
        command(.apply(applied))
    }

    public mutating func command(_ order: Order) {
        note("» \(order.summary)")
        save(order)
        switch order {
        case .down(_, let timeout), .stop(_, let timeout): if timeout != nil { isHurried = true }
        case .apply, .start, .restart, .reload, .scale, .signal, .shutdown: break
        }
        // What goes down may keep them until it is gone: it is not wanted anyway.
        var promised = fleet.departures(after: order)
        if case .down = order { promised = [] }
        fleet.observe(.commanded(order), at: now)
        for (stack, list) in promised where fleet.departures(of: stack) != list {
            violate("\(order.summary) saved other departures than it made")
        }
        turn()
    }

    /// Lets time pass until nothing is due before `limit`.
    public mutating func run(for span: Duration) {
        let end = now.instant + span
        while let next = nextInstant, next <= end {
            move(to: next)
            deliverDue()
            turn()
        }
        move(to: end)
    }

    /// Lets things happen until `isDone`, at most for `span`; whether it came to that.
    public mutating func run(atMost span: Duration, until isDone: (FleetWorld) -> Bool) -> Bool {
        let end = now.instant + span
        while !isDone(self) {
            guard let next = nextInstant, next <= end else { return false }
            move(to: next)
            deliverDue()
            turn()
        }
        return true
    }

    public func phase(_ service: String, _ replica: Int = 1, stack: String = "s") -> Phase? {
        fleet.status(of: InstanceID(service: ServiceID(stack: stack, service: service), replica: replica))?.phase
    }
    public func row(_ service: String, _ replica: Int = 1, stack: String = "s") -> InstanceStatus? {
        fleet.status(of: InstanceID(service: ServiceID(stack: stack, service: service), replica: replica))
    }
    /// Launches of the instance so far.
    public func launchCount(_ service: String, _ replica: Int = 1, stack: String = "s") -> Int {
        launches[InstanceID(service: ServiceID(stack: stack, service: service), replica: replica)] ?? 0
    }
    /// From here on nothing goes wrong by itself: what lives stays well.
    public mutating func heal() {
        isHealed = true
        lifeLeft = nil
        for index in processes.indices {
            processes[index].life.sickensAfter = nil
            processes[index].life.swellsAfter = nil
            processes[index].life.readyAfter = .zero
            if !processes[index].isTask { processes[index].life.endsAfter = nil }
        }
        let busy = Set(processes.filter { $0.isToldToStop || $0.isKilled || $0.isTask }.map(\.launch))
        coming.removeAll { item in
            if case .exited(let launch, _) = item.event { !busy.contains(launch) } else { false }
        }
        // A service that ends well by itself stays down by right, and its dependants wait for ever: that is no rest.
        let tasks = Set(processes.filter(\.isTask).map(\.launch))
        for index in coming.indices {
            if case .exited(let launch, .code(0)) = coming[index].event, !tasks.contains(launch) {
                coming[index].event = .exited(launch, .code(1))
            }
        }
    }
    public var aliveCount: Int { processes.count { $0.isAlive } }

    /// Ends the main process of an instance from outside, as `kill -9` would.
    public mutating func strike(
        _ service: String, _ replica: Int = 1, stack: String = "s", _ exit: Exit = .signal(.kill, coreDumped: false)
    ) {
        let id = InstanceID(service: ServiceID(stack: stack, service: service), replica: replica)
        guard let index = processes.firstIndex(where: { $0.instance == id && $0.isMainAlive && $0.hook == nil }) else {
            return
        }
        end(index, exit)
    }
}

extension FleetWorld {
    private var nextInstant: Instant? {
        let event = coming.min { ($0.at, $0.sequence) < ($1.at, $1.sequence) }?.at
        guard let deadline = fleet.deadline else { return event }
        return event.map { min($0, deadline) } ?? deadline
    }

    private mutating func move(to instant: Instant) {
        guard instant > now.instant else { return }
        let span = instant - now.instant
        now = Moment(instant: instant, wall: now.wall + span)
    }

    mutating func schedule(_ event: Event, after span: Duration) {
        sequence += 1
        coming.append(Coming(at: now.instant + span, sequence: sequence, event: event))
    }

    private mutating func deliverDue() {
        let due = coming.filter { $0.at <= now.instant }.sorted { ($0.at, $0.sequence) < ($1.at, $1.sequence) }
        coming.removeAll { $0.at <= now.instant }
        for item in due where happens(item.event) {
            note("  \(item.event.summary)")
            fleet.observe(item.event, at: now)
        }
    }

    /// Lets the world follow the event; false when it has been overtaken.
    private mutating func happens(_ event: Event) -> Bool {
        switch event {
        case .launched(let launch, _, _, _):
            guard let index = processes.firstIndex(where: { $0.launch == launch }), !processes[index].hasEnded else {
                return false
            }
            processes[index].hasExecuted = true
            let life = processes[index].life
            if let endsAfter = life.endsAfter { schedule(.exited(launch, life.exit), after: endsAfter) }
            if let notice = processes[index].says { schedule(.notified(launch, notice), after: life.readyAfter) }
            return true
        case .exited(let launch, let exit):
            guard let index = processes.firstIndex(where: { $0.launch == launch }), processes[index].isMainAlive else {
                return false
            }
            processes[index].isMainAlive = false
            processes[index].hasEnded = true
            processes[index].exit = exit
            if let outlives = processes[index].life.childOutlives, !processes[index].isKilled {
                schedule(.emptied(launch), after: outlives)
            } else {
                schedule(.emptied(launch), after: .zero)
            }
            return true
        case .emptied(let launch):
            guard let index = processes.firstIndex(where: { $0.launch == launch }), processes[index].isAlive,
                !processes[index].isMainAlive
            else { return false }
            processes[index].isAlive = false
            return true
        case .launchFailed(let launch, let fault, _):
            guard let index = processes.firstIndex(where: { $0.launch == launch }), !processes[index].hasEnded else {
                return false
            }
            processes[index].isAlive = false
            processes[index].isMainAlive = false
            processes[index].hasEnded = true
            processes[index].fault = fault
            return true
        case .notified(let launch, _): return processes.contains { $0.launch == launch && $0.isMainAlive }
        case .measured(let sample): return processes.contains { $0.launch == sample.launch && $0.isMainAlive }
        case .commanded, .drained, .probed, .answered, .stepEnded, .errandEnded, .survivorsSeen, .clockSet, .zoneRead,
            .changed, .reacted, .hostMeasured:
            return true
        }
    }

    mutating func turn() {
        turns += 1
        let effects = fleet.reconcile(at: now)
        for effect in effects {
            if let left = lifeLeft {
                guard left > 0 else { return replaceDaemon() }
                lifeLeft = left - 1
            }
            perform(effect)
        }
        if let deadline = fleet.deadline, deadline <= now.instant { violate("the deadline does not lie in the future") }
        let again = fleet.reconcile(at: now)
        if !again.isEmpty { violate("asked again at the same instant it wants \(again.map(\.summary))") }
    }

    private mutating func perform(_ effect: Effect) {
        if let summary = effect.summary { note("    → \(summary)") }
        switch effect {
        case .launch(let order): launch(order)
        case .signal(let launch, let signal, let recipient): deliver(signal, launch, recipient)
        case .kill(let launch):
            guard let index = processes.firstIndex(where: { $0.launch == launch && $0.isAlive }) else { return }
            processes[index].isKilled = true
            let span = processes[index].life.diesWithin
            if processes[index].isMainAlive {
                schedule(.exited(launch, .signal(.kill, coreDumped: false)), after: span)
            }
            schedule(.emptied(launch), after: span)
        case .release(let launch):
            if processes.contains(where: { $0.launch == launch && $0.isAlive }) {
                violate("released \(launch.number) while it lives")
            }
            processes.removeAll { $0.launch == launch }
        case .probe(let launch, let kind, let round, _, _):
            guard let process = processes.first(where: { $0.launch == launch }) else {
                return violate("probe of an unknown launch")
            }
            let age = now.instant - process.orderedAt - process.life.execution
            let isSick = process.life.sickensAfter.map { age >= $0 } ?? false
            let isWell = process.isMainAlive && age >= process.life.readyAfter && !isSick
            schedule(.probed(launch, kind, round: round, isWell ? .success : .failure("sick")), after: .milliseconds(1))
        case .ask(let need, let round, _):
            askCount += 1
            let answer = outside(need) ? ProbeResult.success : .failure("not there")
            schedule(.answered(need, round: round, answer), after: .milliseconds(1))
        case .runStep(let launch, let step, _, _, _):
            schedule(.stepEnded(launch, step: step, nil), after: .milliseconds(1))
        case .run(let errand):
            schedule(.errandEnded(errand.launch, runner: errand.runner, nil), after: .milliseconds(1))
        case .note(let note): notes.append(note)
        case .mark(let mark): marks = marks.filter { $0.instance != mark.instance } + [mark]
        case .sockets, .watch: break
        case .react(let launch, _, _): schedule(.reacted(launch, nil), after: .milliseconds(1))
        case .measure(let questions): measure(questions)
        case .measureHost(let wanted):
            schedule(.hostMeasured(wanted.map { HostReading($0, used: 0.5) }), after: .milliseconds(1))
        case .dropStored: break
        case .readZone(let name): schedule(.zoneRead(name, zones[name]), after: .zero)
        case .keep(let applied): keep(applied)
        case .goBack(let stack):
            guard let applied = fleet.wayBack(of: stack, at: now) else { return }
            keep(applied)
            schedule(.commanded(.apply(applied)), after: .zero)
        case .forget(let stack): stored.removeAll { $0.request.stack.name == stack }
        case .rename(let launch, let instance, _):
            for index in processes.indices where processes[index].launch == launch {
                processes[index].instance = instance
            }
        case .keepUpdates(let stack): if let applied = fleet.kept(stack: stack) { keep(applied) }
        case .endErrand, .endProbes, .relog, .record: break
        }
    }

    private mutating func launch(_ order: LaunchOrder) {
        if let hook = order.hook { return launch(order, as: hook) }
        checkDoubles(order)
        for other in processes where other.isAlive {
            for lock in order.spec.locks where other.locks.contains(lock) {
                violate("\(order.instance) and \(other.instance) both have the lock \(lock)")
            }
        }
        let underWay = processes.count { !$0.hasExecuted && !$0.hasEnded && $0.hook == nil }
        if underWay >= startsAtOnce { violate("\(underWay + 1) starts under way at once") }
        for need in order.spec.dependsOn where need.required { check(need, of: order) }
        launches[order.instance, default: 0] += 1
        var life = isHealed ? SimulatedLife() : life(order.instance, launches[order.instance] ?? 1)
        // A task that a script says nothing of is over soon: it would keep a stack from ever coming to rest.
        if order.spec.kind == .task, life.endsAfter == nil { life.endsAfter = .milliseconds(500) }
        processes.append(
            SimulatedProcess(
                launch: order.launch, instance: order.instance, definition: order.spec.definitionDigest, life: life,
                orderedAt: now.instant,
                needs: order.spec.dependsOn.map(\.on),
                locks: order.spec.locks, says: order.spec.ready?.notice, isTask: order.spec.kind == .task))
        if let fault = life.fault {
            schedule(.launchFailed(order.launch, fault, isScarcity: life.isScarcity), after: life.execution)
        } else {
            schedule(
                .launched(
                    order.launch, pid: Int32(truncatingIfNeeded: order.launch.number), ports: [], tracking: "cgroup"),
                after: life.execution)
        }
    }

    private mutating func deliver(_ signal: Signal, _ launch: LaunchID, _ recipient: StopSpec.Recipient) {
        guard let index = processes.firstIndex(where: { $0.launch == launch && $0.isAlive }) else { return }
        let process = processes[index]
        processes[index].isToldToStop = true
        if process.isMainAlive, !process.isToldToStop, !isHurried, isGoing(process),
            let other = processes.first(where: {
                $0.isMainAlive && $0.instance.service.stack == process.instance.service.stack
                    && $0.needs.contains(process.instance.service.service)
                    && isGoing($0)
            })
        {
            violate("\(process.instance) told to stop while \(other.instance), which goes too, still needs it")
        }
        if process.isMainAlive {
            if let within = process.life.stopsWithin {
                schedule(.exited(launch, .signal(signal, coreDumped: false)), after: within)
            }
        } else if recipient == .tree, process.life.stopsWithin != nil {
            schedule(.emptied(launch), after: .milliseconds(1))
        }
    }

    private func isGoing(_ process: SimulatedProcess) -> Bool {
        guard let row = fleet.status(of: process.instance) else { return false }
        return row.phase == .stopping && row.launch == process.launch && row.reason.contains("down")
    }

    private mutating func end(_ index: Int, _ exit: Exit) {
        schedule(.exited(processes[index].launch, exit), after: .zero)
    }

    mutating func violate(_ text: String) { violations.append("\((now.instant - .zero).brief): \(text)") }
    mutating func note(_ line: String) { if keepsScore { score.append("\((now.instant - .zero).text) \(line)") } }
}

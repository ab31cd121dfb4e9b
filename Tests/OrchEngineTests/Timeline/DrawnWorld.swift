// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// The machine of a timeline: one fleet, processes that do as they are drawn, a disk, and a daemon that may die.
struct DrawnWorld {
    var fleet: Fleet
    private(set) var now: Moment
    /// Rules that every timeline keeps, broken; and letters that can't be, such as the exit of what doesn't live.
    private(set) var mistakes: [String] = []
    /// What was done, and where each instance stood: for each column the letters, first to last.
    private(set) var drawn: [TimelineRow.Kind: [String: [[Character]]]] = [:]
    private(set) var reasons: [String: [Int: String]] = [:]
    private(set) var tellings: [(column: Int, instance: String, kind: Occurrence.Kind, cause: String)] = []
    /// What hooks were told.
    private(set) var hooks: [(column: Int, name: String, call: HookCall)] = []
    private(set) var verdicts: [(Goal) -> Verdict] = []

    private let script: TimelineScript
    private let start: Instant
    private var column = 0
    private var services: [ServiceSpec]
    private var processes: [DrawnProcess] = []
    /// Errands that run, and when their time is over.
    private var errands: [(errand: Errand, name: String, until: Instant)] = []
    /// What follows at once from what was done.
    private var reactions: [Reaction] = []
    /// Letters of this column for instances that are launched in it.
    private var held: [String: [WorldFact]] = [:]
    // What outlives the daemon.
    private var stored: [AppliedStack] = []
    /// Everything that was ever stored.
    private var revisions: [AppliedStack] = []
    private var departures: [Departure] = []
    private var formerDepartures: [Departure] = []
    private var notes: [LaunchNote] = []
    private var marks: [ScheduleMark] = []
    private var isDead = false
    private var isBooting = false
    private var boots = 1
    private var generation: UInt64 = 1

    init(_ script: TimelineScript) {
        self.script = script
        services = script.services
        now = Moment(
            instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))
        start = now.instant
        var recovery = Recovery()
        recovery.isNewBoot = false
        recovery.boot = "1"
        fleet = Fleet(recovering: recovery, at: now)
    }

    var story: [String] { tellings.map { "\($0.column): \($0.instance) \($0.kind.rawValue): \($0.cause)" } }

    mutating func run() {
        for column in 0..<script.length {
            self.column = column
            move(to: start + script.column * column)
            let daemon = script.daemon.element(column) ?? .lives
            if isDead, daemon != .isDead { wake() }
            held = [:]
            for change in script.fileChanges where change.at == column { observe(change.event) }
            for jump in script.jumps where jump.at == column { jumpClock(jump) }
            endLateErrands()
            for name in script.drawnInstances { live(name) }
            hear()
            turn(until: daemon)
            endColumn(daemon)
        }
    }

    /// The rest of the column: deadlines that lie in it, death, and where everything stands then.
    private mutating func endColumn(_ daemon: DaemonFact) {
        let end = start + script.column * (column + 1)
        defer { for (name, facts) in held.sorted(by: { $0.key < $1.key }) { missed(facts, by: name) } }
        while !isDead, let deadline = fleet.deadline, deadline < end {
            move(to: deadline)
            turn(until: daemon)
        }
        switch daemon {
        case .lives, .isDead: break
        case .dies: die()
        case .diesBefore, .diesAfter: if !isDead { mistakes.append("column \(column): the daemon had nothing to do") }
        case .boots:
            processes = []
            notes = []
            isBooting = true
            formerDepartures += departures
            departures = []
            boots += 1
            die()
        }
        guard !isDead else {
            verdicts.append { _ in .pending }
            for name in Set(script.rows.map(\.instance)).sorted() { draw(.phases, name, Letters.nobodyKnows) }
            return
        }
        let fleet = fleet
        verdicts.append { fleet.verdict(on: $0, for: [Target(stack: "s")]) }
        for row in fleet.status(of: nil).flatMap(\.instances) {
            let name = TimelineScript.name(of: row.id)
            draw(.phases, name, Letters.letter(row.phase))
            reasons[name, default: [:]][column] = row.reason
        }
    }

    private mutating func move(to instant: Instant) {
        guard instant > now.instant else { return }
        now = Moment(instant: instant, wall: now.wall + (instant - now.instant), slept: now.slept)
    }

    private mutating func jumpClock(_ jump: ClockJump) {
        now.wall = now.wall + jump.span
        if jump.isAsleep { now.slept += jump.span }
        observe(.clockSet)
    }

    private mutating func draw(_ kind: TimelineRow.Kind, _ name: String, _ letter: Character) {
        var stacks = drawn[kind, default: [:]][name] ?? []
        while stacks.count <= column { stacks.append([]) }
        stacks[column].append(letter)
        drawn[kind, default: [:]][name] = stacks
    }

    private mutating func react(_ event: Event) { reactions.append(.event(event)) }

    private mutating func mistake(_ text: String) { mistakes.append("column \(column): \(text)") }

    // MARK: people

    /// The manifest is applied in column 0; then what people do in this column.
    private mutating func hear() {
        let changes = script.changes.filter { $0.at == column }
        let orders = script.commands.filter { $0.at == column }
        guard !isDead else {
            if !changes.isEmpty || !orders.isEmpty { mistake("there is no daemon that could hear a command") }
            return
        }
        if column == 0 || !changes.isEmpty {
            for (change, _) in changes { change(&services) }
            var request = request(services)
            request.stack.host = script.thresholds
            request.rollbackWithin = script.promises[column]
            let now = now
            admit { (fleet) throws(Refusal) in try fleet.admit(request, at: now) }
        }
        if script.rollbacks.contains(column) { rollBack() }
        for (order, _) in orders {
            do throws(Refusal) { try fleet.admit(order) } catch { mistake("refused: \(error.message)") }
            tell(order)
        }
    }

    private mutating func tell(_ order: Order) {
        for (stack, list) in fleet.departures(after: order) {
            departures.removeAll { $0.instance.service.stack == stack }
            departures += list
        }
        let kept: AppliedStack? =
            switch order {
            case .apply(let applied): applied
            case .down(let stack, _): fleet.leaving(stack: stack)
            case .start, .stop, .restart, .reload, .scale, .signal, .shutdown: nil
            }
        if let kept { keep(kept) }
        fleet.observe(.commanded(order), at: now)
    }

    private mutating func admit(_ how: (Fleet) throws(Refusal) -> AppliedStack) {
        do throws(Refusal) { tell(.apply(try how(fleet))) } catch { mistake("refused: \(error.message)") }
    }

    private mutating func rollBack() {
        let (revisions, now) = (revisions, now)
        admit { (fleet) throws(Refusal) in
            let digest = try fleet.rollbackTarget(
                RollbackRequest(stack: "s"), in: revisions.reversed().map(\.entry))
            guard let kept = revisions.last(where: { $0.revision == digest }) else { throw Refusal(.unknown, "lost") }
            return try fleet.admit(backTo: kept, by: "me", at: now)
        }
    }

    private mutating func keep(_ applied: AppliedStack) {
        stored = stored.filter { $0.request.stack.name != applied.request.stack.name } + [applied]
        revisions.append(applied)
    }

    // MARK: the daemon

    private mutating func turn(until fate: DaemonFact) {
        guard !isDead else { return }
        for _ in 0..<1_000 {
            for effect in fleet.reconcile(at: now) {
                if fate == .diesBefore, effect.actsOnProcess { return die() }
                perform(effect)
                if fate == .diesAfter, effect.actsOnProcess { return die() }
            }
            if let deadline = fleet.deadline, deadline <= now.instant { mistake("the deadline is not in the future") }
            let again = fleet.reconcile(at: now)
            if !again.isEmpty { mistake("asked again at the same instant it wants \(again)") }
            if reactions.isEmpty { return }
            let arrived = reactions
            reactions = []
            for reaction in arrived {
                switch reaction {
                case .event(let event): fleet.observe(event, at: now)
                case .fact(let fact, let name): happen(fact, to: name)
                }
            }
        }
        mistake("not at rest after 1,000 turns at one instant")
    }

    private mutating func die() {
        isDead = true
        reactions = []
        errands = []
    }

    private mutating func wake() {
        isDead = false
        generation += 1
        var recovery = Recovery()
        recovery.isNewBoot = isBooting
        recovery.boot = "\(boots)"
        isBooting = false
        recovery.seed = generation
        recovery.stacks = stored.sorted { $0.request.stack.name < $1.request.stack.name }
        recovery.fallbacks = stored.compactMap { applied in
            applied.trial?.fallback.flatMap { digest in revisions.last { $0.revision == digest } }
        }
        recovery.departures = departures
        recovery.formerDepartures = formerDepartures
        recovery.notes = notes
        recovery.marks = marks
        recovery.nextLaunch = fleet.nextLaunch
        recovery.survivors = processes.map {
            Survivor(launch: $0.launch, pid: 1, hasExecuted: $0.hasExecuted, fault: $0.fault, exit: $0.exit)
        }.sorted { $0.launch < $1.launch }
        fleet = Fleet(recovering: recovery, at: now)
        for process in processes where process.exit != nil && !process.isTreeAlive {
            fleet.observe(.emptied(process.launch), at: now)
        }
    }

    // MARK: the world

    /// Tells the daemon if there is one; a keeper keeps what it must know for the next.
    private mutating func observe(_ event: Event) { if !isDead { fleet.observe(event, at: now) } }

    /// What is drawn for an instance in this column.
    private mutating func live(_ name: String) {
        let facts = script.facts(of: name, in: column) ?? []
        let index = processes.lastIndex { $0.name == name }
        if let index, !processes[index].hasExecuted, processes[index].isMainAlive { execute(index) }
        for fact in facts where fact != .lateReady || index == nil {
            if index == nil { held[name, default: []].append(fact) } else { happen(fact, to: name) }
        }
        if facts.contains(.lateReady) { observe(.notified(fleet.lastLaunch(of: name), .ready)) }
    }

    /// Letters that found no process.
    private mutating func missed(_ facts: [WorldFact], by name: String) {
        for fact in facts {
            switch fact {
            case .nothing, .isSlow, .failsToLaunch, .isScarce, .stepIsBroken, .lateReady, .isDeep: continue
            case .ready, .well, .sick, .unasked, .reloading, .says, .exits, .emptied, .errandWorks, .errandFails:
                mistake("`\(fact)` of \(name), which has no process")
            }
        }
    }

    private mutating func happen(_ fact: WorldFact, to name: String) {
        guard let index = processes.lastIndex(where: { $0.name == name }) else { return missed([fact], by: name) }
        let process = processes[index]
        switch fact {
        case .nothing, .isSlow, .stepIsBroken, .failsToLaunch, .isScarce, .lateReady: return
        case .ready:
            processes[index].answer = .success
            observe(.notified(process.launch, process.says))
        case .well: processes[index].answer = .success
        case .sick: processes[index].answer = .failure("sick")
        case .unasked: processes[index].answer = .unasked("no prober")
        case .reloading: observe(.notified(process.launch, .reloading))
        case .says(let notice): observe(.notified(process.launch, notice))
        case .exits(let exit, let leavesOthers):
            guard process.isMainAlive else { return mistake("\(name) exits, but its main process does not live") }
            end(index, exit, leavesOthers: leavesOthers)
        case .emptied:
            guard process.isTreeAlive else { return mistake("nothing of \(name) is left that could go") }
            processes[index].isTreeAlive = false
            observe(.emptied(process.launch))
        case .isDeep: processes[index].isDeep = true
        case .errandWorks: endErrand(of: name, nil)
        case .errandFails: endErrand(of: name, "exit 1: no such port")
        }
    }

    /// One of an obedient process works at once.
    private mutating func run(_ errand: Errand) {
        guard let process = processes.first(where: { $0.launch == errand.launch }) else {
            return mistake("an errand of launch \(errand.launch.number), which is not there")
        }
        draw(.orch, process.name, Letters.errand)
        errands.append((errand, process.name, now.instant + errand.limit))
        if !process.isDrawn { endErrand(of: process.name, nil) }
    }

    private mutating func endErrand(of name: String, _ complaint: String?) {
        guard let index = errands.firstIndex(where: { $0.name == name }) else {
            return mistake("\(name) has no errand that could end")
        }
        let errand = errands.remove(at: index).errand
        let fault = complaint.map { Fault(step: "run", subject: "/bin/errand", reason: $0) }
        react(.errandEnded(errand.launch, runner: errand.runner, fault))
    }

    /// Their time is over.
    private mutating func endLateErrands() {
        while let late = errands.first(where: { $0.until <= now.instant }) {
            endErrand(of: late.name, "no answer within \(late.errand.limit.text)")
        }
    }

    private mutating func end(_ index: Int, _ exit: Exit, leavesOthers: Bool) {
        processes[index].isMainAlive = false
        processes[index].exit = exit
        observe(.exited(processes[index].launch, exit))
        guard !leavesOthers else { return }
        processes[index].isTreeAlive = false
        observe(.emptied(processes[index].launch))
    }

    /// Executes, or fails to, as the drawing says for this column.
    private mutating func execute(_ index: Int) {
        let process = processes[index]
        let facts = script.facts(of: process.name, in: column) ?? []
        if facts.contains(.isSlow) { return }
        if facts.contains(.failsToLaunch) || facts.contains(.isScarce) {
            let isScarce = facts.contains(.isScarce)
            let reason = isScarce ? "too many open files (EMFILE)" : "no such file or directory (ENOENT)"
            let fault = Fault(step: "execute", subject: "/bin/\(process.name)", reason: reason)
            processes[index].fault = fault
            processes[index].isMainAlive = false
            processes[index].isTreeAlive = false
            react(.launchFailed(process.launch, fault, isScarcity: isScarce))
            return
        }
        processes[index].hasExecuted = true
        react(.launched(process.launch, pid: 100, ports: [], tracking: "cgroup"))
        guard !process.isDrawn else {
            reactions += (held.removeValue(forKey: process.name) ?? []).map { .fact($0, process.name) }
            return
        }
        if process.isTask {
            processes[index].isMainAlive = false
            processes[index].isTreeAlive = false
            processes[index].exit = .code(0)
            react(.exited(process.launch, .code(0)))
            react(.emptied(process.launch))
        } else {
            react(.notified(process.launch, process.says))
        }
    }

    private mutating func perform(_ effect: Effect) {
        switch effect {
        case .launch(let order): launch(order)
        case .signal(let launch, let signal, let recipient): deliver(signal, launch, recipient)
        case .kill(let launch): kill(launch)
        case .runStep(let launch, let step, _, _, _):
            guard let process = processes.first(where: { $0.launch == launch }) else { return }
            draw(.orch, process.name, Letters.step)
            let isBroken = script.facts(of: process.name, in: column)?.contains(.stepIsBroken) ?? false
            let fault = Fault(step: "run", subject: "the step", reason: "exit 1")
            react(.stepEnded(launch, step: step, isBroken ? fault : nil))
        case .probe(let launch, let kind, let round, _, _):
            guard let process = processes.first(where: { $0.launch == launch }) else {
                return mistake("launch \(launch.number) is probed, which is not there")
            }
            draw(.asked, process.name, Letters.letter(kind))
            react(.probed(launch, kind, round: round, process.answer))
        case .ask(let need, let round, _):
            draw(.asked, need.text, Letters.outside)
            react(.answered(need, round: round, script.answer(of: need.text, in: column)))
        case .release(let launch):
            if let process = processes.first(where: { $0.launch == launch }), process.isTreeAlive {
                mistake("\(process.name) is released while something of it lives")
            }
            processes.removeAll { $0.launch == launch }
        case .note(let note): notes.append(note)
        case .run(let errand): run(errand)
        case .endErrand(let launch, let runner):
            guard let index = errands.firstIndex(where: { $0.errand.runner == runner }) else { return }
            errands.remove(at: index)
            react(.errandEnded(launch, runner: runner, Fault(step: "run", subject: "", reason: "not needed any more")))
        case .sockets, .watch: break
        case .measure(let questions): for question in questions { measure(question.launch) }
        case .measureHost(let wanted):
            react(.hostMeasured(wanted.map { HostReading($0, used: script.used(in: column)) }))
        case .react(let launch, _, _):
            if let process = processes.first(where: { $0.launch == launch }) { draw(.orch, process.name, Letters.step) }
        case .mark(let mark): marks = marks.filter { $0.instance != mark.instance } + [mark]
        case .dropStored(let id): draw(.orch, TimelineScript.name(of: id), Letters.dropStored)
        case .readZone(let name): react(.zoneRead(name, name == "Nowhere" ? nil : .utc))
        case .record(let occurrence):
            let name = occurrence.instance.map { TimelineScript.name(of: $0) } ?? occurrence.stack
            tellings.append((column, name, occurrence.kind, occurrence.cause))
        case .keep(let applied): keep(applied)
        case .goBack(let stack):
            guard let applied = fleet.wayBack(of: stack, at: now) else { return }
            keep(applied)
            react(.commanded(.apply(applied)))
        case .forget(let stack): stored.removeAll { $0.request.stack.name == stack }
        case .keepUpdates(let stack):
            guard let kept = fleet.kept(stack: stack) else { return }
            stored = stored.filter { $0.request.stack.name != stack } + [kept]
        case .rename(let launch, let instance, _):
            for index in processes.indices where processes[index].launch == launch {
                processes[index].name = TimelineScript.name(of: instance)
            }
        case .endProbes, .relog: break
        }
    }

    /// Nothing is used until it is drawn.
    private mutating func measure(_ launch: LaunchID) {
        guard let process = processes.first(where: { $0.launch == launch && $0.isMainAlive }) else {
            return mistake("launch \(launch.number) is looked at, which does not live")
        }
        draw(.asked, process.name, Letters.look)
        var sample = ResourceSample(launch: launch)
        sample.memoryBytes = 0
        sample.cpuTime = .zero
        sample.pids = 0
        for use in script.uses where use.of == process.name && use.from <= column { use.write(&sample) }
        react(.measured(sample))
    }

    private mutating func launch(_ order: LaunchOrder) {
        let instance = TimelineScript.name(of: order.instance)
        let name = order.hook.map { "\(instance)/\($0.kind.rawValue)" } ?? instance
        for hook in processes where hook.name.hasPrefix("\(instance)/") && hook.isTreeAlive {
            let isOfLiving = hook.name.hasSuffix("post_ready") || hook.name.hasSuffix("pre_stop")
            if order.hook != nil || !isOfLiving { mistake("\(name) is launched while \(hook.name) runs") }
        }
        if let hook = order.hook { hooks.append((column, name, hook)) }
        draw(.orch, name, Letters.launch)
        let definition = order.spec.definitionDigest
        for twin in processes where twin.name == name && twin.isTreeAlive {
            let isSuccession =
                order.hook == nil && fleet.spec(of: order.instance.service)?.update.order == .startFirst
            if !isSuccession || twin.definition == definition { mistake("two of \(name) at once") }
        }
        let isDrawn = script.facts(of: name, in: column) != nil
        processes.append(
            DrawnProcess(
                launch: order.launch, name: name, definition: definition, isDrawn: isDrawn,
                isTask: order.spec.kind == .task, says: order.spec.ready?.notice ?? .ready,
                answer: isDrawn && script.saysWhenWell(name) ? .failure("not ready yet") : .success))
        execute(processes.count - 1)
    }

    private mutating func deliver(_ signal: Signal, _ launch: LaunchID, _ recipient: StopSpec.Recipient) {
        guard let index = processes.firstIndex(where: { $0.launch == launch }) else { return }
        let process = processes[index]
        draw(.orch, process.name, Letters.letter(signal))
        draw(.heard, process.name, Letters.letter(recipient))
        if !process.isDrawn, process.isTreeAlive { reap(index, .signal(signal, coreDumped: false)) }
    }

    private mutating func kill(_ launch: LaunchID) {
        guard let index = processes.firstIndex(where: { $0.launch == launch }) else { return }
        draw(.orch, processes[index].name, Letters.kill)
        let facts = script.facts(of: processes[index].name, in: column) ?? []
        if facts.contains(.isDeep) { processes[index].isDeep = true }
        if !processes[index].isDeep, processes[index].isTreeAlive { reap(index, .signal(.kill, coreDumped: false)) }
    }

    /// All of it ends at once.
    private mutating func reap(_ index: Int, _ exit: Exit) {
        let process = processes[index]
        if process.isMainAlive {
            processes[index].exit = exit
            react(.exited(process.launch, exit))
        }
        processes[index].isMainAlive = false
        processes[index].isTreeAlive = false
        react(.emptied(process.launch))
    }
}

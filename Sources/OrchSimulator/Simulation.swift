// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// What a life came to.
public struct Report: Sendable {
    /// Rules that were broken, in words, with the time; empty when all is well.
    public var violations: [String] = []
    /// Everything that happened and was done, one line each, if it was asked for.
    public var score: [String] = []
    /// Turns of daemons' loops.
    public var turns = 0
    public var daemons = 0
    /// Virtual time that passed.
    public var lived = Duration.zero
    /// Of everything that went into the daemons and came out of them, in order.
    public var digest: UInt64 = 0
}

extension Scenario {
    /// Plays it: the acts, then the faults stop and all that is wanted must come up, then everything goes down and nothing may be left.
    public func run(keepsScore: Bool = false) -> Report {
        var simulation = Simulation(self, keepsScore: keepsScore)
        simulation.play()
        return simulation.report
    }
}

/// A run of a scenario: daemons come and go on one machine.
struct Simulation {
    let machine: Machine
    private var conductor: Conductor<SimulatedHost, SimulatedDisk>
    private var turns = 0
    private static let turnsAtOneInstant = 200
    /// How long all may take to come up or to go down once the faults have stopped.
    private static let patience = Duration.seconds(7_200)

    init(_ scenario: Scenario, keepsScore: Bool) {
        machine = Machine(scenario, keepsScore: keepsScore)
        conductor = Self.wake(on: machine)
    }

    var report: Report {
        Report(
            violations: machine.watch.violations, score: machine.score, turns: turns, daemons: machine.daemon,
            lived: machine.clock - .zero, digest: machine.digest.sum)
    }

    private var isBroken: Bool { !machine.watch.violations.isEmpty }

    // MARK: The two acts

    mutating func play() {
        while machine.actsLeft > 0 || machine.isBeingAsked, !isBroken { turn() }
        guard !isBroken else { return }
        machine.heal()
        machine.horizon = machine.clock + Self.patience
        while !machine.isDaemonAlive, !isBroken { turn() }
        while machine.isShuttingDown, !isBroken { turn() }
        awaitTrials()
        guard !isBroken else { return }
        comeUp()
        guard !isBroken else { return }
        seeRuns()
        guard !isBroken else { return }
        goDown()
    }

    /// Whatever is on trial is proved or taken back by itself: its time is over at last.
    private mutating func awaitTrials() {
        while !isBroken, let tried = machine.disk.state.stacks.first(where: { $0.trial != nil && !$0.isLeaving }) {
            if machine.isAsleep { return machine.violate("the trial of \(tried.request.stack.name) never ends") }
            turn()
        }
    }

    /// Everything that is applied is started, and must be up within the bound.
    private mutating func comeUp() {
        for round in 0..<64 {
            let stacks = machine.disk.state.stacks.map(\.request.stack.name).filter { name in
                machine.stackNow(name)?.isLeaving == false && (round < 8 || !machine.isHopeless(name))
            }.map { Target(stack: $0) }
            guard !stacks.isEmpty else { return }
            let leaving = machine.disk.state.stacks.filter { $0.isLeaving }.map { Target(stack: $0.request.stack.name) }
            if !leaving.isEmpty { judge([.follow(leaving, goal: .gone)]) }
            judge([.start(stacks), .follow(stacks, goal: .settled)])
            if isBroken { return }
            applyAgainWhatIsHeld()
            if isBroken { return }
            if machine.verdicts.last == .reached, isUp { return awaitRest() }
        }
        machine.violate(
            "not up after the faults stopped: \(machine.verdicts.last.map { "\($0)" } ?? "no verdict") \(rows)")
    }

    /// Nothing goes wrong any more: what is due often has its runs.
    private mutating func seeRuns() {
        let frequent = machine.seats.filter { seat in
            guard machine.isWanted(seat.id), let schedule = machine.specNow(of: seat.id.service)?.schedule else {
                return false
            }
            switch schedule.trigger {
            case .every: return true
            case .cron(let expression): return !machine.watch.wasSetBack && expression.text.hasPrefix("*")
            }
        }
        guard !frequent.isEmpty else { return }
        machine.horizon = .distantFuture
        // Two minutes and the jitter, and what was running before.
        let end = machine.clock + .seconds(300)
        while machine.clock < end, !isBroken, !machine.isAsleep { turn() }
        for seat in frequent where machine.isWanted(seat.id) {
            guard let place = machine.seatIndex[seat.id], machine.seats[place].launches == seat.launches else {
                continue
            }
            machine.violate("\(seat.id) had no run for five minutes: \(rows)")
        }
    }

    /// An update that was paused or rolled back, or config files that were refused, are tried again: now nothing goes wrong.
    private mutating func applyAgainWhatIsHeld() {
        for applied in machine.disk.state.stacks
        where !applied.rollouts.isEmpty || machine.hasRefused(applied.request.stack.name) {
            guard let place = machine.scenario.revisions.firstIndex(where: { $0.digest == applied.revision }) else {
                continue
            }
            machine.ask(Machine.judge, .apply(revision: place), pieces: 1)
            // What it needs may be disabled in the manifest: a person starts that too.
            let stack = Target(stack: applied.request.stack.name)
            judge([.start([stack]), .follow([stack], goal: .settled)])
        }
    }

    private mutating func goDown() {
        for applied in machine.disk.state.stacks where !isBroken {
            let name = applied.request.stack.name
            machine.horizon = machine.clock + Self.patience
            judge([.down(stack: name, timeout: nil), .follow([Target(stack: name)], goal: .gone)])
            // It says so of what outlives its kill, which goes when it can.
            if !isBroken, machine.verdicts.last != .reached,
                !machine.processes.contains(where: { $0?.watched.killedBy != nil })
            {
                machine.violate("\(name) does not go: \(machine.verdicts.last.map { "\($0)" } ?? "no verdict") \(rows)")
            }
        }
        machine.horizon = machine.clock + .seconds(60)
        while !machine.isAsleep, !isBroken { turn() }
        guard !isBroken else { return }
        if let left = machine.processes.compactMap({ $0 }).first {
            machine.violate("\(left.launch.number) is left in the keeper after down")
        }
        if !machine.sockets.isEmpty { machine.violate("a socket is left open after down") }
        if !machine.disk.state.stacks.isEmpty { machine.violate("a stack is left on the disk after down") }
        if conductor.deadline != nil { machine.violate("awake with nothing to do") }
        machine.checkHistory()
    }

    /// Asks, and waits for all answers.
    private mutating func judge(_ commands: [Command]) {
        machine.verdicts = []
        for command in commands { machine.ask(Machine.judge, .command(command), pieces: 1) }
        repeat {
            turn()
        } while !isBroken && machine.clients.contains { $0.name == Machine.judge && !$0.pending.isEmpty }
    }

    /// Whether everything runs that is to run. A service that ended well just before the faults stopped is down by right.
    private var isUp: Bool {
        for applied in machine.disk.state.stacks
        where !applied.isLeaving && !machine.isHopeless(applied.request.stack.name) {
            for spec in applied.request.stack.services {
                for replica in stride(from: 1, through: spec.replicas, by: 1) {
                    let service = ServiceID(stack: applied.request.stack.name, service: spec.name)
                    if !isUp(InstanceID(service: service, replica: replica), spec) { return false }
                }
            }
        }
        return true
    }

    private func isUp(_ id: InstanceID, _ spec: ServiceSpec) -> Bool {
        let seat = machine.seatIndex[id].map { machine.seats[$0] }
        let process = seat?.living.flatMap { machine.places[$0] }.flatMap { machine.processes[$0] }
        switch spec.kind {
        case .service:
            let action = seat?.lastEnd?.exit.flatMap { spec.onExit.action(for: $0) }
            return process?.isMainAlive == true || (process == nil && action == .ignore)
        case .task: return spec.schedule != nil || process == nil && seat?.lastEnd != nil
        }
    }

    /// What is not wanted goes too, be it that its place was lost with a former daemon.
    private mutating func awaitRest() {
        machine.horizon = machine.clock + .seconds(60)
        while !isBroken, let stray = machine.seats.first(where: { $0.living != nil && !machine.isWanted($0.id) }) {
            if machine.isAsleep { return machine.violate("\(stray.id) lives and is not wanted") }
            turn()
        }
        machine.checkConfigurations()
        machine.checkStored()
        machine.checkSockets()
    }

    private var rows: [String] {
        conductor.status.flatMap(\.instances).map { "\($0.id.name) \($0.phase.rawValue) \($0.reason)" }
    }

    // MARK: Turns

    mutating func turn() {
        let ending = conductor.turn()
        turns += 1
        if machine.isPastHorizon, !machine.isRehearsed {
            machine.isPastHorizon = false
            machine.violate("not at rest in time: \(rows)")
        }
        if !machine.isDaemonAlive { return replaceDaemon(after: .milliseconds(Int64(1 + machine.dice.below(30)))) }
        switch ending {
        case .replaced: return replaceDaemon(after: .milliseconds(5))
        case .shutdown: return restartAfterShutdown()
        case nil: break
        }
        if machine.shutsDownWithBatch { machine.endWithBatch() }
        if machine.isKeeperLost { return replaceDaemon(after: .seconds(Int64(1 + machine.dice.below(10)))) }
        checkTurn()
        machine.watch.endTurn()
    }

    /// Everything is stopped and the keeper ends too; later somebody starts orch again.
    private mutating func restartAfterShutdown() {
        for process in machine.processes.compactMap({ $0 }) {
            if process.isAlive {
                machine.violate("the daemon says that everything is stopped while \(process.launch.number) lives")
            }
        }
        for hook in machine.hooks where hook.isAlive {
            machine.violate("the daemon says that everything is stopped while hook \(hook.launch.number) lives")
        }
        machine.hooks = []
        machine.checkHistoryOfShutdown()
        for place in machine.processes.indices { machine.remove(place) }
        machine.highestLaunch = 0
        replaceDaemon(after: .seconds(Int64(1 + machine.dice.below(10))))
    }

    private mutating func replaceDaemon(after gap: Duration) {
        machine.bury()
        machine.watch.endTurn()
        machine.idle(for: gap)
        repeat {
            conductor = Self.wake(on: machine)
            if !machine.isDaemonAlive { machine.bury() }
        } while !machine.isDaemonAlive
        machine.watch.endTurn()
    }

    /// As orchd does it.
    private static func wake(on machine: Machine) -> Conductor<SimulatedHost, SimulatedDisk> {
        let (recovery, remarks) = machine.takeOver()
        let identity = DaemonIdentity(pid: Int32(machine.daemon), uid: 1000, startedAt: machine.now.wall)
        var conductor = Conductor(
            host: SimulatedHost(machine), store: SimulatedDisk(machine), recovery: recovery, remarks: remarks,
            identity: identity)
        machine.checkAdopted(conductor.status, recovery.notes)
        machine.checkTold(conductor.status)
        conductor.start()
        return conductor
    }

    private func checkTurn() {
        if let deadline = conductor.deadline, deadline <= machine.now.instant {
            machine.violate("the deadline does not lie in the future")
        }
        if machine.clock == machine.watch.lastInstant {
            machine.watch.turnsAtInstant += 1
            if machine.watch.turnsAtInstant > Self.turnsAtOneInstant { machine.violate("it spins: \(rows)") }
        } else {
            machine.watch.lastInstant = machine.clock
            machine.watch.turnsAtInstant = 0
        }
        if machine.isOnTrial { machine.checkTrials(conductor.status) }
        machine.checkDeadlines()
        for id in machine.watch.clients { machine.checkAnswered(id) }
        for seat in machine.watch.touched {
            let id = machine.seats[seat].id
            let status = conductor.process(of: id)
            machine.watchTold(seat, status)
            if let wrong = machine.disagreement(seat, status) {
                machine.violate("\(id) \(wrong)")
            }
        }
    }
}

extension Machine {
    /// Whoever asked as a whole has its answer by the end of the turn.
    func checkAnswered(_ id: ClientID) {
        guard let place = clientPlaces[id] else { return }
        for request in clients[place].pending where request.isComplete && !request.isStream {
            violate("client \(clients[place].name) gets no answer to \(request.question.summary(scenario))")
        }
        if clients[place].isUnwelcome, clients[place].isConnected, inbox.isEmpty, isDaemonAlive, clients[place].isHeard
        {
            violate("client \(clients[place].name) is not turned away")
        }
    }

    /// How the status of an instance differs from what is; nil when it does not.
    func disagreement(_ seat: Int, _ status: ProcessStatus?) -> String? {
        guard let launch = seats[seat].living, let place = places[launch], let process = processes[place] else {
            // What is left of it serves it still.
            guard let status, !hasErrands(seat) else { return nil }
            if mayHaveHook(seats[seat].id) {
                return status.pid == nil ? nil : "is called \(status.phase.rawValue) and has no process"
            }
            let (id, exit) = (seats[seat].id, seats[seat].lastEnd?.exit)
            let action = exit.flatMap { specNow(of: id.service)?.onExit.action(for: $0) }
            return status.pid == nil && (!status.phase.hasProcess || action == .ignore)
                ? nil : "is called \(status.phase.rawValue) and has no process"
        }
        if process.watched.isStray { return nil }
        if liesBeyondLimit(process) { return "is beyond its limit and left alone" }
        guard let status else { return "lives and has no status" }
        guard status.launch == launch else {
            return "lives as \(launch.number) and is called \(status.launch?.number ?? 0)"
        }
        guard status.phase.hasProcess else { return "lives as \(launch.number) and is called \(status.phase.rawValue)" }
        guard process.isMainAlive else {
            return status.pid == nil || process.executedAt == nil ? nil : "has ended and is called alive"
        }
        if status.pid != Int32(truncatingIfNeeded: launch.number) {
            return "has pid \(launch.number) and is called \(status.pid ?? 0)"
        }
        if status.phase == .ready, !process.watched.wasReady { return "is called ready and is not" }
        let isStopping = process.watched.step >= 0
        if process.watched.stopBegan != nil, !isStopping, mayHaveHook(seats[seat].id) { return nil }
        if (status.phase == .stopping || status.phase == .stuck) != isStopping {
            return "is at step \(process.watched.step) of its ladder and called \(status.phase.rawValue)"
        }
        return nil
    }
}

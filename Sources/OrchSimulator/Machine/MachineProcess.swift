// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// A launch as kernel and keeper know it, from the order until it is acknowledged.
final class MachineProcess {
    let launch: LaunchID
    var seat: Int
    var order: LaunchOrder
    var life: SimulatedLife
    let orderedAt: Instant

    var executedAt: Instant?
    var isMainAlive = false
    var hasChildren = false
    var exit: Exit?
    var exitedAt: Instant?
    /// The batch in which the daemon was last told of its end or of an answer.
    var newsIn = 0
    var fault: Fault?
    /// It was asked to end.
    var isTold = false
    /// SIGKILL is on its way.
    var isDoomed = false
    /// Kills that still miss something.
    var escapes: Int
    /// The ledger says how it ended.
    var isEndKept = false
    /// The daemon was told that nothing of it is left.
    var isEmptied = false
    var isReleased = false
    /// The mind is done with it, as its note says.
    var isClosed = false
    /// Signals that came before it executed.
    var waiting: [(Signal, StopSpec.Recipient)] = []
    /// Questions of earlier epochs are not answered any more.
    var epoch = 0
    var hasSpoken = false
    /// When a daemon last heard WATCHDOG=1 of it, or that it is ready.
    var fedAt: Instant?
    /// It is sick, and feeds its watchdog no more.
    var isMute = false
    /// The questions that were asked last.
    var asked: [(kind: ProbeKind, round: UInt64)] = []
    /// Its errands that run, and the daemon whose they are.
    var errands: [(runner: LaunchID, daemon: Int)] = []
    /// The launch that last ran a question or a step for it.
    var lastRunner: LaunchID?

    var watched: WatchedLaunch

    init(_ order: LaunchOrder, _ definition: Digest, seat: Int, life: SimulatedLife, at clock: Instant) {
        launch = order.launch
        self.order = order
        self.seat = seat
        self.life = life
        orderedAt = clock
        escapes = life.escapes
        watched = WatchedLaunch(definition)
    }

    /// Its end is known to the keeper.
    var isOver: Bool { exit != nil || fault != nil }
    /// Something of it lives, or is about to.
    var isAlive: Bool { !isOver || hasChildren }
}

/// The place of an instance, whatever is applied.
struct Seat {
    let id: InstanceID
    /// Launches so far.
    var launches = 0
    /// The launch that lives; of two the newer one.
    var living: LaunchID?
    /// The one beside which it was started.
    var former: LaunchID?
    /// How the last launch ended that is over as a whole.
    var lastEnd: LastEnd?
    /// What the oracle counts of it.
    var tries = WatchedTries()
    /// What status said of it at the end of the last turn that was about it.
    var told: Told?
}

struct LastEnd {
    var launch: LaunchID
    var orderedAt: Instant
    var at: Instant
    /// When nothing of it was left.
    var goneAt: Instant
    var exit: Exit?
    var definition: Digest
    var wasStopped: Bool
    /// Everything was being stopped: it may lead to nothing.
    var isOfShutdown: Bool
    /// The batch in which the daemon was told.
    var toldIn: Int
    var executedAt: Instant?
    /// Why its ladder began, if it did.
    var motive: StopMotive?
    var isScarcity: Bool
}

/// Processes live and die.
extension Machine {
    subscript(launch: LaunchID) -> Int? { places[launch] }

    func seat(of id: InstanceID) -> Int {
        if let seat = seatIndex[id] { return seat }
        seats.append(Seat(id: id))
        seatIndex[id] = seats.count - 1
        return seats.count - 1
    }

    /// The keeper gets the order.
    func launch(_ order: LaunchOrder) {
        guard places[order.launch] == nil else { return }
        openSockets(order)
        let seat = seat(of: order.instance)
        seats[seat].launches += 1
        seats[seat].former = seats[seat].living
        seats[seat].living = order.launch
        let definition = watch.definition ?? order.spec.definitionDigest
        watch.definition = nil
        var life = life(of: seat, order.spec)
        if order.launch.number <= highestLaunch {
            life.fault = Fault(step: "launch", subject: order.label, reason: "its number was used before (ESTALE)")
        }
        let process = MachineProcess(order, definition, seat: seat, life: life, at: clock)
        process.watched.configuration = order.spec.configurationDigest
        let place = freePlaces.popLast() ?? processes.count
        if place < processes.count { processes[place] = process } else { processes.append(process) }
        places[order.launch] = place
        unsent.append(order.launch)
        highestLaunch = max(highestLaunch, order.launch.number)
        later(process.life.execution, .executes(order.launch))
    }

    private func life(of seat: Int, _ spec: ServiceSpec) -> SimulatedLife {
        let nth = seats[seat].launches
        var life = SimulatedLife()
        if !isPeaceful, let found = quirk(of: seats[seat].id, nth) { life = found.life }
        if ledger.isFull {
            life.fault = Fault(
                step: "record the launch in", subject: "/run", reason: "no space left on device (ENOSPC)")
            life.isScarcity = true
        }
        guard spec.kind == .task, life.endsAfter == nil, !life.isEndless else { return life }
        life.endsAfter = .milliseconds(500)
        life.exit =
            spec.successExitCodes.first.map { if case .code(let code) = $0 { .code(code) } else { .code(0) } }
            ?? .code(0)
        return life
    }

    func quirk(of id: InstanceID, _ nth: Int) -> Quirk? {
        let own = quirks[id] ?? (isRehearsed ? quirks[InstanceID(service: id.service)] : nil)
        return own?.first { $0.nth == nth || $0.nth == Quirk.each }
    }

    func executes(_ launch: LaunchID) {
        guard let place = places[launch], let process = processes[place], !process.isOver, process.executedAt == nil
        else { return }
        if let fault = process.life.fault {
            process.fault = fault
            process.newsIn = batch
            if process.life.isScarcity { watch.lostRuns[process.order.instance, default: 0] += 1 }
            tell(.launchFailed(launch, fault, isScarcity: process.life.isScarcity))
            checkEmptiness(place)
            return
        }
        process.executedAt = clock
        process.isMainAlive = true
        process.hasChildren = process.life.childOutlives != nil
        let waiting = process.waiting
        process.waiting = []
        tell(.launched(launch, pid: Int32(truncatingIfNeeded: launch.number), ports: [], tracking: "cgroup"))
        if let endsAfter = process.life.endsAfter { later(endsAfter, .ends(launch, process.life.exit)) }
        if process.order.spec.ready != nil || process.order.spec.speaks {
            later(process.life.readyAfter, .speaks(launch))
        }
        if process.order.spec.watchdog != nil { later(process.life.readyAfter + .milliseconds(1), .feeds(launch)) }
        for (signal, recipient) in waiting { deliver(signal, to: recipient, place) }
        if process.isDoomed { later(process.life.diesWithin, .killed(launch)) }
        learnt(place)
    }

    func mainEnds(_ launch: LaunchID, _ exit: Exit) {
        guard let place = places[launch], processes[place]?.isMainAlive == true else { return }
        processes[place]?.isMainAlive = false
        processes[place]?.exit = exit
        processes[place]?.exitedAt = clock
        processes[place]?.newsIn = batch
        tell(.exited(launch, exit))
        if processes[place]?.hasChildren == true, let outlives = processes[place]?.life.childOutlives {
            later(outlives, .childrenEnd(launch))
        }
        checkEmptiness(place)
    }

    func childrenEnd(_ launch: LaunchID) {
        guard let place = places[launch], processes[place]?.hasChildren == true else { return }
        processes[place]?.hasChildren = false
        checkEmptiness(place)
    }

    /// SIGKILL takes effect.
    func dies(_ launch: LaunchID) {
        guard let place = places[launch], let process = processes[place] else { return }
        if process.isMainAlive { mainEnds(launch, .signal(.kill, coreDumped: false)) }
        guard process.hasChildren else { return }
        if process.escapes > 0 {
            processes[place]?.escapes -= 1
            processes[place]?.isDoomed = false
        } else {
            childrenEnd(launch)
        }
    }

    func checkEmptiness(_ place: Int) {
        guard let process = processes[place], process.isOver, !process.hasChildren, !process.isEmptied else { return }
        processes[place]?.isEmptied = true
        oweHooks(after: process)
        emptySeat(process)
        tell(.emptied(process.launch))
    }

    private func emptySeat(_ process: MachineProcess) {
        guard vacate(process) else { return }
        // One that was succeeded goes after its successor has ended well.
        if let last = seats[process.seat].lastEnd, last.launch > process.launch, process.watched.wasStopped,
            process.watched.motive != .failure
        {
            return
        }
        seats[process.seat].lastEnd = LastEnd(
            launch: process.launch, orderedAt: process.orderedAt, at: process.exitedAt ?? clock, goneAt: clock,
            exit: process.exit,
            definition: process.watched.definition, wasStopped: process.watched.wasStopped || process.watched.isStray,
            isOfShutdown: isShuttingDown, toldIn: process.newsIn,
            executedAt: process.executedAt, motive: process.watched.motive,
            isScarcity: process.fault != nil && process.life.isScarcity)
        countEnd(process.seat)
    }

    /// The launch does not live any more; true when it was the one that its instance is known by.
    @discardableResult func vacate(_ process: MachineProcess) -> Bool {
        if seats[process.seat].former == process.launch { seats[process.seat].former = nil }
        guard seats[process.seat].living == process.launch else { return false }
        seats[process.seat].living = seats[process.seat].former
        seats[process.seat].former = nil
        return true
    }

    func speaks(_ launch: LaunchID) {
        guard let place = places[launch], let process = processes[place], process.isMainAlive else { return }
        processes[place]?.hasSpoken = true
        tell(.notified(launch, process.order.spec.ready?.notice ?? .ready))
        if isDaemonAlive { processes[place]?.watched.hasSaidReady = true }
        hears(place, .ready)
        stores(place)
        learnt(place)
    }

    func answers(_ launch: LaunchID, _ kind: ProbeKind, _ round: UInt64, _ epoch: Int, _ limit: Duration?) {
        guard let place = places[launch], let process = processes[place], process.epoch == epoch, !process.isReleased
        else { return }
        let result: ProbeResult
        if let limit {
            result = .failure("no answer within \(limit.text)")
        } else if process.isMainAlive, let executedAt = process.executedAt,
            clock - executedAt >= process.life.readyAfter
        {
            result = process.life.isSick(at: clock - executedAt) ? .failure("it is sick") : .success
        } else {
            result = .failure("connection refused")
        }
        tell(.probed(launch, kind, round: round, result))
        counted(place, kind, round, result)
    }

    func deliver(_ signal: Signal, to recipient: StopSpec.Recipient, _ place: Int) {
        guard let process = processes[place], process.isAlive else { return }
        guard process.executedAt != nil || process.isOver else {
            processes[place]?.waiting.append((signal, recipient))
            return
        }
        guard signal != .hangup else {
            // What it takes as a call to order.
            processes[place]?.life.sickensAfter = nil
            beginsToReload(place)
            return
        }
        processes[place]?.isTold = process.watched.stopBegan != nil
        guard let within = signal == .kill ? process.life.diesWithin : process.life.stopsWithin else { return }
        if process.isMainAlive { later(within, .ends(process.launch, .signal(signal, coreDumped: false))) }
        if process.hasChildren, recipient == .tree || !process.isMainAlive {
            later(within + .milliseconds(1), .childrenEnd(process.launch))
        }
    }

    func kill(_ place: Int) {
        guard let process = processes[place], process.isAlive, !process.isDoomed else { return }
        processes[place]?.isDoomed = true
        if process.executedAt != nil { later(process.life.diesWithin, .killed(process.launch)) }
    }

    func release(_ place: Int) {
        guard let process = processes[place], !process.isReleased else { return }
        processes[place]?.isReleased = true
        processes[place]?.epoch += 1
        later(process.life.drainsAfter, .drains(process.launch, daemon: daemon))
    }

    /// Its pipes are empty: the keeper may forget it.
    func drains(_ launch: LaunchID) {
        guard isDaemonAlive, let place = places[launch] else { return }
        tell(.drained(launch))
        checkTold(launch)
        remove(place)
    }

    func remove(_ place: Int) {
        guard let process = processes[place] else { return }
        places[process.launch] = nil
        processes[place] = nil
        freePlaces.append(place)
    }
}

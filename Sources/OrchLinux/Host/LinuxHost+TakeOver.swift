// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
public import OrchEngine
public import OrchModel

/// The beginning: what the keeper holds, and what a former daemon left.
extension LinuxHost {
    /// What was found.
    public struct Inheritance {
        /// Of services, sorted; for `Recovery`.
        public var survivors: [Survivor] = []
        /// Of what the former daemon had closed, what it did not live to drain.
        public var closed: [ClosedLaunch] = []
        /// Of services, with what the keeper holds.
        public var sockets: [OpenSockets] = []
        /// Instances that have handed descriptors over.
        public var stored: [InstanceID] = []
        /// No launch up to this was made by this keeper; 0 when there was none.
        public var highestLaunch: UInt64 = 0
        /// 1 for the first daemon of this keeper.
        public var daemonStarts: UInt64 = 0
    }
    /// How long the keeper may take to tell.
    private static let handOverPatience = Duration.seconds(30)

    /// The notes of this boot, for `Recovery`; empty after a boot. Ask before `takeOver`, which lets them go.
    public var notes: [LaunchNote] { ledger.notes }
    /// Whether the notes are of another boot, or there are none.
    public var isNewBoot: Bool { ledger.isNew }

    /// Learns what lives, adopts the services among it and ends the rest: probes and steps of the former daemon, and processes that a
    /// keeper that is no more has left. Exits that come meanwhile are events of the next `wait`.
    ///
    /// - Parameter disk: how an instance logs, as the disk says it. Asked for once all is heard; a daemon that can't read it does not
    ///   greet the keeper.
    public func takeOver(disk: () throws(Fault) -> (InstanceID) -> LoggingSpec?) throws(Fault) -> Inheritance {
        pump.hold()
        isPumpHeld = true
        var (states, end, later) = try hearHandOver()
        states.sort { $0.0 < $1.0 }
        resumeSockets(&states)
        resumeStored(&states)
        let noted = SmallFile.names(in: run.launches).compactMap { UInt64($0) }.map { LaunchID($0) }.sorted()
        let leftovers = groups?.leftovers() ?? [:]
        let known = try states.map { (launch, state) throws(Fault) in
            adopt(launch, state, try LaunchContext.load(launch, from: run.launches), leftovers[launch])
        }
        // So far it has only looked.
        let logging = try disk()
        try greet()
        Failpoint.handOverHeard.reach()
        var inheritance = Inheritance(highestLaunch: end.highestLaunch, daemonStarts: end.daemonStarts)
        daemonStarts = end.daemonStarts
        findLostSockets()
        inheritance.sockets = socketsByService
        inheritance.stored = instancesWithStored
        let keeperName = keeperName()
        let isKeeperNew = SmallFile.text(run.keeper, limit: 64) != keeperName
        wereAnnounced = Self.announced(in: ledger.notes)
        defer { wereAnnounced = [] }
        let released = Set(ledger.notes.compactMap { if case .released(let launch) = $0 { launch } else { nil } })
        for ((launch, state), record) in zip(states, known) {
            attachPipes(of: record, state, logging)
            guard record.isService else { continue }
            let found = survivor(record, state)
            if released.contains(launch) {
                record.isEmpty = true
                inheritance.closed.append(
                    ClosedLaunch(
                        launch: launch, instance: record.context?.instance, fault: found.fault, exit: found.exit))
            } else {
                inheritance.survivors.append(found)
            }
        }
        // Those on record that the keeper did not tell of.
        let missing = noted.filter { records[$0] == nil }
        let marked = isKeeperNew || !missing.isEmpty ? markedProcesses() : [:]
        for (launch, members) in findLost(missing.filter { !released.contains($0) }, leftovers, marked) {
            guard let survivor = try adoptLost(launch, members, leftovers[launch], logging) else { continue }
            inheritance.survivors.append(survivor)
        }
        let gone = missing.filter { released.contains($0) }
        inheritance.closed += try findClosed(gone, leftovers, isKeeperNew: isKeeperNew)
        for record in records.values.sorted(by: { $0.launch < $1.launch }) {
            if !record.isService { kill(record.launch) }
            checkEmptiness(of: record)
        }
        Failpoint.launchesAdopted.reach()
        clearLeftovers(noted, leftovers, marked)
        Failpoint.leftoversCleared.reach()
        resumeReadiness()
        for message in later { observe(message) }
        nameKeeper(keeperName)
        ledger.settle(open: Set(records.keys))
        return inheritance
    }

    /// Also what the keeper told behind it, which is for later.
    private func hearHandOver() throws(Fault) -> ([(LaunchID, KeeperState)], HandOver, [KeeperMessage]) {
        var states: [(LaunchID, KeeperState)] = []
        let deadline = now.instant + Self.handOverPatience
        while true {
            let messages = hearKeeper()
            // Half of it would leave services without a log or without their end: the next daemon may have room for all.
            guard keeper.cutMessages == 0 else { throw Self.shortage }
            for (place, message) in messages.enumerated() {
                switch message {
                case .state(let launch, let state): states.append((LaunchID(launch), state))
                case .stateEnd(let end): return (states, end, Array(messages[(place + 1)...]))
                case .closed:
                    if let foreign = keeper.foreignProtocol { throw Self.foreign(foreign) }
                    keeperClosed()
                    guard isKeeperLost else { throw Self.hungUp }
                    throw Fault(step: "take over from", subject: "the keeper", reason: "it closed the connection")
                // Nothing else comes before the hand-over is complete (keeper_protocol.h).
                case .spawned, .executed, .spawnFailed, .ended, .renewed: break
                }
            }
            var poll = pollfd(fd: keeper.number, events: Int16(POLLIN), revents: 0)
            let left = deadline - now.instant
            guard left > .zero,
                unsafe Glibc.poll(&poll, 1, Int32(clamping: left.nanoseconds / 1_000_000 + 1)) >= 0 || errno == EINTR
            else {
                throw Fault(step: "take over from", subject: "the keeper", reason: "it does not answer")
            }
        }
    }

    private func greet() throws(Fault) {
        do { try keeper.greet() } catch { throw error.fault(step: "greet", subject: "the keeper") }
    }

    func adopt(
        _ launch: LaunchID, _ state: KeeperState, _ context: LaunchContext?, _ group: ControlGroup?
    ) -> LaunchRecord {
        let record = LaunchRecord(launch, context == nil ? .stray : .service)
        record.context = context
        record.isKnownToKeeper = true
        records[launch] = record
        if let group, !areGroupsBroken { record.group = group }
        if let process = state.process { born(record, process) }
        record.progress = state.progress
        switch state.progress {
        case .queued, .starting: break
        case .running: record.hasExecuted = true
        case .failed, .ended: record.isOver = true
        }
        holdPorts(of: record, true)
        return record
    }

    func attachPipes(of record: LaunchRecord, _ state: KeeperState, _ logging: (InstanceID) -> LoggingSpec?) {
        guard let context = record.context else { return }
        // Before the pump, which takes a pipe that nobody can write to for one that is at its end.
        resumeSeat(of: record, context, state)
        for (pipe, parcel) in zip(context.pipes, state.heldReadEnds) {
            attach(parcel.take(), pipe, record, logging(context.instance) ?? LoggingSpec())
        }
    }

    private func survivor(_ record: LaunchRecord, _ state: KeeperState) -> Survivor {
        var survivor = Survivor(launch: record.launch, pid: record.pid, hasExecuted: record.hasExecuted)
        switch state.progress {
        case .queued, .starting, .running: break
        case .failed(let failure): survivor.fault = fault(of: record, failure)
        case .ended(let end):
            survivor.hasExecuted = true
            survivor.exit = end.exit
        }
        return survivor
    }

    /// Nobody knows these launches any more: nothing of them may run beside what is started now.
    private func clearLeftovers(
        _ noted: [LaunchID], _ leftovers: [LaunchID: ControlGroup], _ marked: [LaunchID: [ProcessEntry]]
    ) {
        for (launch, group) in leftovers where records[launch] == nil {
            group.kill()
            group.remove()
        }
        for launch in noted where records[launch] == nil { LaunchContext.remove(launch, from: run.launches) }
        for name in SmallFile.names(in: run.secrets) {
            guard let number = UInt64(name), records[LaunchID(number)] == nil else { continue }
            SecretFiles.remove(run.secrets(of: LaunchID(number)))
        }
        for (launch, members) in marked where records[launch] == nil {
            for member in members { member.identity.send(.kill) }
        }
    }

    /// All that bear the mark of a launch of ours in their environment.
    private func markedProcesses() -> [LaunchID: [ProcessEntry]] {
        var found: [LaunchID: [ProcessEntry]] = [:]
        for pid in SmallFile.names(in: "/proc").compactMap({ Int32($0) }) where pid != getpid() {
            guard let launch = ProcessTable.launch(of: pid, mark: run.mark), let entry = ProcessTable.entry(of: pid),
                entry.isAlive
            else { continue }
            found[LaunchID(launch), default: []].append(entry)
        }
        return found
    }

    /// The keeper, so that it can't be mistaken for another.
    private func keeperName() -> String {
        let pid = keeper.keeperPid
        return "\(pid) \(corch_process_start_ticks(pid))\n"
    }

    /// From now on it holds everything that lives: later daemons need not look further. Not being able to say so costs them the look.
    private func nameKeeper(_ name: String) {
        guard let file = try? SmallFile.open(run.keeper, O_WRONLY | O_CREAT | O_TRUNC) else { return }
        try? SmallFile.write(Array(name.utf8), to: file.number)
    }
}

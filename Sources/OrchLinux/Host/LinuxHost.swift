// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import OrchDaemon
internal import OrchEngine
public import OrchModel

/// Linux as the daemon sees it: one epoll loop, the keeper for processes, other threads for log bytes.
/// What can't be done comes back as a fact; nothing here decides.
public final class LinuxHost: Host {
    /// What a host is made of.
    public struct Parts: ~Copyable {
        /// The socket pair's end that the keeper gave.
        public var keeper: Descriptor
        /// The control socket that the keeper lends; nil serves no clients.
        public var listener: Descriptor?
        /// The notify socket that the keeper lends, bound in `run`; nil: it is bound anew.
        public var notify: Descriptor?
        /// Holds the state directory's lock, as the keeper does; nil for one that did not lend it.
        public var lock: Descriptor?
        /// The file of the keeper that started this daemon.
        public var keeperProgram: Descriptor?
        public var run: RunDirectory
        /// Where default logs go, absolute.
        public var state: String
        /// Hold trees by session even where control groups could be made (`ORCH_TRACKING=session`).
        public var forcesSessionTracking = false
        /// Where journald and syslog listen.
        public var forwarding = ForwardPaths()
        /// orch-edge, absolute; nil when it is not installed.
        public var edgeProgram: String?

        public init(keeper: consuming Descriptor, listener: consuming Descriptor?, run: RunDirectory, state: String) {
            self.keeper = keeper
            self.listener = listener
            self.run = run
            self.state = state
        }
    }

    let run: RunDirectory
    let state: String
    var poller: Poller
    let signals: SignalSource
    /// Nil where the kernel refuses it: schedules then follow a set clock at their next look.
    let clockWatch: ClockWatch?
    let keeper: KeeperLink
    let clients: ClientListener?
    let notify: NotifySocket?
    let pump: LogPump
    let terminals: Terminals
    let groups: ControlGroupRoot?
    /// A process could not be born in its group though the group could be made; from then on trees are held by session.
    var areGroupsBroken = false
    private let lock: HeldDescriptor?
    var lockNumber: Int32 { lock?.number ?? -1 }
    let tracker: SessionTracker
    var ledger: LaunchLedger
    var records: [LaunchID: LaunchRecord] = [:]
    /// By the process that the keeper started, until its tree is empty.
    var launchesByPid: [Int32: LaunchID] = [:]
    /// Ports that launches were given, until their trees are empty.
    var portHolders: [PortClaim.Key: LaunchID] = [:]
    var connections: [UInt64: ConnectionProbe] = [:]
    var nextConnection: UInt64 = 1
    /// Questions that wait for a line.
    var awaitedSigns: [LineSign: AwaitedSign] = [:]
    var appointments = DeadlineQueue()
    /// A look at the session-held trees is arranged.
    var isLooking = false
    let fileWatch: FileWatch
    var readyFiles: ReadyFiles
    var isReadinessWatched = false
    /// Open for services, by number.
    var sockets: [HeldSocket] = []
    /// Handed over by services, by number.
    var stored: [StoredDescriptor] = []
    /// Edges and sockets of this daemon.
    var ownNumbers: UInt64 = 0
    /// Launches whose awaited line has come and waits in its pipe.
    var awaitedLines: [LaunchID] = []
    /// While launches are taken over: those that were ready already, or had said so.
    var wereAnnounced: Set<LaunchID> = []
    /// What the next `wait` returns first.
    var outbox: [Input] = []
    var isKeeperWatchedForWriting = false
    /// From `takeOver` to the first `wait`.
    var isPumpHeld = false
    /// The keeper is gone: no process can be made or heard of any more. The daemon must end.
    public internal(set) var isKeeperLost = false
    /// The keeper lives and does not speak to this daemon any more. The daemon must end, and another one begins anew.
    public internal(set) var isKeeperDeaf = false
    /// Readable once it is dead; nil when it could not be had.
    let keeperProcess: HeldDescriptor?
    /// What the keeper is to become, while it has not answered.
    var renewal: Upgrade?
    /// The file of the keeper that started this daemon: what this process becomes when it is lost. Nil: one that did not say.
    let keeperProgram: HeldDescriptor?
    var edge: EdgeSeat
    /// 1 for the first daemon.
    var daemonStarts: UInt64 = 1
    /// The memory controller works in our subtree.
    var groupsCountMemory = false
    /// Controllers were handed down to the groups of launches, as far as that can be.
    var areControllersHandedDown = false
    /// The last look at each file system.
    var diskLooks: [String: DiskLook] = [:]
    var lastUsage: [LaunchID: Measured] = [:]

    /// Opens everything. Call `takeOver` next. Make it before any other thread exists that does not block all signals.
    public init(_ parts: consuming Parts) throws(Fault) {
        run = parts.run
        state = parts.state
        readyFiles = ReadyFiles(folder: run.readiness)
        edge = EdgeSeat(program: parts.edgeProgram)
        do {
            signals = try SignalSource()
            poller = try Poller()
            keeper = try KeeperLink(descriptor: parts.keeper, greets: false)
            keeperProcess = keeper.keeperProcess()
            fileWatch = try FileWatch()
            pump = try LogPump(home: parts.state, forwarding: parts.forwarding)
            terminals = try Terminals(path: parts.run.attachSocket, pump: pump)
        } catch {
            throw error.fault(step: "start", subject: "the daemon's loop")
        }
        clockWatch = try? ClockWatch()
        if let taken = parts.lock.take() { lock = HeldDescriptor(taken) } else { lock = nil }
        let program = parts.keeperProgram.take()
        if let program { keeperProgram = HeldDescriptor(program) } else { keeperProgram = nil }
        if let listener = parts.listener.take() { clients = ClientListener(listener) } else { clients = nil }
        if let held = parts.notify.take() {
            notify = NotifySocket(held, path: run.notifySocket, digest: run.mark)
        } else {
            do { notify = try NotifySocket(path: run.notifySocket, digest: run.mark) } catch {
                notify = nil
                let fault = error.fault(step: "listen for notifications at", subject: run.notifySocket)
                outbox.append(.remarked(fault.text))
            }
        }
        tracker = SessionTracker(mark: run.mark)
        ledger = try LaunchLedger(path: run.ledger)
        var obstacle: Fault?
        groups = Self.groups(run.mark, isRefused: parts.forcesSessionTracking, &obstacle)
        if let obstacle { outbox.append(.remarked(obstacle.text)) }
        try watchAll()
    }

    private static func groups(_ mark: String, isRefused: Bool, _ obstacle: inout Fault?) -> ControlGroupRoot? {
        guard !isRefused else { return nil }
        do { return try ControlGroupRoot.establish(digest: mark) } catch {
            obstacle = error
            return nil
        }
    }

    private func watchAll() throws(Fault) {
        do {
            try poller.watch(signals.descriptor.number, .reading, as: .signals)
            try poller.watch(keeper.number, .reading, as: .keeper)
            try poller.watch(pump.noticeDescriptor, .reading, as: .logs)
            try poller.watch(fileWatch.noticeDescriptor, .reading, as: .files)
            if let notify { try poller.watch(notify.descriptor.number, .reading, as: .notify) }
            if let groups { try poller.watch(groups.changes.descriptor.number, .reading, as: .groups) }
            if let clockWatch { try poller.watch(clockWatch.descriptor.number, .reading, as: .clock) }
            try clients?.start(poller)
        } catch {
            throw error.fault(step: "watch", subject: "the daemon's descriptors")
        }
    }

    public var now: Moment { Clock.now }

    // MARK: What goes out

    public func perform(_ output: Output) {
        switch output {
        case .effect(let effect): perform(effect)
        case .send(let client, let bytes):
            Failpoint.answerReady.reach()
            if let clients { outbox += clients.send(bytes, to: client, poller) }
            Failpoint.answerSent.reach()
        case .close(let client): clients?.close(client, poller)
        case .rotate(let number, let subjects): rotate(number, subjects)
        case .renew(let upgrade): renew(upgrade)
        case .end(let ending): end(ending)
        }
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .launch(let order): launch(order)
        case .signal(let launch, let signal, let recipient): send(signal, to: recipient, of: launch)
        case .runStep(let launch, let step, let action, let runner, let limit):
            runStep(step, action, of: launch, runner: runner, limit: limit)
        case .run(let errand): run(errand)
        case .endErrand(_, let runner): endErrand(runner)
        case .kill(let launch): kill(launch)
        case .release(let launch): release(launch)
        case .probe(let launch, let kind, let round, let probe, let runner):
            ask(launch, kind, round, probe, runner: runner)
        case .ask(let need, let round, let timeout): ask(need, round, timeout: timeout)
        case .endProbes(let launch): endProbes(of: launch)
        case .relog(let launch, let logging): relog(launch, logging)
        case .rename(let launch, let instance, let logging): rename(launch, instance, logging)
        case .note(let note): self.note(note)
        case .sockets(let service, let sockets, let former): keepSockets(sockets, of: service, former: former)
        case .dropStored(let instance): dropStored(of: instance)
        case .watch(let service, let rules): watch(rules, for: service)
        case .react(let launch, let action, let runner): react(action, for: launch, runner: runner)
        case .measure(let questions): measure(questions)
        case .measureHost(let wanted): measureHost(wanted)
        case .readZone(let name): outbox.append(.event(.zoneRead(name, ZoneFile.read(name))))
        // History and the revisions are the store's; the loop hands them there.
        case .record, .keep, .keepUpdates, .goBack, .forget, .mark: break
        }
    }

    private func note(_ note: LaunchNote) {
        if case .renamed(let former, let present) = note { renameStored(former, to: present) }
        if let fault = ledger.append(note) { outbox.append(.remarked(fault.text)) }
        if ledger.isOvergrown { ledger.compact(open: Set(records.keys)) }
    }

    // MARK: What comes in

    public func wait(until deadline: Instant?) -> [Input] {
        letLinesGo()
        while true {
            let inputs = pass(until: deadline)
            if !inputs.isEmpty { return inputs }
            if let deadline, deadline <= now.instant { return [] }
        }
    }

    /// Half of what the keeper waits before it looks whether it is heard.
    private static let longWait = Duration.milliseconds(2_500)

    /// One turn of the loop. The host wakes up for its own sake too, and then has nothing to tell.
    func pass(until deadline: Instant?) -> [Input] {
        if isPumpHeld {
            isPumpHeld = false
            pump.begin()
        }
        let wake = [deadline, appointments.next, edge.link?.deadline].compactMap(\.self).min()
        if outbox.isEmpty, wake.map({ $0 - now.instant > Self.longWait }) ?? true { keeper.rest() }
        let ready = poller.wait(
            nanoseconds: outbox.isEmpty ? wake.map { max(0, $0.nanoseconds - now.instant.nanoseconds) } : 0)
        var inputs = outbox
        outbox = []
        inputs += hearKeeperAndServices(ready)
        for one in ready { inputs += serve(one) }
        for appointment in appointments.take(at: now.instant) { meet(appointment) }
        if let overdue = edge.link?.deadline, overdue <= now.instant { hearEdge() }
        flushKeeper()
        inputs += outbox
        outbox = []
        return inputs
    }

    /// Facts about processes, in this order: what began, what services said, what ended. A service's last words are read before its end.
    private func hearKeeperAndServices(_ ready: [Poller.Ready]) -> [Input] {
        let sources = ready.map(\.source)
        guard sources.contains(.keeper) || sources.contains(.notify) else { return [] }
        let messages = hearKeeper()
        for message in messages where !message.isEnd { observe(message) }
        hearNotices()
        for message in messages where message.isEnd { observe(message) }
        defer { outbox = [] }
        return outbox
    }

    private func serve(_ ready: Poller.Ready) -> [Input] {
        switch ready.source {
        case .keeper, .notify: break
        case .signals: return signals.receive().compactMap { $0 == .hangup ? nil : .terminationRequested }
        case .listener: return clients?.accept(poller) ?? []
        case .client(let number): return clients?.serve(number, ready, poller) ?? []
        case .groups: groupsChanged()
        case .files: filesChanged()
        case .readiness: for launch in readyFiles.spoken() { lineCame(launch) }
        case .logs: logsChanged()
        case .edge: hearEdge()
        case .clock: return clockWatch?.wasSet() == true ? [.event(.clockSet)] : []
        case .connection(let number): connectionDecided(number)
        case .output(let number): outputCame(LaunchID(number))
        }
        return []
    }

    private func meet(_ appointment: DeadlineQueue.Appointment) {
        switch appointment {
        case .look:
            isLooking = false
            look()
        case .emptiness(let launch): records[launch].map { checkEmptiness(of: $0) }
        case .runner(let launch): runnerIsLate(launch)
        case .connection(let number): connectionIsLate(number)
        case .line(let sign, let round): lineIsLate(sign, round)
        case .survivors(let launch): reportSurvivors(of: launch)
        case .rotation(let number): hear(pump.giveUpRotation(number))
        case .renewal: renewalIsLate()
        }
    }
}

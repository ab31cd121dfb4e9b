// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

extension KeeperMessage {
    /// It tells of an end.
    var isEnd: Bool {
        switch self {
        case .spawnFailed, .ended, .closed: true
        case .spawned, .executed, .state, .stateEnd, .renewed: false
        }
    }
}

/// What the keeper tells.
extension LinuxHost {
    func hearKeeper() -> [KeeperMessage] {
        let before = keeper.cutMessages
        defer { if keeper.cutMessages != before { outbox.append(.remarked(Self.shortage.text)) } }
        do { return try keeper.receive() } catch {
            outbox.append(.remarked(error.fault(step: "listen to", subject: "the keeper").text))
            return []
        }
    }

    /// What the keeper hands over does not fit into this process.
    static var shortage: Fault {
        var own = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &own)
        return SystemError("recvmsg", code: EMFILE).fault(
            step: "take all descriptors from", subject: "the keeper",
            remedy:
                "the daemon may have \(own.rlim_cur): raise LimitNOFILE of its unit, or `ulimit -Hn` where it is started"
        )
    }

    /// The conversation is over. Only a keeper that is dead is followed by this process: beside one that hung up there would be two.
    func keeperClosed() {
        if let keeperProcess {
            var end = pollfd(fd: keeperProcess.number, events: Int16(POLLIN), revents: 0)
            isKeeperLost = unsafe poll(&end, 1, Self.deathPatience) > 0
        } else {
            isKeeperLost = true
        }
        isKeeperDeaf = !isKeeperLost
    }

    /// Milliseconds from the close of a dying process's files until it is dead.
    private static let deathPatience: Int32 = 2_000

    /// Sends what waits; asks to be woken when the socket takes more.
    func flushKeeper() {
        do { try keeper.flush() } catch {
            outbox.append(.remarked(error.fault(step: "talk to", subject: "the keeper").text))
        }
        guard keeper.wantsWrite != isKeeperWatchedForWriting else { return }
        isKeeperWatchedForWriting = keeper.wantsWrite
        poller.change(keeper.number, keeper.wantsWrite ? [.reading, .writing] : .reading, as: .keeper)
    }

    func observe(_ message: KeeperMessage) {
        switch message {
        case .spawned(let launch, let process): records[LaunchID(launch)].map { born($0, process) }
        case .executed(let launch): records[LaunchID(launch)].map { executed($0) }
        case .spawnFailed(let launch, let failure): records[LaunchID(launch)].map { failed($0, failure) }
        case .ended(let launch, let end):
            records[LaunchID(launch)].map {
                $0.progress = .ended(end)
                ended($0, end.exit)
            }
        // Only at the beginning; `takeOver` reads them.
        case .state, .stateEnd: break
        case .renewed(let code): keeperRenewed(code)
        case .closed:
            keeperClosed()
            poller.forget(keeper.number)
            outbox.append(
                .remarked(
                    isKeeperLost
                        ? "orch-keeper was killed: the services run on, and the next one takes them over at once"
                        : Self.hungUp.text))
        }
    }

    static func foreign(_ version: Int) -> Fault {
        Fault(
            step: "take over from", subject: "the keeper",
            reason:
                "it speaks version \(version) of what the keeper and the daemon say to each other, and this orchd \(KeeperLink.protocolNumber)",
            remedy: "install orch's programs together: make install; services that run are not touched meanwhile")
    }

    static var hungUp: Fault {
        Fault(
            step: "listen to", subject: "the keeper", reason: "it lives and has hung up",
            remedy: "this daemon ends, the services run on, and the keeper starts another one")
    }

    func born(_ record: LaunchRecord, _ process: KeeperProcess) {
        Failpoint.birthHeard.reach()
        record.pid = process.pid
        record.startTicks = process.startTicks
        launchesByPid[process.pid] = record.launch
        let identity = ProcessIdentity(pid: process.pid, startTicks: process.startTicks)
        record.main = identity
        record.pidfd = process.pidfd?.take()
        if record.group == nil { tracker.add(record.launch, identity) }
    }

    func executed(_ record: LaunchRecord) {
        // A notification may have said so before.
        guard !record.hasExecuted else { return }
        record.hasExecuted = true
        tellPid(of: record)
        if record.isService {
            outbox.append(
                .event(
                    .launched(
                        record.launch, pid: record.pid, ports: record.context?.ports ?? [], tracking: record.tracking)))
        }
        let said = record.waitingNotices
        record.waitingNotices = []
        for notice in said { heard(notice, from: record) }
        let waiting = record.waitingSignals
        record.waitingSignals = []
        for (signal, recipient) in waiting { send(signal, to: recipient, of: record.launch) }
        if record.isDoomed { kill(record.launch) }
    }

    private func failed(_ record: LaunchRecord, _ failure: SpawnFailure) {
        if failure.stage == .table || failure.stage == .stale { record.isKnownToKeeper = false }
        let fault = fault(of: record, failure)
        record.isOver = true
        record.pidfd = nil
        record.progress = .failed(failure)
        switch record.role {
        case .service:
            let isScarcity = Reason.isScarcity(failure.code) || failure.stage == .table || isGroupFault(failure, record)
            outbox.append(.event(.launchFailed(record.launch, fault, isScarcity: isScarcity)))
        case .probe, .step, .errand, .reaction: answer(record, isScarce: Reason.isScarcity(failure.code), fault)
        case .edge: outbox.append(.remarked(fault.text))
        case .stray: break
        }
        checkEmptiness(of: record)
    }

    /// Whether the control group was the reason; then it is done without from now on.
    private func isGroupFault(_ failure: SpawnFailure, _ record: LaunchRecord) -> Bool {
        let isRefusal =
            failure.stage == .clone && [EACCES, EPERM, EBUSY, EOPNOTSUPP, ENODEV, EINVAL].contains(failure.code)
        guard record.group != nil, failure.stage == .controlGroup || isRefusal else { return false }
        areGroupsBroken = true
        outbox.append(
            .remarked(
                "processes can't be born in control groups here (\(Reason.text(failure.code))): they are tracked by session from now on"
            ))
        return true
    }

    func fault(of record: LaunchRecord, _ failure: SpawnFailure) -> Fault {
        let context = record.context
        let input: String? = if case .file(let path) = context?.process.input { path } else { nil }
        return SpawnFault.make(
            failure, program: context?.program ?? "", directory: context?.directory ?? "/", user: context?.user,
            search: context?.environment.searchPath ?? [], input: input)
    }

    private func ended(_ record: LaunchRecord, _ exit: Exit) {
        Failpoint.endHeard.reach()
        record.isOver = true
        record.pidfd = nil
        switch record.role {
        case .service:
            tellOutOfMemory(record, exit)
            outbox.append(.event(.exited(record.launch, exit)))
        case .probe, .step, .errand, .reaction: runnerEnded(record, exit)
        case .edge: outbox.append(.remarked("orch-edge ended (\(exit.text)); it is started again when it is needed"))
        case .stray: break
        }
        checkEmptiness(of: record)
    }
}

extension ProcessEnd {
    var exit: Exit {
        switch outcome {
        case .exited(let code): .code(code)
        case .killed(let signal, let coreDumped): .signal(Signal(number: signal), coreDumped: coreDumped)
        case .unknown: .unknown("orch-keeper was killed before it ended")
        }
    }
}

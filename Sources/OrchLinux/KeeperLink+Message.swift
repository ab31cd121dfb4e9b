// SPDX-License-Identifier: Apache-2.0
internal import COrch

/// A descriptor on its way to its owner: whoever takes it owns it; untaken it is closed.
public final class DescriptorParcel {
    private var number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    /// To be borrowed; -1 when it was taken.
    var borrowed: Int32 { number }

    /// The descriptor, once; nil when it was taken before.
    public func take() -> Descriptor? {
        guard number >= 0 else { return nil }
        defer { number = -1 }
        return Descriptor(owning: number)
    }

    deinit {
        if number >= 0 { _ = Descriptor(owning: number) }
    }
}

/// What the keeper tells. Facts about one launch arrive in the order in which they happened.
public enum KeeperMessage {
    /// The child exists; it has not executed its program yet.
    case spawned(launch: UInt64, process: KeeperProcess)
    /// The program runs.
    case executed(launch: UInt64)
    /// There is no process, and there won't be one. Acknowledge it.
    case spawnFailed(launch: UInt64, SpawnFailure)
    /// The process has ended and is reaped. Acknowledge it when it is recorded and its pipes are drained.
    case ended(launch: UInt64, ProcessEnd)
    /// Hand-over: one launch the keeper knows of.
    case state(launch: UInt64, KeeperState)
    /// Hand-over: that was all.
    case stateEnd(HandOver)
    /// The answer to `renew`: 0 from the new keeper, errno from the one that it was.
    case renewed(code: Int32)
    /// The keeper is gone, hung up, or speaks another version: nothing more will come.
    case closed
}

/// A process that the keeper started.
public struct KeeperProcess {
    public var pid: Int32
    /// Ticks of 1/100 s since boot, field 22 of `proc_pid_stat(5)`.
    public var startTicks: UInt64
    /// Refers to the process for ever; readable when it has ended. Nil once the keeper knows its end, and when there was no room for it.
    public var pidfd: DescriptorParcel?
}

/// Why a program was not executed.
public struct SpawnFailure: Hashable, Sendable {
    public var stage: SpawnStage
    /// errno.
    public var code: Int32

    public init(stage: SpawnStage, code: Int32) {
        self.stage = stage
        self.code = code
    }
}

/// How a process ended, and what it used, its waited-for children included.
public struct ProcessEnd: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        case exited(code: Int32)
        case killed(signal: Int32, coreDumped: Bool)
        /// It was another keeper's child, which was killed before it, and nobody can tell.
        case unknown
    }

    public var outcome: Outcome
    /// Microseconds.
    public var userTime: UInt64
    /// Microseconds.
    public var systemTime: UInt64
}

/// One launch at hand-over.
public struct KeeperState {
    public enum Progress: Hashable, Sendable {
        /// Waits for one of the keeper's stacks.
        case queued
        /// The child exists; it has not executed its program yet.
        case starting
        case running
        case failed(SpawnFailure)
        case ended(ProcessEnd)
    }

    public var progress: Progress
    /// Nil while queued and when it never existed.
    public var process: KeeperProcess?
    /// The read ends that were given to the keeper to hold, in that order; it keeps its own copies. None when the launch has ended and
    /// all of them are read to their end.
    public var heldReadEnds: [DescriptorParcel]
}

/// The end of a hand-over.
public struct HandOver: Hashable, Sendable {
    /// Launches told before this.
    public var count: UInt32
    /// The highest identifier ever asked for, 0 when there was none. The next one must be higher.
    public var highestLaunch: UInt64
    /// 1 for the first daemon; those of former keepers are counted on.
    public var daemonStarts: UInt64
}

/// Where a launch failed; the errno belongs to that step.
public enum SpawnStage: UInt8, CaseIterable, Hashable, Sendable {
    /// The request itself is malformed.
    case request = 1
    /// 16,384 launches are running or not acknowledged.
    case table = 2
    /// The identifier is not above the highest one, and no longer known.
    case stale = 3
    /// The keeper's own pipe or mapping.
    case pipe = 4
    case clone = 5
    case controlGroup = 6
    case descriptors = 7
    case session = 8
    case oomScoreAdjust = 9
    case nice = 10
    case ioPriority = 11
    case limits = 12
    case groups = 13
    case group = 14
    case user = 15
    case workingDirectory = 16
    case noNewPrivileges = 17
    case execute = 18
    /// Killed before it could execute.
    case killed = 19
    case affinity = 20
    case capabilities = 21
    case terminal = 22
    case input = 23
    case namespace = 24
    case privateTmp = 25
    case readOnly = 26
}

extension KeeperMessage {
    /// Nil for what only the link itself needs to know, or doesn't know. Takes over `descriptors`.
    init?(_ event: keeper_event, _ descriptors: [DescriptorParcel]) {
        let launch = event.launch
        switch Int32(event.type) {
        case KEEPER_SPAWNED:
            self = .spawned(launch: launch, process: KeeperProcess(event, descriptors.first))
        case KEEPER_EXECED: self = .executed(launch: launch)
        case KEEPER_SPAWN_FAILED: self = .spawnFailed(launch: launch, SpawnFailure(event))
        case KEEPER_EXITED: self = .ended(launch: launch, ProcessEnd(event))
        case KEEPER_RENEWED: self = .renewed(code: event.error)
        case KEEPER_STATE: self = .state(launch: launch, KeeperState(event, descriptors))
        default: return nil
        }
    }

    init(_ end: keeper_hand_over) {
        self = .stateEnd(
            HandOver(count: end.count, highestLaunch: end.highest_launch, daemonStarts: end.daemon_starts))
    }
}

extension KeeperProcess {
    init(_ event: keeper_event, _ pidfd: DescriptorParcel?) {
        self.init(pid: event.pid, startTicks: event.start_ticks, pidfd: pidfd)
    }
}

extension SpawnFailure {
    init(_ event: keeper_event) {
        self.init(stage: SpawnStage(rawValue: event.stage) ?? .request, code: event.error)
    }
}

extension ProcessEnd {
    /// `waitid(2)`: CLD_EXITED is 1, CLD_KILLED 2, CLD_DUMPED 3.
    init(_ event: keeper_event) {
        let outcome: Outcome =
            switch event.code {
            case 0: .unknown
            case 1: .exited(code: event.status)
            default: .killed(signal: event.status, coreDumped: event.code == 3)
            }
        self.init(outcome: outcome, userTime: event.user_usec, systemTime: event.system_usec)
    }
}

extension KeeperState {
    init(_ event: keeper_event, _ descriptors: [DescriptorParcel]) {
        let hasProcess = event.fds & KEEPER_FD_PIDFD != 0
        switch Int32(event.state) {
        case KEEPER_STARTING: progress = .starting
        case KEEPER_RUNNING: progress = .running
        case KEEPER_FAILED: progress = .failed(SpawnFailure(event))
        case KEEPER_ENDED: progress = .ended(ProcessEnd(event))
        default: progress = .queued
        }
        // The number says which session was its own, also when it has ended.
        process = event.pid > 0 ? KeeperProcess(event, hasProcess ? descriptors.first : nil) : nil
        heldReadEnds = Array(descriptors.dropFirst(hasProcess ? 1 : 0))
    }
}

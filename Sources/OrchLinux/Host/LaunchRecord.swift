// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchEngine
internal import OrchModel

/// What the host knows of one launch, from the request to the keeper until the keeper may forget it. Facts only go from unknown to known.
final class LaunchRecord {
    enum Role {
        case service
        /// The command of a probe of that launch.
        case probe(of: LaunchID, ProbeKind, round: UInt64)
        /// The command of a step of that launch's stop ladder.
        case step(of: LaunchID, step: Int)
        /// An errand of that launch.
        case errand(of: LaunchID)
        /// A command that a watch rule of that launch's service asks for.
        case reaction(to: LaunchID)
        /// orch-edge.
        case edge
        /// Left by a daemon that is no more; it only has to go.
        case stray
    }

    let launch: LaunchID
    let role: Role
    /// Nil for a stray and for a service whose record was lost.
    var context: LaunchContext?
    /// Nil holds it by session.
    var group: ControlGroup?
    /// Locked, and inherited by the launch. This copy lasts as long as its tree, should the service close its own.
    var lockFiles: [HeldDescriptor] = []
    /// The process that signals to `main` go to.
    var main: ProcessIdentity?
    /// Of the process that the keeper started.
    var pid: Int32 = 0
    /// When that process started, field 22 of proc_pid_stat(5).
    var startTicks: UInt64 = 0
    var pidfd: Descriptor?
    /// The pump's, in the order of the context's pipes. It closes them when they are drained: the inode tells whether a number is still this.
    var readEnds: [(number: Int32, inode: UInt64)] = []
    /// The side that holds its terminal, if it has one.
    var terminal: HeldDescriptor?
    /// It may be attached to.
    var isSeated = false
    /// As the keeper told it; of interest once it is over.
    var progress = KeeperState.Progress.running
    /// The keeper has a slot for it.
    var isKnownToKeeper = false
    var hasExecuted = false
    /// It has ended, or never executed.
    var isOver = false
    var isEmpty = false
    /// SIGKILL goes out to all of it.
    var isDoomed = false
    var isReleased = false
    /// Its lines are forwarded, with its pid.
    var isForwarded = false
    /// Who was still there at the last look.
    var survivors: [String] = []
    /// Signals that came before the process did.
    var waitingSignals: [(Signal, StopSpec.Recipient)] = []
    /// What it said before the keeper told that it runs.
    var waitingNotices: [Notice] = []
    /// Commands of probes of it that run.
    var probes: Set<LaunchID> = []
    /// A runner's answer is out.
    var hasAnswered = false
    /// Of an errand: what came of it, to be told when nothing of it is left.
    var errandFault: Fault?
    /// What a runner prints.
    var output: CommandOutput?
    /// For the answer of a runner that is too late.
    var limit = Duration.zero

    init(_ launch: LaunchID, _ role: Role) {
        self.launch = launch
        self.role = role
    }

    var isErrand: Bool { if case .errand = role { true } else { false } }
    var isService: Bool { if case .service = role { true } else { false } }
    /// How its tree is held, as status says it.
    var tracking: String { group == nil ? "session" : "cgroup" }
    /// The name of its control group, before the launch number.
    var groupLabel: String {
        guard let context else { return "own" }
        let name = "\(context.instance.service.stack).\(context.instance.service.service).\(context.instance.replica)"
        switch role {
        case .service: return name
        case .probe: return "\(name).probe"
        case .step: return "\(name).step"
        case .errand: return "\(name).errand"
        case .reaction: return "\(name).watch"
        case .edge, .stray: return name
        }
    }
}

/// What a probe or step command prints, as far as it is kept.
final class CommandOutput {
    let descriptor: Descriptor
    private(set) var bytes: [UInt8] = []
    /// Of what is too much the end is kept, not the beginning.
    private let keepsEnd: Bool

    init(_ descriptor: consuming Descriptor, keepsEnd: Bool = false) {
        self.descriptor = descriptor
        self.keepsEnd = keepsEnd
    }

    /// Reads what is there; what is beyond the limit is read and forgotten. False at the end.
    func drain() -> Bool {
        var block = [UInt8](repeating: 0, count: 4096)
        // A writer that never stops must not hold the loop.
        for _ in 0..<16 {
            let count = unsafe read(descriptor.number, &block, block.count)
            if count == 0 { return false }
            guard count > 0 else { return errno == EAGAIN || errno == EINTR }
            guard keepsEnd else {
                bytes.append(contentsOf: block[..<min(count, max(0, Limits.probeOutputBytes - bytes.count))])
                continue
            }
            bytes.append(contentsOf: block[..<count])
            bytes.removeFirst(max(0, bytes.count - Limits.probeOutputBytes))
        }
        return true
    }

    /// The last line that says something, for people.
    var lastLine: String {
        let lines = bytes.split(separator: 10).map { Text.printable($0, limit: 200) }
        return lines.last { $0.utf8.contains { $0 > 32 } } ?? ""
    }

    /// One line for people.
    var text: String { Text.printable(bytes, limit: 200) }
}

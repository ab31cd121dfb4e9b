// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Something the fleet wants done. Plain data: it can be printed, compared and replayed. Each names a launch, never a pid,
/// and doing one twice is harmless.
public enum Effect: Equatable, Sendable {
    indirect case launch(LaunchOrder)
    /// Deliver a signal; `tree` is everything that belongs to the launch.
    case signal(LaunchID, Signal, to: StopSpec.Recipient)
    /// Run a step of the ladder that is not a signal. A command runs as launch `runner`, in the service's own environment.
    indirect case runStep(LaunchID, step: Int, StopSpec.Action, runner: LaunchID, limit: Duration)
    /// Run a command that serves a launch. It is answered once, by `errandEnded`, when nothing of it is left.
    indirect case run(Errand)
    /// Nobody needs the errand of this runner any more: it is killed, and answered.
    case endErrand(LaunchID, runner: LaunchID)
    /// End the whole tree, no questions. Repeated while it is not empty.
    case kill(LaunchID)
    /// The launch is closed: its slot, its cgroup, its descriptors may go. Its pipes drain into the files first.
    case release(LaunchID)
    /// Ask once. A command runs as launch `runner`. The answer is `probed` with the same round.
    indirect case probe(LaunchID, ProbeKind, round: UInt64, Probe, runner: LaunchID)
    /// Ask once for something that is no launch. The answer is `answered` with the same round.
    indirect case ask(OutsideNeed, round: UInt64, timeout: Duration)
    /// Answers to earlier questions no longer matter.
    case endProbes(LaunchID)
    /// A running launch belongs to an instance of another name from now on, and its output goes to that one's files.
    indirect case rename(LaunchID, to: InstanceID, LoggingSpec)
    /// How far the stack's updates are has changed: its record is to be saved again, soon.
    case keepUpdates(stack: String)
    /// How a running launch logs from now on.
    indirect case relog(LaunchID, LoggingSpec)
    /// For the record that dies with a boot: what recovery needs of this launch.
    indirect case note(LaunchNote)
    /// How far a schedule has come, for the disk. Where it is urgent it is durable before anything of the same turn is launched.
    indirect case mark(ScheduleMark)
    /// Read a time zone: a name of the IANA database, or `host`. The answer is `zoneRead`.
    case readZone(String)
    /// The sockets that a service may have open from now on: what it has besides is closed. Its launches open them. `former`: the name that
    /// it had until now, by which its sockets are known.
    indirect case sockets(ServiceID, [SocketSpec], former: ServiceID?)
    /// The descriptors that an instance has handed over are needed no more.
    case dropStored(InstanceID)
    /// What is watched for a service from now on, instead of what was; what the rules of a daemon that is no more asked for is forgotten. Changes
    /// are told as `changed`.
    indirect case watch(ServiceID, [WatchRule])
    /// What a watch rule does beside signals and restarts: a reload, or a command that runs as launch `runner`. The answer is `reacted`.
    indirect case react(LaunchID, WatchRule.Action, runner: LaunchID)
    /// Look at what the trees of these launches use, once. The answers are `measured`; of one that is gone there is none.
    case measure([ResourceQuestion])
    /// Look at how full the host is, once. The answer is `hostMeasured`.
    case measureHost([HostResource])
    /// For history, `why` and `events`.
    indirect case record(Occurrence)
    /// The fleet changed a revision by itself: the store is to hold it.
    indirect case keep(AppliedStack)
    /// A trial has failed: `Fleet.wayBack` is to be saved and commanded.
    case goBack(stack: String)
    /// Nothing of the stack is left, and it was to be forgotten: the store may drop it.
    case forget(stack: String)
}

/// A command in the surroundings of a launch, with a tree and a time of its own.
public struct Errand: Equatable, Sendable {
    public var launch: LaunchID
    /// The launch that it runs as.
    public var runner: LaunchID
    public var command: CommandLine
    /// When that is over it is killed.
    public var limit: Duration
    public init(launch: LaunchID, runner: LaunchID, command: CommandLine, limit: Duration) {
        self.launch = launch
        self.runner = runner
        self.command = command
        self.limit = limit
    }
}

/// Everything the host needs to start one process; nothing in it is looked up again.
public struct LaunchOrder: Equatable, Sendable {
    public var launch: LaunchID
    public var instance: InstanceID
    /// The words before launch variables (`${PORT}`, `${ORCH_…}`) are resolved; the host resolves them, as it knows the ports.
    public var spec: ServiceSpec
    /// `web`, or `web.2` when it is one of several.
    public var label: String
    public var inherited: [EnvironmentEntry]
    /// Soft RLIMIT_NOFILE.
    public var fileLimit: UInt64?
    public var because: String
    /// It is a hook of the instance, not the instance: the spec is that of the hook.
    public var hook: HookCall?
    public init(
        launch: LaunchID, instance: InstanceID, spec: ServiceSpec, label: String, inherited: [EnvironmentEntry],
        fileLimit: UInt64?, because: String, hook: HookCall? = nil
    ) {
        self.launch = launch
        self.instance = instance
        self.spec = spec
        self.label = label
        self.inherited = inherited
        self.fileLimit = fileLimit
        self.because = because
        self.hook = hook
    }
}

/// What the next daemon of this boot must know of a launch. Appended before the effect that it speaks of.
public enum LaunchNote: Equatable, Sendable {
    /// About to be launched, with the digest of the definition it runs.
    case ordered(LaunchID, InstanceID, definition: Digest, at: Moment, restarts: Int)
    case executed(LaunchID, pid: Int32, at: Moment, ports: [AssignedPort], tracking: String)
    case ready(LaunchID, at: Moment)
    /// It said that it is ready, and its probes have not passed yet.
    case announced(LaunchID)
    /// What it has said of itself that outlasts the message.
    case told(LaunchID, Told)
    /// The locks that it was ordered with: they are its until it is closed.
    case locked(LaunchID, [String])
    /// At this step of the ladder until this instant, for this reason; step -1 is about to begin and has done nothing yet.
    case stopping(LaunchID, StopMotive, reason: String, step: Int, deadline: Instant)
    /// It ended by itself, with this launch; one entry of the restart ledger.
    case failed(InstanceID, LaunchID? = nil, at: Moment)
    /// The entries so far count no more; `isAnew`: neither does how it last ended.
    case forgiven(InstanceID, isAnew: Bool)
    /// Probes that have passed: a daemon restart must not flap.
    case probed(LaunchID, ProbeKind, passing: Bool)
    /// So many answers in a row against the verdict: successes, or failures as a negative number.
    case tallied(LaunchID, ProbeKind, Int)
    /// It is to reload, for this reason.
    case reloadOwed(LaunchID, cause: String)
    /// It is to reload no more: that is done, or why it came to nothing.
    /// `refused`: the config files with which it did so, which are not tried again by themselves.
    case reloadEnded(LaunchID, fault: String?, refused: Digest? = nil)
    /// It has taken up config files of this digest; nil for none.
    case configured(LaunchID, Digest?)
    /// How far a call of a hook has come. Before what it is owed for, and before its launch.
    case hook(HookCall, HookStage)
    /// Which runs of a scheduled task are decided and not over.
    case runs(InstanceID, RunState)
    /// The instances of one service have another name from here on.
    case renamed(ServiceID, to: ServiceID)
    /// Nothing more to know.
    case released(LaunchID)
    /// How the last launch of an instance ended: what keeps a finished task finished over a daemon restart.
    case ended(InstanceID, LaunchID, Exit, at: Moment, Outcome)
    /// Its end stops the stack that was applied at this time. Comes before what says that it has ended.
    case halted(Halt, appliedAt: WallTime)
    /// A command wants the instance again though its stack stopped.
    case resumed(InstanceID)
}

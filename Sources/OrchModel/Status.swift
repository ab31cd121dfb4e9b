// SPDX-License-Identifier: Apache-2.0

/// A port that a launch was given.
public struct AssignedPort: Equatable, Sendable, ValueCodable {
    public var name: String?
    public var port: Int
    public var transport: PortSpec.Transport
    public init(name: String?, port: Int, transport: PortSpec.Transport) {
        self.name = name
        self.port = port
        self.transport = transport
    }
    public var value: Value {
        var w = ObjectWriter()
        w.set("name", name)
        w.set("port", port)
        w.set("protocol", transport.rawValue)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(name: try r.optionalString("name"), port: try r.int("port"), transport: try r.word("protocol"))
    }
}

/// One line of `orch status`.
public struct InstanceStatus: Equatable, Sendable {
    public var id: InstanceID
    /// `web`, or `web.2` when it is one of several.
    public var label: String
    public var kind: ServiceSpec.Kind
    public var phase: Phase
    /// When this phase began.
    public var since: WallTime
    public var health: Health = .none
    public var pid: Int32?
    /// The current launch, or the last one.
    public var launch: LaunchID?
    /// Restarts since the definition was applied or a person started it.
    public var restarts = 0
    public var startedAt: WallTime?
    public var readyAt: WallTime?
    /// The end of the last launch; of the previous one while a new one lives.
    public var exit: Exit?
    /// Why it is not ready, in one sentence that a person can act on; empty when there is nothing to say.
    public var reason = ""
    /// Where in the manifest the reason lies.
    public var position: Position?
    /// When the next thing happens by itself: the end of a back-off, of a stop step.
    public var until: WallTime?
    public var ports: [AssignedPort] = []
    /// Of one core; nil when it was not measured.
    public var cpuPercent: Double?
    public var memoryBytes: Int64?
    public var stdoutLog: String?
    public var stderrLog: String?
    /// Patterns of what is to be masked where its log is shown (`LoggingSpec.redact`).
    public var redactedLog: [String] = []
    /// Files that hold what is to be masked there, too: its secrets.
    public var secretFiles: [String] = []
    /// Why what it says does not reach its log at the moment; nil while it does.
    public var logTrouble: String?
    /// How its processes are held together: `cgroup` or `session`.
    public var tracking: String?
    /// How it stands against its `resources`, in the order of `Resource`; empty without any.
    public var limits: [LimitStatus] = []
    /// Runs of a scheduled task that are over, newest last.
    public var runs: [ScheduledRun] = []
    /// What the service said of itself (`STATUS=`).
    public var said: String?

    public init(id: InstanceID, label: String, kind: ServiceSpec.Kind, phase: Phase, since: WallTime) {
        self.id = id
        self.label = label
        self.kind = kind
        self.phase = phase
        self.since = since
    }
}

/// A stack and its instances, sorted by name.
public struct StackStatus: Equatable, Sendable {
    public var name: String
    /// The digest of the applied revision.
    public var revision: String
    public var manifestPath: String
    public var phase: StackPhase
    public var instances: [InstanceStatus]
    /// Whose end stopped it, until a command brings all of it back.
    public var stoppedBy: StackStop?
    /// How the host stands against the stack's `host` thresholds.
    public var host: [HostStatus] = []
    public init(
        name: String, revision: String, manifestPath: String, phase: StackPhase, instances: [InstanceStatus],
        stoppedBy: StackStop? = nil, host: [HostStatus] = []
    ) {
        self.name = name
        self.revision = revision
        self.manifestPath = manifestPath
        self.phase = phase
        self.instances = instances
        self.stoppedBy = stoppedBy
        self.host = host
    }
}

/// The end that stopped a whole stack: of an `essential` service, or one whose `on_exit` is `stop-stack`.
public struct StackStop: Equatable, Sendable {
    public var instance: InstanceID
    public var reason: String
    /// Nil when it never executed.
    public var exit: Exit?
    public init(instance: InstanceID, reason: String, exit: Exit?) {
        self.instance = instance
        self.reason = reason
        self.exit = exit
    }
}

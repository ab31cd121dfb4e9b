// SPDX-License-Identifier: Apache-2.0

/// A process that can't be mistaken for a later one with the same number.
public struct ProcessMark: Hashable, Sendable, ValueCodable {
    public var pid: Int32
    /// When it started: field 22 of proc_pid_stat(5).
    public var startTicks: UInt64
    public init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }
    public var value: Value { .array([.int(Int64(pid)), .unsigned(startTicks)]) }
    public init(_ value: Value) throws(ShapeError) {
        guard let parts = value.array, parts.count == 2, let pid = parts[0].int, let ticks = parts[1].unsigned else {
            throw ShapeError(path: "", expected: "a pid and when it started")
        }
        self.init(pid: Int32(truncatingIfNeeded: pid), startTicks: ticks)
    }
}

/// The living processes of one instance, in whatever session, as the daemon tells them from others.
public struct InstanceProcesses: Equatable, Sendable {
    public var id: InstanceID
    /// As people call it.
    public var label: String
    public var phase: Phase
    public var launch: LaunchID?
    /// The process that the keeper started; nil when it has ended, or never was.
    public var main: Int32?
    /// How they are held together: `cgroup` or `session`; nil where none live.
    public var tracking: String?
    /// Ascending by pid.
    public var members: [ProcessMark]

    public init(
        id: InstanceID, label: String, phase: Phase, launch: LaunchID?, main: Int32?, tracking: String?,
        members: [ProcessMark]
    ) {
        self.id = id
        self.label = label
        self.phase = phase
        self.launch = launch
        self.main = main
        self.tracking = tracking
        self.members = members
    }
}

extension InstanceProcesses: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("stack", id.service.stack)
        w.set("instance", id.name)
        w.set("label", label)
        w.set("phase", phase.rawValue)
        w.set("launch", launch.map { Value.unsigned($0.number) })
        w.set("pid", main.map { Value.int(Int64($0)) })
        w.set("tracking", tracking)
        w.set("members", .array(members.map(\.value)))
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        guard let id = InstanceID(stack: try r.string("stack"), name: try r.string("instance")) else {
            throw ShapeError(path: "instance", expected: "an instance")
        }
        self.init(
            id: id, label: try r.string("label"), phase: try r.word("phase"),
            launch: value["launch"]?.unsigned.map { LaunchID($0) },
            main: try r.optionalInt("pid").map { Int32(truncatingIfNeeded: $0) },
            tracking: try r.optionalString("tracking"), members: try r.list("members"))
    }
}

/// What the process table says of one process.
public struct ProcessFacts: Equatable, Sendable {
    public var mark: ProcessMark
    public var parent: Int32
    /// The effective user's name, or number.
    public var user: String
    /// What was executed, on one line.
    public var command: String
    /// Of the processor, its own alone.
    public var cpu: Duration
    /// Resident.
    public var memoryBytes: Int64
    /// Open descriptors; nil when this user may not look.
    public var descriptors: Int?
    public var threads: Int
    public var startedAt: WallTime
    public init(
        mark: ProcessMark, parent: Int32, user: String, command: String, cpu: Duration, memoryBytes: Int64,
        descriptors: Int?, threads: Int, startedAt: WallTime
    ) {
        self.mark = mark
        self.parent = parent
        self.user = user
        self.command = command
        self.cpu = cpu
        self.memoryBytes = memoryBytes
        self.descriptors = descriptors
        self.threads = threads
        self.startedAt = startedAt
    }
}

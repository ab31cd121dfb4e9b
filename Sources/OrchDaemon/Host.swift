// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

/// The machine, as the daemon sees it: one clock, one place that acts, one place that blocks.
/// Linux is one; a machine in memory is another. It never throws at the mind: what it can't do comes back as a fact.
///
/// What every host keeps to; `Tests/HostContract` plays it as cases on each:
///
/// - Of a launch are told, each once and in this order, `launched`, what the service says, `exited`, `emptied`, and after its release
///   `drained`. Of one that never executed: `launchFailed`, `emptied`, `drained`. What a service says last is told before its end.
/// - `emptied` waits for everything that the launch started, in whatever session, and for whoever outlives its main process.
/// - A signal to `main` reaches the main process, one to `group` its process group, one to `tree` everything; once the main process is
///   gone, all three reach what is left. A signal or a kill that comes before the execution waits for it. A kill needs no second one
///   unless something forks faster than it dies; no process can refuse it.
/// - A launch number is used once. The order of a launch that is open changes nothing; a number that was used before fails.
/// - A probe is answered once, with its round, at the latest at its timeout, as a failure then, and its command is killed. `endProbes`
///   and `release` end the questions that are open: they are not answered any more. A step of a ladder is answered once, at the latest at
///   its limit, as a fault then. The same runner twice runs once.
/// - An errand is answered once, when nothing of it is left, whatever it started. It is killed at its limit, which is a fault, and when it is
///   not needed any more.
/// - A look at what trees use is answered once for each launch of which something lives, and not for others; one at the host is answered
///   once, with all that was asked for.
/// - What names a launch that is over or that nobody knows changes nothing, but that it is answered: a probe as `unasked`, a step with a
///   fault, a release with `drained`.
/// - A rotation of logs is answered once, with its number, and in time though a line has no end: for each file that its instances write what
///   became of it, each file once, whether they run or not; nothing for what they discard.
/// - The next daemon on the machine finds every launch that was not released, with its end if it has one, and is told the rest: an end
///   that nobody was told of is found or told, once; `emptied` is told again, as it is nobody's memory; `launched` is not. What is noted as
///   released and not drained is found as closed, with its end, and nothing is told of it but `drained`. Nothing is told
///   of the former one's questions. Its notes are read in the order of writing; one that was torn is left out, what is before and after
///   it is not.
public protocol Host {
    /// The monotonic clock never goes back. Civil time may.
    var now: Moment { get }
    /// Does it, or says later as an input that it could not. Does not wait for the world. Doing an effect twice is doing it once.
    mutating func perform(_ output: Output)
    /// Blocks until there is something to tell or `deadline` came; nil waits for ever, an instant that is past not at all. What the host
    /// wakes up for by itself ends no wait: nothing to tell means that the deadline is there. The only place that blocks.
    mutating func wait(until deadline: Instant?) -> [Input]
    /// What launches use right now, whole trees. Left out is what can't be measured: a launch that nobody knows, that has not executed, or
    /// of which nothing lives.
    mutating func usage(of launches: [LaunchID]) -> [Usage]
    /// The living processes of launches, whole trees, ascending. Left out is a launch of which nothing lives.
    mutating func members(of launches: [LaunchID]) -> [LaunchMembers]
    /// Logs whose file systems do not answer at this moment. That one begins to hang, and that it is over, is remarked.
    func logHangs() -> [LogHang]
}

extension Host {
    /// None: for machines whose disks answer.
    public func logHangs() -> [LogHang] { [] }
}

/// What lives of a launch.
public struct LaunchMembers: Equatable, Sendable {
    public var launch: LaunchID
    /// Ascending by pid; never empty.
    public var members: [ProcessMark]
    public init(launch: LaunchID, members: [ProcessMark]) {
        self.launch = launch
        self.members = members
    }
}

/// What a launch's tree uses.
public struct Usage: Equatable, Sendable {
    public var launch: LaunchID
    /// Of one core, since the last question; nil at the first one.
    public var cpuPercent: Double?
    public var memoryBytes: Int64?
    public init(launch: LaunchID, cpuPercent: Double?, memoryBytes: Int64?) {
        self.launch = launch
        self.cpuPercent = cpuPercent
        self.memoryBytes = memoryBytes
    }
}

/// A connection, by a number that is never used again.
public struct ClientID: Hashable, Comparable, Sendable {
    public var number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public static func < (a: ClientID, b: ClientID) -> Bool { a.number < b.number }
}

/// Who is at the other end, as the kernel says (SO_PEERCRED, unix(7)).
public struct Peer: Equatable, Sendable {
    public var uid: UInt32
    public var pid: Int32
    /// The user's name, for the history; the host's knowledge.
    public var name: String
    public init(uid: UInt32, pid: Int32, name: String? = nil) {
        self.uid = uid
        self.pid = pid
        self.name = name ?? "uid \(uid)"
    }
}

/// What comes in.
public enum Input: Equatable, Sendable {
    case event(Event)
    case connected(ClientID, Peer)
    /// Bytes as they came, in order; frames are the session's business.
    case received(ClientID, [UInt8])
    /// The client left, or was cut off: once, after all that it said. Not told of one that was closed.
    case disconnected(ClientID)
    /// SIGTERM or SIGINT: stop all stacks in order and end.
    case terminationRequested
    /// The machine has something to say about itself, for status and doctor: a fallback taken, a limit reached.
    case remarked(String)
    /// The answer to `renew`, once: the keeper is another program, or why it is the one that it was.
    case renewed(Fault?)
    /// The answer to `rotate` of that number.
    case rotated(UInt64, [LogRotation])
}

/// What goes out.
public enum Output: Equatable, Sendable {
    case effect(Effect)
    /// To one that has left: nothing.
    case send(ClientID, [UInt8])
    /// After what was sent is delivered; nothing is sent or heard any more.
    case close(ClientID)
    /// The active log files of these instances are rotated.
    case rotate(UInt64, [LogRotation.Subject])
    /// The keeper becomes another program, and starts daemons of another one from now on.
    case renew(Upgrade)
    /// The daemon ends.
    case end(Ending)
}

/// Why a daemon ends.
public enum Ending: Equatable, Sendable {
    /// Everything is stopped; the keeper ends too.
    case shutdown
    /// The keeper starts another one at once; services run on.
    case replaced
}

/// What outlives a boot. Whatever `save…` returned without an error is on the disk.
public protocol Store {
    /// Everything that was saved, and what had to be set aside, in words.
    mutating func load() throws(Fault) -> StoredState
    /// Synced and renamed before it returns. What was saved of the stack before becomes its history, unless it has the same revision
    /// and time: then it is replaced.
    mutating func save(_ applied: AppliedStack) throws(Fault)
    /// The history stays.
    mutating func forget(stack: String) throws(Fault)
    /// What was saved of the stack, newest first, at most `Limits.revisionsPerStack`; also of one that was forgotten.
    mutating func history(of stack: String) throws(Fault) -> [AppliedRevision]
    /// The newest of them with that digest, as it was saved; nil when it is not kept.
    mutating func revision(_ digest: Digest, of stack: String) throws(Fault) -> AppliedStack?
    /// Replaces all departures of the stack.
    mutating func save(departures: [Departure], of stack: String) throws(Fault)
    /// After this returns no daemon hands out a launch below `next` again.
    mutating func reserve(launchesBelow next: LaunchID) throws(Fault)
    /// Written behind; may be lost with the machine, never torn. An end (`exited`) of a launch whose end it has is left out.
    mutating func append(_ occurrences: [Occurrence]) throws(Fault)
    /// Those of the launches whose ends were appended.
    mutating func endsTold(among launches: [LaunchID]) throws(Fault) -> Set<LaunchID>
    /// Replaces what was saved of these instances' schedules.
    mutating func save(marks: [ScheduleMark]) throws(Fault)
    /// In order of time; the newest `limit`.
    mutating func occurrences(of target: Target?, since: WallTime?, limit: Int) throws(Fault) -> [Occurrence]
}

/// What a store had.
public struct StoredState: Equatable, Sendable {
    public var stacks: [AppliedStack] = []
    /// What the stacks that are on trial would go back to.
    public var fallbacks: [AppliedStack] = []
    /// Of this boot.
    public var departures: [Departure] = []
    /// Saved in an earlier boot, and not since.
    public var formerDepartures: [Departure] = []
    /// How far schedules have come.
    public var marks: [ScheduleMark] = []
    public var nextLaunch = LaunchID(1)
    /// What was damaged and set aside, for status and doctor.
    public var remarks: [String] = []
    public init() {}
}

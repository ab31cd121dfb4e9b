// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

/// The machine, as the daemon sees it: one clock, one place that acts, one place that blocks.
/// Linux is one; a machine in memory is another. It never throws at the mind: what it can't do comes back as a fact.
public protocol Host {
    var now: Moment { get }
    /// Does it, or says later as an input that it could not.
    mutating func perform(_ output: Output)
    /// Blocks until something happened or `deadline` came. The only place that blocks.
    mutating func wait(until deadline: Instant?) -> [Input]
    /// What launches use right now, whole trees; a launch that can't be measured is left out.
    mutating func usage(of launches: [LaunchID]) -> [Usage]
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
    /// Bytes as they came; frames are the session's business.
    case received(ClientID, [UInt8])
    /// The client left, or was cut off.
    case disconnected(ClientID)
    /// SIGTERM or SIGINT: stop all stacks in order and end.
    case terminationRequested
    /// The machine has something to say about itself, for status and doctor: a fallback taken, a limit reached.
    case remarked(String)
}

/// What goes out.
public enum Output: Equatable, Sendable {
    case effect(Effect)
    case send(ClientID, [UInt8])
    /// After what was sent is delivered.
    case close(ClientID)
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
    /// Written behind; may be lost with the machine, never torn.
    mutating func append(_ occurrences: [Occurrence]) throws(Fault)
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
    public var departures: [Departure] = []
    /// How far schedules have come.
    public var marks: [ScheduleMark] = []
    public var nextLaunch = LaunchID(1)
    /// What was damaged and set aside, for status and doctor.
    public var remarks: [String] = []
    public init() {}
}

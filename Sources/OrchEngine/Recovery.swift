// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// What a new daemon knows before it decides anything: from the disk what outlives a boot, from the run directory what
/// dies with one, from the keeper what lives.
public struct Recovery: Equatable, Sendable {
    /// Sorted by name.
    public var stacks: [AppliedStack] = []
    /// What the stacks that are on trial would go back to.
    public var fallbacks: [AppliedStack] = []
    public var departures: [Departure] = []
    /// Of an earlier boot: what was stopped by hand then starts again unless its policy says otherwise.
    public var formerDepartures: [Departure] = []
    /// Of this boot, in the order of writing. Empty after a boot.
    public var notes: [LaunchNote] = []
    /// How far schedules have come.
    public var marks: [ScheduleMark] = []
    /// What the keeper holds, sorted by launch.
    public var survivors: [Survivor] = []
    /// What the keeper holds besides, though a former daemon had closed it; sorted by launch.
    public var closed: [ClosedLaunch] = []
    /// What is open for services, by the names that they had.
    public var sockets: [OpenSockets] = []
    /// Instances for which descriptors are held that they have handed over, by the names that they had.
    public var stored: [InstanceID] = []
    /// Those of both whose end history knows already: it is not told again.
    public var told: Set<LaunchID> = []
    /// No launch of this or an earlier boot has this number or a higher one.
    public var nextLaunch = LaunchID(1)
    /// The machine booted since the last daemon: no notes.
    public var isNewBoot = true
    /// Names this boot and no other; empty when that is not known.
    public var boot = ""
    /// For the jitter of back-off: the host's entropy, handed in as a value.
    public var seed: UInt64 = 1
    /// 1 or more; launches that are ordered and have not executed yet.
    public var startsAtOnce = Limits.startsAtOnce
    public init() {}
}

/// A launch that the keeper holds.
public struct Survivor: Equatable, Sendable {
    public var launch: LaunchID
    public var pid: Int32
    public var hasExecuted: Bool
    public var fault: Fault?
    /// Nil while it lives.
    public var exit: Exit?
    public init(launch: LaunchID, pid: Int32, hasExecuted: Bool, fault: Fault? = nil, exit: Exit? = nil) {
        self.launch = launch
        self.pid = pid
        self.hasExecuted = hasExecuted
        self.fault = fault
        self.exit = exit
    }
}

/// A person's departure from the manifest; drift, until the next apply.
public struct Departure: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Stopped by hand.
        case stopped
        /// Disabled, but started by hand.
        case started
        /// Of the service there are to be as many instances as this one's number.
        case scaled
    }
    public var instance: InstanceID
    public var kind: Kind
    public init(_ instance: InstanceID, _ kind: Kind) {
        self.instance = instance
        self.kind = kind
    }
}

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// A fact that the fleet is told. Past tense: it happened; nothing here asks for anything but `commanded`.
public enum Event: Equatable, Sendable {
    /// A person asked, and was admitted; what must be durable is durable.
    indirect case commanded(Order)
    /// The process executed. `pid` is a label for people; `tracking` is how its tree is held: `cgroup` or `session`.
    case launched(LaunchID, pid: Int32, ports: [AssignedPort], tracking: String)
    /// It never executed. `isScarcity`: the machine lacked something (descriptors, memory, processes); not the service's failure.
    indirect case launchFailed(LaunchID, Fault, isScarcity: Bool)
    case exited(LaunchID, Exit)
    /// Nothing of the launch's tree is alive. Comes after `exited` or `launchFailed`, never before.
    case emptied(LaunchID)
    /// All that it wrote is in its files.
    case drained(LaunchID)
    /// The service spoke: through its notify socket, or as `ready` says.
    case notified(LaunchID, Notice)
    case probed(LaunchID, ProbeKind, round: UInt64, ProbeResult)
    /// What came of a question about something that is no launch.
    case answered(OutsideNeed, round: UInt64, ProbeResult)
    /// A command or request of the stop ladder ended; nil means that it worked.
    indirect case stepEnded(LaunchID, step: Int, Fault?)
    /// The errand of that launch, run as `runner`, is over, and nothing of it is left; nil means that it worked.
    indirect case errandEnded(LaunchID, runner: LaunchID, Fault?)
    /// What is still alive of a launch that was killed: `pid command`, for people.
    case survivorsSeen(LaunchID, [String])
    /// Files that a watch rule of a service, by its place, is about have changed: their absolute names, at least one.
    indirect case changed(ServiceID, rule: Int, [String])
    /// What a watch rule asked for has ended; nil means that it worked.
    indirect case reacted(LaunchID, Fault?)
    /// A look at what a launch's tree uses.
    indirect case measured(ResourceSample)
    /// A look at how full the host is.
    case hostMeasured([HostReading])
    /// The clock on the wall was set, or the machine woke up: what waits by that clock is worked out anew.
    case clockSet
    /// The time zone that was asked for; nil when this host has none of that name.
    indirect case zoneRead(String, TimeZone?)
}

/// What a service says of itself: what sd_notify(3) can say, and the other ways to be ready.
public enum Notice: Equatable, Sendable {
    case ready, reloading, stopping
    /// A line that it wrote matches `ready.log`. The line waits until the turn of the daemon that hears of it is over, and then goes on to
    /// its file: a daemon that dies before has it found again by the next one.
    case line
    case status(String)
    /// A new main process.
    case mainPID(Int32)
    /// `WATCHDOG=1`: it is well.
    case watchdog
    /// `WATCHDOG=trigger`: it found that it is not.
    case watchdogTrigger
    /// `WATCHDOG_USEC=`: how long it may be silent from now on; zero for as long as it likes.
    case watchdogTime(Duration)
    /// `EXTEND_TIMEOUT_USEC=`: what it is about takes at least so long from now.
    case extend(Duration)
    /// `FDSTORE=1`: it has handed descriptors over, which are held for it.
    case stored
}

/// What came of one question.
public enum ProbeResult: Equatable, Sendable {
    case success
    /// In words: `status is "degraded", expected "healthy"`.
    case failure(String)
    /// It could not be asked (no prober, no descriptors): neither a success nor a failure.
    case unasked(String)
}

/// A command that changes something, as the fleet sees it.
public enum Order: Equatable, Sendable {
    case apply(AppliedStack)
    case down(stack: String, timeout: Duration?)
    case start([Target])
    case stop([Target], timeout: Duration?)
    case restart([Target])
    case reload([Target])
    case scale(Target, replicas: Int)
    case signal([Target], Signal)
    /// Stop everything, forget nothing.
    case shutdown
}

/// The inherited variables of one service.
public struct ServiceInheritance: Equatable, Sendable {
    public var service: String
    public var environment: [EnvironmentEntry]
    public init(service: String, environment: [EnvironmentEntry]) {
        self.service = service
        self.environment = environment
    }
}

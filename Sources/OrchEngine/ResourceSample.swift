// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// A launch whose tree is to be looked at, and what its limits are.
public struct ResourceQuestion: Equatable, Sendable {
    public var launch: LaunchID
    public var limits: ResourceLimits
    public init(launch: LaunchID, limits: ResourceLimits) {
        self.launch = launch
        self.limits = limits
    }
}

/// One look at what a launch's whole tree uses. Nil is what was not asked for, or could not be seen.
public struct ResourceSample: Equatable, Sendable {
    public var launch: LaunchID
    /// What the kernel holds the tree to; the rest is only looked at.
    public var held: [Resource] = []
    public var memoryBytes: Int64?
    /// Since its beginning.
    public var cpuTime: Duration?
    public var pids: Int?
    public var files: Int?
    public var threads: Int?
    /// How often so far the kernel refused it a process or thread, for its limit.
    public var refusals: UInt64 = 0
    /// How many of its processes the kernel has killed so far for want of memory.
    public var oomKills: UInt64 = 0
    public init(launch: LaunchID) { self.launch = launch }
}

/// One look at the host: how much of it is used, 0...1; nil when that can't be read.
public struct HostReading: Equatable, Sendable {
    public var resource: HostResource
    public var used: Double?
    public init(_ resource: HostResource, used: Double?) {
        self.resource = resource
        self.used = used
    }
}

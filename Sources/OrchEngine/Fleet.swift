// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// The one mind: told facts, asked what to do. A value without clock, I/O, task or hash-ordered iteration.
public struct Fleet: Sendable {
    public init(recovering recovery: Recovery, at now: Moment) {}

    /// Learns, never acts.
    public mutating func observe(_ event: Event, at now: Moment) {}

    /// Acts, never learns. Asked again at the same instant it returns nothing; afterwards `deadline` lies in the future.
    public mutating func reconcile(at now: Moment) -> [Effect] { [] }

    /// When to ask again though nothing happened; nil sleeps for ever.
    public var deadline: Instant? { nil }

    /// What applying the request would do, and why the daemon will not: the same function answers `diff` and drives `apply`.
    public func plan(for request: ApplyRequest) throws(Refusal) -> Plan { throw Refusal(.failed, "") }

    /// The revision as it is to be kept, before it is told as `.commanded(.apply)`.
    public func admit(_ request: ApplyRequest, at now: Moment) throws(Refusal) -> AppliedStack { throw Refusal(.failed, "") }

    /// The stack as it is to be kept while it leaves; nil when there is none. Saved before `.commanded(.down)` is told.
    public func leaving(stack: String) -> AppliedStack? { nil }

    /// Whether the order names what is there; called before it is observed.
    public func admit(_ order: Order) throws(Refusal) {}

    /// What is to be saved before the order is told: all departures of each stack that it touches, as they will be.
    public func departures(after order: Order) -> [(stack: String, departures: [Departure])] { [] }

    /// Sorted by name.
    public func status(of target: Target?) -> [StackStatus] { [] }

    /// Instances whose status changed since the last call, sorted; clears the list.
    public mutating func takeChanged() -> [InstanceID] { [] }

    /// The status of one instance, nil when there is none.
    public func status(of instance: InstanceID) -> InstanceStatus? { nil }

    /// How a goal stands for targets.
    public func verdict(on goal: Goal, for targets: [Target]) -> Verdict { .pending }

    /// The chain of causes of each instance the target covers, newest first, of the last `Limits.causesPerInstance` occurrences.
    public func why(_ target: Target) -> [WhyAnswer] { [] }

    /// True once everything is stopped after `.shutdown`.
    public var isShutDown: Bool { false }

    /// The lowest number that no launch has had.
    public var nextLaunch: LaunchID { LaunchID(1) }

    /// Launches that are alive or not yet released, sorted.
    public var openLaunches: [LaunchID] { [] }

    /// The stack is applied.
    public func hasStack(_ name: String) -> Bool { false }
}

/// Where an instance stands and how it came there.
public struct WhyAnswer: Equatable, Sendable {
    public var status: InstanceStatus
    /// Newest first.
    public var chain: [Occurrence]
    public init(status: InstanceStatus, chain: [Occurrence]) {
        self.status = status
        self.chain = chain
    }
}

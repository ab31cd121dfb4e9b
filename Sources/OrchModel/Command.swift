// SPDX-License-Identifier: Apache-2.0

/// What a person asks of the daemon. Those that change something are answered when they are accepted and durable;
/// `follow` then tells how it goes on.
public enum Command: Equatable, Sendable {
    case apply(ApplyRequest)
    case diff(ApplyRequest)
    /// What the stack of this manifest, by its absolute path, was read from when it was applied.
    case recall(manifest: String)
    /// Applies what the daemon has already, if it still has it.
    case applyKnown(KnownRequest)
    /// Back to a revision that was applied before.
    case rollback(RollbackRequest)
    /// What that would do.
    case rollbackPlan(RollbackRequest)
    /// Stops in reverse order and forgets the stack. `timeout` shortens the whole stop.
    case down(stack: String, timeout: Duration?)
    case start([Target])
    case stop([Target], timeout: Duration?)
    case restart([Target])
    /// What runs of the targets takes up what has changed, as its `reload` says.
    case reload([Target])
    /// So many instances of one service, whatever the manifest says, until the next apply.
    case scale(Target, replicas: Int)
    /// Sends a signal to the main processes of what runs of the targets.
    case signal([Target], Signal)
    /// Nil target: everything.
    case status(Target?, StatusDetail = .usage)
    /// The living processes of instances. Nil target: everything.
    case processes(Target?)
    /// Streams the status of instances as it changes, and ends with a verdict once the goal is reached or can't be.
    case follow([Target], goal: Goal, opening: Opening = .all)
    case why(Target)
    /// Applied revisions; of a service also its launches.
    case history(Target)
    /// Streams occurrences since a time; ends when `follow` is false.
    case events(Target?, since: WallTime?, follow: Bool)
    /// Rotates the active log files; answered when that is done. No target: everything.
    case rotateLogs([Target])
    case daemonStatus
    /// Stops all stacks in order, forgets nothing, and ends.
    case daemonStop
    /// The daemon is replaced; services run on.
    case daemonRestart
    /// The keeper and the daemon are replaced by other programs; services run on.
    case daemonUpgrade(Upgrade)
}

/// How much a status tells.
public enum StatusDetail: String, Sendable, CaseIterable {
    /// The stacks alone: names, revisions, manifests, phases.
    case stacks
    /// With their instances.
    case instances
    /// With what each instance uses, which is measured for it.
    case usage
}

/// What a follower is told first.
public enum Opening: String, Sendable, CaseIterable {
    /// The row of every instance.
    case all
    /// The rows of those that are not there yet, and how many others there are.
    case missing
}

/// What a follower waits for.
public enum Goal: Equatable, Sendable {
    /// Every enabled service ready, every task succeeded; fails as soon as one is `failed`. What `apply` waits for.
    case settled
    case reached(Dependency.Condition)
    /// The revision has settled; fails when it is taken back or another one takes its place. What `apply --rollback-on-failure` waits for.
    case proven(Digest)
    /// Every reload that was asked for is done; fails when the last one failed.
    case reloaded
    /// Nothing of it is left.
    case stopped
    /// The stack is forgotten.
    case gone
    /// Never: until the client leaves.
    case forever

    /// Whether what is waited for is the end of something.
    public var isAnEnd: Bool {
        switch self {
        case .reached(.completed), .reached(.succeeded): true
        case .settled, .reached(.started), .reached(.ready), .reached(.healthy), .proven, .reloaded, .stopped, .gone,
            .forever:
            false
        }
    }
}

/// How a goal stands.
public enum Verdict: Equatable, Sendable {
    case pending
    case reached
    /// With the reason, naming what failed.
    case failed(String)
    /// The revision that was to be proven was taken back.
    case rolledBack(RolledBack)
}

/// That the daemon went back by itself.
public struct RolledBack: Equatable, Sendable {
    public var from: Digest
    public var to: Digest
    /// Names what failed, or that the time was over.
    public var reason: String
    /// How the instance stood that failed; nil when it was the time, or a former daemon that saw it.
    public var instance: InstanceStatus?
    public init(from: Digest, to: Digest, reason: String, instance: InstanceStatus? = nil) {
        self.from = from
        self.to = to
        self.reason = reason
        self.instance = instance
    }
}

/// The daemon will not do it: the thing, the reason, the remedy.
public struct Refusal: Error, Equatable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Nothing of that name.
        case unknown
        /// It belongs to another manifest, or something else is under way.
        case conflict
        case permission
        /// The programs are of different versions.
        case version
        case limit
        /// The request does not have the right shape.
        case malformed
        /// The disk or the machine would not.
        case failed
    }
    public var kind: Kind
    public var message: String
    public var remedy: String?
    public init(_ kind: Kind, _ message: String, remedy: String? = nil) {
        self.kind = kind
        self.message = message
        self.remedy = remedy
    }
}

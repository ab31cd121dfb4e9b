// SPDX-License-Identifier: Apache-2.0

/// Something that happened to an instance or a stack: a line of `orch events`, a link of `orch why`.
public struct Occurrence: Equatable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case applied, removed, waiting, launching, started, ready, unready, unhealthy, healthy, stopping, exited,
            killing, stopped, backoff
        case failed, done, halted, departed, returned, stuck, adopted, renamed, step, warning
        /// A former revision was taken up again.
        case rolledBack = "rolled-back"
        /// A revision was replaced by a newer one before the instance ran it.
        case superseded
        /// Watched files changed, and it was told.
        case changed
        /// It was told to reload; it is done; it came to nothing.
        case reloading, reloaded
        case notReloaded = "not-reloaded"
        /// A hook of it begins; it has worked; it has failed.
        case hook, hooked
        case hookFailed = "hook-failed"
        /// A person sent it a signal.
        case signalled
        /// It uses more than `resources` allows.
        case exceeded
        /// It keeps within that again, or the host within its thresholds.
        case recovered
        /// The host has gone beyond a threshold.
        case degraded
        /// A scheduled instant had no run.
        case skipped
        case daemonStarted = "daemon-started"
        case daemonStopping = "daemon-stopping"
    }
    public var time: WallTime
    public var stack: String
    public var service: String?
    public var instance: InstanceID?
    public var launch: LaunchID?
    public var kind: Kind
    /// Why, in one sentence.
    public var cause: String
    public var exit: Exit?
    /// The line of the manifest that asked for it.
    public var position: Position?

    public init(
        time: WallTime, stack: String, service: String? = nil, instance: InstanceID? = nil, launch: LaunchID? = nil,
        kind: Kind, cause: String,
        exit: Exit? = nil, position: Position? = nil
    ) {
        self.time = time
        self.stack = stack
        self.service = service
        self.instance = instance
        self.launch = launch
        self.kind = kind
        self.cause = cause
        self.exit = exit
        self.position = position
    }
}

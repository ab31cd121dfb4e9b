// SPDX-License-Identifier: Apache-2.0

/// Where an instance stands, in the words that people see.
public enum Phase: String, Sendable, CaseIterable {
    /// Not wanted and not there: disabled, or stopped by hand.
    case idle
    /// Wanted; a dependency or a condition is missing. It always has a reason.
    case waiting
    /// Wanted; the pause before the next attempt runs.
    case backoff
    /// A process exists or is being made, and is not ready yet.
    case starting
    /// A task at work.
    case running
    case ready
    /// It was ready, and a readiness or liveness probe says it is not now.
    case unhealthy
    case reloading
    /// The ladder is under way, or an ended process has left others behind that are being cleared.
    case stopping
    /// A task that succeeded, or a service whose end asked for no restart.
    case done
    /// Given up until a command, a new revision or `retry_after`.
    case failed
    /// SIGKILL was sent long ago and something is still there (uninterruptible sleep). Never doubled.
    case stuck

    /// Whether a process may be alive in this phase.
    public var hasProcess: Bool {
        switch self {
        case .starting, .running, .ready, .unhealthy, .reloading, .stopping, .stuck: true
        case .idle, .waiting, .backoff, .done, .failed: false
        }
    }
}

/// What the probes say.
public enum Health: String, Sendable, CaseIterable { case healthy, unhealthy, unknown, none }

/// Where a whole stack stands.
public enum StackPhase: String, Sendable, CaseIterable { case ready, progressing, degraded, failed, stopped }

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// A run of a scheduled task that was decided and is not over.
public struct DueRun: Equatable, Sendable {
    /// The instant that it is due at, which is what makes it one run and no other; nil when a person asked for it.
    public var due: WallTime?
    /// Where the schedule goes by time that passes: the same instant on that clock.
    public var elapsed: Instant?
    /// 0 for the first, then the number of retries before.
    public var attempt: Int
    public init(due: WallTime?, elapsed: Instant? = nil, attempt: Int = 0) {
        self.due = due
        self.elapsed = elapsed
        self.attempt = attempt
    }
}

/// Which runs of a scheduled task are decided and not over: what the next daemon of this boot must know. The newest one holds.
public struct RunState: Equatable, Sendable {
    /// What the open launch is for.
    public var underway: DueRun?
    /// Decided and not launched.
    public var pending: DueRun?
    /// Waits for the end of the one before.
    public var queued: DueRun?
    /// This launch was judged: what its end asks for is decided already.
    public var judged: LaunchID?
    /// The run that ended last.
    public var last: ScheduledRun?
    /// The latest instant that earlier notes of this boot spoke of, once they are pruned.
    public var earlier: WallTime?
    /// Where the schedule goes by time that passes: how far it has come on that clock, which nobody sets.
    public var elapsed: Instant?
    public init(
        underway: DueRun?, pending: DueRun?, queued: DueRun?, judged: LaunchID? = nil, last: ScheduledRun? = nil,
        earlier: WallTime? = nil, elapsed: Instant? = nil
    ) {
        self.earlier = earlier
        self.elapsed = elapsed
        self.underway = underway
        self.pending = pending
        self.queued = queued
        self.judged = judged
        self.last = last
    }

    /// The latest instant that it speaks of.
    public var through: WallTime? {
        [underway?.due, pending?.due, queued?.due, last?.due, earlier].compactMap(\.self).max()
    }

    /// The latest instant on the clock of time that passes that it speaks of.
    public var throughElapsed: Instant? {
        [underway?.elapsed, pending?.elapsed, queued?.elapsed, elapsed].compactMap(\.self).max()
    }
}

/// How far a schedule has come: what must outlive a boot.
public struct ScheduleMark: Equatable, Sendable {
    public var instance: InstanceID
    /// `ScheduleSpec.triggerText`: of another trigger it says nothing.
    public var trigger: String
    /// All instants up to here were decided: run, left out or missed.
    public var through: WallTime
    /// Where the schedule goes by time that passes: the same on that clock, which begins anew with each boot.
    public var elapsed: Instant?
    /// The boot that it was written in, as `Recovery.boot`; empty when it is not known.
    public var boot: String
    /// What was decided last and may not have been noted yet; after a boot it is gone, and does not run.
    public var decided: DueRun?
    /// Newest last, at most as many as the schedule's `history`.
    public var runs: [ScheduledRun]
    /// It speaks of a run that is about to begin, and must be durable before.
    public var isUrgent: Bool
    public init(
        instance: InstanceID, trigger: String, through: WallTime, elapsed: Instant? = nil, boot: String = "",
        decided: DueRun? = nil, runs: [ScheduledRun] = [], isUrgent: Bool = false
    ) {
        self.instance = instance
        self.trigger = trigger
        self.through = through
        self.elapsed = elapsed
        self.boot = boot
        self.decided = decided
        self.runs = runs
        self.isUrgent = isUrgent
    }
}

/// Where the schedule of one instance stands.
struct ScheduleState: Sendable {
    /// The trigger that all else here is about.
    var trigger: String
    /// All instants up to here were decided.
    var through: WallTime
    /// The same on the clock of time that passes, for `every`.
    var throughElapsed: Instant?
    /// The next instant; nil while it is not armed.
    var next: WallTime?
    var nextElapsed: Instant?
    /// By how much the next run comes later.
    var lateness = Duration.zero
    /// When that is on the clock of deadlines; worked out anew when the clock on the wall is set.
    var fireAt: Instant?
    /// Decided and not launched: now, at `Slot.retryAt`, or once what it needs is there.
    var pending: DueRun?
    /// Waits for the end of the one before.
    var queued: DueRun?
    /// What the open incarnation is for.
    var underway: DueRun?
    var startedAt: WallTime?
    var runs: [ScheduledRun] = []
    /// Nothing was told yet of instants that were left out during this run.
    var tellsSkips = true
    /// What a mark decided, and up to which instant notes of this boot speak of runs: only while recovering.
    var marked: DueRun?
    var notedThrough: WallTime?
    /// No such time zone on this host.
    var isZoneUnknown = false

    init(trigger: String, through: WallTime) {
        self.trigger = trigger
        self.through = through
    }

    /// Nothing of it is left to do until the next instant.
    var isIdle: Bool { pending == nil && underway == nil }

    /// What was decided is void: a person stopped it.
    mutating func void() {
        pending = nil
        queued = nil
    }

    /// The launch of the run under way was let go of, and nobody noted how the run went on: its task was removed meanwhile, which made
    /// void what waited.
    mutating func forgetUnderway() {
        guard underway != nil else { return }
        underway = nil
        void()
    }

    /// The launch came to nothing: what it was for is still to be done.
    mutating func takeBack() {
        if pending == nil { pending = underway }
        underway = nil
    }

    /// The run under way is over, or could not be: the one that waits has its turn.
    mutating func promote() {
        underway = nil
        startedAt = nil
        guard pending == nil else { return }
        pending = queued
        queued = nil
    }
}

/// A time zone as the host read it.
struct ReadZone: Sendable {
    var name: String
    /// Nil as well when the host has none of that name.
    var zone: TimeZone?
    /// Nil when it is to be read anew.
    var readAt: Instant?
    var isAsked = false
    var isAnswered = false
}

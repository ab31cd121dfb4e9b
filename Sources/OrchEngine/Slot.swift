// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// The place of one instance: it lives as long as the instance is in the manifest or anything of it is alive.
struct Slot: Sendable {
    /// Moves with a rename.
    var id: InstanceID
    let service: Int

    /// What a person did by hand against the manifest; `Fleet.depart` writes it.
    fileprivate(set) var departure: Departure.Kind?
    /// Beyond `replicas`, or its service was removed: gone once closed.
    var isLeaving = false
    /// Its stack stopped by itself (`Halt`): it waits for a command.
    var isHalted = false
    /// Replaced once even though its definition stands: `orch restart`.
    var isRestartAsked = false
    /// What asked for that restart when it was not a person: `db restarted (on_restart)`.
    var restartCause: String?
    /// At this instant its ladder skips to the kill: a later command can shorten a stop, never lengthen it.
    var stopBy: Instant?
    /// Why the next launch happens, when something more telling than "wanted" is known.
    var nextCause: String?

    /// Keeps the definition from before the update, which was paused or is taken back.
    var isHeld = false
    /// The update went on without it: it failed, and `on_failure` is `continue`.
    var isPassedOver = false
    /// The definition of its last launch.
    var launched: Digest?
    /// The place that holds the former launch of this instance while the new one takes over (`start-first`).
    var predecessor: Int?
    /// This is such a place: the slot that took over. It is in `Service.outgoing`, not among the service's slots.
    var successor: Int?

    var current: Incarnation?
    var lastLaunch: LaunchID?
    var lastExit: Exit?
    var lastStartedAt: WallTime?

    /// How the last launch ended for good, while nothing else is wanted of it.
    var outcome: Outcome?
    /// Not before this instant: back-off, or `retry_after` from `failed`.
    var retryAt: Instant?
    /// Failures within the window, oldest first.
    var failures: [Instant] = []
    /// Failures in a row, for the back-off.
    var streak = 0
    var restarts = 0
    /// While notes are recalled: since when the launch that was closed last had been up.
    var formerUpSince: Instant?

    /// The dependency (by place in `dependsOn`) that was missing last time: asked first.
    var blocker = 0
    /// The dependant (by place in `neededBy`) that held up its stop last time: asked first.
    var holder = 0
    var waitingSince: Instant?
    /// What it was last told to wait for beside services.
    var toldWait: ToldWait?
    /// Since when it waits for what is no service, and the questions about that (places in `Fleet.askings`).
    var askingSince: Instant?
    var askings: [Int] = []
    /// All of that was there, and when the first of it was last seen.
    var isOutsideMet = false
    var outsideMetAt = Instant.zero
    /// The locks for which it stands in line.
    var lockWait: [String]?
    /// It stands in line for a place among the starts.
    var isQueued = false

    /// By the place of the rule; empty while nothing changed.
    var watches: [WatchState] = []
    /// For a task with a schedule.
    var schedule: ScheduleState?
    /// For one run that overlaps others: gone with it.
    var isOverlap = false

    var deadline: Instant?
    var isDirty = false
    var isChanged = false
    var phase = Phase.idle
    var since: WallTime
    var reason = ""
    /// The key of the manifest that the reason is about, such as `depends_on`.
    var reasonKey = ""
    /// What neighbours look at; when it changes they are looked at again.
    var signature = Signature()

    init(id: InstanceID, service: Int, since: WallTime) {
        self.id = id
        self.service = service
        self.since = since
    }
}

extension Fleet {
    /// Writes down what a person did by hand, for the slot and in the index of its stack.
    mutating func depart(_ place: Int, _ kind: Departure.Kind?) {
        guard let slot = slots[place], slot.departure != kind else { return }
        slots[place]?.departure = kind
        guard let stack = stackPlace(slot.id.service.stack) else { return }
        if kind == nil { stacks[stack].departed.remove(place) } else { stacks[stack].departed.insert(place) }
    }
}

/// What a start waits for once the services are there.
enum ToldWait: Sendable { case outside, locks }

/// The part of a slot's state that gates of other slots depend on.
struct Signature: Equatable, Sendable {
    var isOpen = false
    var isStarted = false
    var isReady = false
    var isHealthy = false
    var isProven = false
    /// Its former launch is still there.
    var isPaired = false
    var isCompleted = false
    var isSucceeded = false
    var mustGo = false
}

/// A service as it is wanted now.
struct Service: Sendable {
    var id: ServiceID
    @Seldom var spec: ServiceSpec
    var definition: Digest
    var inherited: [EnvironmentEntry]
    var fileLimit: UInt64?
    /// Slots by replica, from 1; those that leave included until they are closed.
    var slots: [Int] = []
    /// Places of launches whose successors take over.
    var outgoing: [Int] = []
    /// The replacement of its instances by those of a new definition, until all are replaced and have proven themselves.
    @Seldom var rollout: Rollout?
    /// The place whose replacement began last: most likely the one that the others wait for.
    var lastReplaced: Int?
    /// Places in `Fleet.services` of what `spec.dependsOn` names, nil for what is not there; same order.
    var needs: [Int?] = []
    /// What of `spec.dependsOn` is no service; same order.
    var outside: [OutsideNeed?] = []
    var hasOutside = false
    /// Places in `spec.dependsOn` of services that are waited for only so long.
    var timed: [Int] = []
    /// Places of the services that need this one, sorted.
    var neededBy: [Int] = []
    var isRemoved = false
    /// Its stack is going down.
    var isRetired = false
}

/// A stack as it is wanted now.
struct StackRecord: Sendable {
    @Seldom var applied: AppliedStack
    /// Places in `Fleet.services`, by name.
    var services: [String: Int] = [:]
    /// The same in the order of the names; nil while services are being added.
    var sorted: [Int]?
    /// Instances that still have a slot.
    var slotCount = 0
    /// Places of the slots that depart from the manifest: an index.
    var departed: Set<Int> = []
    /// The trial that this revision came to nothing by, or that led back to it.
    var failedTrial: FailedTrial?
    /// Why it stopped by itself, while that holds any instance back; and how many.
    var halt: Halt?
    var haltedCount = 0
    var name: String { applied.request.stack.name }
}

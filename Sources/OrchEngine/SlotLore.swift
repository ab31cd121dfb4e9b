// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// The part of a `Slot` that has contents to be copied: it hands out each of them.
struct SlotLore: Sendable {
    /// What asked for a restart when it was not a person: `db restarted (on_restart)`.
    var restartCause: String?
    /// Why the next launch happens, when something more telling than "wanted" is known.
    var nextCause: String?
    /// The definition of its last launch.
    var launched: Digest?
    var lastExit: Exit?
    var lastStartedAt: WallTime?
    /// How the last launch ended for good, while nothing else is wanted of it.
    var outcome: Outcome?
    /// Failures within the window, oldest first.
    var failures: [Instant] = []
    /// While notes are recalled: since when the launch that was closed last had been up.
    var formerUpSince: Instant?
    /// The questions about what is no service (places in `Fleet.askings`).
    var askings: [Int] = []
    /// The locks for which it stands in line.
    var lockWait: [String]?
    /// By the place of the rule; empty while nothing changed.
    var watches: [WatchState] = []
    /// Calls of hooks that are not over, in the order in which they run.
    var hooks: [HookRun] = []
    /// A `pre_start` that has worked, for the start that comes next.
    var prepared: HookCall?
    /// For a task with a schedule.
    var schedule: ScheduleState?
    var reason = ""
    /// The key of the manifest that the reason is about, such as `depends_on`.
    var reasonKey = ""
}

extension Slot {
    var restartCause: String? {
        get { facts.span[0].lore[0].restartCause }
        _modify { yield &facts[0].lore[0].restartCause }
    }
    var nextCause: String? {
        get { facts.span[0].lore[0].nextCause }
        _modify { yield &facts[0].lore[0].nextCause }
    }
    var launched: Digest? {
        get { facts.span[0].lore[0].launched }
        _modify { yield &facts[0].lore[0].launched }
    }
    var lastExit: Exit? {
        get { facts.span[0].lore[0].lastExit }
        _modify { yield &facts[0].lore[0].lastExit }
    }
    var lastStartedAt: WallTime? {
        get { facts.span[0].lore[0].lastStartedAt }
        _modify { yield &facts[0].lore[0].lastStartedAt }
    }
    var outcome: Outcome? {
        get { facts.span[0].lore[0].outcome }
        _modify { yield &facts[0].lore[0].outcome }
    }
    var failures: [Instant] {
        get { facts.span[0].lore[0].failures }
        _modify { yield &facts[0].lore[0].failures }
    }
    var formerUpSince: Instant? {
        get { facts.span[0].lore[0].formerUpSince }
        _modify { yield &facts[0].lore[0].formerUpSince }
    }
    var askings: [Int] {
        get { facts.span[0].lore[0].askings }
        _modify { yield &facts[0].lore[0].askings }
    }
    var lockWait: [String]? {
        get { facts.span[0].lore[0].lockWait }
        _modify { yield &facts[0].lore[0].lockWait }
    }
    var watches: [WatchState] {
        get { facts.span[0].lore[0].watches }
        _modify { yield &facts[0].lore[0].watches }
    }
    var hooks: [HookRun] {
        get { facts.span[0].lore[0].hooks }
        _modify { yield &facts[0].lore[0].hooks }
    }
    var prepared: HookCall? {
        get { facts.span[0].lore[0].prepared }
        _modify { yield &facts[0].lore[0].prepared }
    }
    var schedule: ScheduleState? {
        get { facts.span[0].lore[0].schedule }
        _modify { yield &facts[0].lore[0].schedule }
    }
    // What is asked for often, without a copy of all that it is part of.
    var outcomePhase: Phase? { facts.span[0].lore[0].outcome?.phase }
    var hasSchedule: Bool { if case .some = facts.span[0].lore[0].schedule { true } else { false } }
    var reason: String {
        get { facts.span[0].lore[0].reason }
        _modify { yield &facts[0].lore[0].reason }
    }
    var reasonKey: String {
        get { facts.span[0].lore[0].reasonKey }
        _modify { yield &facts[0].lore[0].reasonKey }
    }
}

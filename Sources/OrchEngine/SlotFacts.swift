// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What is known of one place: the contents of a `Slot`, which hands out each of them.
struct SlotFacts: Sendable {
    /// Moves with a rename.
    @Seldom var id: InstanceID
    let service: Int

    /// What a person did by hand against the manifest; `Fleet.depart` writes it.
    var departure: Departure.Kind?
    /// Beyond `replicas`, or its service was removed: gone once closed.
    var isLeaving = false
    /// Its stack stopped by itself (`Halt`): it waits for a command.
    var isHalted = false
    /// Replaced once even though its definition stands: `orch restart`.
    var isRestartAsked = false
    /// At this instant its ladder skips to the kill: a later command can shorten a stop, never lengthen it.
    var stopBy: Instant?

    /// Keeps the definition from before the update, which was paused or is taken back.
    var isHeld = false
    /// The update went on without it: it failed, and `on_failure` is `continue`.
    var isPassedOver = false
    /// The place that holds the former launch of this instance while the new one takes over (`start-first`).
    var predecessor: Int?
    /// This is such a place: the slot that took over. It is in `Service.outgoing`, not among the service's slots.
    var successor: Int?

    var current: Incarnation?
    var lastLaunch: LaunchID?

    /// Not before this instant: back-off, or `retry_after` from `failed`.
    var retryAt: Instant?
    /// Failures in a row, for the back-off.
    var streak = 0
    var restarts = 0

    /// The dependency (by place in `dependsOn`) that was missing last time: asked first.
    var blocker = 0
    /// The dependant (by place in `neededBy`) that held up its stop last time: asked first.
    var holder = 0
    var waitingSince: Instant?
    /// What it was last told to wait for beside services.
    var toldWait: ToldWait?
    /// Since when it waits for what is no service.
    var askingSince: Instant?
    /// All of that was there, and when the first of it was last seen.
    var isOutsideMet = false
    var outsideMetAt = Instant.zero
    /// It stands in line for a place among the starts.
    var isQueued = false

    /// For one run that overlaps others: gone with it.
    var isOverlap = false
    /// Descriptors are held for it.
    var hasStored = false

    var deadline: Instant?
    var isDirty = false
    var isChanged = false
    var phase = Phase.idle
    var since: WallTime
    /// What neighbours look at; when it changes they are looked at again.
    var signature = Signature()

    /// Exactly one: what has contents to be copied and is looked at now and then.
    var lore = Self.blank
    private static let blank = [SlotLore()]

    init(id: InstanceID, service: Int, since: WallTime) {
        _id = Seldom(wrappedValue: id)
        self.service = service
        self.since = since
    }
}

extension Slot {
    var id: InstanceID {
        get { facts.span[0].id }
        set { facts[0].id = newValue }
    }
    var service: Int { facts.span[0].service }
    var isLeaving: Bool {
        get { facts.span[0].isLeaving }
        _modify { yield &facts[0].isLeaving }
    }
    var isHalted: Bool {
        get { facts.span[0].isHalted }
        _modify { yield &facts[0].isHalted }
    }
    var isRestartAsked: Bool {
        get { facts.span[0].isRestartAsked }
        _modify { yield &facts[0].isRestartAsked }
    }
    var stopBy: Instant? {
        get { facts.span[0].stopBy }
        _modify { yield &facts[0].stopBy }
    }
    var isHeld: Bool {
        get { facts.span[0].isHeld }
        _modify { yield &facts[0].isHeld }
    }
    var isPassedOver: Bool {
        get { facts.span[0].isPassedOver }
        _modify { yield &facts[0].isPassedOver }
    }
    var predecessor: Int? {
        get { facts.span[0].predecessor }
        _modify { yield &facts[0].predecessor }
    }
    var successor: Int? {
        get { facts.span[0].successor }
        _modify { yield &facts[0].successor }
    }
    var current: Incarnation? {
        get { facts.span[0].current }
        _modify { yield &facts[0].current }
    }
    var lastLaunch: LaunchID? {
        get { facts.span[0].lastLaunch }
        _modify { yield &facts[0].lastLaunch }
    }
    var retryAt: Instant? {
        get { facts.span[0].retryAt }
        _modify { yield &facts[0].retryAt }
    }
    var streak: Int {
        get { facts.span[0].streak }
        _modify { yield &facts[0].streak }
    }
    var restarts: Int {
        get { facts.span[0].restarts }
        _modify { yield &facts[0].restarts }
    }
    var blocker: Int {
        get { facts.span[0].blocker }
        _modify { yield &facts[0].blocker }
    }
    var holder: Int {
        get { facts.span[0].holder }
        _modify { yield &facts[0].holder }
    }
    var waitingSince: Instant? {
        get { facts.span[0].waitingSince }
        _modify { yield &facts[0].waitingSince }
    }
    var toldWait: ToldWait? {
        get { facts.span[0].toldWait }
        _modify { yield &facts[0].toldWait }
    }
    var askingSince: Instant? {
        get { facts.span[0].askingSince }
        _modify { yield &facts[0].askingSince }
    }
    var isOutsideMet: Bool {
        get { facts.span[0].isOutsideMet }
        _modify { yield &facts[0].isOutsideMet }
    }
    var outsideMetAt: Instant {
        get { facts.span[0].outsideMetAt }
        _modify { yield &facts[0].outsideMetAt }
    }
    var isQueued: Bool {
        get { facts.span[0].isQueued }
        _modify { yield &facts[0].isQueued }
    }
    var hasStored: Bool {
        get { facts.span[0].hasStored }
        _modify { yield &facts[0].hasStored }
    }
    var isOverlap: Bool {
        get { facts.span[0].isOverlap }
        _modify { yield &facts[0].isOverlap }
    }
    var deadline: Instant? {
        get { facts.span[0].deadline }
        _modify { yield &facts[0].deadline }
    }
    var isDirty: Bool {
        get { facts.span[0].isDirty }
        _modify { yield &facts[0].isDirty }
    }
    var isChanged: Bool {
        get { facts.span[0].isChanged }
        _modify { yield &facts[0].isChanged }
    }
    var phase: Phase {
        get { facts.span[0].phase }
        _modify { yield &facts[0].phase }
    }
    var since: WallTime {
        get { facts.span[0].since }
        _modify { yield &facts[0].since }
    }
    var signature: Signature {
        get { facts.span[0].signature }
        _modify { yield &facts[0].signature }
    }
}

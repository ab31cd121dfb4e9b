// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What is known of one launch: the contents of an `Incarnation`, which hands out each of them.
struct IncarnationFacts: Sendable {
    let launch: LaunchID
    /// The definition that it runs: when the service's differs, it is to be replaced.
    let definition: Digest
    let orderedAt: Moment
    let because: String
    /// Its until it is closed.
    var locks: [String] = []
    /// It counts among the starts under way.
    var isUnderWay = false

    // Facts.
    var pid: Int32?
    var executedAt: Moment?
    var ports: [AssignedPort] = []
    var tracking: String?
    var fault: Fault? { didSet { hasFault = fault != nil } }
    private(set) var hasFault = false
    var isScarcity = false
    var exit: Exit?
    var exitAt: Moment?
    var isEmptied = false
    /// It said that it is ready.
    var isAnnounced = false
    var isAnnouncementNoted = false
    var said: String?
    var told = Told()
    var notedTold = Told()
    /// When `WATCHDOG=1` last came, or a former daemon may have heard it.
    var fedAt: Instant?
    /// It came since the last look.
    var isFed = false
    /// It said that something is wrong with it, and nothing was done about it yet.
    var isTriggered = false
    /// It says that it reloads, and has not said that it is ready again.
    var reloadingSince: Instant?
    /// When it first was ready.
    var readyAt: Moment?
    /// When its probes last passed again after they had failed.
    var recoveredAt: Moment?
    var survivors: [String] = []
    /// What has been told already, so that each launch has one `started` and one `exited`.
    var isStartTold = false
    var isEndTold = false

    /// Its start deadline was put off to this instant, as the machine was away.
    var startBy: Instant?

    var probes = ProbeStates()
    var stopping: StopProgress?
    var reload: ReloadState?
    /// Of the config files that it has taken up; `ServiceSpec.configurationDigest`.
    var configuration: Digest?
    /// Nil until it is looked at, and where nothing is limited.
    var limits: LimitState?
    /// The kernel has killed processes of it for want of memory.
    var isOutOfMemory = false
    /// Errands that are under way: it is not over before they are.
    var errands: [LaunchID] = []

    init(launch: LaunchID, definition: Digest, orderedAt: Moment, because: String) {
        self.launch = launch
        self.definition = definition
        self.orderedAt = orderedAt
        self.because = because
    }
}

extension Incarnation {
    var launch: LaunchID { facts.span[0].launch }
    var definition: Digest { facts.span[0].definition }
    var orderedAt: Moment { facts.span[0].orderedAt }
    var because: String { facts.span[0].because }
    var locks: [String] {
        get { facts.span[0].locks }
        _modify { yield &facts[0].locks }
    }
    var isUnderWay: Bool {
        get { facts.span[0].isUnderWay }
        _modify { yield &facts[0].isUnderWay }
    }
    var pid: Int32? {
        get { facts.span[0].pid }
        _modify { yield &facts[0].pid }
    }
    var executedAt: Moment? {
        get { facts.span[0].executedAt }
        _modify { yield &facts[0].executedAt }
    }
    var ports: [AssignedPort] {
        get { facts.span[0].ports }
        _modify { yield &facts[0].ports }
    }
    var tracking: String? {
        get { facts.span[0].tracking }
        _modify { yield &facts[0].tracking }
    }
    var fault: Fault? {
        get { facts.span[0].fault }
        _modify { yield &facts[0].fault }
    }
    var isScarcity: Bool {
        get { facts.span[0].isScarcity }
        _modify { yield &facts[0].isScarcity }
    }
    var exit: Exit? {
        get { facts.span[0].exit }
        _modify { yield &facts[0].exit }
    }
    var exitAt: Moment? {
        get { facts.span[0].exitAt }
        _modify { yield &facts[0].exitAt }
    }
    var isEmptied: Bool {
        get { facts.span[0].isEmptied }
        _modify { yield &facts[0].isEmptied }
    }
    var isAnnounced: Bool {
        get { facts.span[0].isAnnounced }
        _modify { yield &facts[0].isAnnounced }
    }
    var isAnnouncementNoted: Bool {
        get { facts.span[0].isAnnouncementNoted }
        _modify { yield &facts[0].isAnnouncementNoted }
    }
    var said: String? {
        get { facts.span[0].said }
        _modify { yield &facts[0].said }
    }
    var told: Told {
        get { facts.span[0].told }
        _modify { yield &facts[0].told }
    }
    var notedTold: Told {
        get { facts.span[0].notedTold }
        _modify { yield &facts[0].notedTold }
    }
    var fedAt: Instant? {
        get { facts.span[0].fedAt }
        _modify { yield &facts[0].fedAt }
    }
    var isFed: Bool {
        get { facts.span[0].isFed }
        _modify { yield &facts[0].isFed }
    }
    var isTriggered: Bool {
        get { facts.span[0].isTriggered }
        _modify { yield &facts[0].isTriggered }
    }
    var reloadingSince: Instant? {
        get { facts.span[0].reloadingSince }
        _modify { yield &facts[0].reloadingSince }
    }
    var readyAt: Moment? {
        get { facts.span[0].readyAt }
        _modify { yield &facts[0].readyAt }
    }
    var recoveredAt: Moment? {
        get { facts.span[0].recoveredAt }
        _modify { yield &facts[0].recoveredAt }
    }
    var survivors: [String] {
        get { facts.span[0].survivors }
        _modify { yield &facts[0].survivors }
    }
    var isStartTold: Bool {
        get { facts.span[0].isStartTold }
        _modify { yield &facts[0].isStartTold }
    }
    var isEndTold: Bool {
        get { facts.span[0].isEndTold }
        _modify { yield &facts[0].isEndTold }
    }
    var probes: ProbeStates {
        get { facts.span[0].probes }
        _modify { yield &facts[0].probes }
    }
    var stopping: StopProgress? {
        get { facts.span[0].stopping }
        _modify { yield &facts[0].stopping }
    }
    var reload: ReloadState? {
        get { facts.span[0].reload }
        _modify { yield &facts[0].reload }
    }
    var configuration: Digest? {
        get { facts.span[0].configuration }
        _modify { yield &facts[0].configuration }
    }
    var limits: LimitState? {
        get { facts.span[0].limits }
        _modify { yield &facts[0].limits }
    }
    var isOutOfMemory: Bool {
        get { facts.span[0].isOutOfMemory }
        _modify { yield &facts[0].isOutOfMemory }
    }
    var errands: [LaunchID] {
        get { facts.span[0].errands }
        _modify { yield &facts[0].errands }
    }
    var startBy: Instant? {
        get { facts.span[0].startBy }
        _modify { yield &facts[0].startBy }
    }
}

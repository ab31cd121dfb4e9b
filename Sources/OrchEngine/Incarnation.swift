// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// One launch of one instance. Its facts only go from unknown to known; whatever is said of another launch changes nothing here.
///
/// It is closed when its end is known (`exit` or `fault`) and its tree is empty. Only then may a replacement be launched; its pipes
/// drain into the files meanwhile, which is the host's affair.
struct Incarnation: Sendable {
    let launch: LaunchID
    /// The definition that it runs: when the service's differs, it is to be replaced.
    let definition: Digest
    let orderedAt: Moment
    let because: String

    // Facts.
    var pid: Int32?
    var executedAt: Moment?
    var ports: [AssignedPort] = []
    var tracking: String?
    var fault: Fault?
    var isScarcity = false
    var exit: Exit?
    var exitAt: Moment?
    var isEmptied = false
    var isAnnounced = false
    var said: String?
    var isReloading = false
    /// When it first was ready.
    var readyAt: Moment?
    var survivors: [String] = []
    /// What has been told already, so that each launch has one `started` and one `exited`.
    var isStartTold = false
    var isEndTold = false

    /// Its start deadline was put off to this instant, as the machine was away.
    var startBy: Instant?

    var probes: [ProbeKind: ProbeState] = [:]
    var stopping: StopProgress?

    init(launch: LaunchID, definition: Digest, orderedAt: Moment, because: String) {
        self.launch = launch
        self.definition = definition
        self.orderedAt = orderedAt
        self.because = because
    }

    var hasEnded: Bool { exit != nil || fault != nil }
    var isClosed: Bool { fault != nil || (exit != nil && isEmptied) }
    var isExecuted: Bool { executedAt != nil }
}

/// How the answers to one probe stand.
struct ProbeState: Sendable {
    enum Verdict: Sendable { case unknown, passing, failing }
    var verdict = Verdict.unknown
    var round: UInt64 = 0
    var isAsked = false
    /// The verdict has turned and nothing was done about it yet.
    var isTurned = false
    /// When it turned lately.
    var turns: [Instant] = []
    /// When to ask next; never before the answer of the round before.
    var next: Instant
    var successes = 0
    var failures = 0
    /// A failure was left out, as the machine was away; until the next success.
    var isSpared = false
    /// What the notes say of `tally`.
    var notedTally = 0
    /// What the last failure said.
    var complaint = ""
    init(next: Instant) { self.next = next }

    /// How far the answers have come towards another verdict: successes in a row, failures as a negative number; 0 when they agree with it.
    var tally: Int {
        switch verdict {
        case .unknown: failures > 0 ? -failures : successes
        case .passing: -failures
        case .failing: successes
        }
    }
}

/// The ladder under way. Never left upward: a new wish is kept in the slot and takes effect when the incarnation is closed.
struct StopProgress: Sendable {
    enum Motive: Sendable {
        /// Not wanted any more, or to be replaced: no failure.
        case requested
        /// It failed while it lived: never ready, a failing probe, a task over its time.
        case failure
        /// It ended by itself and left others behind.
        case clearing
        /// A liveness probe whose reaction is `stop`.
        case retired
    }
    var motive: Motive
    var reason: String
    var scope: StopSpec.Scope
    var steps: [StopSpec.Step]
    var step = -1
    var deadline: Instant
    /// The main process ended during this step, and the rest has been sent its signal.
    var hasToldRest = false
    /// What kept the present step from doing its work.
    var complaint: String?
    /// When the kill was first sent.
    var killedAt: Instant?
    var isAtKill: Bool { step == steps.count - 1 }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// One launch of one instance. Its facts only go from unknown to known; whatever is said of another launch changes nothing here.
///
/// It is closed when its end is known (`exit` or `fault`) and its tree is empty. Only then may a replacement be launched; its pipes
/// drain into the files meanwhile, which is the host's affair.
struct Incarnation: Sendable {
    /// Exactly one: a copy of an incarnation costs one reference, and it is written to in place.
    var facts: [IncarnationFacts]

    init(launch: LaunchID, definition: Digest, orderedAt: Moment, because: String) {
        facts = [
            IncarnationFacts(launch: launch, definition: definition, orderedAt: orderedAt, because: because)
        ]
    }

    var hasEnded: Bool { facts.span[0].exit != nil || facts.span[0].hasFault }
    var isClosed: Bool { facts.span[0].hasFault || (isGone && errands.isEmpty) }
    /// Nothing of its own tree is left.
    var isGone: Bool { exit != nil && isEmptied }
    var isExecuted: Bool { executedAt != nil }
    var isStopping: Bool { facts.span[0].stopping != nil }
    var hasReload: Bool { facts.span[0].reload != nil }
    func stand(of kind: ProbeKind) -> ProbeStand? { facts.span[0].probes.stand(of: kind) }
    func verdict(of kind: ProbeKind) -> ProbeState.Verdict? { facts.span[0].probes.verdict(of: kind) }

    /// Written to in place.
    mutating func learn(_ write: (inout Incarnation) -> Void) { write(&self) }
}

/// How the answers to one probe stand.
struct ProbeState: Sendable {
    enum Verdict: Sendable { case unknown, passing, failing }
    /// Exactly one, as in `Incarnation`.
    var facts: [ProbeFacts]
    init(next: Instant, after round: UInt64 = 0) {
        facts = [ProbeFacts(next: next)]
        facts[0].round = round
    }

    /// How far the answers have come towards another verdict: successes in a row, failures as a negative number; 0 when they agree with it.
    var tally: Int {
        switch verdict {
        case .unknown: failures > 0 ? -failures : successes
        case .passing: -failures
        case .failing: successes
        }
    }
}

/// What every look at a probe needs of its state.
struct ProbeStand {
    /// Its verdict has turned, or its answers are to be noted.
    var isNews: Bool
    var isAsked: Bool
    var next: Instant
    var verdict: ProbeState.Verdict

    /// Nothing is to be asked now.
    func rests(at now: Instant) -> Bool { isAsked || next > now }
}

extension ProbeState {
    var stand: ProbeStand {
        ProbeStand(isNews: isTurned || tally != notedTally, isAsked: isAsked, next: next, verdict: verdict)
    }
}

/// The three of them, as far as they have been asked.
struct ProbeStates: Sendable {
    private var startup: ProbeState?
    private var readiness: ProbeState?
    private var liveness: ProbeState?
    /// The highest round of those that were asked and are no more: a late answer must not be taken for that of a later question.
    private(set) var rounds: UInt64 = 0

    subscript(kind: ProbeKind) -> ProbeState? {
        _read {
            switch kind {
            case .startup: yield startup
            case .readiness: yield readiness
            case .liveness: yield liveness
            }
        }
        _modify {
            switch kind {
            case .startup: yield &startup
            case .readiness: yield &readiness
            case .liveness: yield &liveness
            }
        }
    }

    /// How one of them stands, without a copy of all three; nil when it was not asked.
    func stand(of kind: ProbeKind) -> ProbeStand? {
        switch kind {
        case .startup: startup?.stand
        case .readiness: readiness?.stand
        case .liveness: liveness?.stand
        }
    }

    /// The same of its verdict alone.
    func verdict(of kind: ProbeKind) -> ProbeState.Verdict? {
        switch kind {
        case .startup: startup?.verdict
        case .readiness: readiness?.verdict
        case .liveness: liveness?.verdict
        }
    }

    /// The revision that is applied now has none of this kind.
    mutating func drop(_ kind: ProbeKind) {
        guard let state = self[kind] else { return }
        rounds = max(rounds, state.round)
        self[kind] = nil
    }
}

/// The ladder under way. Never left upward: a new wish is kept in the slot and takes effect when the incarnation is closed.
struct StopProgress: Sendable {
    var motive: StopMotive
    var reason: String
    var scope: StopSpec.Scope
    var steps: [StopSpec.Step]
    var step = -1 {
        didSet { stepText = text(of: step) }
    }
    /// What is being done, in words: asked for at every look at the service.
    private(set) var stepText = ""
    var deadline: Instant
    /// The main process ended during this step, and the rest has been sent its signal.
    var hasToldRest = false
    /// What kept the present step from doing its work.
    var complaint: String?
    /// It asked for more time, and that is not noted yet.
    var isExtended = false
    /// When the kill was first sent.
    var killedAt: Instant?
    var isAtKill: Bool { step == steps.count - 1 }
}

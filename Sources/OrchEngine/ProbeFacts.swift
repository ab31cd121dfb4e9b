// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What is known of one probe: the contents of a `ProbeState`, which hands out each of them.
struct ProbeFacts: Sendable {
    var verdict = ProbeState.Verdict.unknown
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
}

extension ProbeState {
    var verdict: ProbeState.Verdict {
        get { facts.span[0].verdict }
        _modify { yield &facts[0].verdict }
    }
    var round: UInt64 {
        get { facts.span[0].round }
        _modify { yield &facts[0].round }
    }
    var isAsked: Bool {
        get { facts.span[0].isAsked }
        _modify { yield &facts[0].isAsked }
    }
    var isTurned: Bool {
        get { facts.span[0].isTurned }
        _modify { yield &facts[0].isTurned }
    }
    var turns: [Instant] {
        get { facts.span[0].turns }
        _modify { yield &facts[0].turns }
    }
    var next: Instant {
        get { facts.span[0].next }
        _modify { yield &facts[0].next }
    }
    var successes: Int {
        get { facts.span[0].successes }
        _modify { yield &facts[0].successes }
    }
    var failures: Int {
        get { facts.span[0].failures }
        _modify { yield &facts[0].failures }
    }
    var isSpared: Bool {
        get { facts.span[0].isSpared }
        _modify { yield &facts[0].isSpared }
    }
    var notedTally: Int {
        get { facts.span[0].notedTally }
        _modify { yield &facts[0].notedTally }
    }
    var complaint: String {
        get { facts.span[0].complaint }
        _modify { yield &facts[0].complaint }
    }
}

extension ProbeState {
    /// The next question follows this one's due time, not the moment at which it was asked: else those that were late together would be asked
    /// together for ever, and everybody's interval would grow by how late the daemon wakes. One that is late by half an interval begins a new rhythm.
    mutating func keepRhythm(of interval: Duration, at now: Instant) {
        let onTime = next + interval
        next = onTime - now > interval / 2 ? onTime : now + interval
    }
}

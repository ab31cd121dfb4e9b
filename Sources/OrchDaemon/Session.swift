// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire

/// One client.
struct Session {
    let peer: Peer
    var buffer = FrameBuffer(limit: Limits.helloBytes)
    /// Nil until its first frame came.
    var hello: Hello?
    /// In the order in which they were asked for.
    var streams: [Stream] = []
    /// What it asked a plan of last, sealed, and its revision.
    var planned: (request: ApplyRequest, revision: Digest)?
    /// Frames of this turn, sent as one piece.
    var outgoing: [UInt8] = []

    init(peer: Peer) { self.peer = peer }

    mutating func say(_ id: UInt64, _ body: Reply.Body) {
        if outgoing.isEmpty { outgoing.reserveCapacity(1_024) }
        Frame.append(Reply(id: id, body), to: &outgoing)
    }
}

/// An answer that goes on.
struct Stream {
    enum Subject {
        case follow(Follow)
        /// Those of this turn that the answer began with are not sent again.
        case events(Target?, skipping: Int)
    }
    let id: UInt64
    var subject: Subject
}

/// What of a goal's way is told to a client.
struct Follow {
    /// Empty: everything.
    var targets: [Target]
    var goal: Goal
    /// What is told first.
    var opening: Opening
    /// All that it covers was told once.
    var hasBegun = false
    /// Who kept the goal from being reached at the last look.
    var witness: InstanceID?
    /// What has changed since it was told, in order; may name one twice.
    var untold: [InstanceID] = []
    /// Until then changes are gathered, as long as the goal is not decided.
    var restsUntil = Instant.zero
    /// A client of thousands that start can't look at each change, and its reading must not take their time.
    var rest = Duration.zero
    /// It failed; until then that is not told, as what failed has written what nobody can read yet.
    var failure: (verdict: Verdict, until: Instant)?

    init(_ targets: [Target], _ goal: Goal, _ opening: Opening) {
        self.targets = targets
        self.goal = goal
        self.opening = opening
    }

    func covers(_ id: InstanceID) -> Bool { targets.isEmpty || targets.contains { $0.covers(id) } }
}

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
    /// Frames of this turn, sent as one piece.
    var outgoing: [UInt8] = []

    init(peer: Peer) { self.peer = peer }

    mutating func say(_ id: UInt64, _ body: Reply.Body) {
        if outgoing.isEmpty { outgoing.reserveCapacity(1_024) }
        Frame.append(Reply(id: id, body).value, to: &outgoing)
    }
}

/// An answer that goes on.
struct Stream {
    enum Subject {
        /// Empty targets: everything.
        case follow([Target], Goal, hasBegun: Bool)
        /// Those of this turn that the answer began with are not sent again.
        case events(Target?, skipping: Int)
    }
    let id: UInt64
    var subject: Subject
}

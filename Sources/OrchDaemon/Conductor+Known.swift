// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchWire

/// Applying what is known: a manifest is sent once for its plan and its apply, and not at all while nothing that it was read from has
/// changed.
extension Conductor {
    /// What a stack in force was read from.
    struct Origin {
        var stack: String
        var revision: Digest
        var origin: ManifestOrigin
    }

    /// The plan of what is asked, which is kept for an apply that follows on the same connection.
    mutating func plan(of asked: ApplyRequest, from place: Int) throws(Refusal) -> Reply.Body {
        var request = asked
        let revision = fleet.seal(&request.stack)
        let plan = try fleet.plan(for: request, revision: revision)
        sessions[place].session.planned = (request, revision)
        return .plan(plan)
    }

    /// What the stack of that manifest was read from.
    func recall(manifest path: String) -> Reply.Body {
        guard let known = origins[path], isInForce(known, at: path) else { return .recalled(nil) }
        return .recalled(Recollection(stack: known.stack, origin: known.origin))
    }

    private func isInForce(_ known: Origin, at path: String) -> Bool {
        requests[known.stack]?.manifestPath == path && fleet.revision(of: known.stack) == known.revision
    }

    /// `.recalled(nil)`: it has to be sent.
    mutating func apply(_ known: KnownRequest, from place: Int, at now: Moment) throws(Refusal) -> Reply.Body {
        let peer = sessions[place].session.peer
        settle(at: now)
        switch known.reference {
        case .planned(let revision):
            guard let (request, digest) = sessions[place].session.planned, digest.hex == revision else {
                return .recalled(nil)
            }
            sessions[place].session.planned = nil
            return try apply(
                request, as: try fleet.plan(for: request, revision: digest), within: known.rollbackWithin, by: peer,
                at: now)
        case .applied(let stack, let origin):
            guard let request = requests[stack], let found = origins[request.manifestPath], found.stack == stack,
                found.origin.digest == origin, isInForce(found, at: request.manifestPath)
            else { return .recalled(nil) }
            let plan = try fleet.plan(for: request, revision: found.revision)
            guard plan.isInSync else { return .recalled(nil) }
            return try apply(request, as: plan, within: known.rollbackWithin, by: peer, at: now)
        }
    }

    /// `asked` is sealed, and the plan is one of this turn.
    mutating func apply(
        _ asked: ApplyRequest, as plan: Plan, within: Duration?, by peer: Peer, at now: Moment
    ) throws(Refusal) -> Reply.Body {
        var request = asked
        request.author = peer.name
        request.rollbackWithin = within
        let origin = request.origin
        request.origin = nil
        let applied = fleet.admit(request, as: plan, at: now)
        try take(up: applied, at: now)
        if let origin {
            let stack = request.stack.name
            origins = origins.filter { $0.value.stack != stack }
            origins[request.manifestPath] = Origin(stack: stack, revision: applied.revision, origin: origin)
        }
        let isBare = applied.trial.map { $0.fallback == nil } ?? false
        return .accepted(
            plan,
            text: isBare
                ? "no other revision was applied before: if this one fails, there is nothing to go back to" : nil)
    }
}

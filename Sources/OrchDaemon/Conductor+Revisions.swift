// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchWire

/// Revisions over time: what was applied, and going back to it.
extension Conductor {
    mutating func rollBack(_ request: RollbackRequest, by peer: Peer, at now: Moment) throws(Refusal) -> Reply.Body {
        settle(at: now)
        let kept = try kept(request)
        let plan = try fleet.plan(backTo: kept)
        try take(up: try fleet.admit(backTo: kept, by: peer.name, at: now), at: now)
        return .accepted(plan, text: nil)
    }

    /// With the files of what failed, which the revision that is applied now may know nothing of.
    func completed(_ verdict: Verdict) -> Verdict {
        guard case .rolledBack(var told) = verdict, let row = told.instance else { return verdict }
        told.instance = located(row, in: withdrawn[row.id.service.stack])
        return .rolledBack(told)
    }

    /// The revision that is meant, as it was applied.
    mutating func kept(_ request: RollbackRequest) throws(Refusal) -> AppliedStack {
        let history = try revisions(of: request.stack)
        let digest = try fleet.rollbackTarget(request, in: history)
        let found: AppliedStack?
        do { found = try journal.revision(digest, of: request.stack) } catch { throw Refusal(error) }
        guard let found else {
            throw Refusal(.unknown, "revision \(digest.short) of \(request.stack) is not kept any more")
        }
        return found
    }

    mutating func history(of target: Target) throws(Refusal) -> StackHistory {
        let revisions = StackHistory.touched(target.service, in: try revisions(of: target.stack))
        var launches: [PastLaunch] = []
        if target.service != nil {
            let past: [Occurrence]
            do { past = try journal.occurrences(of: target, since: nil, limit: Limits.occurrencesPerAnswer) } catch {
                throw Refusal(.failed, error.text, remedy: error.remedy)
            }
            launches = PastLaunch.all(in: past)
        }
        // What was taken down or removed has a history as well; what has none must at least be there.
        if revisions.isEmpty, launches.isEmpty { try fleet.admit(.stop([target], timeout: nil)) }
        return StackHistory(stack: target.stack, service: target.service, revisions: revisions, launches: launches)
    }

    private mutating func revisions(of stack: String) throws(Refusal) -> [AppliedRevision] {
        do { return try journal.history(of: stack) } catch {
            throw Refusal(.failed, error.text, remedy: error.remedy)
        }
    }
}

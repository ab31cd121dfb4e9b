// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// A revision that was accepted, as it is kept.
public struct AppliedStack: Equatable, Sendable {
    public var request: ApplyRequest
    /// When this revision was taken up, by whom and why: its line in the history. Applied again, a revision keeps its entry.
    public var entry: AppliedRevision
    /// When it was last asked for. Of this boot only: what failed before was forgiven by it.
    public var acceptedAt = Instant.zero
    /// What each service inherits: recorded at its first start, refreshed when it restarts for another planned reason.
    /// Sorted by service.
    public var inherited: [ServiceInheritance]
    /// `down` was accepted: it is being stopped and will be forgotten, also by the next daemon.
    public var isLeaving = false
    /// It is taken back if something fails before all of it has settled.
    public var trial: Trial?
    /// Updates that are not over, sorted by service.
    public var rollouts: [Rollout] = []
    /// What this apply moves to another name.
    public var renames: [Renaming] = []

    public var revision: Digest { entry.revision }
    public var appliedAt: WallTime { entry.appliedAt }

    public init(request: ApplyRequest, revision: Digest, appliedAt: WallTime, inherited: [ServiceInheritance]) {
        self.request = request
        self.entry = AppliedRevision(revision: revision, appliedAt: appliedAt, author: request.author)
        self.inherited = inherited
    }
}

extension AppliedStack {
    /// What it moves to another name: notes of a daemon that died before it could say so speak of the former one.
    public var lateRenames: [(from: ServiceID, to: String)] {
        renames.map { (from: ServiceID(stack: request.stack.name, service: $0.from), to: $0.to) }
    }

    /// That it was taken up, for the events.
    func occurrence(at time: WallTime) -> Occurrence {
        let author = request.author.isEmpty ? "" : " by \(request.author)"
        let from = entry.left.map { " from \($0.short)" } ?? ""
        let (kind, cause): (Occurrence.Kind, String) =
            switch entry.origin {
            case _ where request.author != entry.author: (.applied, "revision \(revision.short)\(author), once more")
            case .apply: (.applied, "revision \(revision.short)\(author)")
            case .rollback: (.rolledBack, "to revision \(revision.short)\(from)\(author)")
            case .automaticRollback: (.rolledBack, "to revision \(revision.short)\(from), as \(entry.because)")
            }
        return Occurrence(time: time, stack: request.stack.name, kind: kind, cause: cause)
    }
}

/// The promise of `apply --rollback-on-failure`.
public struct Trial: Equatable, Sendable {
    /// How long everything may take to settle.
    public var within: Duration
    /// Of this boot; after another one the time begins anew.
    public var deadline: Instant
    /// The revision that is gone back to; nil when there was none before.
    public var fallback: Digest?
    public init(within: Duration, deadline: Instant, fallback: Digest?) {
        self.within = within
        self.deadline = deadline
        self.fallback = fallback
    }
}

// SPDX-License-Identifier: Apache-2.0

/// One line of `orch history`: a revision that was taken up, by whom and when, and what led to it.
public struct AppliedRevision: Equatable, Sendable {
    /// What led to it.
    public enum Origin: String, Sendable, CaseIterable {
        case apply
        /// `orch rollback`.
        case rollback
        /// The daemon itself went back, as `apply --rollback-on-failure` had asked for.
        case automaticRollback = "automatic-rollback"
    }

    /// What was done to one service.
    public struct Deed: Equatable, Sendable {
        public var action: Change.Action
        public var service: String
        public init(_ action: Change.Action, _ service: String) {
            self.action = action
            self.service = service
        }
    }

    public var revision: Digest
    /// When it was taken up first: the same revision applied again is no other entry.
    public var appliedAt: WallTime
    /// The name of the user who asked, as the kernel told the daemon.
    public var author: String
    public var origin = Origin.apply
    /// The revision that a rollback left.
    public var left: Digest?
    /// Why the daemon went back by itself; else empty.
    public var because = ""
    /// From the plan that was admitted; at most `Limits.changesPerRevision`.
    public var changes: [Deed] = []
    /// How many there were; nil where nobody wrote it down.
    public var changeCount: Int?
    /// It is what is applied now.
    public var isCurrent = false

    public init(revision: Digest, appliedAt: WallTime, author: String) {
        self.revision = revision
        self.appliedAt = appliedAt
        self.author = author
    }

    /// Keeps of the plan what an entry tells.
    public mutating func take(_ plan: Plan) {
        changes = plan.changes.prefix(Limits.changesPerRevision).map { Deed($0.action, $0.service) }
        changeCount = plan.changes.count
    }

    /// Whether the service is among what it changed; true also where that is not known any more.
    public func mayHaveTouched(_ service: String) -> Bool {
        changes.contains { $0.service == service } || changeCount.map { $0 > changes.count } ?? true
    }
}

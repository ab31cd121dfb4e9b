// SPDX-License-Identifier: Apache-2.0

/// What changing one field does to a running process.
public enum Fate: String, Sendable, CaseIterable {
    /// Taken up without touching it.
    case live
    /// It is told to reload.
    case reload
    /// It is replaced.
    case restart
}

/// One field that differs. Paths are relative to the service: `environment.PORT`.
public struct FieldChange: Equatable, Sendable {
    public var path: String
    /// Nil when it was not there.
    public var from: Value?
    public var to: Value?
    public var fate: Fate
    public init(path: String, from: Value?, to: Value?, fate: Fate) {
        self.path = path
        self.from = from
        self.to = to
        self.fate = fate
    }
}

/// What would be done to one service, and why.
public struct Change: Equatable, Sendable {
    public enum Action: String, Sendable, CaseIterable {
        case create, start, stop, run, restart, reload, live, scale, rename, remove
    }
    public var action: Action
    public var service: String
    /// Reasons in words.
    public var because: [String]
    public var fields: [FieldChange]
    public init(_ action: Action, _ service: String, because: [String] = [], fields: [FieldChange] = []) {
        self.action = action
        self.service = service
        self.because = because
        self.fields = fields
    }
}

/// The difference between what is applied and what is asked: what `diff` shows and `apply` does.
public struct Plan: Equatable, Sendable {
    public var stack: String
    /// The digest of the revision that is asked.
    public var revision: String
    /// Sorted by service.
    public var changes: [Change]
    public var isInSync: Bool { changes.isEmpty }
    public init(stack: String, revision: String, changes: [Change]) {
        self.stack = stack
        self.revision = revision
        self.changes = changes
    }
}

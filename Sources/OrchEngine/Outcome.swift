// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// An end that asks for nothing more.
public struct Outcome: Equatable, Sendable {
    /// `done`, `failed`, or `ready` for what counts as up without a process.
    public var phase: Phase
    public var reason: String
    /// The definition that ended so: another one starts anew.
    public var definition: Digest
    /// The key of the manifest that the reason is about.
    public var key: String
    public init(phase: Phase, reason: String, definition: Digest, key: String = "restart") {
        self.phase = phase
        self.reason = reason
        self.definition = definition
        self.key = key
    }
}

/// Why a stack stopped by itself.
public struct Halt: Equatable, Sendable {
    /// Whose end it was.
    public var instance: InstanceID
    /// `essential` or `on_exit`.
    public var key: String
    /// In words: `job failed: exit 3`.
    public var reason: String
    /// Nil when it never executed.
    public var exit: Exit?
    /// It is done, and has not failed.
    public var isSuccess: Bool
    public init(instance: InstanceID, key: String, reason: String, exit: Exit?, isSuccess: Bool) {
        self.instance = instance
        self.key = key
        self.reason = reason
        self.exit = exit
        self.isSuccess = isSuccess
    }
}

/// Why a ladder was begun.
public enum StopMotive: String, Sendable, CaseIterable {
    /// Not wanted any more, or to be replaced: no failure.
    case requested
    /// It failed while it lived: never ready, a failing probe, a task over its time.
    case failure
    /// It ended by itself and left others behind.
    case clearing
    /// A liveness probe or a dependency whose reaction is `stop`.
    case retired
}

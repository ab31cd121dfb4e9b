// SPDX-License-Identifier: Apache-2.0

/// A moment in the life of a service at which a command of its own may run.
public enum HookKind: String, Sendable, CaseIterable {
    /// Before each start.
    case preStart = "pre_start"
    /// Once it is ready.
    case postReady = "post_ready"
    /// Before the ladder, while its main process lives.
    case preStop = "pre_stop"
    /// Once nothing of it is left, however it ended.
    case postStop = "post_stop"
    /// When it has become `failed`.
    case onFailed = "on_failed"
}

/// A command that runs at such a moment: as the service's user, in its directory, with its environment and its secrets. What it writes goes
/// where the service's output goes.
public struct Hook: Equatable, Sendable {
    public var command: CommandLine
    /// When that is over it is killed, with all that it started.
    public var timeout: Duration

    public init(_ command: CommandLine, timeout: Duration = Self.standardTimeout) {
        self.command = command
        self.timeout = timeout
    }

    public static let standardTimeout = Duration.seconds(30)
}

/// The hooks of a service.
public struct Hooks: Equatable, Sendable {
    private var all: [HookKind: Hook] = [:]

    public init() {}

    public subscript(kind: HookKind) -> Hook? {
        get { all.isEmpty ? nil : all[kind] }
        set { all[kind] = newValue }
    }
    public var isEmpty: Bool { all.isEmpty }
}

/// `{pre_start: {command, timeout}, …}`.
extension Hooks: ValueCodable {
    public var value: Value { written(complete: false) }

    func written(complete: Bool) -> Value {
        .object(
            HookKind.allCases.compactMap { kind in
                self[kind].map { hook in
                    var w = ObjectWriter(complete: complete)
                    w.set(command: hook.command)
                    w.set("timeout", hook.timeout, unless: Hook.standardTimeout)
                    return .init(kind.rawValue, w.value)
                }
            })
    }

    public init(_ value: Value) throws(ShapeError) {
        for member in value.members ?? [] {
            guard let kind = HookKind(rawValue: member.key) else {
                throw ShapeError(path: member.key, expected: "a hook")
            }
            do {
                let r = try ObjectReader(member.value)
                self[kind] = Hook(
                    try r.command(), timeout: try r.duration("timeout", or: Hook.standardTimeout))
            } catch { throw error.under(member.key) }
        }
    }
}

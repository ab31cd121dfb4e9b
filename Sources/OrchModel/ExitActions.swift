// SPDX-License-Identifier: Apache-2.0

/// What the end of a main process by itself leads to, by how it ended: NSSM's exit actions. Asked before the restart policy.
public struct ExitActions: Equatable, Sendable {
    /// What one way to end leads to.
    public enum Action: String, Sendable, CaseIterable {
        /// Started again after its delay, also where the policy is `no`.
        case restart
        /// It is done, whatever its code says.
        case stop
        /// It counts as up, without a process.
        case ignore
        /// The whole stack stops in order.
        case stopStack = "stop-stack"
    }
    /// One way to end and what it leads to.
    public struct Rule: Equatable, Sendable {
        public var pattern: ExitPattern
        public var action: Action
        public init(_ pattern: ExitPattern, _ action: Action) {
            self.pattern = pattern
            self.action = action
        }
    }
    /// Codes rising, then signals rising; each at most once.
    public private(set) var rules: [Rule]
    /// For the ends that no rule names; nil leaves them to the restart policy.
    public var fallback: Action?

    public init(_ rules: [Rule] = [], fallback: Action? = nil) {
        self.rules = rules.sorted { $0.pattern.rank < $1.pattern.rank }
        self.fallback = fallback
    }

    /// Nil leaves it to the restart policy.
    public func action(for exit: Exit) -> Action? { rules.first { exit.matches([$0.pattern]) }?.action ?? fallback }
}

extension ExitActions: ValueCodable {
    /// `{"3": "restart", "SIGSEGV": "restart", "default": "stop"}`.
    public var value: Value {
        var members = rules.map { Value.Member($0.pattern.key, .string($0.action.rawValue)) }
        if let fallback { members.append(.init("default", .string(fallback.rawValue))) }
        return .object(members)
    }

    public init(_ value: Value) throws(ShapeError) {
        guard let members = value.members else { throw ShapeError(path: "", expected: "an object") }
        var rules: [Rule] = []
        var fallback: Action?
        for member in members {
            guard let action = member.value.string.flatMap({ Action(rawValue: $0) }) else {
                throw ShapeError(path: member.key, expected: "an exit action")
            }
            if member.key == "default" {
                fallback = action
            } else if let pattern = ExitPattern(key: member.key) {
                rules.append(Rule(pattern, action))
            } else {
                throw ShapeError(path: member.key, expected: "an exit code, a signal or default")
            }
        }
        self.init(rules, fallback: fallback)
    }
}

extension ExitPattern {
    /// As the key of a map: `3` is the exit code, `SIGINT` the signal.
    var key: String {
        switch self {
        case .code(let code): String(code)
        case .signal(let signal): signal.name
        }
    }

    /// Reads `key`: 0 to 255 is an exit code, anything else a signal's name. Nil for neither.
    public init?(key: String) {
        if let code = Int32(key) {
            guard (0...255).contains(code) else { return nil }
            self = .code(code)
        } else {
            guard let signal = Signal(text: key) else { return nil }
            self = .signal(signal)
        }
    }

    fileprivate var rank: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let signal): 256 + signal.number
        }
    }
}

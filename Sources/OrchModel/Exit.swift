// SPDX-License-Identifier: Apache-2.0

/// How a process ended. A status is never invented: what nobody saw is `unknown`.
public enum Exit: Hashable, Sendable {
    case code(Int32)
    case signal(Signal, coreDumped: Bool)
    /// The status was lost, and why (only when the keeper itself was killed).
    case unknown(String)

    /// `exit 1`, `SIGKILL`, `SIGSEGV (core dumped)`.
    public var text: String {
        switch self {
        case .code(let code): "exit \(code)"
        case .signal(let signal, let coreDumped): coreDumped ? "\(signal.name) (core dumped)" : signal.name
        case .unknown(let reason): "unknown exit (\(reason))"
        }
    }
    public func matches(_ patterns: [ExitPattern]) -> Bool {
        switch self {
        case .code(let code): patterns.contains(.code(code))
        case .signal(let signal, _): patterns.contains(.signal(signal))
        case .unknown: false
        }
    }
}

extension Exit: ValueCodable {
    /// `{"code": 1}`, `{"signal": "SIGKILL"}`, `{"unknown": "…"}`.
    public var value: Value {
        switch self {
        case .code(let code): ["code": .int(Int64(code))]
        case .signal(let signal, let coreDumped):
            coreDumped ? ["signal": .string(signal.name), "core_dumped": true] : ["signal": .string(signal.name)]
        case .unknown(let reason): ["unknown": .string(reason)]
        }
    }
    public init(_ value: Value) throws(ShapeError) {
        if let code = value["code"]?.int {
            self = .code(Int32(truncatingIfNeeded: code))
        } else if let name = value["signal"]?.string, let signal = Signal(text: name) {
            self = .signal(signal, coreDumped: value["core_dumped"]?.bool ?? false)
        } else if let reason = value["unknown"]?.string {
            self = .unknown(reason)
        } else {
            throw ShapeError(path: "", expected: "an exit")
        }
    }
}

/// The world's refusal to do one thing: which step, which fact, which reason, what would help. Data, without libc.
public struct Fault: Error, Hashable, Sendable {
    /// What was tried, as the object of "cannot": `execute`, `enter the working directory`, `listen`.
    public var step: String
    /// What it was tried on: a path, a port, a user.
    public var subject: String
    /// The reason in words, with the system's own symbol when there is one: `no such file or directory (ENOENT)`.
    public var reason: String
    /// What a person can do.
    public var remedy: String?
    public init(step: String, subject: String, reason: String, remedy: String? = nil) {
        self.step = step
        self.subject = subject
        self.reason = reason
        self.remedy = remedy
    }
    public var text: String {
        let fact = subject.isEmpty ? "cannot \(step): \(reason)" : "cannot \(step) \(subject): \(reason)"
        return remedy.map { "\(fact); \($0)" } ?? fact
    }
}

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// The first frame in both directions: `{"orch": "0.1.0", "protocol": 1}`.
public struct Hello: Equatable, Sendable, ValueCodable {
    public var version: String
    public var protocolNumber: Int
    /// This program's own.
    public init(version: String = OrchVersion.text, protocolNumber: Int = OrchVersion.protocolNumber) {
        self.version = version
        self.protocolNumber = protocolNumber
    }
    public var isSameVersion: Bool { self == Hello() }
    public var value: Value { ["orch": .string(version), "protocol": .int(Int64(protocolNumber))] }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(version: try r.string("orch"), protocolNumber: try r.int("protocol"))
    }
}

extension Command {
    /// Whether programs of two versions must not do it together. The daemon can always be looked at, stopped and replaced.
    public var needsSameVersion: Bool {
        switch self {
        case .apply, .applyKnown, .rollback, .down, .start, .stop, .restart, .reload, .scale, .signal, .rotateLogs: true
        case .diff, .recall, .rollbackPlan, .status, .processes, .follow, .why, .history, .events, .daemonStatus,
            .daemonStop,
            .daemonRestart, .daemonUpgrade:
            false
        }
    }
}

extension Refusal {
    /// What is said when two versions meet.
    public static func otherVersion(client: String, daemon: String) -> Refusal {
        Refusal(
            .version,
            "the daemon is version \(daemon) and this program is \(client): nothing is changed across versions",
            remedy: "run `orch daemon upgrade`; every service runs on meanwhile")
    }
}

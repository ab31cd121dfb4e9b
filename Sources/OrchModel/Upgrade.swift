// SPDX-License-Identifier: Apache-2.0

/// The programs that are to run from now on, services untouched: of a later version or an earlier one.
public struct Upgrade: Equatable, Sendable, ValueCodable {
    /// orch-keeper, absolute.
    public var keeper: String
    /// orchd, absolute.
    public var daemon: String
    /// What both said they speak with each other.
    public var keeperProtocol: Int

    public init(keeper: String, daemon: String, keeperProtocol: Int) {
        self.keeper = keeper
        self.daemon = daemon
        self.keeperProtocol = keeperProtocol
    }

    public var value: Value {
        [
            "keeper": .string(keeper), "daemon": .string(daemon), "keeper_protocol": .int(Int64(keeperProtocol)),
        ]
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            keeper: try r.string("keeper"), daemon: try r.string("daemon"),
            keeperProtocol: try r.int("keeper_protocol"))
    }
}

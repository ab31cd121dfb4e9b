// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// What the daemon says of itself: `orch daemon status --json`.
public struct DaemonStatus: Equatable, Sendable, ValueCodable {
    public var version: String
    public var pid: Int32
    public var startedAt: WallTime
    public var stacks: Int
    public var instances: Int
    /// Launches that are alive or not yet released.
    public var launches: Int
    public var clients: Int
    public var isShuttingDown: Bool
    /// Why this program runs and not the one that was to; nil when it is.
    public var fallback: String?
    /// What was set aside, what fell back, which limit was reached; oldest first.
    public var remarks: [String]

    public init(
        version: String = OrchVersion.text, pid: Int32, startedAt: WallTime, stacks: Int, instances: Int, launches: Int,
        clients: Int,
        isShuttingDown: Bool, fallback: String? = nil, remarks: [String]
    ) {
        self.version = version
        self.pid = pid
        self.startedAt = startedAt
        self.stacks = stacks
        self.instances = instances
        self.launches = launches
        self.clients = clients
        self.isShuttingDown = isShuttingDown
        self.fallback = fallback
        self.remarks = remarks
    }

    public var value: Value {
        [
            "version": .string(version), "pid": .int(Int64(pid)), "started_at": .string(startedAt.rfc3339),
            "stacks": .int(Int64(stacks)),
            "instances": .int(Int64(instances)), "launches": .int(Int64(launches)), "clients": .int(Int64(clients)),
            "shutting_down": .bool(isShuttingDown), "fallback": fallback.map { .string($0) } ?? .null,
            "remarks": .strings(remarks),
        ]
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            version: try r.string("version"), pid: Int32(truncatingIfNeeded: try r.int("pid")),
            startedAt: try r.time("started_at"),
            stacks: try r.int("stacks"), instances: try r.int("instances"), launches: try r.int("launches"),
            clients: try r.int("clients"),
            isShuttingDown: try r.bool("shutting_down", or: false), fallback: try r.optionalString("fallback"),
            remarks: try r.strings("remarks"))
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Something of the host that may run out.
public enum HostResource: Hashable, Sendable {
    /// The file system that a path is on.
    case disk(String)
    case memory

    /// For people: `disk /srv`, `memory`.
    public var text: String {
        switch self {
        case .disk(let path): "disk \(path)"
        case .memory: "memory"
        }
    }
}

/// `host`: how full the host may get before it counts as degraded. What is not given is not looked at.
public struct HostThresholds: Equatable, Sendable {
    public struct Disk: Equatable, Sendable {
        /// Absolute.
        public var path: String
        /// A part of all its bytes, 0...1.
        public var degradedAbove: Double
        public init(path: String, degradedAbove: Double) {
            self.path = path
            self.degradedAbove = degradedAbove
        }
    }
    public var disk: Disk?
    /// A part of all memory, 0...1; what can be had again at once (caches) does not count as used.
    public var memory: Double?
    public init(disk: Disk? = nil, memory: Double? = nil) {
        self.disk = disk
        self.memory = memory
    }

    /// Where no number is given.
    public static let standard = 0.9

    /// What is looked at, with its threshold.
    public var all: [(resource: HostResource, above: Double)] {
        let disk: [(HostResource, Double)] = self.disk.map { [(.disk($0.path), $0.degradedAbove)] } ?? []
        return disk + (memory.map { [(.memory, $0)] } ?? [])
    }
}

/// `{disk: {path, degraded_above}, memory: {degraded_above}}`; what is there has all its keys.
extension HostThresholds: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        if let disk {
            w.set("disk", ["path": .string(disk.path), "degraded_above": .percent(disk.degradedAbove)])
        }
        if let memory { w.set("memory", ["degraded_above": .percent(memory)]) }
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        if let found = value["disk"] {
            disk = Disk(
                path: try ObjectReader(found).string("path"), degradedAbove: try Self.part(in: found, under: "disk"))
        }
        if let found = value["memory"] { memory = try Self.part(in: found, under: "memory") }
    }

    private static func part(in value: Value, under key: String) throws(ShapeError) -> Double {
        guard let part = value["degraded_above"]?.part else {
            throw ShapeError(path: "\(key).degraded_above", expected: "a percentage")
        }
        return part
    }
}

/// How the host stands against one threshold of a stack.
public struct HostStatus: Equatable, Sendable {
    public var resource: HostResource
    public var degradedAbove: Double
    /// A part of the whole, 0...1; nil until it is looked at, and when it can't be read.
    public var used: Double?
    /// It was looked at in vain: there is no such path, or its file system does not answer.
    public var isUnreadable = false
    /// Nil while it is below.
    public var degradedSince: WallTime?
    public init(resource: HostResource, degradedAbove: Double, used: Double?, degradedSince: WallTime?) {
        self.resource = resource
        self.degradedAbove = degradedAbove
        self.used = used
        self.degradedSince = degradedSince
    }

    /// `disk / 93% used`.
    public var text: String {
        guard let used else { return "\(resource.text) can't be read" }
        return "\(resource.text) \(Int((used * 100).rounded(.down)))% used"
    }
}

/// A member of a stack's `host` in `orch status --json`.
extension HostStatus: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        switch resource {
        case .disk(let path):
            w.set("resource", "disk")
            w.set("path", path)
        case .memory: w.set("resource", "memory")
        }
        w.set("used_percent", .orNull(used.map { Value.number($0 * 100) }))
        w.set("degraded_above_percent", Value.number(degradedAbove * 100))
        w.set("degraded_since", .optional(degradedSince?.rfc3339))
        w.set("unreadable", isUnreadable, unless: false)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        let resource: HostResource =
            try r.string("resource") == "disk" ? .disk(try r.string("path")) : .memory
        self.init(
            resource: resource, degradedAbove: try r.double("degraded_above_percent", or: 0) / 100,
            used: r.value("used_percent")?.double.map { $0 / 100 }, degradedSince: try r.optionalTime("degraded_since"))
        isUnreadable = try r.bool("unreadable", or: false)
    }
}

// SPDX-License-Identifier: Apache-2.0

/// What a process tree uses, and what a manifest may limit of it.
public enum Resource: String, Sendable, CaseIterable {
    /// Bytes.
    case memory
    /// CPUs that are busy for it: 0.5 is half of one.
    case cpus
    /// Processes. Where the kernel counts them, threads count too (pids.max of cgroups(7)).
    case pids
    /// Open descriptors, of all its processes together.
    case files
    /// Threads, of all its processes together; each process has one at least.
    case threads
}

/// `resources`: what the whole process tree of an instance may use.
public struct ResourceLimits: Equatable, Sendable {
    /// What it does to an instance that it uses more than its limit.
    public enum Reaction: String, Sendable, CaseIterable { case report, restart, stop }

    /// Bytes, at least 1.
    public var memory: Int64?
    /// From 0.01 to `Limits.cpus`.
    public var cpus: Double?
    public var pids: Int?
    public var files: Int?
    public var threads: Int?
    public var onExceed = Reaction.report
    public init() {}

    /// In the unit of the resource; nil where there is no limit.
    public subscript(resource: Resource) -> Double? {
        switch resource {
        case .memory: memory.map { Double($0) }
        case .cpus: cpus
        case .pids: pids.map { Double($0) }
        case .files: files.map { Double($0) }
        case .threads: threads.map { Double($0) }
        }
    }

    /// What is limited, in the order of `Resource`.
    public var limited: [Resource] { Resource.allCases.filter { self[$0] != nil } }
    public var isEmpty: Bool { limited.isEmpty }
}

/// `{memory, cpus, pids, files, threads, on_exceed}`.
extension ResourceLimits {
    func written(complete: Bool) -> Value {
        var w = ObjectWriter(complete: complete)
        w.set("memory", memory.map { .string(SizeText.format($0)) })
        w.set("cpus", cpus.map { Value.number($0) })
        w.set("pids", pids.map { .int(Int64($0)) })
        w.set("files", files.map { .int(Int64($0)) })
        w.set("threads", threads.map { .int(Int64($0)) })
        w.set("on_exceed", onExceed.rawValue, unless: Reaction.report.rawValue)
        return w.value
    }
}

extension ResourceLimits: ValueCodable {
    public var value: Value { written(complete: false) }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        if let text = try r.optionalString("memory") {
            guard let bytes = SizeText.parse(text) else { throw ShapeError(path: "memory", expected: "a size") }
            memory = bytes
        }
        if r.has("cpus") { cpus = try r.double("cpus", or: 0) }
        pids = try r.optionalInt("pids")
        files = try r.optionalInt("files")
        threads = try r.optionalInt("threads")
        onExceed = try r.word("on_exceed", or: .report)
    }
}

extension Resource {
    /// So much of it, for people: `612 MB`, `0.73`, `120`.
    public func text(_ amount: Double) -> String {
        switch self {
        case .memory: SizeText.brief(Int64(amount))
        case .cpus: Self.hundredths(amount)
        case .pids, .files, .threads: String(Int64(amount))
        }
    }

    private static func hundredths(_ amount: Double) -> String {
        let count = Int64((max(0, amount) * 100).rounded())
        let (whole, part) = (count / 100, count % 100)
        if part == 0 { return "\(whole)" }
        return part % 10 == 0 ? "\(whole).\(part / 10)" : "\(whole).\(part < 10 ? "0" : "")\(part)"
    }
}

/// How an instance stands against one of its limits.
public struct LimitStatus: Equatable, Sendable {
    public var resource: Resource
    /// In the unit of the resource, as `use`.
    public var limit: Double
    /// When it was last looked at; nil: not yet, or nobody need look.
    public var use: Double?
    /// The kernel holds the tree to it, by its control group; else it is looked at every now and then.
    public var isHeld: Bool
    /// Nil while it keeps within.
    public var exceededSince: WallTime?
    public init(resource: Resource, limit: Double, use: Double?, isHeld: Bool, exceededSince: WallTime?) {
        self.resource = resource
        self.limit = limit
        self.use = use
        self.isHeld = isHeld
        self.exceededSince = exceededSince
    }

    /// `memory 612 MB of 512 MB`.
    public var text: String {
        "\(resource.rawValue) \(use.map { resource.text($0) + " of " } ?? "")\(resource.text(limit))"
    }
}

/// A member of `limits` in `orch status --json`.
extension LimitStatus: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("resource", resource.rawValue)
        w.set("limit", number(limit))
        w.set("use", .orNull(use.map(number)))
        w.set("held_by", isHeld ? "cgroup" : "sampling")
        w.set("exceeded_since", .optional(exceededSince?.rfc3339))
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        resource = try r.word("resource")
        limit = try r.double("limit", or: 0)
        use = r.value("use")?.double
        isHeld = try r.string("held_by") == "cgroup"
        exceededSince = try r.optionalTime("exceeded_since")
    }

    private func number(_ amount: Double) -> Value {
        resource == .cpus ? .number(amount) : .int(Int64(amount))
    }
}

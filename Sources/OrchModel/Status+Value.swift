// SPDX-License-Identifier: Apache-2.0

/// A row of `orch status --json`. Documented keys are always there, null when there is nothing to say; times are RFC 3339 with
/// milliseconds, so that a time read back is one of whole milliseconds.
extension InstanceStatus: ValueCodable {
    public var value: Value {
        var w = ObjectWriter(capacity: 24)
        w.set("stack", id.service.stack)
        w.set("service", id.service.service)
        w.set("instance", id.name)
        w.set("label", label)
        w.set("kind", kind.rawValue)
        w.set("phase", phase.rawValue)
        w.set("since", since.rfc3339)
        w.set("health", health.rawValue)
        w.set("pid", .orNull(pid.map { .int(Int64($0)) }))
        w.set("launch", .orNull(launch.map { .unsigned($0.number) }))
        w.set("restarts", restarts)
        w.set("started_at", .optional(startedAt?.rfc3339))
        w.set("ready_at", .optional(readyAt?.rfc3339))
        w.set("exit", .orNull(exit?.value))
        w.set("reason", reason)
        w.set("position", position)
        w.set("until", until?.rfc3339)
        w.set("ports", .array(ports.map(\.value)))
        w.set("cpu_percent", .orNull(cpuPercent.map { .double($0) }))
        w.set("memory_bytes", .orNull(memoryBytes.map { .int($0) }))
        var log: [Value.Member] = [.init("stdout", .optional(stdoutLog)), .init("stderr", .optional(stderrLog))]
        if !redactedLog.isEmpty { log.append(.init("redact", .strings(redactedLog))) }
        if !secretFiles.isEmpty { log.append(.init("secrets", .strings(secretFiles))) }
        if let logTrouble { log.append(.init("trouble", .string(logTrouble))) }
        w.set("log", .object(log))
        w.set("tracking", tracking)
        w.set("said", said)
        w.set("runs", list: runs)
        w.set("limits", list: limits)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        let service = ServiceID(stack: try r.string("stack"), service: try r.string("service"))
        guard let id = InstanceID(stack: service.stack, name: try r.string("instance")), id.service == service
        else { throw ShapeError(path: "instance", expected: "an instance of \(service)") }
        self.init(
            id: id, label: try r.string("label"), kind: try r.word("kind"), phase: try r.word("phase"),
            since: try r.time("since"))
        health = try r.word("health")
        pid = try r.optionalInt("pid").map { Int32(truncatingIfNeeded: $0) }
        launch = try r.optionalUnsigned("launch").map { LaunchID($0) }
        restarts = try r.int("restarts")
        startedAt = try r.optionalTime("started_at")
        readyAt = try r.optionalTime("ready_at")
        exit = try r.optional("exit")
        reason = try r.string("reason")
        position = try r.optional("position")
        until = try r.optionalTime("until")
        ports = try r.list("ports")
        cpuPercent = try r.optionalDouble("cpu_percent")
        memoryBytes = r.value("memory_bytes")?.int
        stdoutLog = r.value("log")?["stdout"]?.string
        stderrLog = r.value("log")?["stderr"]?.string
        redactedLog = (r.value("log")?["redact"]?.array ?? []).compactMap(\.string)
        secretFiles = (r.value("log")?["secrets"]?.array ?? []).compactMap(\.string)
        logTrouble = r.value("log")?["trouble"]?.string
        tracking = try r.optionalString("tracking")
        said = try r.optionalString("said")
        runs = try r.list("runs")
        limits = try r.list("limits")
    }
}

/// One member of `stacks` in `orch status --json`.
extension StackStatus: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("name", name)
        w.set("revision", revision)
        w.set("manifest", manifestPath)
        w.set("phase", phase.rawValue)
        w.set("instances", .array(instances.map(\.value)))
        w.set("stopped_by", stoppedBy?.value)
        w.set("host", list: host)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            name: try r.string("name"), revision: try r.string("revision"), manifestPath: try r.string("manifest"),
            phase: try r.word("phase"), instances: try r.list("instances"))
        host = try r.list("host")
        guard let found = r.value("stopped_by"), found != .null else { return }
        let stop = try ObjectReader(found)
        guard let id = InstanceID(stack: name, name: try stop.string("instance")) else {
            throw ShapeError(path: "stopped_by.instance", expected: "an instance")
        }
        stoppedBy = StackStop(instance: id, reason: try stop.string("reason"), exit: try stop.optional("exit"))
    }
}

extension StackStop {
    /// What a stack has under `stopped_by`.
    public var value: Value {
        [
            "service": .string(instance.service.service), "instance": .string(instance.name),
            "reason": .string(reason), "exit": .orNull(exit?.value),
        ]
    }
}

extension InstanceID {
    /// `web.2`: the instance within its stack.
    public var name: String { service.service + "." + String(replica) }
    /// Reads `name`.
    public init?(stack: String, name: String) {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")),
            let replica = Int(name[name.utf8.index(after: dot)...])
        else { return nil }
        self.init(service: ServiceID(stack: stack, service: String(name[..<dot])), replica: replica)
    }
}

extension Value {
    /// Null for nil.
    static func orNull(_ value: Value?) -> Value { value ?? .null }
}

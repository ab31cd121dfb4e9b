// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

/// `[due, elapsed, attempt]`, in nanoseconds, null for what is not there.
extension DueRun: ValueCodable {
    public var value: Value {
        [
            due.map { .int($0.nanoseconds) } ?? .null, elapsed.map { .int($0.nanoseconds) } ?? .null,
            .int(Int64(attempt)),
        ]
    }
    public init(_ value: Value) throws(ShapeError) {
        guard let parts = value.array, parts.count == 3, let attempt = parts[2].int else {
            throw ShapeError(path: "", expected: "a run")
        }
        self.init(
            due: parts[0].int.map { WallTime(nanoseconds: $0) }, elapsed: parts[1].int.map { Instant(nanoseconds: $0) },
            attempt: Int(clamping: attempt))
    }
}

extension RunState: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("underway", underway)
        w.set("pending", pending)
        w.set("queued", queued)
        w.set("judged", judged.map { .unsigned($0.number) })
        w.set("last", last)
        w.set("earlier", earlier.map { .int($0.nanoseconds) })
        w.set("elapsed", elapsed.map { .int($0.nanoseconds) })
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            underway: try r.optional("underway"), pending: try r.optional("pending"), queued: try r.optional("queued"),
            judged: r.value("judged")?.unsigned.map { LaunchID($0) }, last: try r.optional("last"),
            earlier: r.value("earlier")?.int.map { WallTime(nanoseconds: $0) },
            elapsed: r.value("elapsed")?.int.map { Instant(nanoseconds: $0) })
    }
}

/// What a store keeps of a schedule; whether it was urgent is not part of it.
extension ScheduleMark: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("stack", instance.service.stack)
        w.set("instance", instance.name)
        w.set("trigger", trigger)
        w.set("through", .int(through.nanoseconds))
        w.set("elapsed", elapsed.map { .int($0.nanoseconds) })
        w.set("boot", boot.isEmpty ? nil : .string(boot))
        w.set("decided", decided)
        w.set("runs", list: runs)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        guard let id = InstanceID(stack: try r.string("stack"), name: try r.string("instance")) else {
            throw ShapeError(path: "instance", expected: "an instance")
        }
        guard let through = r.value("through")?.int else { throw ShapeError(path: "through", expected: "a time") }
        self.init(
            instance: id, trigger: try r.string("trigger"), through: WallTime(nanoseconds: through),
            elapsed: r.value("elapsed")?.int.map { Instant(nanoseconds: $0) }, boot: r.value("boot")?.string ?? "",
            decided: try r.optional("decided"), runs: try r.list("runs"))
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A line of `orch events --json`. Documented keys are always there, null when there is nothing to say.
extension Occurrence: ValueCodable {
    public var value: Value {
        var w = ObjectWriter(capacity: 9)
        w.set("time", time.rfc3339)
        w.set("stack", stack)
        w.set("service", .optional(service))
        w.set("instance", .optional(instance?.name))
        w.set("launch", .orNull(launch.map { .unsigned($0.number) }))
        w.set("event", kind.rawValue)
        w.set("cause", cause)
        w.set("exit", .orNull(exit?.value))
        w.set("position", position)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        let stack = try r.string("stack")
        var instance: InstanceID?
        if let name = try r.optionalString("instance") {
            guard let id = InstanceID(stack: stack, name: name) else {
                throw ShapeError(path: "instance", expected: "an instance")
            }
            instance = id
        }
        self.init(
            time: try r.time("time"), stack: stack, service: try r.optionalString("service"), instance: instance,
            launch: try r.optionalUnsigned("launch").map { LaunchID($0) }, kind: try r.word("event"),
            cause: try r.string("cause"), exit: try r.optional("exit"),
            position: try r.optional("position"))
    }
}

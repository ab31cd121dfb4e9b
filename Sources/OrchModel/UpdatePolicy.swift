// SPDX-License-Identifier: Apache-2.0

/// How apply replaces the instances of a service whose definition changed.
public struct UpdatePolicy: Equatable, Sendable {
    /// What comes first of one instance: the end of the old launch or the start of the new one.
    public enum Order: String, Sendable, CaseIterable {
        case stopFirst = "stop-first"
        case startFirst = "start-first"
    }
    /// What a failure of an instance with the new definition does to the rest of the update.
    public enum OnFailure: String, Sendable, CaseIterable { case pause, rollback, `continue` }

    public var order = Order.stopFirst
    /// Instances that are replaced at a time, 1...`Limits.replicas`.
    public var parallelism = 1
    /// Ready for so long without a break before the next one goes.
    public var minReady = Duration.zero
    public var onFailure = OnFailure.pause
    public init() {}
}

/// `{order, parallelism, min_ready, on_failure}`.
extension UpdatePolicy {
    func written(complete: Bool) -> Value {
        var w = ObjectWriter(complete: complete)
        w.set("order", order.rawValue, unless: Order.stopFirst.rawValue)
        w.set("parallelism", parallelism, unless: 1)
        w.set("min_ready", minReady, unless: .zero)
        w.set("on_failure", onFailure.rawValue, unless: OnFailure.pause.rawValue)
        return w.value
    }
}

extension UpdatePolicy: ValueCodable {
    public var value: Value { written(complete: false) }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        order = try r.word("order", or: .stopFirst)
        parallelism = try r.int("parallelism", or: 1)
        minReady = try r.duration("min_ready", or: .zero)
        onFailure = try r.word("on_failure", or: .pause)
    }
}

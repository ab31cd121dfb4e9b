// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

/// An update that is not over, as it is kept with its stack.
extension Rollout: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("service", service)
        w.set("stance", stance.rawValue)
        w.set("reason", reason, unless: "")
        w.set("held", .array(held.map { .int(Int64($0)) }))
        w.set("definition", previous.spec.definition())
        w.set("inherited", list: previous.inherited)
        w.set("file_limit", previous.fileLimit.map { Value.unsigned($0) })
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        let service = try r.string("service")
        let spec = try ServiceSpec(name: service, definition: r.value("definition") ?? .null)
        self.init(
            service: service,
            previous: ServiceVersion(
                spec: spec, inherited: try r.list("inherited"), fileLimit: try r.optionalUnsigned("file_limit")))
        stance = try r.word("stance")
        reason = try r.string("reason", or: "")
        held = (r.value("held")?.array ?? []).compactMap { $0.int.map { Int($0) } }
    }
}

extension Renaming: ValueCodable {
    public var value: Value { .array([.string(from), .string(to)]) }
    public init(_ value: Value) throws(ShapeError) {
        guard let parts = value.array, parts.count == 2, let from = parts[0].string, let to = parts[1].string else {
            throw ShapeError(path: "", expected: "two names")
        }
        self.init(from: from, to: to)
    }
}

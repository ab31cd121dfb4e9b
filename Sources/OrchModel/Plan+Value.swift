// SPDX-License-Identifier: Apache-2.0

/// `{"path","from","to","fate"}`; a side that is not there is left out.
extension FieldChange: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("path", path)
        w.set("from", from)
        w.set("to", to)
        w.set("fate", fate.rawValue)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(path: try r.string("path"), from: r.value("from"), to: r.value("to"), fate: try r.word("fate"))
    }
}

extension Change: ValueCodable {
    public var value: Value {
        [
            "action": .string(action.rawValue), "service": .string(service), "because": .strings(because),
            "fields": .array(fields.map(\.value)),
        ]
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            try r.word("action"), try r.string("service"), because: try r.strings("because"),
            fields: try r.list("fields"))
    }
}

/// The shape of `orch diff --json`.
extension Plan: ValueCodable {
    public var value: Value {
        [
            "in_sync": .bool(isInSync), "stack": .string(stack), "revision": .string(revision),
            "changes": .array(changes.map(\.value)),
        ]
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(stack: try r.string("stack"), revision: try r.string("revision"), changes: try r.list("changes"))
    }
}

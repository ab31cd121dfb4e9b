// SPDX-License-Identifier: Apache-2.0

extension Fault: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("step", step)
        w.set("subject", subject)
        w.set("reason", reason)
        w.set("remedy", remedy)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            step: try r.string("step"), subject: try r.string("subject"), reason: try r.string("reason"),
            remedy: try r.optionalString("remedy"))
    }
}

extension Diagnostic: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("severity", severity.rawValue)
        w.set("code", code)
        w.set("message", message)
        w.set("position", position)
        w.set("source_line", sourceLine)
        w.set("width", width, unless: 1)
        w.set("help", help)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            try r.word("severity"), code: try r.string("code"), try r.string("message"), at: try r.optional("position"),
            sourceLine: try r.optionalString("source_line"), width: try r.int("width", or: 1),
            help: try r.optionalString("help"))
    }
}

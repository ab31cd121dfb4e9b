// SPDX-License-Identifier: Apache-2.0

/// What `rollback` hands to the daemon: it has the revisions itself.
public struct RollbackRequest: Equatable, Sendable, ValueCodable {
    public var stack: String
    /// The first digits of a revision's digest; nil for the one before the present one.
    public var revision: String?
    public init(stack: String, revision: String? = nil) {
        self.stack = stack
        self.revision = revision
    }
    public var value: Value {
        var w = ObjectWriter()
        w.set("stack", stack)
        w.set("revision", revision)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(stack: try r.string("stack"), revision: try r.optionalString("revision"))
    }
}

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// What a client asks; replies carry the same number. A client may have several requests under way.
public struct Request: Equatable, Sendable, ValueCodable {
    /// Chosen by the client, its own for each request under way; 1 and up.
    public var id: UInt64
    public var command: Command
    public init(id: UInt64, command: Command) {
        self.id = id
        self.command = command
    }
    /// The command's members and `id`.
    public var value: Value { Self.value(id: id, command: command.value) }
    /// The same for whoever has the command's value at hand.
    public static func value(id: UInt64, command: Value) -> Value {
        .object([.init("id", .unsigned(id))] + (command.members ?? []))
    }
    public init(_ value: Value) throws(ShapeError) {
        self.init(id: try Self.id(of: value), command: try Command(value))
    }
    /// The number alone, so that a request of an unknown shape can be answered.
    public static func id(of value: Value) throws(ShapeError) -> UInt64 {
        guard let id = value["id"]?.unsigned else { throw ShapeError(path: "id", expected: "a request number") }
        return id
    }
}

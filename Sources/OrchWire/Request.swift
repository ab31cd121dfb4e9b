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
    public var value: Value { .object([.init("id", .unsigned(id))] + (command.value.members ?? [])) }
    /// The frame of a request whose command, an object with members, is at hand as JSON.
    public static func frame(id: UInt64, commandText: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(commandText.count + 32)
        Frame.append(to: &bytes) { bytes in
            bytes.append(contentsOf: "{\"id\":".utf8)
            JSON.append(.unsigned(id), to: &bytes)
            bytes.append(UInt8(ascii: ","))
            bytes.append(contentsOf: commandText.dropFirst())
        }
        return bytes
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

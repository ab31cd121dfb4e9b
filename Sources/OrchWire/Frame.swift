// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// One message between the programs: its length as four bytes, the highest first, and that many bytes of JSON.
public enum Frame {
    static let headerBytes = 4

    /// The bytes of one frame. O(n).
    public static func encode(_ value: Value) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1_024)
        append(value, to: &bytes)
        return bytes
    }

    public static func encode(_ message: some ValueCodable) -> [UInt8] { encode(message.value) }

    /// Behind what is there already.
    public static func append(_ value: Value, to bytes: inout [UInt8]) {
        append(to: &bytes) { bytes in JSON.append(value, to: &bytes) }
    }

    static func append(to bytes: inout [UInt8], writing body: (inout [UInt8]) -> Void) {
        let start = bytes.count
        for _ in 0..<headerBytes { bytes.append(0) }
        body(&bytes)
        let length = UInt32(clamping: bytes.count - start - headerBytes)
        for index in 0..<headerBytes {
            bytes[start + index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index))
        }
    }
}

/// Bytes that are no frame. Nothing after them can be understood: the connection is to be closed.
public struct FrameError: Error, Equatable, Sendable {
    public var reason: String
    public init(reason: String) { self.reason = reason }
}

/// Puts frames together from bytes as they come, in pieces of any size.
public struct FrameBuffer: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0
    /// A frame of more bytes is an error as soon as its header is there.
    public var limit: Int

    public init(limit: Int = Limits.frameBytes) { self.limit = limit }

    /// Whether a frame has begun and not ended.
    public var isInsideFrame: Bool { start < bytes.count }
    /// Bytes that are held.
    public var count: Int { bytes.count - start }

    public mutating func append(_ more: [UInt8]) {
        if start == bytes.count {
            bytes = more
            start = 0
        } else {
            if start > 65_536 {
                bytes.removeFirst(start)
                start = 0
            }
            bytes.append(contentsOf: more)
        }
    }

    /// The next whole frame; nil when more bytes are needed.
    public mutating func next() throws(FrameError) -> Value? {
        guard let body = try nextBody() else { return nil }
        do { return try JSON.parse(body) } catch { throw FrameError(reason: "a frame that is not JSON, \(error.text)") }
    }

    /// The text of the next whole frame, unread: for whoever passes it on. Nil when more bytes are needed.
    public mutating func nextBody() throws(FrameError) -> [UInt8]? {
        guard count >= Frame.headerBytes else { return nil }
        var length = 0
        for index in 0..<Frame.headerBytes { length = length << 8 | Int(bytes[start + index]) }
        guard length > 0, length <= limit else {
            throw FrameError(reason: "a frame of \(length) bytes; at most \(limit) are taken")
        }
        guard count >= Frame.headerBytes + length else { return nil }
        let body = Array(bytes[start + Frame.headerBytes..<start + Frame.headerBytes + length])
        start += Frame.headerBytes + length
        if start == bytes.count {
            bytes = []
            start = 0
        }
        return body
    }
}

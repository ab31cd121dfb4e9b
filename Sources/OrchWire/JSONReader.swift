// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Bytes that are not JSON, or more of it than the limits allow.
public struct JSONError: Error, Equatable, Sendable {
    /// Counts from 0.
    public var offset: Int
    public var reason: String
    public init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }
    public var text: String { "byte \(offset): \(reason)" }
}

extension JSON {
    /// Reads exactly one value (RFC 8259, strictly: no duplicate keys, no lone surrogates, valid UTF-8, nothing after it).
    /// Integers beyond `Int64` become doubles; numbers beyond `Double` are errors. O(n).
    /// `start`: where it begins.
    public static func parse(
        _ bytes: [UInt8], from start: Int = 0, depth: Int = Limits.valueDepth, nodes: Int = Limits.valueNodes
    ) throws(JSONError) -> Value {
        var reader = JSONReader(bytes: bytes, depth: depth, nodes: nodes)
        reader.at = start
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.at == bytes.count else { throw reader.error("something follows the value") }
        return value
    }

    public static func parse(_ text: String) throws(JSONError) -> Value { try parse(Array(text.utf8)) }
}

struct JSONReader {
    let bytes: [UInt8]
    let maxDepth: Int
    var nodesLeft: Int
    var at = 0

    init(bytes: [UInt8], depth: Int, nodes: Int) {
        self.bytes = bytes
        maxDepth = depth
        nodesLeft = nodes
    }

    func error(_ reason: String) -> JSONError { JSONError(offset: at, reason: reason) }

    mutating func skipSpace() {
        while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0a || bytes[at] == 0x0d || bytes[at] == 0x09 {
            at += 1
        }
    }

    mutating func value(depth: Int) throws(JSONError) -> Value {
        skipSpace()
        guard at < bytes.count else { throw error("a value is missing") }
        nodesLeft -= 1
        guard nodesLeft >= 0 else { throw error("too many values") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case JSON.quote: return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("no value begins so")
        }
    }

    private mutating func word(_ word: String, _ value: Value) throws(JSONError) -> Value {
        let expected = word.utf8.span
        guard at + expected.count <= bytes.count else { throw error("no value begins so") }
        for place in 0..<expected.count where bytes[at + place] != expected[place] {
            throw error("no value begins so")
        }
        at += expected.count
        return value
    }

    private mutating func array(depth: Int) throws(JSONError) -> Value {
        guard depth < maxDepth else { throw error("nested too deeply") }
        at += 1
        var items: [Value] = []
        skipSpace()
        if take("]") { return .array(items) }
        // Most are short.
        items.reserveCapacity(4)
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(items) }
            guard take(",") else { throw error("a comma or ] is missing") }
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> Value {
        guard depth < maxDepth else { throw error("nested too deeply") }
        at += 1
        var members: [Value.Member] = []
        members.reserveCapacity(8)
        var keys = KnownKeys()
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard at < bytes.count, bytes[at] == JSON.quote else { throw error("a key is missing") }
            let key = try string()
            guard keys.admits(key, among: members) else { throw error("a key comes twice") }
            skipSpace()
            guard take(":") else { throw error("a colon is missing") }
            members.append(.init(key, try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw error("a comma or } is missing") }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func number() throws(JSONError) -> Value {
        let start = at
        _ = take("-")
        let digits = at
        skipDigits()
        guard at > digits, at == digits + 1 || bytes[digits] != UInt8(ascii: "0") else {
            throw error("a number is malformed")
        }
        var isInteger = true
        if take(".") {
            isInteger = false
            let fraction = at
            skipDigits()
            guard at > fraction else { throw error("a number is malformed") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            let exponent = at
            skipDigits()
            guard at > exponent else { throw error("a number is malformed") }
        }
        if isInteger, let small = smallInteger(digits, isNegative: digits > start) { return .int(small) }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isInteger, let whole = Int64(text) { return .int(whole) }
        guard let number = Double(text), number.isFinite else { throw error("a number is too large") }
        return .double(number)
    }

    /// Up to 18 digits without an overflow check; nil for more.
    private func smallInteger(_ start: Int, isNegative: Bool) -> Int64? {
        guard at - start <= 18 else { return nil }
        var result: Int64 = 0
        for index in start..<at { result = result &* 10 &+ Int64(bytes[index] &- UInt8(ascii: "0")) }
        return isNegative ? -result : result
    }

    private mutating func skipDigits() {
        while at < bytes.count, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") { at += 1 }
    }
}

/// Tells a key that comes twice: a few are compared one by one, if their marks meet at all, and many go through a set.
private struct KnownKeys {
    /// One bit for each mark that was seen.
    private var marks: UInt64 = 0
    private var many: Set<String> = []

    mutating func admits(_ key: String, among members: [Value.Member]) -> Bool {
        if members.count < 32 {
            let mark = UInt64(1) << (Self.hash(key) & 63)
            defer { marks |= mark }
            return marks & mark == 0 || !members.contains { $0.key == key }
        }
        if many.isEmpty { for member in members { many.insert(member.key) } }
        return many.insert(key).inserted
    }

    private static func hash(_ key: String) -> UInt64 {
        let bytes = key.utf8.span
        guard let last = bytes.indices.last else { return 0 }
        let ends = UInt64(bytes[0]) << 16 | UInt64(bytes[last / 2]) << 8 | UInt64(bytes[last])
        return (ends << 8 | UInt64(truncatingIfNeeded: last)) &* 0x9e37_79b9_7f4a_7c15 >> 32
    }
}

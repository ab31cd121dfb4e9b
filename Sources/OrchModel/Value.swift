// SPDX-License-Identifier: Apache-2.0

/// A tree of plain data: the one shape in which the nouns are compared field by field, digested, stored and sent.
/// Objects keep the order of their members, so the same noun always gives the same text.
public enum Value: Equatable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([Value])
    case object([Member])

    /// One key of an object and its value.
    public struct Member: Equatable, Sendable {
        public var key: String
        public var value: Value
        public init(_ key: String, _ value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// The value of the first member named `key`; nil when this is no object or has none. O(members).
    public subscript(key: String) -> Value? {
        guard case .object(let members) = self else { return nil }
        for place in members.indices where members[place].key == key { return members[place].value }
        return nil
    }
    public var string: String? { if case .string(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    public var array: [Value]? { if case .array(let items) = self { items } else { nil } }
    public var members: [Member]? { if case .object(let members) = self { members } else { nil } }
    public var int: Int64? {
        switch self {
        case .int(let number): number
        case .double(let number): Int64(exactly: number)
        case .null, .bool, .string, .array, .object: nil
        }
    }
    public var double: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        case .null, .bool, .string, .array, .object: nil
        }
    }

    /// Strings, in order.
    public static func strings(_ texts: [String]) -> Value { .array(texts.map { .string($0) }) }
    /// `null` for nil.
    public static func optional(_ text: String?) -> Value { text.map { .string($0) } ?? .null }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral, ExpressibleByFloatLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(arrayLiteral elements: Value...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, Value)...) { self = .object(elements.map { Member($0, $1) }) }
    public init(nilLiteral: ()) { self = .null }
}

/// A stored or received value that does not have the shape its reader expects.
public struct ShapeError: Error, Equatable, Sendable {
    /// Where, as a dotted path from the root.
    public var path: String
    /// What was expected there.
    public var expected: String
    public init(path: String, expected: String) {
        self.path = path
        self.expected = expected
    }
    /// The same error seen from one level further out.
    public func under(_ key: String) -> ShapeError {
        ShapeError(path: path.isEmpty ? key : "\(key).\(path)", expected: expected)
    }
}

/// A noun that can be written as a value and read back. Writing leaves out what is at its default.
public protocol ValueCodable {
    var value: Value { get }
    init(_ value: Value) throws(ShapeError)
}

/// Writes the members of an object in a fixed order and leaves defaults out.
public struct ObjectWriter {
    public private(set) var members: [Value.Member] = []
    /// Defaults are written too: what a person sees beside a field that left its default.
    public let complete: Bool
    private let capacity: Int
    /// `capacity`: about so many members come.
    public init(complete: Bool = false, capacity: Int = 8) {
        self.complete = complete
        self.capacity = capacity
    }
    private mutating func add(_ member: Value.Member) {
        // Many objects stay empty: what is at its default is left out.
        if members.isEmpty { members.reserveCapacity(capacity) }
        members.append(member)
    }
    public mutating func set(_ key: String, _ value: Value) { add(.init(key, value)) }
    public mutating func set(_ key: String, _ value: Value?) { if let value { add(.init(key, value)) } }
    public mutating func set(_ key: String, _ text: String, unless skipped: String? = nil) {
        if complete || text != skipped { add(.init(key, .string(text))) }
    }
    public mutating func set(_ key: String, _ text: String?) {
        if let text { add(.init(key, .string(text))) }
    }
    public mutating func set(_ key: String, _ number: Int, unless skipped: Int? = nil) {
        if complete || number != skipped { add(.init(key, .int(Int64(number)))) }
    }
    public mutating func set(_ key: String, _ flag: Bool, unless skipped: Bool? = nil) {
        if complete || flag != skipped { add(.init(key, .bool(flag))) }
    }
    public mutating func set(_ key: String, _ span: Duration, unless skipped: Duration? = nil) {
        if complete || span != skipped { add(.init(key, .string(span.text))) }
    }
    public mutating func set(_ key: String, _ span: Duration?) {
        if let span { add(.init(key, .string(span.text))) }
    }
    public mutating func set(_ key: String, strings: [String], unless skipped: [String]? = nil) {
        if complete || strings != skipped { add(.init(key, .strings(strings))) }
    }
    public mutating func set<T: ValueCodable>(_ key: String, _ noun: T?) {
        if let noun { add(.init(key, noun.value)) }
    }
    public mutating func set<T: ValueCodable>(_ key: String, list: [T]) {
        if !list.isEmpty { add(.init(key, .array(list.map(\.value)))) }
    }
    public var value: Value { .object(members) }
}

/// Reads the members of an object with their defaults. Unknown members are left alone: an older reader may meet a newer writer.
public struct ObjectReader {
    private let value: Value
    public init(_ value: Value) throws(ShapeError) {
        guard case .object = value else { throw ShapeError(path: "", expected: "an object") }
        self.value = value
    }
    public func has(_ key: String) -> Bool { value[key] != nil }
    public func value(_ key: String) -> Value? { value[key] }
    public func string(_ key: String) throws(ShapeError) -> String {
        guard let text = value[key]?.string else { throw ShapeError(path: key, expected: "a string") }
        return text
    }
    public func string(_ key: String, or fallback: String) throws(ShapeError) -> String {
        guard let found = value[key] else { return fallback }
        guard let text = found.string else { throw ShapeError(path: key, expected: "a string") }
        return text
    }
    public func optionalString(_ key: String) throws(ShapeError) -> String? {
        guard let found = value[key], found != .null else { return nil }
        guard let text = found.string else { throw ShapeError(path: key, expected: "a string") }
        return text
    }
    public func int(_ key: String) throws(ShapeError) -> Int { try int(value[key], key) }
    public func int(_ key: String, or fallback: Int) throws(ShapeError) -> Int {
        guard let found = value[key] else { return fallback }
        return try int(found, key)
    }
    public func optionalInt(_ key: String) throws(ShapeError) -> Int? {
        guard let found = value[key], found != .null else { return nil }
        return try int(found, key)
    }
    private func int(_ found: Value?, _ key: String) throws(ShapeError) -> Int {
        guard let number = found?.int, let small = Int(exactly: number) else {
            throw ShapeError(path: key, expected: "an integer")
        }
        return small
    }
    public func bool(_ key: String, or fallback: Bool) throws(ShapeError) -> Bool {
        guard let found = value[key] else { return fallback }
        guard let flag = found.bool else { throw ShapeError(path: key, expected: "true or false") }
        return flag
    }
    public func double(_ key: String, or fallback: Double) throws(ShapeError) -> Double {
        guard let found = value[key] else { return fallback }
        guard let number = found.double else { throw ShapeError(path: key, expected: "a number") }
        return number
    }
    public func duration(_ key: String) throws(ShapeError) -> Duration { try duration(value[key], key) }
    public func duration(_ key: String, or fallback: Duration) throws(ShapeError) -> Duration {
        guard let found = value[key] else { return fallback }
        return try duration(found, key)
    }
    public func optionalDuration(_ key: String) throws(ShapeError) -> Duration? {
        guard let found = value[key] else { return nil }
        return try duration(found, key)
    }
    private func duration(_ found: Value?, _ key: String) throws(ShapeError) -> Duration {
        guard let text = found?.string, let span = Duration(text: text) else {
            throw ShapeError(path: key, expected: "a duration")
        }
        return span
    }
    public func signal(_ key: String) throws(ShapeError) -> Signal {
        guard let signal = Signal(text: try string(key)) else { throw ShapeError(path: key, expected: "a signal") }
        return signal
    }
    public func strings(_ key: String, or fallback: [String] = []) throws(ShapeError) -> [String] {
        guard let found = value[key] else { return fallback }
        guard let items = found.array else { throw ShapeError(path: key, expected: "a list") }
        var texts: [String] = []
        texts.reserveCapacity(items.count)
        for item in items {
            guard let text = item.string else { throw ShapeError(path: key, expected: "a list of strings") }
            texts.append(text)
        }
        return texts
    }
    public func noun<T: ValueCodable>(_ key: String, as type: T.Type = T.self) throws(ShapeError) -> T {
        guard let found = value[key] else { throw ShapeError(path: key, expected: "a value") }
        do { return try T(found) } catch { throw error.under(key) }
    }
    public func optional<T: ValueCodable>(_ key: String, as type: T.Type = T.self) throws(ShapeError) -> T? {
        guard let found = value[key], found != .null else { return nil }
        do { return try T(found) } catch { throw error.under(key) }
    }
    public func list<T: ValueCodable>(_ key: String, of type: T.Type = T.self) throws(ShapeError) -> [T] {
        guard let found = value[key] else { return [] }
        guard let items = found.array else { throw ShapeError(path: key, expected: "a list") }
        var nouns: [T] = []
        nouns.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            do { nouns.append(try T(item)) } catch { throw error.under("\(key)[\(index)]") }
        }
        return nouns
    }
    /// Reads a word that is a case of an enumeration by its raw value.
    public func word<T: RawRepresentable>(_ key: String, or fallback: T? = nil, as type: T.Type = T.self)
        throws(ShapeError) -> T
    where T.RawValue == String {
        guard let found = value[key] else {
            if let fallback { return fallback }
            throw ShapeError(path: key, expected: "a word")
        }
        guard let text = found.string, let word = T(rawValue: text) else {
            throw ShapeError(path: key, expected: "a known word")
        }
        return word
    }
}

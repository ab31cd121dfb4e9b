// SPDX-License-Identifier: Apache-2.0

/// What may name a stack or a service.
public enum Name {
    /// Whether `text` matches `[a-z0-9][a-z0-9_-]{0,62}`.
    public static func isValid(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetterOrDigit(first), text.utf8.count <= 63 else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 95 || $0 == 45 }
    }

    /// The nearest valid name: lowercased, other characters as "-"; nil when nothing is left.
    public static func made(from text: String) -> String? {
        let mapped = text.lowercased().utf8.map { isLetterOrDigit($0) || $0 == 95 ? $0 : 45 }
        let trimmed = mapped.drop { !isLetterOrDigit($0) }.prefix(63)
        return trimmed.isEmpty ? nil : String(decoding: trimmed, as: UTF8.self)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57)
    }
}

/// A service in its stack.
public struct ServiceID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var stack: String
    public var service: String
    public init(stack: String, service: String) {
        self.stack = stack
        self.service = service
    }
    public var description: String { "\(stack)/\(service)" }
    public static func < (a: ServiceID, b: ServiceID) -> Bool {
        a.stack == b.stack ? a.service < b.service : a.stack < b.stack
    }
}

/// One replica of a service; `replica` counts from 1.
public struct InstanceID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var service: ServiceID
    public var replica: Int
    public init(service: ServiceID, replica: Int = 1) {
        self.service = service
        self.replica = replica
    }
    /// `stack/service.2`.
    public var description: String { "\(service).\(replica)" }
    /// What people see: `web` while it is alone, else `web.2`.
    public func label(alone: Bool) -> String { alone ? service.service : name }
    public static func < (a: InstanceID, b: InstanceID) -> Bool {
        a.service == b.service ? a.replica < b.replica : a.service < b.service
    }
}

/// What a command names: a whole stack, a service or one instance.
public struct Target: Hashable, Sendable, ValueCodable {
    public var stack: String
    /// Nil for the whole stack.
    public var service: String?
    /// Nil for all replicas.
    public var replica: Int?
    public init(stack: String, service: String? = nil, replica: Int? = nil) {
        self.stack = stack
        self.service = service
        self.replica = replica
    }
    public func covers(_ instance: InstanceID) -> Bool {
        instance.service.stack == stack && (service == nil || service == instance.service.service)
            && (replica == nil || replica == instance.replica)
    }
    public var value: Value {
        var w = ObjectWriter()
        w.set("stack", stack)
        w.set("service", service)
        w.set("replica", replica.map { .int(Int64($0)) })
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            stack: try r.string("stack"), service: try r.optionalString("service"),
            replica: try r.optionalInt("replica"))
    }
}

/// The number of one launch of one instance: never used again, in order of decision. The mind speaks of these, never of pids.
public struct LaunchID: Hashable, Comparable, Sendable {
    public var number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public static func < (a: LaunchID, b: LaunchID) -> Bool { a.number < b.number }
}

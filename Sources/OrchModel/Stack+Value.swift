// SPDX-License-Identifier: Apache-2.0

/// A stack in the manifest's shape: services by name.
extension Stack: ValueCodable {
    public var value: Value { value(definitions: services.map { .init($0.name, $0.definition()) }) }

    private func value(definitions: [Value.Member]) -> Value {
        var w = ObjectWriter()
        w.set("name", name)
        w.set("description", details, unless: "")
        if stopTimeout != .seconds(120) { w.set("stop", ["timeout": .string(stopTimeout.text)]) }
        w.setObject("host", host.value)
        w.set("services", .object(definitions))
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        guard let members = r.value("services")?.members else {
            throw ShapeError(path: "services", expected: "an object")
        }
        var services: [ServiceSpec] = []
        services.reserveCapacity(members.count)
        for member in members {
            do { services.append(try ServiceSpec(name: member.key, definition: member.value)) } catch {
                throw error.under(member.key).under("services")
            }
        }
        self.init(name: try r.string("name"), services: services)
        details = try r.string("description", or: "")
        host = try r.optional("host") ?? HostThresholds()
        if let stop = r.value("stop") {
            do { stopTimeout = try ObjectReader(stop).duration("timeout", or: stopTimeout) } catch {
                throw error.under("stop")
            }
        }
    }

    /// Names this revision: the digest of everything the manifest says, whatever the order of its keys or its comments.
    public var digest: Digest { Digest(of: value.canonicalBytes) }

    /// The same, and each service's own digest is kept beside it (`ServiceSpec.seal`), for one look at the definitions.
    public mutating func seal() -> Digest {
        var definitions: [Value.Member] = []
        for place in services.indices {
            definitions.append(.init(services[place].name, services[place].sealedDefinition()))
        }
        return Digest(of: value(definitions: definitions).canonicalBytes)
    }
}

extension ApplyRequest: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("stack", stack)
        w.set("manifest_path", manifestPath)
        w.set("inherited", list: inherited)
        w.set("file_limit", fileLimit.map { Value.unsigned($0) })
        w.set("author", author, unless: "")
        w.set("adopt", adopt, unless: false)
        w.set("rollback_within", rollbackWithin)
        if !positions.isEmpty { w.set("places", positions.value) }
        w.set("origin", origin)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(stack: try r.noun("stack"), manifestPath: try r.string("manifest_path"))
        inherited = try r.list("inherited")
        fileLimit = try r.optionalUnsigned("file_limit")
        author = try r.string("author", or: "")
        adopt = try r.bool("adopt", or: false)
        rollbackWithin = try r.optionalDuration("rollback_within")
        positions = try r.sourcePositions()
        origin = try r.optional("origin")
    }
}

extension Value {
    /// A number that may be beyond `Int64`: then its decimal digits.
    public static func unsigned(_ number: UInt64) -> Value {
        Int64(exactly: number).map { .int($0) } ?? .string(String(number))
    }
    /// Reads `unsigned`.
    public var unsigned: UInt64? {
        if let text = string { return UInt64(text) }
        return int.flatMap { UInt64(exactly: $0) }
    }
}

extension ObjectReader {
    /// Nil when it is absent or null.
    public func optionalUnsigned(_ key: String) throws(ShapeError) -> UInt64? {
        guard let found = value(key), found != .null else { return nil }
        guard let number = found.unsigned else { throw ShapeError(path: key, expected: "a whole number") }
        return number
    }
    /// RFC 3339; nil when it is absent or null.
    public func optionalTime(_ key: String) throws(ShapeError) -> WallTime? {
        guard let text = try optionalString(key) else { return nil }
        guard let time = WallTime(rfc3339: text) else { throw ShapeError(path: key, expected: "a time as in RFC 3339") }
        return time
    }
    /// RFC 3339.
    public func time(_ key: String) throws(ShapeError) -> WallTime {
        guard let time = try optionalTime(key) else { throw ShapeError(path: key, expected: "a time as in RFC 3339") }
        return time
    }
    /// Nil when it is absent or null.
    public func optionalDouble(_ key: String) throws(ShapeError) -> Double? {
        guard let found = value(key), found != .null else { return nil }
        guard let number = found.double else { throw ShapeError(path: key, expected: "a number") }
        return number
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The shape of `orch history --json`.
extension AppliedRevision: ValueCodable {
    public var value: Value {
        [
            "revision": .string(revision.hex), "applied_at": .string(appliedAt.rfc3339), "author": .string(author),
            "origin": .string(origin.rawValue), "left": .optional(left?.hex),
            "because": .optional(because.isEmpty ? nil : because),
            "changes": .array(changes.map { ["action": .string($0.action.rawValue), "service": .string($0.service)] }),
            "change_count": .orNull(changeCount.map { .int(Int64($0)) }), "current": .bool(isCurrent),
        ]
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            revision: try r.digest("revision"), appliedAt: try r.time("applied_at"), author: try r.string("author"))
        origin = try r.word("origin")
        left = try r.optionalDigest("left")
        because = try r.optionalString("because") ?? ""
        for item in r.value("changes")?.array ?? [] {
            let deed = try ObjectReader(item)
            changes.append(Deed(try deed.word("action"), try deed.string("service")))
        }
        changeCount = try r.optionalInt("change_count")
        isCurrent = try r.bool("current", or: false)
    }
}

/// As the files under `state/stacks` hold it, among other members: times in nanoseconds, deeds as pairs.
extension AppliedRevision {
    public var stored: Value {
        var w = ObjectWriter()
        w.set("revision", revision.hex)
        w.set("applied_at", Value.int(appliedAt.nanoseconds))
        w.set("author", author, unless: "")
        w.set("origin", origin.rawValue, unless: Origin.apply.rawValue)
        w.set("left", left?.hex)
        w.set("because", because, unless: "")
        w.set("changes", .array(changes.map { [.string($0.action.rawValue), .string($0.service)] }))
        w.set("change_count", changeCount.map { .int(Int64($0)) })
        return w.value
    }

    /// Reads also what was written before there was more than a digest, a time and an author.
    public init(stored value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        guard let at = r.value("applied_at")?.int else { throw ShapeError(path: "applied_at", expected: "a time") }
        self.init(
            revision: try r.digest("revision"), appliedAt: WallTime(nanoseconds: at),
            author: try r.string("author", or: ""))
        origin = try r.word("origin", or: .apply)
        left = try r.optionalDigest("left")
        because = try r.string("because", or: "")
        for item in r.value("changes")?.array ?? [] {
            guard let pair = item.array, pair.count == 2, let word = pair[0].string,
                let action = Change.Action(rawValue: word), let service = pair[1].string
            else { throw ShapeError(path: "changes", expected: "actions and services") }
            changes.append(Deed(action, service))
        }
        changeCount = try r.optionalInt("change_count")
    }
}

extension ObjectReader {
    /// Nil when it is absent or null.
    public func optionalDigest(_ key: String) throws(ShapeError) -> Digest? {
        guard let found = value(key), found != .null else { return nil }
        return try digest(key)
    }
    /// 64 hexadecimal digits.
    public func digest(_ key: String) throws(ShapeError) -> Digest {
        guard let digest = Digest(hex: try string(key)) else { throw ShapeError(path: key, expected: "a digest") }
        return digest
    }
}

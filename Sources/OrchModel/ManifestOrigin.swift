// SPDX-License-Identifier: Apache-2.0

/// What the reading of a manifest saw of the world: where all of that is as it was, reading it again gives the same stack.
public struct ManifestOrigin: Equatable, Sendable, ValueCodable {
    /// Over the texts of the manifests, the answers to all that follows here, and the program that read them.
    public var digest: Digest
    /// Files that were read beside the manifests, absolute, in that order.
    public var files: [String]
    /// Variables of the caller that the texts ask for, sorted.
    public var variables: [String]
    /// Names of the caller's variables that services get, as `inherit_environment` has them.
    public var inheritance: [String]
    /// Users and time zones that had to be there, in the order of asking.
    public var users: [String]
    public var zones: [String]
    /// Files of secrets, of which only a keyed digest is in `digest`, absolute, in the order of asking.
    public var secrets: [String]

    public init(
        digest: Digest, files: [String], variables: [String], inheritance: [String], users: [String], zones: [String],
        secrets: [String] = []
    ) {
        self.digest = digest
        self.files = files
        self.variables = variables
        self.inheritance = inheritance
        self.users = users
        self.zones = zones
        self.secrets = secrets
    }

    public var value: Value {
        [
            "digest": .string(digest.hex), "files": .strings(files), "variables": .strings(variables),
            "inheritance": .strings(inheritance), "users": .strings(users), "zones": .strings(zones),
            "secrets": .strings(secrets),
        ]
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            digest: try r.digest("digest"), files: try r.strings("files"), variables: try r.strings("variables"),
            inheritance: try r.strings("inheritance"), users: try r.strings("users"), zones: try r.strings("zones"),
            secrets: try r.strings("secrets", or: []))
    }
}

/// The stack that was applied from a manifest, for whoever may be about to apply the same once more.
public struct Recollection: Equatable, Sendable, ValueCodable {
    public var stack: String
    public var origin: ManifestOrigin

    public init(stack: String, origin: ManifestOrigin) {
        self.stack = stack
        self.origin = origin
    }

    public var value: Value { ["stack": .string(stack), "origin": origin.value] }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(stack: try r.string("stack"), origin: try r.noun("origin"))
    }
}

/// An apply of what the daemon has already, so that it need not be sent.
public struct KnownRequest: Equatable, Sendable, ValueCodable {
    public enum Reference: Equatable, Sendable {
        /// What is applied, if it was read from this origin and nothing would be done.
        case applied(stack: String, origin: Digest)
        /// What this connection asked a plan of last, if that is its revision.
        case planned(revision: String)
    }
    public var reference: Reference
    /// As in `ApplyRequest`.
    public var rollbackWithin: Duration?

    public init(_ reference: Reference, rollbackWithin: Duration? = nil) {
        self.reference = reference
        self.rollbackWithin = rollbackWithin
    }

    public var value: Value {
        var w = ObjectWriter()
        switch reference {
        case .applied(let stack, let origin):
            w.set("stack", stack)
            w.set("origin", origin.hex)
        case .planned(let revision): w.set("revision", revision)
        }
        w.set("rollback_within", rollbackWithin)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        let reference: Reference =
            r.has("revision")
            ? .planned(revision: try r.string("revision"))
            : .applied(stack: try r.string("stack"), origin: try r.digest("origin"))
        self.init(reference, rollbackWithin: try r.optionalDuration("rollback_within"))
    }
}

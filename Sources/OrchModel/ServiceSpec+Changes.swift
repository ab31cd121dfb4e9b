// SPDX-License-Identifier: Apache-2.0

/// What differs between two definitions of a service, and what each difference does to a running process.
extension ServiceSpec {
    /// Fields that differ in meaning, with their fates, in the manifest's order. A side that left a default shows that default.
    public static func changes(from old: ServiceSpec, to new: ServiceSpec) -> [FieldChange] {
        if old == new { return [] }
        let differences = Value.differences(from: old.definition(), to: new.definition(), absentAsEmpty: containers)
        if differences.isEmpty { return [] }
        let oldComplete = differences.contains { $0.from == nil } ? old.definition(complete: true) : .null
        let newComplete = differences.contains { $0.to == nil } ? new.definition(complete: true) : .null
        return differences.map { difference in
            FieldChange(
                path: difference.path,
                from: difference.from ?? oldComplete.scalar(at: difference.path),
                to: difference.to ?? newComplete.scalar(at: difference.path),
                fate: fate(of: difference, from: old, to: new))
        }
    }

    /// What a service that can reload takes up that way. Whether it can decides of what its definition is made, so that where it has
    /// `config_files`, a first `reload` needs a new process, and so does the end of the last one.
    private static func fate(of difference: FieldDifference, from old: ServiceSpec, to new: ServiceSpec) -> Fate {
        switch difference.path.prefix(while: { $0 != "." }) {
        case "config_files": return new.reload == nil ? .restart : .reload
        case "reload" where (old.reload == nil) != (new.reload == nil):
            let counted = old.reload == nil ? old.configFiles : new.configFiles
            return counted.isEmpty ? .live : .restart
        // Probes that the process was told of when it was started.
        case "health" where old.toldOfProbes != new.toldOfProbes: return .restart
        default: return Fate.of(difference.path, from: difference.from, to: difference.to)
        }
    }

    /// It speaks by sd_notify(3): somebody listens to it.
    public var speaks: Bool { ready == .notify || ProbeKind.allCases.contains { health[$0]?.action == .notify } }

    /// How long it may be silent, where its liveness is a watchdog.
    public var watchdog: Duration? { health.liveness.flatMap { $0.action == .notify ? $0.silence : nil } }

    /// What is in the environment of its process because of its probes; nil where nothing is.
    private var toldOfProbes: Value? {
        guard speaks, ready != .notify || watchdog != nil else { return nil }
        return .string(watchdog?.text ?? "")
    }

    /// The digest of all that only a new process takes up: whether a running one is of the present definition.
    public var definitionDigest: Digest { facts[0].memo.digest ?? Self.digest(of: definition(), self) }

    /// Keeps `definitionDigest` beside what it is of, for all copies that are made from here on.
    public mutating func seal() { if facts[0].memo.digest == nil { _ = sealedDefinition() } }

    /// The same, by one who knows it: `digest` was that of this very definition.
    public mutating func seal(as digest: Digest) { facts[0].memo.digest = digest }

    /// The definition, after `seal` and for the same look at it.
    mutating func sealedDefinition() -> Value {
        let definition = definition()
        if facts[0].memo.digest == nil { facts[0].memo.digest = Self.digest(of: definition, self) }
        return definition
    }

    private static func digest(of definition: Value, _ spec: ServiceSpec) -> Digest {
        var members: [Value.Member] = []
        for member in definition.members ?? [] where Fate.of(member.key) == .restart {
            // These it takes up by a reload.
            if member.key == "config_files", spec.reload != nil { continue }
            members.append(member)
        }
        if let told = spec.toldOfProbes { members.append(.init("told_of_probes", told)) }
        let logging = spec.logging
        members.append(.init("streams", .strings([logging.stdout.wiring, logging.stderr.wiring])))
        return Digest(of: Value.object(members).canonicalBytes)
    }

    /// Objects of a service that are always there, even if everything in them is left at its default.
    private static let containers = [
        "environment", "secrets", "labels", "resources", "depends_on", "health", "restart", "on_exit", "stop",
        "hooks", "logging",
        "logging.rotate",
        "config_files", "update",
    ]
}

extension Fate {
    /// The fate of a field by its path within a service. A field that can't be taken up by a running process is `restart`.
    /// For the two log streams it depends on what they are and become; without `from` and `to` a stream is as a file to a file.
    public static func of(_ path: String, from: Value? = nil, to: Value? = nil) -> Fate {
        if path == "logging.stdout" || path == "logging.stderr" { return wiring(from) == wiring(to) ? .live : .restart }
        guard let end = path.utf8.firstIndex(of: UInt8(ascii: ".")) else {
            return takenUp.contains(path) ? .live : .restart
        }
        return takenUp.contains(String(path[..<end])) ? .live : .restart
    }

    private static let takenUp: Set = [
        "title", "description", "labels", "depends_on", "health", "start_timeout", "timeout", "restart",
        "success_exit_codes", "on_exit", "essential", "stop", "reload",
        "hooks", "logging", "watch", "enabled", "profiles", "replicas", "schedule", "update", "renamed_from",
    ]

    private static func wiring(_ stream: Value?) -> String {
        switch stream {
        case .null: "discard"
        case .string("merge"): "merge"
        case .string, .object, .array, .bool, .int, .double, nil: "file"
        }
    }
}

extension LoggingSpec.Sink {
    /// What the descriptor of the stream is made of: a change of it needs a new process.
    var wiring: String {
        switch self {
        case .standard, .file, .append: "file"
        case .discard: "discard"
        case .merge: "merge"
        }
    }
}

extension Value {
    /// The scalar or list under a path of plain keys; nil for an object, for nothing, for quoted keys.
    func scalar(at path: String) -> Value? {
        var here = self
        for key in path.split(separator: ".") {
            guard let next = here[String(key)] else { return nil }
            here = next
        }
        return here.members == nil ? here : nil
    }
}

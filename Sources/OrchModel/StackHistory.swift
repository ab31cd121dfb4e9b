// SPDX-License-Identifier: Apache-2.0

/// What `orch history` tells of a stack, or of one service of it.
public struct StackHistory: Equatable, Sendable {
    public var stack: String
    /// Nil for the whole stack.
    public var service: String?
    /// Newest first; for a service those that touched it.
    public var revisions: [AppliedRevision]
    /// Of the service, newest first; empty for a stack.
    public var launches: [PastLaunch]
    public init(stack: String, service: String? = nil, revisions: [AppliedRevision], launches: [PastLaunch] = []) {
        self.stack = stack
        self.service = service
        self.revisions = revisions
        self.launches = launches
    }

    /// Only what concerns the service.
    public static func touched(_ service: String?, in revisions: [AppliedRevision]) -> [AppliedRevision] {
        guard let service else { return revisions }
        return revisions.filter { $0.mayHaveTouched(service) }
    }
}

/// One launch of an instance, as the events tell it.
public struct PastLaunch: Equatable, Sendable {
    public var instance: InstanceID
    public var launch: LaunchID
    /// When it was decided and why; nil where that is too long ago.
    public var launchedAt: WallTime?
    public var because = ""
    public var startedAt: WallTime?
    /// Nil while it lives.
    public var exitedAt: WallTime?
    public var exit: Exit?
    /// How it ended, in words.
    public var end = ""

    public init(instance: InstanceID, launch: LaunchID) {
        self.instance = instance
        self.launch = launch
    }

    /// From events in their order; the newest launch first, at most `limit`.
    public static func all(in occurrences: [Occurrence], limit: Int = Limits.launchesPerHistory) -> [PastLaunch] {
        var launches: [PastLaunch] = []
        var places: [LaunchID: Int] = [:]
        for occurrence in occurrences {
            guard let instance = occurrence.instance, let launch = occurrence.launch else { continue }
            switch occurrence.kind {
            case .launching, .started, .exited:
                let place = places[launch] ?? launches.count
                if place == launches.count {
                    places[launch] = place
                    launches.append(PastLaunch(instance: instance, launch: launch))
                }
                launches[place].learn(occurrence)
            case .applied, .rolledBack, .removed, .waiting, .ready, .unready, .unhealthy, .healthy, .stopping, .killing,
                .stopped, .backoff, .failed, .done, .halted, .departed, .returned, .stuck, .adopted, .renamed, .step,
                .warning,
                .daemonStarted, .daemonStopping, .superseded, .skipped, .changed, .exceeded, .recovered, .degraded,
                .reloading, .reloaded, .notReloaded, .hook, .hooked, .hookFailed, .signalled:
                break
            }
        }
        return launches.suffix(limit).reversed()
    }

    private mutating func learn(_ occurrence: Occurrence) {
        if occurrence.kind == .launching {
            launchedAt = occurrence.time
            because = occurrence.cause
        } else if occurrence.kind == .started {
            startedAt = occurrence.time
        } else {
            exitedAt = occurrence.time
            exit = occurrence.exit
            end = occurrence.cause
        }
    }
}

extension PastLaunch: ValueCodable {
    public var value: Value {
        [
            "stack": .string(instance.service.stack), "instance": .string(instance.name),
            "launch": .unsigned(launch.number), "launched_at": .optional(launchedAt?.rfc3339),
            "because": .optional(because.isEmpty ? nil : because), "started_at": .optional(startedAt?.rfc3339),
            "exited_at": .optional(exitedAt?.rfc3339), "exit": .orNull(exit?.value),
            "end": .optional(end.isEmpty ? nil : end),
        ]
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        guard let id = InstanceID(stack: try r.string("stack"), name: try r.string("instance")) else {
            throw ShapeError(path: "instance", expected: "an instance")
        }
        guard let launch = try r.optionalUnsigned("launch") else {
            throw ShapeError(path: "launch", expected: "a launch")
        }
        self.init(instance: id, launch: LaunchID(launch))
        launchedAt = try r.optionalTime("launched_at")
        because = try r.optionalString("because") ?? ""
        startedAt = try r.optionalTime("started_at")
        exitedAt = try r.optionalTime("exited_at")
        exit = try r.optional("exit")
        end = try r.optionalString("end") ?? ""
    }
}

/// The shape of `orch history --json`.
extension StackHistory: ValueCodable {
    public var value: Value {
        [
            "stack": .string(stack), "service": .optional(service), "revisions": .array(revisions.map(\.value)),
            "launches": .array(launches.map(\.value)),
        ]
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            stack: try r.string("stack"), service: try r.optionalString("service"),
            revisions: try r.list("revisions"), launches: try r.list("launches"))
    }
}

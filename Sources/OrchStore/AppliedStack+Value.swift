// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchWire

/// What is kept of an applied stack beside its revision: `state/stacks/<name>.json`.
extension AppliedStack {
    /// `history`: the entries of revisions before this one, newest first. `boot`: whose time `acceptedAt` is.
    func pointer(history: [Value], boot: String) -> Value {
        var w = ObjectWriter()
        w.set("stack", request.stack.name)
        for member in entry.stored.members ?? [] { w.set(member.key, member.value) }
        w.set("manifest_path", request.manifestPath)
        w.set("adopt", request.adopt, unless: false)
        w.set("leaving", isLeaving, unless: false)
        w.set("accepted_at", Value.int(acceptedAt.nanoseconds))
        w.set("boot", boot)
        w.set("trial", trial?.value)
        w.set("file_limit", request.fileLimit.map { Value.unsigned($0) })
        for member in Inheritances(of: self).members { w.set(member.key, member.value) }
        w.set("history", .array(history))
        w.set("rollouts", list: rollouts)
        w.set("renames", list: renames)
        return w.value
    }

    /// What the pointer of a revision leaves in the history of the next one.
    static func entry(ofPointer pointer: Value) -> Value {
        let passing: Set = [
            "stack", "adopt", "leaving", "accepted_at", "boot", "trial", "history", "positions", "rollouts", "renames",
        ]
        return .object((pointer.members ?? []).filter { !passing.contains($0.key) })
    }

    /// `revision`: the content of the file that the pointer names. `boot`: the present one; what an earlier one's time says means nothing.
    init(pointer: Value, revision: Value, boot: String?) throws(ShapeError) {
        let r = try ObjectReader(pointer)
        var stack = try Stack(revision)
        Seals.recall(from: revision, &stack)
        var request = ApplyRequest(stack: stack, manifestPath: try r.string("manifest_path"))
        request.author = try r.string("author", or: "")
        request.adopt = try r.bool("adopt", or: false)
        request.fileLimit = try r.optionalUnsigned("file_limit")
        request.inherited = try r.list("inherited")
        // Once they were in the pointer.
        request.positions = try (r.has("positions") ? r : ObjectReader(revision)).sourcePositions()
        let entry = try AppliedRevision(stored: pointer)
        self.init(
            request: request, revision: entry.revision, appliedAt: entry.appliedAt,
            inherited: try Inheritances.read(pointer, request))
        self.entry = entry
        if r.value("boot")?.string == boot { acceptedAt = Instant(nanoseconds: r.value("accepted_at")?.int ?? 0) }
        trial = try r.value("trial").map { (written) throws(ShapeError) in try Trial(written) }
        isLeaving = try r.bool("leaving", or: false)
        rollouts = try r.list("rollouts")
        renames = try r.list("renames")
    }

    /// The content of the file that the pointer names: the stack, where in the manifest its keys stood, and what its digests are.
    var document: Value {
        var members = request.stack.value.members ?? []
        if !request.positions.isEmpty { members.append(.init("places", request.positions.value)) }
        members.append(.init("seals", Seals.value(of: request.stack)))
        return .object(members)
    }
}

/// The digests of a stack's definitions, which every start of the daemon needs and which take as long as a quarter of all that it reads.
/// What a release digests is its own affair: another one's are left alone.
private enum Seals {
    static func value(of stack: Stack) -> Value {
        var digits: [UInt8] = []
        for service in stack.services { digits.append(hexOf: service.definitionDigest) }
        return ["version": .string(OrchVersion.text), "digests": .string(String(decoding: digits, as: UTF8.self))]
    }

    static func recall(from revision: Value, _ stack: inout Stack) {
        guard let seals = revision["seals"], seals["version"]?.string == OrchVersion.text,
            let digits = seals["digests"]?.string, digits.utf8.count == 64 * stack.services.count
        else { return }
        for place in stack.services.indices {
            guard let digest = Digest(hex: digits.utf8.span.extracting(64 * place..<64 * (place + 1))) else { return }
            stack.services[place].seal(as: digest)
        }
    }
}

/// What services inherit, each environment written once: many services, few callers.
private struct Inheritances {
    /// `inherited`: what the caller had. `environments`: all others. `common`: the one of most services, and `services`: those with
    /// another one, both as places in `environments`, -1 for what the caller had.
    private(set) var members: [Value.Member] = []

    init(of applied: AppliedStack) {
        var places: [[EnvironmentEntry]: Int] = [applied.request.inherited: -1]
        var environments: [Value] = []
        var counts: [Int: Int] = [:]
        // Nearly all have the one of the service before them, which is seen at once where both are one copy.
        var last: (environment: [EnvironmentEntry], place: Int) = (applied.request.inherited, -1)
        let used = applied.inherited.map { inheritance in
            if inheritance.environment == last.environment {
                counts[last.place, default: 0] += 1
                return last.place
            }
            let place = places[inheritance.environment] ?? environments.count
            last = (inheritance.environment, place)
            if place == environments.count {
                places[inheritance.environment] = place
                environments.append(.array(inheritance.environment.map(\.value)))
            }
            counts[place, default: 0] += 1
            return place
        }
        let common = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? -1
        var services: [Value.Member] = []
        for (inheritance, place) in zip(applied.inherited, used) where place != common {
            services.append(.init(inheritance.service, .int(Int64(place))))
        }
        var w = ObjectWriter()
        w.set("inherited", list: applied.request.inherited)
        if !environments.isEmpty { w.set("environments", .array(environments)) }
        w.set("common", common, unless: -1)
        w.set("services", .object(services))
        members = w.members
    }

    static func read(_ pointer: Value, _ request: ApplyRequest) throws(ShapeError) -> [ServiceInheritance] {
        var environments: [[EnvironmentEntry]] = []
        for written in pointer["environments"]?.array ?? [] { environments.append(try entries(written)) }
        func environment(_ place: Int) throws(ShapeError) -> [EnvironmentEntry] {
            if place == -1 { return request.inherited }
            guard environments.indices.contains(place) else {
                throw ShapeError(path: "services", expected: "the place of an environment")
            }
            return environments[place]
        }
        let common = try environment(ObjectReader(pointer).int("common", or: -1))
        var own: [String: [EnvironmentEntry]] = [:]
        for member in pointer["services"]?.members ?? [] {
            switch member.value {
            // Once every service had its own list, or null for what the caller had.
            case .null: own[member.key] = request.inherited
            case .array: own[member.key] = try entries(member.value)
            case .bool, .int, .double, .string, .object:
                own[member.key] = try environment(member.value.int.map { Int($0) } ?? .max)
            }
        }
        return request.stack.services.map {
            ServiceInheritance(service: $0.name, environment: own[$0.name] ?? common)
        }
    }

    private static func entries(_ value: Value) throws(ShapeError) -> [EnvironmentEntry] {
        var entries: [EnvironmentEntry] = []
        for item in value.array ?? [] { entries.append(try EnvironmentEntry(item)) }
        return entries
    }
}

extension Trial {
    var value: Value {
        var w = ObjectWriter()
        w.set("within", .int(within.nanoseconds))
        w.set("deadline", .int(deadline.nanoseconds))
        w.set("fallback", fallback?.hex)
        return w.value
    }

    init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        guard let within = r.value("within")?.int, let deadline = r.value("deadline")?.int else {
            throw ShapeError(path: "within", expected: "nanoseconds")
        }
        self.init(
            within: .nanoseconds(within), deadline: Instant(nanoseconds: deadline),
            fallback: r.has("fallback") ? try r.digest("fallback") : nil)
    }
}

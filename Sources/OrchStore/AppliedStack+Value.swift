// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What is kept of an applied stack beside its revision: `state/stacks/<name>.json`.
extension AppliedStack {
    var pointer: Value {
        var w = ObjectWriter()
        w.set("stack", request.stack.name)
        w.set("revision", revision.hex)
        w.set("manifest_path", request.manifestPath)
        w.set("applied_at", Value.int(appliedAt.nanoseconds))
        w.set("author", request.author, unless: "")
        w.set("adopt", request.adopt, unless: false)
        w.set("leaving", isLeaving, unless: false)
        w.set("file_limit", request.fileLimit.map { Value.unsigned($0) })
        w.set("inherited", list: request.inherited)
        w.set("services", .object(inherited.map { .init($0.service, written($0.environment)) }))
        w.set("positions", list: request.positions)
        return w.value
    }

    /// Most services inherit what the caller of the last apply had: null.
    private func written(_ environment: [EnvironmentEntry]) -> Value {
        environment == request.inherited ? .null : .array(environment.map(\.value))
    }

    init(pointer: Value, stack: Stack) throws(ShapeError) {
        let r = try ObjectReader(pointer)
        var request = ApplyRequest(stack: stack, manifestPath: try r.string("manifest_path"))
        request.author = try r.string("author", or: "")
        request.adopt = try r.bool("adopt", or: false)
        request.fileLimit = try r.optionalUnsigned("file_limit")
        request.inherited = try r.list("inherited")
        request.positions = try r.list("positions")
        guard let revision = Digest(hex: try r.string("revision")) else {
            throw ShapeError(path: "revision", expected: "a digest")
        }
        guard let at = r.value("applied_at")?.int else { throw ShapeError(path: "applied_at", expected: "a time") }
        var inherited: [ServiceInheritance] = []
        let services = try ObjectReader(r.value("services") ?? .object([]))
        for member in r.value("services")?.members ?? [] {
            let environment: [EnvironmentEntry] =
                member.value == .null ? request.inherited : try services.list(member.key)
            inherited.append(ServiceInheritance(service: member.key, environment: environment))
        }
        self.init(request: request, revision: revision, appliedAt: WallTime(nanoseconds: at), inherited: inherited)
        isLeaving = try r.bool("leaving", or: false)
    }
}

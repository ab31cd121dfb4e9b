// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Fields {
    static let update = FieldTable(
        "update",
        [
            Field(
                "order", .word(UpdatePolicy.Order.allCases.map(\.rawValue)), default: "stop-first",
                "start-first: the old one is stopped once the new one is ready."),
            Field("parallelism", .integer(1...Limits.replicas), default: "1", "Instances that are replaced at a time."),
            Field("min_ready", .duration, default: "0s", "Ready for so long before the next one goes."),
            Field(
                "on_failure", .word(UpdatePolicy.OnFailure.allCases.map(\.rawValue)), default: "pause",
                "When a new one fails: the rest stay as they are, all go back, or the update goes on."),
        ])
}

/// How instances are replaced, and what a service was called before.
extension Decoder {
    func update(_ node: NodeID, into decoded: DecodedService) {
        guard let section = section(node, Fields.update, "update") else { return }
        guard decoded.spec.kind == .service else {
            error(
                "misplaced", "\"update\" is for services, and this is a task", at: node,
                help: "remove it: a task runs again when its definition changes")
            return
        }
        var policy = UpdatePolicy()
        if let node = section["order"], let order = word(node, "order", as: UpdatePolicy.Order.self) {
            policy.order = order
        }
        if let node = section["parallelism"], let count = integer(node, "parallelism", in: 1...Limits.replicas) {
            policy.parallelism = count
        }
        if let node = section["min_ready"], let span = span(node, "min_ready") { policy.minReady = span }
        if let node = section["on_failure"], let word = word(node, "on_failure", as: UpdatePolicy.OnFailure.self) {
            policy.onFailure = word
        }
        decoded.spec.update = policy
        if policy.order == .startFirst, let lock = decoded.spec.locks.first {
            error(
                "lock-conflict",
                "with start-first the old and the new \"\(decoded.spec.name)\" run side by side, and only one can have the lock \"\(lock)\"",
                at: section["order"] ?? node, help: "write order: stop-first")
        }
        if policy.order == .startFirst { checkPortsOfSuccession(decoded, at: section["order"] ?? node) }
    }

    /// Two launches of one instance can't have the same fixed port.
    private func checkPortsOfSuccession(_ decoded: DecodedService, at node: NodeID) {
        guard let port = decoded.spec.ports.first(where: { $0.port != 0 && $0.onConflict != .next }) else { return }
        error(
            "port-conflict",
            "with start-first the old and the new \"\(decoded.spec.name)\" run side by side, and only one can have the fixed port \(port.port)",
            at: node, help: "write auto or on_conflict: next for the port, or order: stop-first")
    }

    func renamedFrom(_ node: NodeID, into decoded: DecodedService) {
        guard let name = text(node, "renamed_from") else { return }
        guard Name.isValid(name) else {
            error(
                "name", "\"renamed_from\": \"\(name.prefix(80))\" never was the name of a service", at: node,
                help: "names are a-z, 0-9, _ and -; give the one that it had before")
            return
        }
        guard name != decoded.spec.name else {
            error(
                "renamed-from", "\"\(name)\" can't be renamed from itself", at: node,
                help: "give the name it had before, or remove it")
            return
        }
        decoded.spec.renamedFrom = name
        decoded.renamedNode = node
    }

    /// A name can be left by one service only, and only if nothing has it any more.
    func checkRenames(_ stack: DecodedStack, _ index: [String: Int]) {
        var claims: [String: String] = [:]
        for service in stack.services {
            guard let old = service.spec.renamedFrom, let node = service.renamedNode else { continue }
            if index[old] != nil || stack.broken.contains(old) {
                error(
                    "renamed-from",
                    "\"\(service.spec.name)\" can't be renamed from \"\(old)\", which is still a service here",
                    at: node, help: "remove \"\(old)\", or remove renamed_from")
            } else if let first = claims[old] {
                error(
                    "renamed-from", "\"\(first)\" and \"\(service.spec.name)\" are both renamed from \"\(old)\"",
                    at: node,
                    help: "only one of them can have been \"\(old)\"")
            }
            claims[old] = claims[old] ?? service.spec.name
        }
    }
}

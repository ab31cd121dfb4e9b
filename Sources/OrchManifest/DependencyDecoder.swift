// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    func dependencies(_ node: NodeID, into decoded: DecodedService) {
        switch tree.kind(node) {
        case .scalar: wrongForm("depends_on", "a list or a map of services", node, help: "write [\(tree.text(node))]")
        case .sequence:
            var seen = KeySet(expecting: Int(tree[node].count))
            for item in Array(tree.slots(node)) {
                guard let name = text(item, "depends_on") else { continue }
                if seen.insert(name, item) != nil {
                    error("duplicate-key", "\"\(name)\" is given twice", at: item)
                } else if isService(name, item) {
                    decoded.edges.append(.init(dependency: Dependency(on: name), node: item))
                }
            }
        case .mapping:
            for (key, value) in tree.entries(node) where isService(tree.text(key), key) {
                decoded.edges.append(edge(key, value))
            }
        }
    }

    private func isService(_ name: String, _ node: NodeID) -> Bool {
        guard name.utf8.contains(58), name.contains("://") || name.hasPrefix("file:") else { return true }
        error(
            "not-yet", "waiting for \"\(name)\" is part of the language, but this version of orch does not have it yet",
            at: node)
        return false
    }

    private func edge(_ key: NodeID, _ value: NodeID) -> DecodedService.Edge {
        var edge = DecodedService.Edge(dependency: Dependency(on: tree.text(key)), node: key)
        if tree.isNull(value) { return edge }
        if tree.kind(value) == .scalar {
            wrongForm(tree.text(key), "a map", value, help: "write { condition: \(tree.text(value)) }")
            return edge
        }
        guard let section = section(value, Fields.dependency, tree.text(key)) else { return edge }
        if let node = section["condition"], let condition = condition(node) {
            edge.dependency.condition = condition
            edge.condition = node
        }
        if let node = section["required"], let flag = flag(node, "required") { edge.dependency.required = flag }
        if let node = section["timeout"], let span = duration(node, "timeout", none: true) {
            edge.dependency.timeout = span
        }
        if let node = section["on_restart"], let word = word(node, "on_restart", as: Dependency.Reaction.self) {
            edge.dependency.onRestart = word
        }
        if let node = section["on_failure"], let word = word(node, "on_failure", as: Dependency.Reaction.self) {
            edge.dependency.onFailure = word
        }
        if let node = section["restart"], flag(node, "restart") == true {
            if section.has("on_restart") {
                error(
                    "conflict", "\"restart\" and \"on_restart\" are the same thing", at: section.key("restart"),
                    help: "keep on_restart")
            }
            edge.dependency.onRestart = .restart
        }
        return edge
    }

    private func condition(_ node: NodeID) -> Dependency.Condition? {
        guard let scalar = scalar(node, "condition", "one of \(Fields.conditions.prefix(5).joined(separator: ", "))")
        else { return nil }
        switch scalar.text {
        case "started", "service_started", "process_started": return .started
        case "ready", "process_log_ready": return .ready
        case "healthy", "service_healthy", "process_healthy": return .healthy
        case "completed", "process_completed": return .completed
        case "succeeded", "service_completed_successfully", "process_completed_successfully": return .succeeded
        default:
            let help = Suggestion.help(for: scalar.text, among: Fields.conditions)
            error(
                "value", "\"condition\" can't be \"\(scalar.text)\"", at: node,
                help: help ?? "it is one of \(Fields.conditions.prefix(5).joined(separator: ", "))")
            return nil
        }
    }
}

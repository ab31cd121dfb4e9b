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
                    error("duplicate-key", "\"\(name)\" is given twice", at: item, help: "remove it here")
                } else if !Self.isOutside(name) {
                    decoded.edges.append(.init(dependency: Dependency(on: name), node: item))
                } else if let need = outside(name, item) {
                    decoded.edges.append(.init(dependency: Dependency(on: need.text), node: item, isOutside: true))
                }
            }
        case .mapping:
            for (key, value) in tree.entries(node) {
                if !Self.isOutside(tree.text(key)) {
                    decoded.edges.append(edge(key, value))
                } else if let name = text(key, "depends_on"), let need = outside(name, key) {
                    decoded.edges.append(outsideEdge(need, key, value))
                }
            }
        }
        checkTwice(decoded)
    }

    /// Two ways to write the same thing.
    private func checkTwice(_ decoded: DecodedService) {
        var seen: Set<String> = []
        for edge in decoded.edges where edge.isOutside && !seen.insert(edge.dependency.on).inserted {
            error("duplicate-key", "\"\(edge.dependency.on)\" is given twice", at: edge.node, help: "remove it here")
        }
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

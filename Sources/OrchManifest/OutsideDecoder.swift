// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What a start waits for that is no service: `tcp://…`, `http://…`, `file:…`.
extension Decoder {
    /// No name of a service has a colon.
    static func isOutside(_ name: String) -> Bool { name.utf8.contains(58) }

    func outside(_ name: String, _ node: NodeID) -> OutsideNeed? {
        if name.hasPrefix("tcp://") {
            let endpoint = String(name.dropFirst(6))
            if let (flaw, _) = endpointFlaw(endpoint) {
                error("value", "\"depends_on\": \(flaw)", at: node, help: "such as tcp://127.0.0.1:5432")
                return nil
            }
            return .tcp(endpoint)
        }
        if name.hasPrefix("http://") || name.hasPrefix("https://") {
            if let flaw = urlFlaw(name) {
                error("value", "\"depends_on\": \(flaw)", at: node, help: "such as http://127.0.0.1:8080/health")
                return nil
            }
            return .http(name)
        }
        guard name.hasPrefix("file:") else {
            error(
                "value",
                "\"depends_on\": \"\(name)\" is neither a service nor tcp://HOST:PORT, http://URL or file:PATH",
                at: node,
                help:
                    "the names of services have no colon; what is outside begins with tcp://, http://, https:// or file:"
            )
            return nil
        }
        let path = name.hasPrefix("file://") ? name.dropFirst(7) : name.dropFirst(5)
        guard !path.isEmpty else {
            error("value", "\"depends_on\": \"\(name)\" names no file", at: node, help: "such as file:/run/ready")
            return nil
        }
        return .file(LexicalPath.absolute(String(path), from: folders[Int(tree[node].file)].absolute))
    }

    func outsideEdge(_ need: OutsideNeed, _ key: NodeID, _ value: NodeID) -> DecodedService.Edge {
        var edge = DecodedService.Edge(dependency: Dependency(on: need.text), node: key, isOutside: true)
        if tree.isNull(value) { return edge }
        guard let section = section(value, Fields.dependency, tree.text(key)) else { return edge }
        for name in ["condition", "on_restart", "on_failure", "restart"] where section.has(name) {
            error(
                "misplaced", "\"\(name)\" is for services; \"\(need.text)\" only gates starts", at: section.key(name),
                help: "it takes required and timeout")
        }
        if let node = section["required"], let flag = flag(node, "required") { edge.dependency.required = flag }
        if let node = section["timeout"], let span = duration(node, "timeout", none: true) {
            edge.dependency.timeout = span
        }
        if !edge.dependency.required, edge.dependency.timeout == nil {
            warn(
                "no-effect", "without a timeout, what is not required never holds up a start", at: key,
                help: "add timeout: how long to wait for it before going on without it")
        }
        return edge
    }
}

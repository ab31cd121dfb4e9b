// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What can be judged only when all services are known.
extension Decoder {
    /// Fills in default conditions and checks names, conditions, loops, ports and log files across services.
    func connect(_ stack: DecodedStack) {
        var index: [String: Int] = [:]
        for (at, service) in stack.services.enumerated() { index[service.spec.name] = at }
        var targets: [[Int]] = []
        targets.reserveCapacity(stack.services.count)
        for at in stack.services.indices { targets.append(connectEdges(of: at, stack, index)) }
        checkLoops(stack, targets)
        checkRenames(stack, index)
        checkPorts(stack)
        checkSockets(stack)
        checkSinks(stack)
    }

    private func connectEdges(of at: Int, _ stack: DecodedStack, _ index: [String: Int]) -> [Int] {
        let service = stack.services[at]
        guard !service.edges.isEmpty else { return [] }
        var targets: [Int] = []
        var resolved: [Dependency] = []
        for edge in service.edges {
            var dependency = edge.dependency
            if let target = index[dependency.on] {
                let other = stack.services[target].spec
                if edge.condition == nil, other.kind == .task { dependency.condition = .succeeded }
                check(edge, dependency, from: service.spec, to: other)
                targets.append(target)
            } else {
                if !edge.isOutside, dependency.required, !stack.broken.contains(dependency.on) {
                    let names = stack.services.map(\.spec.name)
                    error(
                        "unknown-service", "there is no service \"\(dependency.on)\"", at: edge.node,
                        help: Suggestion.help(for: dependency.on, among: names)
                            ?? "add it, or write { required: false }")
                }
                targets.append(-1)
            }
            resolved.append(dependency)
        }
        connected[at] = resolved.sorted { $0.on < $1.on }
        return targets
    }

    private func check(
        _ edge: DecodedService.Edge, _ dependency: Dependency, from service: ServiceSpec, to other: ServiceSpec
    ) {
        if dependency.on == service.name {
            error("self-dependency", "\"\(service.name)\" depends on itself", at: edge.node, help: "remove it")
            return
        }
        let place = edge.condition ?? edge.node
        switch dependency.condition {
        case .started: break
        case .ready, .healthy:
            if other.kind == .task {
                error(
                    "condition", "\"\(other.name)\" is a task, and a task is never \(dependency.condition.rawValue)",
                    at: place,
                    help: "write condition: succeeded, or completed")
            }
        case .completed, .succeeded:
            if other.kind == .service {
                error(
                    "condition", "\"\(other.name)\" is a service, and only a task has \(dependency.condition.rawValue)",
                    at: place,
                    help: "write condition: ready, or make \"\(other.name)\" a task")
            }
        }
        if other.kind == .service, let lock = service.locks.first(where: { other.locks.contains($0) }) {
            error(
                "lock-cycle",
                "\"\(service.name)\" would wait for ever: it needs \"\(other.name)\" up, which holds the lock \"\(lock)\" meanwhile",
                at: edge.node, help: "give one of them another lock, or none")
        }
        if !other.enabled, dependency.required, service.enabled {
            let state = other.outside.map { "\"\(other.name)\" is \($0)" } ?? "\"\(other.name)\" is not enabled"
            warn(
                "disabled-dependency",
                "\(state), so \"\(service.name)\" will wait until it is started by hand",
                at: edge.node, help: "enable it, or write { required: false }")
        }
    }

    /// Depth first, without recursion; each loop is told once, from its first service in the order of names.
    private func checkLoops(_ stack: DecodedStack, _ targets: [[Int]]) {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: targets.count)
        for root in targets.indices where marks[root] == .new {
            var path: [(service: Int, next: Int)] = [(root, 0)]
            marks[root] = .open
            while let top = path.last {
                guard top.next < targets[top.service].count else {
                    marks[top.service] = .done
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let target = targets[top.service][top.next]
                guard target >= 0, target != top.service else { continue }
                switch marks[target] {
                case .done: break
                case .new:
                    marks[target] = .open
                    path.append((target, 0))
                case .open:
                    guard let start = path.firstIndex(where: { $0.service == target }) else { break }
                    reportLoop(path[start...].map { ($0.service, $0.next - 1) }, stack)
                }
            }
        }
    }

    private func reportLoop(_ loop: [(service: Int, edge: Int)], _ stack: DecodedStack) {
        guard let least = loop.indices.min(by: { loop[$0].service < loop[$1].service }) else { return }
        let turned = Array(loop[least...] + loop[..<least])
        let shown = turned.count > 12 ? Array(turned.prefix(6)) + Array(turned.suffix(5)) : turned
        var names = shown.map { stack.services[$0.service].spec.name }
        if turned.count > 12 { names.insert("… \(turned.count - 11) more …", at: 6) }
        let first = turned[0]
        error(
            "cycle", "services wait for each other in a loop: \((names + [names[0]]).joined(separator: " -> "))",
            at: stack.services[first.service].edges[first.edge].node, help: "remove one of these dependencies")
    }

    private func checkPorts(_ stack: DecodedStack) {
        var users: [String: [(service: Int, port: Int)]] = [:]
        for (at, service) in stack.services.enumerated() where service.spec.enabled && service.spec.replicas > 0 {
            for (number, port) in service.spec.ports.enumerated() where port.port != 0 && port.onConflict == .fail {
                let key = "\(port.transport.rawValue) \(port.port)"
                let clash = users[key]?.first {
                    stack.services[$0.service].spec.name != service.spec.name
                        && Self.overlap(stack.services[$0.service].spec.ports[$0.port].host, port.host)
                }
                if let clash { portClash(stack.services[clash.service], clash.port, service, number) }
                users[key, default: []].append((at, number))
            }
        }
    }

    private func portClash(_ first: DecodedService, _ firstPort: Int, _ second: DecodedService, _ secondPort: Int) {
        let (a, b) = (first.portNodes[firstPort], second.portNodes[secondPort])
        let (p, q) = (tree[a], tree[b])
        let isSecondLater = (p.file, p.line, p.column) <= (q.file, q.line, q.column)
        let (early, late) = isSecondLater ? (first, second) : (second, first)
        let port = first.spec.ports[firstPort]
        error(
            "port-conflict",
            "\"\(late.spec.name)\" and \"\(early.spec.name)\" both have the \(port.transport.rawValue) port \(port.port)",
            at: isSecondLater ? b : a, help: "give one of them another port, or auto")
    }

    private func checkSinks(_ stack: DecodedStack) {
        var owners: [String: (service: Int, node: NodeID)] = [:]
        for (at, service) in stack.services.enumerated() {
            for (path, node) in service.sinks where !path.hasPrefix("/dev/") && !path.contains("${") {
                guard let owner = owners[path] else {
                    owners[path] = (at, node)
                    continue
                }
                if owner.service == at {
                    error(
                        "log-conflict", "both streams write to \(path), which would mix them up", at: node,
                        help: "write stderr: merge")
                } else {
                    error(
                        "log-conflict",
                        "\"\(service.spec.name)\" and \"\(stack.services[owner.service].spec.name)\" both write to \(path)",
                        at: node,
                        help: "give each its own file, or write { append: … }, which is not rotated")
                }
            }
        }
    }
}

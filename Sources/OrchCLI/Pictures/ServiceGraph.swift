// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The services of a stack and what they wait for, in layers: whoever needs nothing is in the first, and every other one is behind all that
/// it needs. The same stack gives the same picture.
struct ServiceGraph: Equatable {
    struct Node: Equatable {
        var name: String
        var kind: ServiceSpec.Kind
        var isEnabled: Bool
        /// Where it stands; nil where nobody knows.
        var phase: Phase?
        var layer = 0
    }
    struct Edge: Equatable {
        /// Indices into `nodes`: who waits, and for whom.
        var from: Int
        var to: Int
        var condition: Dependency.Condition
        var isRequired: Bool
    }

    var title: String
    /// By layer, and in it by name.
    private(set) var nodes: [Node] = []
    /// By who waits.
    private(set) var edges: [Edge] = []
    var layers: Int { (nodes.last?.layer ?? -1) + 1 }

    /// - Parameter instances: where they stand, for live states; empty where no daemon runs.
    init(_ stack: Stack, instances: [InstanceStatus]) {
        title = stack.name
        let depths = Self.depths(of: stack)
        let order = stack.services.indices.sorted {
            (depths[$0], stack.services[$0].name) < (depths[$1], stack.services[$1].name)
        }
        var places: [String: Int] = [:]
        for (place, index) in order.enumerated() { places[stack.services[index].name] = place }
        for index in order {
            let spec = stack.services[index]
            var node = Node(name: spec.name, kind: spec.kind, isEnabled: spec.enabled)
            node.phase = Self.worst(instances.filter { $0.id.service.service == spec.name }.map(\.phase))
            node.layer = depths[index]
            nodes.append(node)
            for need in spec.dependsOn {
                guard let from = places[spec.name], let to = places[need.on] else { continue }
                edges.append(Edge(from: from, to: to, condition: need.condition, isRequired: need.required))
            }
        }
        edges.sort { ($0.from, $0.to) < ($1.from, $1.to) }
    }

    /// The length of the longest way to one that needs nothing. A manifest has no circles.
    private static func depths(of stack: Stack) -> [Int] {
        var places: [String: Int] = [:]
        for (place, spec) in stack.services.enumerated() { places[spec.name] = place }
        var depths = [Int](repeating: 0, count: stack.services.count)
        // Relaxed until nothing changes: at most as often as the longest way is long.
        for _ in stack.services.indices {
            var changed = false
            for (place, spec) in stack.services.enumerated() {
                for need in spec.dependsOn {
                    guard let other = places[need.on], depths[place] <= depths[other] else { continue }
                    depths[place] = depths[other] + 1
                    changed = true
                }
            }
            if !changed { break }
        }
        return depths
    }

    /// Of several replicas the one that a person should know of.
    private static func worst(_ phases: [Phase]) -> Phase? {
        let order: [Phase] = [
            .stuck, .failed, .backoff, .unhealthy, .stopping, .waiting, .starting, .reloading, .running, .idle, .ready,
            .done,
        ]
        return order.first { phases.contains($0) }
    }
}

extension ServiceGraph {
    var value: Value {
        let services: [Value] = nodes.map { node in
            [
                "name": .string(node.name), "kind": .string(node.kind.rawValue), "enabled": .bool(node.isEnabled),
                "layer": .int(Int64(node.layer)), "phase": .optional(node.phase?.rawValue),
            ]
        }
        let needs: [Value] = edges.map { edge in
            [
                "service": .string(nodes[edge.from].name), "on": .string(nodes[edge.to].name),
                "condition": .string(edge.condition.rawValue), "required": .bool(edge.isRequired),
            ]
        }
        return ["stack": .string(title), "services": .array(services), "needs": .array(needs)]
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The processes of one instance in the order of a tree: the main process and what descends from it, then what belongs to the instance
/// and does not.
struct ProcessForest: Equatable {
    struct Node: Equatable {
        var mark: ProcessMark
        /// Nil: it is gone meanwhile, or hidden from this user.
        var facts: ProcessFacts?
        /// How far from the root of its tree.
        var depth: Int
        /// For each level, whether more follows there: what the branches are drawn from.
        var branches: [Bool]
        /// No descendant of the main process any more: whoever made it has ended, or it was made elsewhere.
        var isOutside: Bool
    }

    var instance: InstanceProcesses
    private(set) var nodes: [Node] = []
    /// Members that have their nodes; never iterated.
    private var grown: Set<Int> = []

    /// - Parameter look: what is known of a process.
    init(_ instance: InstanceProcesses, look: (ProcessMark) -> ProcessFacts?) {
        self.instance = instance
        let facts = instance.members.map { look($0) }
        var places: [Int32: Int] = [:]
        for (place, member) in instance.members.enumerated() { places[member.pid] = place }
        var children: [Int: [Int]] = [:]
        var roots: [Int] = []
        for place in instance.members.indices {
            let parent = facts[place].flatMap { places[$0.parent] }
            // The main process is a root whoever started it.
            if let parent, parent != place, instance.members[place].pid != instance.main {
                children[parent, default: []].append(place)
            } else {
                roots.append(place)
            }
        }
        let isMain = { (place: Int) in instance.members[place].pid == instance.main }
        for root in roots.filter(isMain) + roots.filter({ !isMain($0) }) {
            grow(root, [], isOutside: !isMain(root), facts, children)
        }
        // Parents whose numbers were used again while they were read can make a circle, which has no root.
        for place in instance.members.indices where !grown.contains(place) {
            grow(place, [], isOutside: true, facts, children)
        }
    }

    private mutating func grow(
        _ place: Int, _ branches: [Bool], isOutside: Bool, _ facts: [ProcessFacts?], _ children: [Int: [Int]]
    ) {
        guard grown.insert(place).inserted else { return }
        nodes.append(
            Node(
                mark: instance.members[place], facts: facts[place], depth: branches.count, branches: branches,
                isOutside: isOutside))
        let own = children[place] ?? []
        for (index, child) in own.enumerated() {
            grow(child, branches + [index < own.count - 1], isOutside: isOutside, facts, children)
        }
    }

    var value: Value {
        let rows: [Value] = nodes.map { node in
            [
                "pid": .int(Int64(node.mark.pid)), "parent": node.facts.map { .int(Int64($0.parent)) } ?? .null,
                "user": .optional(node.facts?.user), "command": .optional(node.facts?.command),
                "cpu_seconds": node.facts.map { .double(Double($0.cpu.nanoseconds) / 1e9) } ?? .null,
                "memory_bytes": node.facts.map { .int($0.memoryBytes) } ?? .null,
                "descriptors": node.facts?.descriptors.map { .int(Int64($0)) } ?? .null,
                "threads": node.facts.map { .int(Int64($0.threads)) } ?? .null,
                "started_at": .optional(node.facts?.startedAt.rfc3339),
                "main": .bool(node.mark.pid == instance.main), "outside": .bool(node.isOutside),
            ]
        }
        return [
            "stack": .string(instance.id.service.stack), "service": .string(instance.id.service.service),
            "instance": .string(instance.id.name), "label": .string(instance.label),
            "phase": .string(instance.phase.rawValue), "launch": instance.launch.map { .unsigned($0.number) } ?? .null,
            "tracking": .optional(instance.tracking), "processes": .array(rows),
        ]
    }
}

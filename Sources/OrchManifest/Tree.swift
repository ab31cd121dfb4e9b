// SPDX-License-Identifier: Apache-2.0

/// A node of a `Tree`. Aliases are the same number again, so sharing costs nothing.
struct NodeID: Hashable {
    let index: Int32
}

/// One scalar, list or map of a parsed file, and where it stands.
struct Node {
    enum Kind: UInt8 { case scalar, sequence, mapping }
    /// The tags of the YAML core schema and the two that steer merging of files.
    enum Tag: UInt8 { case none, string, integer, number, boolean, null, collection, reset, override }

    var kind: Kind
    var tag = Tag.none
    /// Written without quotes: only then a scalar can mean something other than its text.
    var isPlain = false
    /// The text holds a dollar.
    var hasDollar = false
    /// The text holds a NUL.
    var hasNUL = false
    /// Index of its file.
    var file: UInt16
    /// From 1.
    var line: Int32
    /// From 1, in Unicode scalars.
    var column: Int32
    /// Columns that it covers on its first line.
    var width: Int32 = 1
    /// Where its children begin, and how many slots they take; a map has two slots for each entry.
    var first: Int32 = 0
    var count: Int32 = 0
    /// The value of a scalar.
    var text = ""
}

/// All nodes of all files of one load, append only.
struct Tree {
    private(set) var nodes: [Node] = []
    private(set) var children: [NodeID] = []

    mutating func add(_ node: Node) -> NodeID {
        nodes.append(node)
        return NodeID(index: Int32(truncatingIfNeeded: nodes.count - 1))
    }

    mutating func add(_ node: Node, children slots: some Sequence<NodeID>) -> NodeID {
        var node = node
        node.first = Int32(truncatingIfNeeded: children.count)
        children.append(contentsOf: slots)
        node.count = Int32(truncatingIfNeeded: children.count) - node.first
        return add(node)
    }

    subscript(id: NodeID) -> Node { nodes[Int(id.index)] }

    func kind(_ id: NodeID) -> Node.Kind { nodes[Int(id.index)].kind }
    func text(_ id: NodeID) -> String { nodes[Int(id.index)].text }

    /// Items of a list, or keys and values of a map in turn.
    func slots(_ id: NodeID) -> ArraySlice<NodeID> {
        let node = nodes[Int(id.index)]
        return children[Int(node.first)..<Int(node.first + node.count)]
    }

    /// The entries of a map in their order; empty for anything else.
    func entries(_ id: NodeID) -> [(key: NodeID, value: NodeID)] {
        guard kind(id) == .mapping else { return [] }
        let slots = slots(id)
        var result: [(key: NodeID, value: NodeID)] = []
        result.reserveCapacity(slots.count / 2)
        var at = slots.startIndex
        while at + 1 < slots.endIndex {
            result.append((slots[at], slots[at + 1]))
            at += 2
        }
        return result
    }

    /// The value of a key; nil when this is no map or lacks it. O(entries).
    func value(_ id: NodeID, _ key: String) -> NodeID? {
        guard kind(id) == .mapping else { return nil }
        let slots = slots(id)
        var at = slots.startIndex
        while at + 1 < slots.endIndex {
            if text(slots[at]) == key { return slots[at + 1] }
            at += 2
        }
        return nil
    }

    /// Whether a node says nothing: a plain `null`, `~` or nothing at all.
    func isNull(_ id: NodeID) -> Bool {
        let node = nodes[Int(id.index)]
        guard node.kind == .scalar else { return false }
        if node.tag == .null { return true }
        return node.isPlain && node.tag == .none && CoreScalar.isNull(node.text)
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Events to nodes: anchors shared, merge keys resolved, and everything that could grow without bound refused before it does.
struct TreeBuilder {
    private struct Anchor {
        /// Nil while it is still open: an alias to it would be a loop.
        var node: NodeID?
        /// Nodes under it with every alias expanded.
        var weight: Int
    }
    private struct Frame {
        var node: Node
        var anchor: String?
        var firstPending: Int
        var expandedBefore: Int
    }
    /// Stops the walk; the diagnostic is the reason.
    private struct Stop: Error { var diagnostic: Diagnostic }

    private let source: Source
    private let file: UInt16
    private var tree: Tree
    private var reporter: Reporter
    private var frames: [Frame] = []
    private var pending: [NodeID] = []
    private var anchors: [String: Anchor] = [:]
    private var aliases = 0
    /// Nodes so far, with every alias counted as large as what it stands for. Refusing beyond the limit keeps this from overflowing.
    private var expanded = 0

    /// Parses one file into `tree`. Nil when there is no usable root; the reasons are in `reporter`. `expanded` counts the nodes of all
    /// files of one load: together they have the limit.
    static func build(
        _ source: Source, file: Int, into tree: inout Tree, counting expanded: inout Int, reporter: inout Reporter
    ) -> NodeID? {
        var builder = TreeBuilder(source: source, file: file, tree: tree, reporter: reporter)
        builder.expanded = expanded
        tree = Tree()
        reporter = Reporter()
        let root = builder.run()
        expanded = builder.expanded
        tree = builder.tree
        reporter = builder.reporter
        return root
    }

    private init(source: Source, file: Int, tree: Tree, reporter: Reporter) {
        self.source = source
        self.file = UInt16(clamping: file)
        self.tree = tree
        self.reporter = reporter
    }

    private mutating func run() -> NodeID? {
        let stream = EventStream(source.bytes)
        do throws(Stop) {
            while true {
                let event: EventStream.Event
                do { event = try stream.next() } catch { throw Stop(diagnostic: diagnostic(for: error)) }
                switch event.content {
                case .end: return pending.first ?? empty()
                case .documentStart:
                    guard pending.isEmpty else {
                        throw stop(
                            "documents", "a second document begins here", event,
                            help: "a manifest is one document: remove the ---")
                    }
                case .documentEnd: break
                case .alias(let name): try takeAlias(name, event)
                case .scalar(let text, let isPlain, let hasDollar, let hasNUL, let anchor, let tag):
                    var node = try node(.scalar, tag: tag, event)
                    node.text = text
                    node.isPlain = isPlain
                    node.hasDollar = hasDollar
                    node.hasNUL = hasNUL
                    try takeScalar(node, anchor: anchor, event)
                case .sequenceStart(let anchor, let tag):
                    try open(node(.sequence, tag: tag, event), anchor: anchor, event)
                case .mappingStart(let anchor, let tag):
                    try open(node(.mapping, tag: tag, event), anchor: anchor, event)
                case .collectionEnd: close()
                }
            }
        } catch {
            reporter.add(error.diagnostic)
            return nil
        }
    }

    private mutating func empty() -> NodeID? {
        reporter.add(
            Diagnostic(
                code: "empty", "the file is empty", at: Position(file: source.name, line: 1, column: 1),
                help: "a manifest needs services, such as:  services: { web: { command: ./web } }"))
        return nil
    }

    private mutating func node(_ kind: Node.Kind, tag: String?, _ event: EventStream.Event) throws(Stop) -> Node {
        expanded += 1
        guard expanded <= Limits.manifestNodes else {
            throw stop(
                "too-large", "the manifest has more than \(Limits.manifestNodes) nodes", event,
                help: "make several stacks of it")
        }
        let sameLine = event.start.line == event.end.line
        var node = Node(
            kind: kind, file: file, line: Int32(clamping: event.start.line + 1),
            column: Int32(clamping: event.start.column + 1),
            width: kind == .scalar && sameLine ? Int32(clamping: max(1, event.end.column - event.start.column)) : 1)
        guard let tag else { return node }
        switch tag {
        case "tag:yaml.org,2002:str", "!": node.tag = kind == .scalar ? .string : .collection
        case "tag:yaml.org,2002:int": node.tag = .integer
        case "tag:yaml.org,2002:float": node.tag = .number
        case "tag:yaml.org,2002:bool": node.tag = .boolean
        case "tag:yaml.org,2002:null": node.tag = .null
        case "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map": node.tag = .collection
        case "!reset": node.tag = .reset
        case "!override": node.tag = .override
        default:
            report(
                "tag", "the tag \(tag) means nothing here", at: node,
                help: "remove it; only !reset and !override, for several -f files, are read")
        }
        return node
    }

    private mutating func takeScalar(_ node: Node, anchor: String?, _ event: EventStream.Event) throws(Stop) {
        guard node.text.utf8.count <= Limits.scalarBytes else {
            throw stop(
                "too-large", "this text has \(node.text.utf8.count) bytes; the limit is \(Limits.scalarBytes)", event,
                help: "what is that long belongs into a file")
        }
        let id = tree.add(node)
        if let anchor { anchors[anchor] = Anchor(node: id, weight: 1) }
        pending.append(id)
    }

    private mutating func takeAlias(_ name: String, _ event: EventStream.Event) throws(Stop) {
        guard let anchor = anchors[name] else {
            throw stop(
                "alias", "there is no anchor &\(name) before this", event,
                help: Suggestion.help(for: name, among: anchors.keys.sorted())
                    ?? "write &\(name) where it is defined, before this")
        }
        guard let node = anchor.node else {
            throw stop(
                "alias", "*\(name) stands inside of what it names, which would be endless", event,
                help: "remove it here; an alias can only stand after the whole of what it names")
        }
        aliases += 1
        guard aliases <= Limits.manifestAliases else {
            throw stop(
                "too-large", "the manifest has more than \(Limits.manifestAliases) aliases", event,
                help: "write out some of them, or make several stacks of it")
        }
        expanded += anchor.weight
        guard expanded <= Limits.manifestNodes else {
            throw stop(
                "alias-bomb", "with *\(name) expanded the manifest has more than \(Limits.manifestNodes) nodes", event,
                help: "nothing was expanded: aliases of aliases multiply; write out what is meant")
        }
        pending.append(node)
    }

    private mutating func open(_ node: Node, anchor: String?, _ event: EventStream.Event) throws(Stop) {
        guard frames.count < Limits.manifestDepth else {
            throw stop(
                "depth", "nested more than \(Limits.manifestDepth) deep", event,
                help: "nothing of a manifest is nested that deep: is a bracket left open?")
        }
        if let anchor { anchors[anchor] = Anchor(node: nil, weight: 0) }
        frames.append(Frame(node: node, anchor: anchor, firstPending: pending.count, expandedBefore: expanded - 1))
    }

    private mutating func close() {
        guard let frame = frames.popLast() else { return }
        // A copy: a slice would keep the whole stack shared, and the next change would copy all of it.
        let slots = Array(pending[frame.firstPending...])
        pending.removeLast(slots.count)
        let id: NodeID
        switch frame.node.kind {
        case .mapping: id = tree.add(frame.node, children: checkedEntries(slots))
        case .sequence, .scalar: id = tree.add(frame.node, children: slots)
        }
        pending.append(id)
        if let name = frame.anchor { anchors[name] = Anchor(node: id, weight: expanded - frame.expandedBefore) }
    }

    /// Refuses duplicate and complex keys, and puts what `<<` brings behind the map's own entries.
    private mutating func checkedEntries(_ slots: [NodeID]) -> [NodeID] {
        var result: [NodeID] = []
        result.reserveCapacity(slots.count)
        var merged: [NodeID] = []
        var keys = KeySet(expecting: slots.count / 2)
        for at in stride(from: 0, to: slots.count - 1, by: 2) {
            let key = tree[slots[at]]
            guard key.kind == .scalar else {
                report("key", "a key must be a word", at: key, help: "write a name before the colon")
                continue
            }
            if key.isPlain, key.tag == .none, key.text == "<<" {
                merged.append(slots[at + 1])
            } else if let first = keys.insert(key.text, slots[at]) {
                report(
                    "duplicate-key", "\"\(key.text)\" is given twice", at: key,
                    help: "remove one of them; the first is at line \(tree[first].line)")
            } else {
                result.append(slots[at])
                result.append(slots[at + 1])
            }
        }
        for node in merged { merge(node, into: &result, &keys) }
        return result
    }

    private mutating func merge(_ id: NodeID, into result: inout [NodeID], _ keys: inout KeySet) {
        switch tree.kind(id) {
        case .mapping:
            for (key, value) in tree.entries(id) where keys.insert(tree.text(key), key) == nil {
                result.append(key)
                result.append(value)
            }
        case .sequence:
            for item in Array(tree.slots(id)) {
                if tree.kind(item) == .mapping {
                    merge(item, into: &result, &keys)
                } else {
                    report(
                        "merge", "<< takes a map or a list of maps", at: tree[item], help: "such as <<: [*one, *other]")
                }
            }
        case .scalar: report("merge", "<< takes a map or a list of maps", at: tree[id], help: "such as <<: *name")
        }
    }

    private mutating func report(_ code: String, _ message: String, at node: Node, help: String) {
        let position = Position(file: source.name, line: Int(node.line), column: Int(node.column))
        reporter.add(Diagnostic(code: code, message, at: position, width: Int(node.width), help: help))
    }

    private func stop(_ code: String, _ message: String, _ event: EventStream.Event, help: String) -> Stop {
        let position = Position(file: source.name, line: event.start.line + 1, column: event.start.column + 1)
        return Stop(diagnostic: Diagnostic(code: code, message, at: position, help: help))
    }

    private func diagnostic(for failure: EventStream.Failure) -> Diagnostic {
        if let offset = failure.offset {
            return Diagnostic(
                code: "encoding", failure.problem, at: source.position(ofByte: offset),
                help: "remove the character, or write it as an escape in double quotes: \"\\x1b\"")
        }
        return SyntaxFlaw(failure, in: source).diagnostic
    }
}

/// The keys of one map and where each first stood: a walk for small maps, an index for large ones.
struct KeySet {
    private var list: [(String, NodeID)] = []
    private var index: [String: NodeID] = [:]
    private let isLarge: Bool

    init(expecting count: Int) { isLarge = count > 12 }

    /// The node that holds the same key already; nil, after having taken it, when there is none.
    mutating func insert(_ key: String, _ node: NodeID) -> NodeID? {
        if isLarge || list.count > 24 {
            if !list.isEmpty {
                for (key, node) in list { index[key] = node }
                list = []
            }
            if let found = index[key] { return found }
            index[key] = node
            return nil
        }
        for (known, first) in list where known == key { return first }
        list.append((key, node))
        return nil
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Lays one map over another, key by key: a service over `defaults`, a second file over the first.
extension Decoder {
    /// How the value of a key is laid over a weaker one.
    enum Shape {
        case stack, services, service, map, restart, stop, health, probe, http, logging, rotate, variables, dependsOn,
            ports
        /// The stronger one replaces the weaker one.
        case whole
    }
    /// What is being done: over `defaults`, null takes away; over another file, tags steer too.
    enum OverlayKind { case defaults, file }

    func overlay(_ over: NodeID, on base: NodeID, as shape: Shape, _ kind: OverlayKind) -> NodeID {
        if kind == .file, tree[over].tag == .override { return over }
        if shape == .ports, tree.kind(over) == .sequence, tree.kind(base) == .sequence {
            return portsOverlay(over, on: base)
        }
        guard shape != .whole, let base = normalised(base, shape), let over = normalised(over, shape) else {
            return over
        }
        var slots: [NodeID] = []
        var keys = KeySet(expecting: (tree.slots(over).count + tree.slots(base).count) / 2)
        let weaker = tree.entries(base)
        for (key, value) in tree.entries(over) {
            _ = keys.insert(tree.text(key), key)
            if kind == .file, tree[value].tag == .reset { continue }
            let name = tree.text(key)
            if kind == .file, removes(value, name, shape) { continue }
            if let below = weakerEntry(name, in: base, weaker, expecting: tree.slots(over).count), !tree.isNull(value),
                !tree.isNull(below.value)
            {
                // A service is at home where it was first: that folder is its working directory.
                slots.append(shape == .services ? below.key : key)
                slots.append(overlay(value, on: below.value, as: inner(shape, name), kind))
            } else {
                slots.append(key)
                slots.append(value)
            }
        }
        let hidden = hiddenKeys(of: over, shape)
        for (key, value) in weaker where !hidden.contains(tree.text(key)) && keys.insert(tree.text(key), key) == nil {
            slots.append(key)
            slots.append(value)
        }
        return tree.add(tree[over], children: slots)
    }

    private func weakerEntry(
        _ name: String, in base: NodeID, _ entries: [(key: NodeID, value: NodeID)], expecting count: Int
    ) -> (key: NodeID, value: NodeID)? {
        if entries.count <= 32 || count <= 32 { return entries.first { tree.text($0.key) == name } }
        return index(of: base, entries)[name].map { entries[$0] }
    }

    private func index(of base: NodeID, _ entries: [(key: NodeID, value: NodeID)]) -> [String: Int] {
        if let known = overlayIndex, known.node == base { return known.places }
        var places: [String: Int] = [:]
        for (place, entry) in entries.enumerated() { places[tree.text(entry.key)] = place }
        overlayIndex = OverlayIndex(node: base, places: places)
        return places
    }

    /// Where null means something else than nothing: an unset variable, a discarded stream.
    private func removes(_ value: NodeID, _ name: String, _ shape: Shape) -> Bool {
        guard tree.isNull(value) else { return false }
        switch shape {
        case .variables: return false
        case .logging: return name != "stdout" && name != "stderr"
        case .stack, .services, .service, .map, .restart, .stop, .health, .probe, .http, .rotate, .dependsOn, .ports,
            .whole:
            return true
        }
    }

    private func inner(_ shape: Shape, _ key: String) -> Shape {
        switch shape {
        case .stack:
            switch key {
            case "services": .services
            case "defaults": .service
            case "environment": .variables
            case "stop": .map
            default: .whole
            }
        case .services: .service
        case .service:
            switch key {
            case "environment", "labels": .variables
            case "depends_on": .dependsOn
            case "ports": .ports
            case "restart": .restart
            case "stop": .stop
            case "health": .health
            case "healthcheck", "ready": .map
            case "logging": .logging
            default: .whole
            }
        case .health: .probe
        case .probe: key == "http" ? .http : .whole
        case .http: key == "headers" ? .variables : key == "expect" ? .map : .whole
        case .logging: key == "rotate" ? .rotate : .whole
        case .dependsOn: .map
        case .map, .restart, .stop, .rotate, .variables, .ports, .whole: .whole
        }
    }

    /// What the weaker map says of the same thing in other words, and may not say any more.
    private func hiddenKeys(of over: NodeID, _ shape: Shape) -> [String] {
        switch shape {
        case .service:
            var hidden: [String] = []
            if has(over, ["stop"]) { hidden += ["stop_signal", "stop_grace_period"] }
            if has(over, ["stop_signal", "stop_grace_period"]) { hidden.append("stop") }
            if has(over, ["healthcheck"]) { hidden.append("health") }
            if has(over, ["health"]) { hidden.append("healthcheck") }
            return hidden
        case .probe: return has(over, ["http", "tcp", "command"]) ? ["http", "tcp", "command"] : []
        case .http: return has(over, ["url"]) ? ["port", "path"] : has(over, ["port", "path"]) ? ["url"] : []
        case .stack, .services, .map, .restart, .stop, .health, .logging, .rotate, .variables, .dependsOn, .ports,
            .whole:
            return []
        }
    }

    private func has(_ id: NodeID, _ keys: [String]) -> Bool {
        keys.contains { key in tree.value(id, key).map { !tree.isNull($0) } ?? false }
    }

    /// The long form of a value, so that it can be merged by key; nil when there is none and the value stands as a whole.
    private func normalised(_ id: NodeID, _ shape: Shape) -> NodeID? {
        let kind = tree.kind(id)
        if kind == .mapping { return id }
        if tree.isNull(id) { return nil }
        switch shape {
        case .restart: return kind == .scalar ? wrapped(id, as: "policy") : nil
        case .stop: return kind == .sequence ? wrapped(id, as: "steps") : nil
        case .variables: return kind == .sequence ? asMap(id, "environment") : nil
        case .dependsOn:
            return kind == .sequence ? keyed(id) { self.tree[$0].kind == .scalar ? self.tree.text($0) : nil } : nil
        case .ports: return nil
        case .stack, .services, .service, .map, .health, .probe, .http, .logging, .rotate, .whole: return nil
        }
    }

    /// Ports are the same by name, else by number and protocol.
    private func portsOverlay(_ over: NodeID, on base: NodeID) -> NodeID {
        let stronger = Array(tree.slots(over))
        let known = Set(stronger.map { portKey($0) })
        let kept = Array(tree.slots(base)).filter { !known.contains(portKey($0)) }
        return tree.add(tree[over], children: kept + stronger)
    }

    private func portKey(_ id: NodeID) -> String {
        guard tree.kind(id) == .mapping else {
            let text = tree.text(id)
            return text.hasSuffix("/tcp") ? String(text.dropLast(4)) : text
        }
        if let name = tree.value(id, "name") { return "name \(tree.text(name))" }
        let number = tree.value(id, "port").map { tree.text($0) } ?? ""
        let transport = tree.value(id, "protocol").map { tree.text($0) } ?? "tcp"
        return transport == "tcp" ? number : "\(number)/\(transport)"
    }

    private func wrapped(_ id: NodeID, as key: String) -> NodeID {
        var name = tree[id]
        name.kind = .scalar
        name.text = key
        name.isPlain = true
        name.tag = .none
        name.hasDollar = false
        var map = tree[id]
        map.kind = .mapping
        map.tag = .none
        return tree.add(map, children: [tree.add(name), id])
    }

    /// A list of names as a map of them to nothing; nil when an item has no name.
    private func keyed(_ id: NodeID, _ name: (NodeID) -> String?) -> NodeID? {
        var slots: [NodeID] = []
        for item in Array(tree.slots(id)) {
            guard let text = name(item) else { return nil }
            var key = tree[item]
            key.text = text
            var nothing = key
            nothing.tag = .null
            slots.append(tree.add(key))
            slots.append(tree.add(nothing))
        }
        var map = tree[id]
        map.kind = .mapping
        return tree.add(map, children: slots)
    }
}

/// The keys of the large map that others were last laid over.
struct OverlayIndex {
    var node: NodeID
    var places: [String: Int]
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What a service waits for, and by what others see that it is ready.
extension ComposeImport {
    private struct Need {
        var name: String
        /// Nil: what orch takes anyway.
        var condition: String?
        var isOptional = false
        var restarts = false
        var origin: Position
        var notes: [ImportNote] = []
        var isPlain: Bool { condition == nil && !isOptional && !restarts }
    }

    func dependencies(_ entry: YAMLSource.Entry, of service: Service) -> DraftEntry {
        var needs: [Need] = []
        var lost: [ImportNote] = []
        if yaml.isMap(entry.value) {
            for item in yaml.entries(entry.value) {
                add(item.name, item.key, item.value, of: service, to: &needs, &lost)
            }
        } else {
            for item in yaml.items(entry.value) {
                if let name = yaml.raw(item) { add(name, item, nil, of: service, to: &needs, &lost) }
            }
        }
        let place = yaml.position(entry.key)
        guard !needs.isEmpty else { return .notes(lost) }
        if needs.allSatisfy(\.isPlain) {
            if needs.allSatisfy(\.notes.isEmpty) {
                return DraftEntry("depends_on", .value(.strings(needs.map(\.name))), at: place, notes: lost)
            }
            let items = needs.map { DraftEntry("", .value(.string($0.name)), at: $0.origin, notes: $0.notes) }
            return DraftEntry("depends_on", .list(items), at: place, notes: lost)
        }
        let items = needs.map { need in
            var terms: [DraftEntry] = []
            if let condition = need.condition { terms.append(DraftEntry("condition", .string(condition))) }
            if need.isOptional { terms.append(DraftEntry("required", false)) }
            if need.restarts { terms.append(DraftEntry("on_restart", "restart")) }
            return DraftEntry(need.name, .map(terms), at: need.origin, notes: need.notes)
        }
        return DraftEntry("depends_on", .map(items), at: place, notes: lost)
    }

    private func add(
        _ wanted: String, _ key: NodeID, _ terms: NodeID?, of service: Service, to needs: inout [Need],
        _ lost: inout [ImportNote]
    ) {
        let place = yaml.position(key)
        guard let target = self.service(named: wanted) else {
            lost.append(importer.lost(wanted, at: place, because: "this file has no such service"))
            return
        }
        let isOptional = terms.map { yaml.flag(yaml[$0, "required"]) == false } ?? false
        guard command(of: target) != nil else {
            guard let port = publishedPort(of: target) else {
                lost.append(
                    importer.lost(
                        wanted, at: place, because: "it is in an image",
                        instead:
                            "once it is given a command, wait for it; if it stays elsewhere, write [tcp://HOST:PORT]"))
                return
            }
            if isOptional || needs.contains(where: { $0.name == "tcp://127.0.0.1:\(port)" }) { return }
            var need = Need(name: "tcp://127.0.0.1:\(port)", origin: place)
            need.notes = [importer.changed("\"\(wanted)\" is in an image, so this waits for its port", at: place)]
            needs.append(need)
            return
        }
        var need = Need(name: target.name, isOptional: isOptional, origin: place)
        need.restarts = terms.map { yaml.flag(yaml[$0, "restart"]) == true } ?? false
        let isChecked = isHealthChecked(target)
        let condition = terms.flatMap { yaml.raw(yaml[$0, "condition"]) } ?? "service_started"
        switch condition {
        case "service_started": need.condition = isChecked || target.isTask ? "started" : nil
        case "service_healthy": need.condition = isChecked ? nil : "healthy"
        case "service_completed_successfully": need.condition = nil
        default: need.condition = condition
        }
        needs.append(need)
    }

    private func isHealthChecked(_ service: Service) -> Bool {
        guard let node = service["healthcheck"], yaml.isMap(node), let test = yaml[node, "test"] else { return false }
        let isNone = yaml.raw(yaml.items(test).first) == "NONE"
        return !isNone && yaml.flag(yaml[node, "disable"]) != true
    }

    // MARK: Healthcheck

    func healthcheck(_ entry: YAMLSource.Entry) -> DraftEntry? {
        guard yaml.isMap(entry.value) else { return nil }
        if yaml.flag(yaml[entry.value, "disable"]) == true { return nil }
        guard let test = yaml[entry.value, "test"] else {
            return .notes([
                yaml.lost(
                    entry, because: "its test is in the image", instead: "write test: [CMD, program, argument]")
            ])
        }
        if yaml.raw(yaml.items(test).first) == "NONE" { return nil }
        var items: [DraftEntry] = []
        var notes: [ImportNote] = []
        items.append(DraftEntry("test", self.test(test, &notes), at: yaml.position(test)))
        for inner in yaml.entries(entry.value) {
            switch inner.name {
            case "interval", "timeout", "retries", "start_period":
                if let setting = yaml.setting(inner.name, inner.value, at: inner.key) { items.append(setting) }
            case "start_interval":
                items.append(
                    .notes([yaml.lost(inner, because: "there is one interval", instead: "shorten \"interval\"")]))
            case "test", "disable": break
            default: items.append(.notes([yaml.lost(inner, because: "it is no key of a healthcheck")]))
            }
        }
        return DraftEntry("healthcheck", .map(items), at: yaml.position(entry.key), notes: notes)
    }

    /// Compose puts its variables into the shell's text; orch leaves that alone, so the shell is then called by name.
    private func test(_ node: NodeID, _ notes: inout [ImportNote]) -> Value {
        func shell(_ raw: String) -> Value {
            let source = DollarText(raw)
            guard source.hasVariables else { return .string(source.literal) }
            return .strings(["CMD", "/bin/sh", "-c", yaml.text(raw, at: node, notes: &notes)])
        }
        guard yaml.isList(node) else { return shell(yaml.raw(node) ?? "") }
        let items = yaml.items(node)
        if yaml.raw(items.first) == "CMD-SHELL", items.count == 2, let raw = yaml.raw(items[1]) {
            let value = shell(raw)
            if case .string(let text) = value { return .strings(["CMD-SHELL", text]) }
            return value
        }
        return .strings(yaml.words(node, notes: &notes))
    }

    // MARK: Ports

    /// The port of this host by which a service is reached, where it is a number.
    func publishedPort(of service: Service) -> Int? {
        guard let node = service["ports"] else { return nil }
        for item in yaml.items(node) {
            let text: String
            if yaml.isMap(item) {
                guard let published = yaml.raw(yaml[item, "published"]) else { continue }
                text = DollarText(published).flattened
            } else {
                guard let raw = yaml.raw(item) else { continue }
                let parts = PortText(DollarText(raw).flattened)
                guard let published = parts.published, parts.transport != "udp" else { continue }
                text = published
            }
            if let port = Int(text), (1...65_535).contains(port) { return port }
        }
        return nil
    }

    /// orch maps no ports: a process listens on what was the container's.
    func ports(_ entry: YAMLSource.Entry) -> DraftEntry? {
        var items: [DraftEntry] = []
        var lost: [ImportNote] = []
        for item in yaml.items(entry.value) {
            let port: PortText
            if yaml.isMap(item) {
                port = PortText(
                    target: yaml.raw(yaml[item, "target"]) ?? "", published: yaml.raw(yaml[item, "published"]),
                    host: yaml.raw(yaml[item, "host_ip"]), transport: yaml.raw(yaml[item, "protocol"]) ?? "tcp")
            } else {
                port = PortText(yaml.raw(item) ?? "")
            }
            let shown = yaml.raw(item) ?? port.target
            guard !port.target.contains("-") || port.target.contains("$") else {
                lost.append(
                    importer.lost(
                        shown, at: yaml.position(item), because: "it is a range", instead: "write each port"))
                continue
            }
            var notes: [ImportNote] = []
            if let published = port.published, published != port.target {
                notes.append(
                    yaml.changed(
                        "the process is reached by its own port \(port.target), no longer by \(published): orch maps no ports",
                        at: item, help: "let it listen on \(published), and write that here"))
            }
            items.append(self.port(port, item, notes))
        }
        guard !items.isEmpty else { return lost.isEmpty ? nil : .notes(lost) }
        let place = yaml.position(entry.key)
        let flat = items.compactMap { item -> Value? in
            guard item.notes.isEmpty, case .value(let value) = item.content, value.members == nil else { return nil }
            return value
        }
        if flat.count == items.count {
            return DraftEntry("ports", .value(.array(flat)), at: place, notes: lost)
        }
        return DraftEntry("ports", .list(items), at: place, notes: lost)
    }

    /// A process gets the first of its ports as PORT. Where the source gives it a PORT, that one is the first.
    func orderPorts(_ entries: inout [DraftEntry]) {
        guard let at = entries.firstIndex(where: { $0.key == "ports" }),
            let place = entries.firstIndex(where: { $0.key == "environment" }),
            let variable = entries[place].children.firstIndex(where: { $0.key == "PORT" }),
            let text = entries[place].children[variable].text
        else { return }
        switch entries[at].content {
        case .value(.array(let ports)):
            if let first = ports.firstIndex(of: .int(Int64(text) ?? 0)) {
                var ports = ports
                ports.insert(ports.remove(at: first), at: 0)
                return entries[at].content = .value(.array(ports))
            }
        case .list(var items):
            let first = items.firstIndex { item in
                if case .value(.int(let port)) = item.content { return String(port) == text }
                return item.children.first { $0.key == "port" }?.content.number == Int64(text)
            }
            if let first {
                items.insert(items.remove(at: first), at: 0)
                return entries[at].content = .list(items)
            }
        case .nothing, .value, .plain, .map: return
        }
        entries[place].children[variable].notes.append(
            importer.changed(
                "PORT is the first of \"ports\", whatever it is here",
                at: entries[place].children[variable].origin ?? yaml.position(yaml.root),
                help: "write the port that the process listens on there"))
    }

    private func port(_ port: PortText, _ item: NodeID, _ notes: [ImportNote]) -> DraftEntry {
        var notes = notes
        let target = yaml.text(port.target, at: item, isText: false, notes: &notes)
        let number: Value = Int64(target).map { .int($0) } ?? .string(target)
        guard let host = port.host, !["", "0.0.0.0"].contains(host) else {
            let value = port.transport == "tcp" ? number : .string("\(target)/\(port.transport)")
            return DraftEntry("", .value(value), at: yaml.position(item), notes: notes)
        }
        var members = [DraftEntry("port", number)]
        if port.transport != "tcp" { members.append(DraftEntry("protocol", .string(port.transport))) }
        members.append(
            DraftEntry("host", .string(yaml.text(host, at: item, isText: false, notes: &notes))))
        return DraftEntry("", .map(members), at: yaml.position(item), notes: notes)
    }
}

extension DraftEntry.Content {
    fileprivate var number: Int64? {
        if case .value(.int(let number)) = self { number } else { nil }
    }
}

/// `[[HOST:]PUBLISHED:]TARGET[/PROTOCOL]`, its parts as they are written.
struct PortText {
    var target: String
    var published: String?
    var host: String?
    var transport = "tcp"

    init(target: String, published: String?, host: String?, transport: String) {
        self.target = target
        self.published = published
        self.host = host
        self.transport = transport
    }

    init(_ text: String) {
        var parts: [String] = []
        var part = ""
        var depth = 0
        for character in text {
            switch character {
            case "{", "[": depth += 1
            case "}", "]": depth -= 1
            default: break
            }
            if character == ":", depth == 0 {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        target = part
        if let slash = part.lastIndex(of: "/") {
            transport = String(part[part.index(after: slash)...])
            target = String(part[..<slash])
        }
        published = parts.popLast().flatMap { $0.isEmpty ? nil : $0 }
        if !parts.isEmpty {
            host = parts.joined(separator: ":").filter { $0 != "[" && $0 != "]" }
        }
    }
}

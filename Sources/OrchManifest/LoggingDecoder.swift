// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    func logging(_ node: NodeID?, into decoded: DecodedService) {
        guard let node, let section = section(node, Fields.logging, "logging") else { return }
        var logging = LoggingSpec()
        if let entry = section.entry("stdout"), let sink = sink(entry, decoded) { logging.stdout = sink }
        if let entry = section.entry("stderr"), let sink = sink(entry, decoded) { logging.stderr = sink }
        if let node = section["format"], let format = word(node, "format", as: LoggingSpec.Format.self) {
            logging.format = format
        }
        if let node = section["rotate"] { logging.rotate = rotation(node) }
        if let node = section["when_full"], let choice = word(node, "when_full", as: LoggingSpec.WhenFull.self) {
            logging.whenFull = choice
        }
        if let node = section["strip_ansi"], let flag = flag(node, "strip_ansi") { logging.stripANSI = flag }
        if let node = section["redact"] { logging.redact = redactions(node) }
        if let node = section["forward"], let choice = word(node, "forward", as: LoggingSpec.Forward.self) {
            logging.forward = choice
            if choice != .none, logging.stdout == .discard, logging.stderr == .discard || logging.stderr == .merge {
                error(
                    "conflict", "\"forward\" has nothing to read: both outputs are discarded", at: node,
                    help: "let stdout or stderr go to a file, which keeps what the other side can't take")
            }
        }
        if let node = section["levels"] { logging.levels = levels(node, logging, into: decoded) }
        decoded.spec.logging = logging
    }

    private func sink(_ entry: Section.Entry, _ decoded: DecodedService) -> LoggingSpec.Sink? {
        if entry.isNull { return .discard }
        if tree.kind(entry.value) == .mapping {
            guard let section = section(entry.value, Fields.append, entry.name) else { return nil }
            guard let node = section["append"] else {
                error("missing", "\"\(entry.name)\" needs a path", at: entry.value, help: "such as { append: app.log }")
                return nil
            }
            return path(node, "append", mode: .launch).map { .append($0) }
        }
        guard let text = text(entry.value, entry.name, mode: .launch) else { return nil }
        if text == "merge" {
            if entry.name == "stderr" { return .merge }
            error("value", "stdout can't merge into anything", at: entry.value, help: "write stderr: merge")
            return nil
        }
        guard let path = path(entry.value, entry.name, mode: .launch) else { return nil }
        guard text.utf8.last != 47 else {
            error("value", "\"\(entry.name)\": \"\(text)\" is a folder", at: entry.value, help: "name a file in it")
            return nil
        }
        decoded.sinks.append((path, entry.value))
        return .file(path)
    }

    private func rotation(_ node: NodeID) -> LoggingSpec.Rotation {
        var rotation = LoggingSpec.Rotation()
        guard let section = section(node, Fields.rotate, "rotate") else { return rotation }
        if let node = section["size"] {
            if tree.kind(node) == .scalar, tree.text(node) == "none" {
                rotation.size = nil
            } else if let bytes = size(node, "size") {
                if bytes < 1 {
                    error(
                        "range", "\"size\" must be at least 1B", at: node, help: "write none for no limit of the size")
                } else {
                    rotation.size = bytes
                }
            }
        }
        if let node = section["keep"], let count = integer(node, "keep", in: 0...100_000) { rotation.keep = count }
        if let node = section["every"] { rotation.every = age(node, "every") }
        if let node = section["max_age"] { rotation.maxAge = age(node, "max_age") }
        if let node = section["compress"],
            let choice = word(node, "compress", as: LoggingSpec.Compression.self)
        {
            rotation.compress = choice
        }
        if let node = section["total"], let bytes = size(node, "total") {
            let limit = rotation.size.map(SizeText.format)
            if bytes > rotation.size ?? .max {
                rotation.total = bytes
            } else {
                error(
                    "range", "\"total\" must be more than \"size\", which is \(limit ?? "none")", at: node,
                    help: "\"total\" counts the file that is being written, too, and it may grow to \"size\"")
            }
        }
        return rotation
    }

    private func age(_ node: NodeID, _ key: String) -> Duration? {
        guard let span = span(node, key) else { return nil }
        if span >= .seconds(1) { return span }
        error("range", "\"\(key)\" must be at least 1s", at: node, help: "such as 24h")
        return nil
    }

    // MARK: Ports

    func ports(_ node: NodeID?, into decoded: DecodedService) {
        guard let node, let items = items(node, "ports", of: "ports") else { return }
        for item in items {
            guard let port = port(item) else { continue }
            let clash = zip(decoded.spec.ports, decoded.portNodes).first { known, _ in
                port.port != 0 && known.port == port.port && known.transport == port.transport
                    && Self.overlap(known.host, port.host)
            }
            if let clash {
                error(
                    "port-conflict", "the port \(port.port) is given twice", at: item,
                    help: "remove one of them; the first is at line \(tree[clash.1].line)")
            }
            if let name = port.name, decoded.spec.ports.contains(where: { $0.name == name }) {
                error(
                    "duplicate-name", "two ports are named \"\(name)\"", at: item,
                    help: "give each a name of its own: it becomes ORCH_PORT_NAME")
            }
            decoded.spec.ports.append(port)
            decoded.portNodes.append(item)
        }
    }

    static func overlap(_ a: String, _ b: String) -> Bool { a == b || a == "any" || b == "any" }

    private func port(_ node: NodeID) -> PortSpec? {
        if tree.kind(node) != .mapping {
            guard let scalar = scalar(node, "ports", "a port such as 8080, \"8080/udp\" or auto") else { return nil }
            let parts = scalar.text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, let first = parts.first, let number = number(first) else {
                let isMapping = scalar.text.contains(":")
                error(
                    "value", "\"ports\": \"\(scalar.text)\" is no port", at: node,
                    help: isMapping
                        ? "orch maps no ports: name the one that the process listens on"
                        : "a port is from 1 to 65535, \"8080/udp\", or auto")
                return nil
            }
            var port = PortSpec(port: number)
            guard parts.count == 2 else { return port }
            guard let transport = PortSpec.Transport(rawValue: String(parts[1])) else {
                badWord(node, "protocol", String(parts[1]), PortSpec.Transport.allCases.map(\.rawValue))
                return nil
            }
            port.transport = transport
            return port
        }
        guard let section = section(node, Fields.portEntry, "ports") else { return nil }
        guard let inner = section["port"] else {
            error("missing", "a port needs its number", at: node, help: "write port: 8080 or port: auto")
            return nil
        }
        guard let scalar = scalar(inner, "port", "a port or auto") else { return nil }
        guard let number = number(scalar.text[...]) else {
            error(
                "range", "\"port\" must be from 1 to 65535 or auto, not \"\(scalar.text)\"", at: inner,
                help: "such as 8080")
            return nil
        }
        return port(number, section)
    }

    private func port(_ number: Int, _ section: Section) -> PortSpec {
        var port = PortSpec(port: number)
        if let node = section["name"], let name = text(node, "name") {
            let isGood =
                !name.isEmpty
                && name.utf8.allSatisfy {
                    ($0 >= 97 && $0 <= 122) || ($0 >= 65 && $0 <= 90) || ($0 >= 48 && $0 <= 57) || $0 == 95 || $0 == 45
                }
            if !isGood {
                error(
                    "name", "\"\(name)\" can't name a port", at: node,
                    help: "use letters, digits, _ and -: it becomes ORCH_PORT_NAME")
            }
            port.name = name
        }
        if let node = section["protocol"], let transport = word(node, "protocol", as: PortSpec.Transport.self) {
            port.transport = transport
        }
        if let node = section["host"], let host = text(node, "host"), !host.isEmpty { port.host = host }
        if let node = section["on_conflict"], let choice = word(node, "on_conflict", as: PortSpec.OnConflict.self) {
            port.onConflict = choice
        }
        return port
    }

    /// 0 for `auto`.
    private func number(_ text: Substring) -> Int? {
        if text == "auto" { return 0 }
        guard let number = CoreScalar.integer(String(text)), (1...65_535).contains(number) else { return nil }
        return Int(number)
    }
}

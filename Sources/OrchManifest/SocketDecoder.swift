// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// `sockets`: what is opened for the service, and whom that is in the way of.
extension Decoder {
    func sockets(_ node: NodeID, into decoded: DecodedService, _ section: Section) {
        guard let items = items(node, "sockets", of: "sockets") else { return }
        for item in items {
            guard let socket = socket(item) else { continue }
            if let place = decoded.spec.sockets.firstIndex(where: { $0.name == socket.name }) {
                error(
                    "duplicate-name", "two sockets are named \"\(socket.name)\"", at: item,
                    help: "the first one is at line \(tree[decoded.socketNodes[place]].line): give each a name")
            }
            if let place = decoded.spec.sockets.firstIndex(where: { $0.listen.overlaps(socket.listen) }) {
                error(
                    "socket-conflict", "\(socket.listen.text) is given twice", at: item,
                    help: "the first one is at line \(tree[decoded.socketNodes[place]].line)")
            }
            decoded.spec.sockets.append(socket)
            decoded.socketNodes.append(item)
        }
        let count = decoded.spec.sockets.count
        if count > Limits.socketsPerService {
            error(
                "limit", "\"sockets\" has \(count) entries, and a service has at most \(Limits.socketsPerService)",
                at: node, help: "take some out, or let it listen there by itself and name the port in ports")
        }
        checkDescriptors(of: decoded.spec, at: node, section)
    }

    /// Descriptors that a process is born with have numbers, and there are only so many.
    private func checkDescriptors(of spec: ServiceSpec, at node: NodeID, _ section: Section) {
        let end = SocketSpec.firstDescriptor + spec.sockets.count
        var count = spec.sockets.count + spec.locks.count { $0.utf8.contains(47) }
        if case .fd(let number) = spec.ready {
            count += 1
            if number < end {
                error(
                    "conflict", "\"ready.fd\": descriptor \(number) is that of a socket", at: section.key("ready"),
                    help: "its sockets are at \(SocketSpec.firstDescriptor) to \(end - 1): write fd: \(end)")
            }
        }
        guard count > Limits.inheritedPerService, spec.sockets.count <= Limits.socketsPerService else { return }
        error(
            "limit",
            "\"sockets\", the paths under \"locks\" and \"ready.fd\" are \(count) descriptors, and a process is born with at most \(Limits.inheritedPerService)",
            at: node, help: "take out sockets or locks")
    }

    /// An address alone is a socket without a name.
    private func socket(_ node: NodeID) -> SocketSpec? {
        if tree.kind(node) == .scalar { return address(node, "sockets").map { SocketSpec(listen: $0) } }
        guard let section = section(node, Fields.socketEntry, "sockets") else { return nil }
        guard let place = section["listen"] else {
            error(
                "missing", "a socket needs an address", at: node,
                help: "such as  listen: tcp://127.0.0.1:8080  or  listen: ./web.sock")
            return nil
        }
        guard let listen = address(place, "listen") else { return nil }
        var socket = SocketSpec(listen: listen)
        if let node = section["name"], let name = text(node, "name") {
            let isGood = (1...255).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 58 }
            if !isGood {
                error(
                    "name", "\"\(name)\" can't name a socket", at: node,
                    help: "LISTEN_FDNAMES takes 1 to 255 visible characters of ASCII but \":\"")
            }
            socket.name = name
        }
        guard let node = section["mode"] else { return socket }
        if case .file = listen {
            if let mode = fileMode(node, "mode", such: "0600 or 0660") { socket.mode = mode }
        } else {
            error(
                "misplaced", "\"mode\" is for a unix socket's file, and \(listen.text) has none",
                at: section.key("mode"),
                help: "leave it out")
        }
        return socket
    }

    private func address(_ node: NodeID, _ key: String) -> SocketSpec.Address? {
        guard let text = text(node, key) else { return nil }
        // `unix:/path` and `http://…` are none.
        let isPath = text.prefix { $0 != ":" }.contains("/") && !text.hasPrefix("@") && !text.hasSuffix("/")
        if isPath {
            let path = LexicalPath.absolute(text, from: folders[Int(tree[node].file)].absolute)
            if let found = SocketSpec.Address(text: path) { return found }
            error(
                "value",
                "\"\(key)\": \(path) has \(path.utf8.count) bytes, and a unix socket's path at most \(SocketSpec.longestPath)",
                at: node, help: "give a shorter one, such as /run/NAME.sock")
            return nil
        }
        if let found = SocketSpec.Address(text: text) { return found }
        error("value", "\"\(key)\": \"\(text)\" is no address to listen at", at: node, help: Self.remedy(for: text))
        return nil
    }

    private static func remedy(for text: String) -> String {
        let general = "write tcp://127.0.0.1:8080, a path such as ./web.sock, or \"@name\""
        if let port = Int(text), (1...65_535).contains(port) {
            return "write tcp://127.0.0.1:\(port), or tcp://0.0.0.0:\(port) for all addresses"
        }
        if text.hasPrefix("unix:") { return "write the path alone, such as /run/web.sock" }
        guard text.hasPrefix("tcp://") else { return general }
        let rest = text.dropFirst(6)
        guard let colon = rest.lastIndex(of: ":"), let port = Int(rest[rest.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return "an address and a port from 1 to 65535, such as tcp://127.0.0.1:8080" }
        let host = rest[..<colon]
        if host.isEmpty || host == "*" || host == "any" {
            return "for all addresses write tcp://0.0.0.0:\(port), with IPv6 tcp://[::]:\(port)"
        }
        if host.contains(":"), !host.hasPrefix("[") {
            return "an IPv6 address stands in brackets: tcp://[\(host)]:\(port)"
        }
        return "a numeric address or localhost: names are not asked for"
    }

    // MARK: Across services

    /// One address has one service, whether it is opened for it or by it.
    func checkSockets(_ stack: DecodedStack) {
        var owners: [(address: SocketSpec.Address, service: DecodedService, node: NodeID)] = []
        for service in stack.services where service.spec.enabled && service.spec.replicas > 0 {
            for (socket, node) in zip(service.spec.sockets, service.socketNodes) {
                let clash = owners.first {
                    $0.service.spec.name != service.spec.name && $0.address.overlaps(socket.listen)
                }
                if let clash {
                    error(
                        "socket-conflict",
                        "\"\(service.spec.name)\" and \"\(clash.service.spec.name)\" both have a socket at \(clash.address.text)",
                        at: node, help: "give one of them another address; replicas of one service share its sockets")
                }
                owners.append((socket.listen, service, node))
            }
        }
        for service in stack.services where service.spec.enabled && service.spec.replicas > 0 {
            for (port, node) in zip(service.spec.ports, service.portNodes)
            where port.port != 0 && port.transport == .tcp {
                let address = SocketSpec.Address.tcp(host: port.host == "any" ? "0.0.0.0" : port.host, port: port.port)
                guard let clash = owners.first(where: { $0.address.overlaps(address) }) else { continue }
                error(
                    "port-conflict", "the port \(port.port) is that of a socket of \"\(clash.service.spec.name)\"",
                    at: node,
                    help: "what sockets open need not be in ports; the socket is at line \(tree[clash.node].line)")
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    /// An HTTP request of a probe or a stop step.
    func http(_ node: NodeID) -> HTTPProbe? {
        guard let section = section(node, Fields.http, "http"), let url = url(section) else { return nil }
        var probe = HTTPProbe(url: url)
        if let node = section["method"], let method = text(node, "method") {
            if method.isEmpty || !method.utf8.allSatisfy({ ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) }) {
                error(
                    "value", "\"method\": \"\(method)\" is no HTTP method", at: node, help: "such as GET, HEAD or POST")
            }
            probe.method = method.uppercased()
        }
        if let node = section["headers"], let map = asMap(node, "headers") {
            for (key, value) in tree.entries(map) { header(key, value, into: &probe) }
        }
        if let node = section["body"] { probe.body = text(node, "body", mode: .launch) }
        if let node = section["expect"], let expect = self.section(node, Fields.expect, "expect") {
            if let node = expect["status"] { probe.status = status(node) }
            if let node = expect["body"] { probe.bodyPattern = text(node, "body") }
            if let node = expect["json"] { probe.json = json(node) }
        }
        return probe
    }

    private func header(_ key: NodeID, _ value: NodeID, into probe: inout HTTPProbe) {
        let name = tree.text(key)
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 58 }) else {
            error(
                "name", "\"\(name)\" can't name a header", at: key,
                help: "such as X-Token: a header has letters, digits and -")
            return
        }
        guard let text = text(value, name, mode: .launch) else { return }
        guard !text.utf8.contains(where: { $0 == 10 || $0 == 13 }) else {
            error("value", "the header \"\(name)\" can't hold a line end", at: value, help: "write it in one line")
            return
        }
        probe.headers.append(EnvironmentEntry(name, text))
    }

    private func url(_ section: Section) -> String? {
        if let node = section["url"] {
            if let other = section.entry("port") ?? section.entry("path") {
                error(
                    "conflict", "\"url\" says it all; \"\(other.name)\" can't stand beside it", at: other.key,
                    help: "remove \(other.name), or write port and path instead of url")
                return nil
            }
            guard let text = text(node, "url", mode: .launch) else { return nil }
            if let flaw = urlFlaw(text) {
                error("value", "\"url\": \(flaw)", at: node, help: "such as http://127.0.0.1:8080/health")
                return nil
            }
            return text
        }
        guard let node = section["port"] else {
            error(
                "missing", "http needs a url or a port", at: section.node,
                help: "such as { url: \"http://127.0.0.1:8080/health\" } or { port: 8080, path: /health }")
            return nil
        }
        guard let port = text(node, "port", mode: .launch) else { return nil }
        guard isPort(port[...]) else {
            error(
                "range", "\"port\" must be from 1 to 65535, not \"\(port)\"", at: node,
                help: "such as 8080 or \"${PORT}\"")
            return nil
        }
        var path = section["path"].flatMap { text($0, "path", mode: .launch) } ?? "/"
        if path.utf8.first != 47 { path = "/\(path)" }
        return "http://127.0.0.1:\(port)\(path)"
    }

    /// What is wrong with a URL that is to be asked; nil when nothing is.
    func urlFlaw(_ text: String) -> String? {
        let lower = text.prefix(8).lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else {
            return "\"\(text)\" does not begin with http:// or https://"
        }
        guard !text.utf8.contains(where: { $0 <= 32 || $0 == 127 }) else { return "\"\(text)\" holds a blank" }
        let rest = text.dropFirst(lower.hasPrefix("https://") ? 8 : 7)
        guard let first = rest.utf8.first, first != 47, first != 58, first != 63 else {
            return "\"\(text)\" names no host"
        }
        return nil
    }

    private func status(_ node: NodeID) -> [ClosedRange<Int>] {
        let items = tree.kind(node) == .sequence ? Array(tree.slots(node)) : [node]
        if items.isEmpty {
            error(
                "value", "\"status\" is empty, so nothing could pass", at: node,
                help: "such as [200-399], which it is without it")
        }
        return items.compactMap { item in
            guard let scalar = scalar(item, "status", "a status code or a range such as 200-399") else { return nil }
            let parts = scalar.text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let low = parts.first ?? nil, let high = parts.last ?? nil, parts.count <= 2, low >= 100, high <= 599,
                low <= high
            else {
                error(
                    "value", "\"status\": \"\(scalar.text)\" is no status code or range", at: item,
                    help: "such as 200 or 200-399")
                return nil
            }
            return low...high
        }
    }

    private func json(_ node: NodeID) -> [JSONExpectation] {
        guard tree.kind(node) == .mapping else {
            wrongForm("json", "a map of dotted paths", node, help: "such as { status: healthy }")
            return []
        }
        return tree.entries(node).compactMap { key, value in
            let path = tree.text(key)
            guard !path.isEmpty else {
                error(
                    "name", "a path into the JSON body can't be empty", at: key,
                    help: "such as { status: healthy } or { checks.db.ok: true }")
                return nil
            }
            if tree.isNull(value) { return JSONExpectation(path: path, expected: .null) }
            guard let scalar = scalar(value, path, "a scalar") else { return nil }
            switch scalar.meaning {
            case .null, .text: return JSONExpectation(path: path, expected: .string(scalar.text))
            case .boolean(let flag): return JSONExpectation(path: path, expected: .bool(flag))
            case .integer(let number): return JSONExpectation(path: path, expected: .int(number))
            case .number(let number): return JSONExpectation(path: path, expected: .double(number))
            }
        }
    }
}

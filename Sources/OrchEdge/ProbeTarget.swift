// SPDX-License-Identifier: Apache-2.0

/// Where an HTTP probe goes, taken from its URL (RFC 3986, RFC 9110 §4.2).
struct ProbeTarget: Equatable {
    /// A server, as connections are pooled by it.
    struct Origin: Hashable {
        /// A name or an address; IPv6 without brackets.
        var host: String
        var port: Int
    }

    var origin: Origin
    /// The `Host` header: as written, without the port when it is 80.
    var authority: String
    /// Path and query, never empty.
    var path: String

    /// Why a URL can't be asked; a sentence for people.
    struct Refusal: Error, Equatable {
        var reason: String
    }

    init(url: String) throws(Refusal) {
        guard let (scheme, rest) = ProbeTarget.cut(Substring(url), at: "://") else {
            throw Refusal(reason: "\"\(url)\" is not a URL: it needs http://")
        }
        switch scheme.lowercased() {
        case "http": break
        case "https":
            throw Refusal(
                reason:
                    "https probes need TLS, which this orch-edge was built without: probe \(url) by a command, e.g. curl -fsS"
            )
        default: throw Refusal(reason: "\"\(scheme)\" in \"\(url)\" is not a scheme that can be probed: use http")
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let server = rest[..<end]
        guard !server.contains("@") else {
            throw Refusal(reason: "the URL of a probe can't carry a password: give an Authorization header")
        }
        origin = try ProbeTarget.origin(server, of: url)
        let host = origin.host.contains(":") ? "[\(origin.host)]" : origin.host
        authority = origin.port == 80 ? host : "\(host):\(origin.port)"
        let tail = rest[end...].prefix { $0 != "#" }
        path = tail.hasPrefix("/") ? String(tail) : "/" + tail
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Refusal(reason: "\"\(url)\" has characters that must be written as %XX")
        }
    }

    private static func origin(_ server: Substring, of url: String) throws(Refusal) -> Origin {
        var host = server
        var port = Substring("80")
        if server.hasPrefix("["), let (inside, after) = cut(server.dropFirst(), at: "]") {
            host = inside
            if after.hasPrefix(":") { port = after.dropFirst() }
        } else if let (name, digits) = cut(server, at: ":") {
            host = name
            port = digits
        }
        guard !host.isEmpty else { throw Refusal(reason: "\"\(url)\" names no host") }
        guard let number = Int(port), (1...65_535).contains(number) else {
            throw Refusal(reason: "\"\(port)\" in \"\(url)\" is not a port: it must be 1 to 65535")
        }
        return Origin(host: host.lowercased(), port: number)
    }

    private static func cut(_ text: Substring, at mark: String) -> (before: Substring, after: Substring)? {
        guard let range = text.firstRange(of: mark) else { return nil }
        return (text[..<range.lowerBound], text[range.upperBound...])
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// An IPv4 or IPv6 address in its numeric form, `inet_pton(3)`.
struct NumericAddress: Equatable {
    /// 4 or 16, in network order.
    var bytes: [UInt8]
    var isWildcard: Bool { bytes.allSatisfy { $0 == 0 } }

    init?(_ text: String) {
        var four = [UInt8](repeating: 0, count: 4)
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            bytes = four
            return
        }
        var six = [UInt8](repeating: 0, count: 16)
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        bytes = six
    }
}

/// `host:port` or `[v6]:port`, taken apart.
struct Endpoint: Equatable {
    var host: String
    var port: UInt16

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        self.host = host.isEmpty ? "localhost" : String(host)
        self.port = port
    }

    /// Numeric addresses to try in turn. Nil when the host is a name that would have to be asked of a server: the loop must not wait for one.
    var addresses: [String]? {
        if NumericAddress(host) != nil { return [host] }
        if host == "localhost" { return ["127.0.0.1", "::1"] }
        return Self.listed(host)
    }

    /// hosts(5).
    private static func listed(_ name: String) -> [String]? {
        var found: [String] = []
        for line in (SmallFile.text("/etc/hosts", limit: 1 << 20) ?? "").split(separator: "\n") {
            let words = Text.words(line.prefix { $0 != "#" })
            if words.dropFirst().contains(where: { $0 == name }), let address = words.first {
                found.append(String(address))
            }
        }
        return found.isEmpty ? nil : found
    }
}

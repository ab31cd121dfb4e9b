// SPDX-License-Identifier: Apache-2.0

/// A listening socket that is opened for a service and handed to its processes, sd_listen_fds(3): it outlives them, so that a restart
/// refuses no connection.
public struct SocketSpec: Equatable, Sendable {
    /// Where it listens; always for streams.
    public enum Address: Hashable, Sendable {
        /// A numeric address, IPv4 or IPv6 without brackets, and a port from 1 to 65535.
        case tcp(host: String, port: Int)
        /// An absolute path.
        case file(String)
        /// A name without a file, unix(7); without the `@` that it is written with.
        case abstract(String)
    }
    /// In LISTEN_FDNAMES.
    public var name: String
    public var listen: Address
    /// Of a socket's file; nobody connects who may not write to it. Means nothing for other addresses.
    public var mode = standardMode

    public init(name: String = standardName, listen: Address) {
        self.name = name
        self.listen = listen
    }

    public static let standardName = "socket"
    /// The service's own user only.
    public static let standardMode: UInt32 = 0o600
    /// The number of the first one: SD_LISTEN_FDS_START.
    public static let firstDescriptor = 3
    /// Of a path or a name: `sun_path` of unix(7), with its end.
    public static let longestPath = 107
}

extension SocketSpec.Address {
    /// As the manifest has it.
    public var text: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
        case .file(let path): path
        case .abstract(let name): "@\(name)"
        }
    }

    /// Nil for what is none of them; a relative path is none.
    public init?(text: String) {
        if text.hasPrefix("tcp://") {
            let rest = text.dropFirst(6)
            guard let colon = rest.lastIndex(of: ":"), let port = Int(rest[rest.index(after: colon)...]),
                (1...65_535).contains(port)
            else { return nil }
            var host = rest[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = host.dropFirst().dropLast()
                guard Self.isVersion6(host) else { return nil }
            } else if host == "localhost" {
                host = "127.0.0.1"
            } else if !Self.isVersion4(host) {
                return nil
            }
            self = .tcp(host: String(host), port: port)
        } else if text.hasPrefix("@") {
            let name = String(text.dropFirst())
            guard !name.isEmpty, name.utf8.count <= SocketSpec.longestPath else { return nil }
            self = .abstract(name)
        } else {
            guard text.hasPrefix("/"), !text.hasSuffix("/"), text.utf8.count <= SocketSpec.longestPath else {
                return nil
            }
            self = .file(text)
        }
    }

    /// Whether both can't be had at once; two ways to write one IPv6 address are not seen.
    public func overlaps(_ other: Self) -> Bool {
        guard case .tcp(let host, let port) = self, case .tcp(let otherHost, let otherPort) = other else {
            return self == other
        }
        let all = ["0.0.0.0", "::"]
        return port == otherPort && (host == otherHost || all.contains(host) || all.contains(otherHost))
    }

    private static func isVersion4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (48...57).contains($0) }
                    && Int(part).map { $0 < 256 && String($0) == part } == true
            }
    }

    /// Hexadecimal groups, one run of zeros left out at most (RFC 4291, 2.2).
    private static func isVersion6(_ text: Substring) -> Bool {
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        let given = groups.filter { !$0.isEmpty }
        let isHexadecimal = given.allSatisfy { group in
            group.utf8.count <= 4 && group.allSatisfy { $0.isASCII && $0.isHexDigit }
        }
        guard isHexadecimal else { return false }
        guard let gap = text.firstRange(of: "::") else { return given.count == 8 && groups.count == 8 }
        let (before, after) = (text[..<gap.lowerBound], text[gap.upperBound...])
        let isOne = !after.contains("::") && !after.hasPrefix(":") && !before.hasSuffix(":")
        return isOne && !before.hasPrefix(":") && !after.hasSuffix(":") && given.count < 8
    }
}

/// `{name, listen, mode}`.
extension SocketSpec: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("name", name, unless: Self.standardName)
        w.set("listen", listen.text)
        w.set("mode", ProcessSpec.octal(mode), unless: ProcessSpec.octal(Self.standardMode))
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        guard let listen = Address(text: try r.string("listen")) else {
            throw ShapeError(path: "listen", expected: "tcp://HOST:PORT, an absolute path or @NAME")
        }
        self.init(name: try r.string("name", or: Self.standardName), listen: listen)
        guard let text = try r.optionalString("mode") else { return }
        guard let mode = UInt32(text, radix: 8), mode <= 0o777 else {
            throw ShapeError(path: "mode", expected: "an octal number")
        }
        self.mode = mode
    }
}

/// The sockets that a service has open.
public struct OpenSockets: Equatable, Sendable {
    public var service: ServiceID
    public var sockets: [SocketSpec]
    public init(_ service: ServiceID, _ sockets: [SocketSpec]) {
        self.service = service
        self.sockets = sockets
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Who holds a port: the socket by `/proc/net` (proc_net(5)), its process by the descriptors that refer to it.
struct PortOwner {
    var pid: Int32?
    /// Of the socket.
    var user: UInt32

    /// For people; `service` is the launch's own name when it is one of ours.
    func text(service: (Int32) -> String?) -> String {
        guard let pid else {
            return "a process of user \(Account.nameOf(user)) that this user may not look into"
        }
        let owner = ProcessTable.user(of: pid).map { Account.nameOf($0) } ?? "unknown"
        let known = service(pid).map { ", service \($0)" } ?? ""
        return "pid \(pid) (\(ProcessTable.commandLine(of: pid))), user \(owner)\(known)"
    }

    /// The socket that keeps others from binding; nil when it is gone already, or of another network namespace.
    static func find(port: Int, address: String?, transport: PortSpec.Transport) -> PortOwner? {
        let name = transport.rawValue
        for table in [name, "\(name)6"] {
            for line in (SmallFile.text("/proc/net/\(table)", limit: 16 << 20) ?? "").split(separator: "\n").dropFirst()
            {
                let fields = line.split(separator: " ")
                guard fields.count > 9, let local = Local(fields[1]), local.port == port, local.overlaps(address) else {
                    continue
                }
                // 0A is LISTEN; datagram sockets have no such state.
                guard transport == .udp || fields[3] == "0A", let user = UInt32(fields[7]) else { continue }
                return PortOwner(pid: process(holding: "socket:[\(fields[9])]"), user: user)
            }
        }
        return nil
    }

    /// Whoever is bound to a path, or to `@` and a name.
    static func find(unix name: String) -> PortOwner? {
        for line in (SmallFile.text("/proc/net/unix", limit: 16 << 20) ?? "").split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ", maxSplits: 7)
            guard fields.count == 8, fields[7] == name, let pid = process(holding: "socket:[\(fields[6])]") else {
                continue
            }
            return PortOwner(pid: pid, user: ProcessTable.user(of: pid) ?? .max)
        }
        return nil
    }

    static func process(holding socket: String) -> Int32? {
        for name in SmallFile.names(in: "/proc") {
            guard let pid = Int32(name) else { continue }
            for number in SmallFile.names(in: "/proc/\(pid)/fd")
            where SmallFile.link("/proc/\(pid)/fd/\(number)") == socket { return pid }
        }
        return nil
    }

    /// An address and port as `/proc/net` writes them: 32-bit words in the machine's order.
    struct Local {
        var bytes: [UInt8]
        var port: Int

        init?(_ field: Substring) {
            let parts = field.split(separator: ":")
            guard parts.count == 2, let port = Int(parts[1], radix: 16) else { return nil }
            self.port = port
            bytes = []
            var rest = parts[0]
            while !rest.isEmpty {
                guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
                for shift in stride(from: 0, to: 32, by: 8) {
                    bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift)))
                }
                rest = rest.dropFirst(8)
            }
        }

        /// The wildcard meets everything; a mapped IPv4 address meets its plain form.
        func overlaps(_ address: String?) -> Bool {
            guard let address, !bytes.allSatisfy({ $0 == 0 }) else { return true }
            guard let wanted = NumericAddress(address) else { return true }
            return wanted.isWildcard || wanted.bytes == bytes
                || (bytes.count == 16 && Array(bytes.suffix(4)) == wanted.bytes)
        }
    }
}

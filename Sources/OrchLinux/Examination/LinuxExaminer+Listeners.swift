// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
public import OrchModel

extension LinuxExaminer {
    public func listeners(of processes: [ProcessMark]) -> [ListenerFacts] {
        var holders: [String: [Int32]] = [:]
        for mark in processes where corch_process_start_ticks(mark.pid) == Int64(clamping: mark.startTicks) {
            let links = SmallFile.names(in: "/proc/\(mark.pid)/fd").compactMap {
                SmallFile.link("/proc/\(mark.pid)/fd/\($0)")
            }
            for socket in Set(links) where socket.hasPrefix("socket:[") {
                holders[socket, default: []].append(mark.pid)
            }
        }
        let opened = openedSockets
        return (Self.internetListeners() + Self.unixListeners()).compactMap { inode, found in
            let text = found.transport == .tcp ? "tcp://\(found.address)" : found.address
            var listener = found
            listener.holders = (holders["socket:[\(inode)]"] ?? []).sorted()
            listener.service = found.transport == .udp ? nil : opened.first { $0.spec.listen.text == text }?.service
            return listener.holders.isEmpty && listener.service == nil ? nil : listener
        }
    }

    /// Those that the daemon has opened for services.
    var openedSockets: [HeldSocket] {
        let folder = "\(run)/sockets"
        return SocketRecord.numbers(in: folder).compactMap { SocketRecord.load($0, from: folder) }
    }

    /// proc_net(5): a listening TCP socket is in state 0A, a datagram socket without a peer in 07.
    private static func internetListeners() -> [(Substring, ListenerFacts)] {
        var found: [(Substring, ListenerFacts)] = []
        let tables: [(name: String, transport: ListenerFacts.Transport, state: String)] = [
            ("tcp", .tcp, "0A"), ("tcp6", .tcp, "0A"), ("udp", .udp, "07"), ("udp6", .udp, "07"),
        ]
        for (table, transport, state) in tables {
            for line in (SmallFile.text("/proc/net/\(table)", limit: 16 << 20) ?? "").split(separator: "\n").dropFirst()
            {
                let fields = line.split(separator: " ")
                guard fields.count > 9, fields[3] == state, let local = PortOwner.Local(fields[1]), local.port > 0
                else {
                    continue
                }
                found.append((fields[9], ListenerFacts(transport, local.text)))
            }
        }
        return found
    }

    /// Bit 16 of the flags is __SO_ACCEPTCON.
    private static func unixListeners() -> [(Substring, ListenerFacts)] {
        (SmallFile.text("/proc/net/unix", limit: 16 << 20) ?? "").split(separator: "\n").dropFirst().compactMap {
            line in
            let fields = line.split(separator: " ", maxSplits: 7)
            guard fields.count == 8, let flags = UInt32(fields[3], radix: 16), flags & 0x10000 != 0 else { return nil }
            return (fields[6], ListenerFacts(.unix, String(fields[7])))
        }
    }
}

extension PortOwner.Local {
    /// As addresses are written with their port.
    var text: String {
        var words = [CChar](repeating: 0, count: 64)
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard unsafe inet_ntop(family, bytes, &words, socklen_t(words.count)) != nil else { return "?:\(port)" }
        let host = String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return family == AF_INET ? "\(host):\(port)" : "[\(host)]:\(port)"
    }
}

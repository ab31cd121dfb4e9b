// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Sockets of services, which the keeper holds: what the machine does with them, and the rules.
extension Machine {
    /// A launch opens what is not open.
    func openSockets(_ order: LaunchOrder) {
        let service = order.instance.service
        for socket in order.spec.sockets where sockets[service]?.contains(where: { $0.listen == socket.listen }) != true
        {
            sockets[service, default: []].append(socket)
        }
    }

    /// Nobody loses the socket that it serves.
    func keepSockets(_ kept: [SocketSpec], of service: ServiceID, former: ServiceID?) {
        if let former, let open = sockets.removeValue(forKey: former) { sockets[service, default: []] += open }
        for process in processes.compactMap(\.self)
        where process.isMainAlive && !process.watched.isStray && process.order.instance.service == service {
            for socket in process.order.spec.sockets where !kept.contains(where: { $0.listen == socket.listen }) {
                violate("\(socket.listen.text) of \(service) is closed while \(process.launch.number) serves it")
            }
        }
        sockets[service]?.removeAll { socket in !kept.contains { $0.listen == socket.listen } }
        if sockets[service]?.isEmpty == true { sockets[service] = nil }
    }

    /// At rest what is open has a service that serves it or is about to.
    func checkSockets() {
        for service in sockets.keys.sorted() {
            let isServed = processes.contains { $0.map { $0.isAlive && $0.order.instance.service == service } ?? false }
            let replicas = specNow(of: service)?.replicas ?? 0
            let isMeant = (0..<replicas).contains { isWanted(InstanceID(service: service, replica: $0 + 1)) }
            if !isServed, !isMeant { violate("a socket of \(service) is left open") }
        }
    }

    /// For a new daemon.
    var socketsByService: [OpenSockets] { sockets.keys.sorted().map { OpenSockets($0, sockets[$0] ?? []) } }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Sockets are open from a service's first launch until nothing is wanted of it any more: over restarts, while a retry is waited for, and
/// over updates, where a launch of the former definition keeps its own.
extension Fleet {
    mutating func attendSockets(of place: Int, _ effects: inout [Effect]) {
        guard !services[place].sockets.isEmpty || !services[place].spec.sockets.isEmpty else { return }
        let service = services[place]
        let needed = neededSockets(of: service)
        guard needed != service.sockets else { return }
        services[place].sockets = needed
        effects.append(.sockets(service.id, needed, former: nil))
    }

    private func neededSockets(of service: Service) -> [SocketSpec] {
        var needed: [SocketSpec] = []
        for place in service.slots + service.outgoing {
            guard let slot = slots[place] else { continue }
            if slot.current != nil { add(spec(of: slot).value.sockets, to: &needed) }
            // Connections that nobody is going to accept are better refused.
            if slot.successor == nil, isWanted(slot), slot.outcome.map({ $0.phase == .ready }) ?? true {
                add(targetVersion(of: slot).spec.sockets, to: &needed)
            }
        }
        return needed
    }

    private func add(_ sockets: [SocketSpec], to needed: inout [SocketSpec]) {
        for socket in sockets where !needed.contains(where: { $0.listen == socket.listen }) { needed.append(socket) }
    }

    /// What the host has open is known by the service that has it, under the name it has now; of what is no service's it hears at once.
    mutating func recall(_ open: [OpenSockets], renamed: [(from: ServiceID, to: String)]) {
        for known in open {
            let present = renamed.first { $0.from == known.service }.map {
                ServiceID(stack: known.service.stack, service: $0.to)
            }
            guard let place = serviceIndex[present ?? known.service] else {
                pending.append(.sockets(known.service, [], former: nil))
                continue
            }
            // Without an instance nobody would look again.
            guard !services[place].slots.isEmpty else {
                pending.append(.sockets(known.service, [], former: nil))
                continue
            }
            services[place].sockets = known.sockets
            if present != nil { moveSockets(of: place, from: known.service) }
            touch(service: place)
        }
    }

    /// The service has another name from here on.
    mutating func moveSockets(of place: Int, from former: ServiceID) {
        guard !services[place].sockets.isEmpty else { return }
        pending.append(.sockets(services[place].id, services[place].sockets, former: former))
    }
}

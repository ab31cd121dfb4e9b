// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// How many instances a person wants of a service, until the next apply says again what the manifest does. It outlives daemons and boots, as
/// what was started by hand does.
extension Fleet {
    mutating func scale(_ target: Target, to replicas: Int, at now: Moment) {
        guard let place = placeToScale(target), let stack = stackPlace(target.stack) else { return }
        setScale(of: place, replicas)
        populate(place, stack, at: now)
        for slot in services[place].slots { noteChange(slot) }
        for neighbour in neighbours(of: place) { touch(service: neighbour) }
    }

    mutating func recallScale(_ departure: Departure, at now: Moment) {
        guard let place = serviceIndex[departure.instance.service],
            let stack = stackPlace(departure.instance.service.stack), !services[place].isRemoved
        else { return }
        setScale(of: place, departure.instance.replica)
        populate(place, stack, at: now)
    }

    private mutating func setScale(of place: Int, _ replicas: Int) {
        services[place].scaled = replicas == services[place].spec.replicas ? nil : replicas
    }

    private func placeToScale(_ target: Target) -> Int? {
        guard let stack = stackPlace(target.stack), let name = target.service else { return nil }
        return stacks[stack].services[name]
    }

    /// What is to be saved of it; `target` will have so many.
    func scalings(_ stack: Int, after target: Target? = nil, _ replicas: Int = 0) -> [Departure] {
        placesOfServices(stack).compactMap { place in
            let service = services[place]
            var count = service.scaled
            if let target, target.service == service.id.service {
                count = replicas == service.spec.replicas ? nil : replicas
            }
            return count.map { Departure(InstanceID(service: service.id, replica: $0), .scaled) }
        }
    }

    func admitScale(of target: Target, to replicas: Int) throws(Refusal) {
        guard let place = placeToScale(target), target.replica == nil, let name = target.service else {
            throw Refusal(.malformed, "a service is scaled, not a stack or an instance", remedy: "orch scale SERVICE=N")
        }
        let spec = services[place].spec
        guard replicas <= Limits.replicas else {
            throw Refusal(.limit, "\(name) can't have \(replicas) instances: the limit is \(Limits.replicas)")
        }
        guard replicas >= 1 else {
            throw Refusal(.malformed, "\(name) can't be scaled to \(replicas)", remedy: "orch stop \(name)")
        }
        if spec.schedule != nil {
            throw Refusal(
                .conflict, "\(name) runs by a schedule: how many runs there are at a time is `overlap`'s affair")
        }
        let fixed = spec.ports.first { $0.port != 0 && $0.onConflict == .fail }
        if replicas > 1, let port = fixed?.port {
            throw Refusal(
                .conflict, "\(replicas) instances of \(name) can't share the fixed port \(port)",
                remedy: "write `ports: [auto]`, or let the instances share a socket with `sockets`")
        }
    }
}

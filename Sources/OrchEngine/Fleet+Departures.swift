// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What people did by hand against the manifest.
extension Fleet {
    /// What is to be saved before the order is told: all departures of each stack that it touches, as they will be. Costs what the order
    /// names and what departs already.
    public func departures(after order: Order) -> [(stack: String, departures: [Departure])] {
        switch order {
        case .apply(let applied): return [(applied.request.stack.name, [])]
        case .down(let name, _): return [(name, [])]
        case .shutdown, .signal, .reload: return []
        case .start(let targets), .restart(let targets), .stop(let targets, _):
            var future: [Int: Departure.Kind?] = [:]
            for place in placesToMove(by: order) { future[place] = .some(departure(of: place, after: order)) }
            return Set(targets.map(\.stack)).sorted().map { name in
                guard let stack = stackPlace(name) else { return (name, []) }
                let moved = future.keys.filter { slots[$0]?.id.service.stack == name }
                return (
                    name,
                    list(stacks[stack].departed.union(moved)) { future[$0] ?? slots[$0]?.departure } + scalings(stack)
                )
            }
        case .scale(let target, let replicas):
            guard let stack = stackPlace(target.stack) else { return [] }
            return [
                (
                    target.stack,
                    list(stacks[stack].departed) { slots[$0]?.departure } + scalings(stack, after: target, replicas)
                )
            ]
        }
    }

    /// As they are now.
    public func departures(of stack: String) -> [Departure] {
        stackPlace(stack).map { list(stacks[$0].departed) { slots[$0]?.departure } + scalings($0) } ?? []
    }

    private func list(_ places: Set<Int>, _ kind: (Int) -> Departure.Kind?) -> [Departure] {
        let found = places.compactMap { place in
            slots[place].flatMap { slot in kind(place).map { Departure(slot.id, $0) } }
        }
        return found.sorted { $0.instance < $1.instance }
    }

    /// The slots that an order of a person moves.
    func placesToMove(by order: Order) -> [Int] {
        switch order {
        case .start(let targets): places(of: targets, withNeeds: true)
        case .restart(let targets), .stop(let targets, _): places(of: targets, withNeeds: false)
        case .apply, .down, .reload, .scale, .signal, .shutdown: []
        }
    }

    /// What one of these slots departs by then.
    func departure(of place: Int, after order: Order) -> Departure.Kind? {
        guard let slot = slots[place] else { return nil }
        let isEnabled = services[slot.service].spec.enabled
        switch order {
        case .start: return isEnabled ? nil : .started
        case .restart: return slot.current != nil && isWanted(slot) ? slot.departure : isEnabled ? nil : .started
        case .stop: return isEnabled ? .stopped : nil
        case .apply, .down, .reload, .scale, .signal, .shutdown: return slot.departure
        }
    }
}

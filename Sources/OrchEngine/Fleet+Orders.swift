// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Commands. They change what is wanted; `reconcile` finds out what that means.
extension Fleet {
    mutating func observe(_ order: Order, at now: Moment) {
        switch order {
        case .apply(let applied): apply(applied, at: now)
        case .down(let name, let timeout):
            guard let stack = stackPlace(name) else { return }
            stacks[stack].applied.isLeaving = true
            endTrial(name)
            let limit = min(
                timeout ?? .seconds(Int64.max / 4_000_000_000), stacks[stack].applied.request.stack.stopTimeout)
            for service in placesOfServices(stack) {
                services[service].isRetired = true
                for slot in services[service].slots {
                    slots[slot]?.isLeaving = true
                    resume(slot)
                    hurry(slot, by: now.instant + limit)
                }
            }
        case .start(let targets):
            for place in placesToMove(by: order) { startByHand(place, "started by hand", order, at: now) }
            runByHand(targets.filter { $0.service != nil })
        case .restart(let targets):
            for place in placesToMove(by: order) {
                if let slot = slots[place], slot.current != nil, isWanted(slot) {
                    forgive(place)
                    slots[place]?.isRestartAsked = true
                    slots[place]?.restartCause = nil
                } else {
                    startByHand(place, Self.restartedByHand, order, at: now)
                }
                touch(place)
            }
            runByHand(targets.filter { $0.service != nil })
        case .stop(_, let timeout):
            for place in placesToMove(by: order) {
                guard let slot = slots[place] else { continue }
                depart(place, departure(of: place, after: order))
                if !isStandIn(slot) { forgive(place) }
                voidRuns(place)
                voidWatches(place)
                if let timeout { hurry(place, by: now.instant + timeout) }
                touch(service: slot.service)
            }
        case .reload(let targets): for place in placesToReload(targets) { oweReload(place, Self.reloadedByHand) }
        case .scale(let target, let replicas): scale(target, to: replicas, at: now)
        case .signal(let targets, let signal): send(signal, to: targets, at: now)
        case .shutdown:
            isShuttingDown = true
            for stack in stacks.indices {
                let limit = now.instant + stacks[stack].applied.request.stack.stopTimeout
                for service in placesOfServices(stack) {
                    for slot in services[service].slots { hurry(slot, by: limit) }
                }
            }
        }
    }

    private static var restartedByHand: String { "restarted by hand" }

    /// Services of a stack in order of their names.
    func placesOfServices(_ stack: Int) -> [Int] {
        stacks[stack].sorted ?? stacks[stack].services.sorted { $0.key < $1.key }.map(\.value)
    }

    /// A later command can shorten a stop, never lengthen it.
    mutating func hurry(_ place: Int, by limit: Instant) {
        let earlier = slots[place]?.stopBy ?? limit
        slots[place]?.stopBy = min(earlier, limit)
        touch(place)
        if let former = slots[place]?.predecessor { hurry(former, by: limit) }
    }

    private mutating func forgive(_ place: Int) {
        if let note = forgive(place, isAnew: true) { pending.append(.note(note)) }
        slots[place]?.waitingSince = nil
        slots[place]?.askingSince = nil
        slots[place]?.restarts = 0
    }

    private mutating func startByHand(_ place: Int, _ cause: String, _ order: Order, at now: Moment) {
        guard let slot = slots[place] else { return }
        depart(place, departure(of: place, after: order))
        resume(place)
        if slot.current?.stopping == nil { slots[place]?.stopBy = nil }
        guard let incarnation = slot.current else {
            // What counts as up stays so, unless it is to be up anew.
            if cause != Self.restartedByHand, let same = slots[place], isStandIn(same) { return touch(place) }
            forgive(place)
            slots[place]?.nextCause = cause
            touch(service: slot.service)
            return
        }
        // It is on its way out, or already out with its tree not empty yet: whatever its end says, a person wants it up again.
        if incarnation.stopping != nil || incarnation.hasEnded {
            forgive(place)
            slots[place]?.isRestartAsked = true
            slots[place]?.restartCause = cause
        }
        touch(service: slot.service)
    }

    /// The slots that targets cover, in order; with what they need that is not wanted now.
    func places(of targets: [Target], withNeeds: Bool) -> [Int] {
        var found: Set<Int> = []
        var work: [Int] = []
        for target in targets {
            guard let stack = stackPlace(target.stack) else { continue }
            let named = target.service.map { name in stacks[stack].services[name].map { [$0] } ?? [] }
            for service in named ?? placesOfServices(stack) {
                for place in services[service].slots {
                    guard let slot = slots[place], !slot.isLeaving, target.covers(slot.id), found.insert(place).inserted
                    else { continue }
                    work.append(place)
                }
            }
        }
        var next = 0
        while withNeeds, next < work.count {
            guard let slot = slots[work[next]] else { break }
            next += 1
            for need in services[slot.service].needs.compactMap({ $0 }) {
                for place in services[need].slots {
                    guard let other = slots[place], !other.isLeaving, !isWanted(other), found.insert(place).inserted
                    else { continue }
                    work.append(place)
                }
            }
        }
        let named = work.map { (name: slots[$0]?.id.description ?? "", place: $0) }
        return named.sorted { $0.name < $1.name }.map(\.place)
    }

    /// Whether the order names what is there; called before it is observed.
    public func admit(_ order: Order) throws(Refusal) {
        switch order {
        case .apply, .shutdown: return
        case .down(let name, _):
            guard stackPlace(name) != nil else { throw unknown(stack: name) }
        case .start(let targets), .restart(let targets), .stop(let targets, _): try admit(targets)
        case .reload(let targets):
            try admit(targets)
            try admitReload(of: targets)
        case .scale(let target, let replicas):
            try admit([target])
            try admitScale(of: target, to: replicas)
        case .signal(let targets, _):
            try admit(targets)
            try admitSignal(to: targets)
        }
    }

    private func admit(_ targets: [Target]) throws(Refusal) {
        for target in targets {
            guard hasStack(target.stack), let stack = stackPlace(target.stack) else {
                throw unknown(stack: target.stack)
            }
            guard let name = target.service else { continue }
            guard let service = stacks[stack].services[name], !services[service].isRemoved else {
                throw Refusal(
                    .unknown, "stack \(target.stack) has no service \(name)",
                    remedy:
                        "its services: \(placesOfServices(stack).map { services[$0].id.service }.joined(separator: ", "))"
                )
            }
            if let replica = target.replica,
                !services[service].slots.contains(where: { slots[$0]?.id.replica == replica })
            {
                throw Refusal(
                    .unknown, "\(name) has no instance \(replica)",
                    remedy: "it has \(services[service].replicas)")
            }
        }
    }

    func unknown(stack name: String) -> Refusal {
        let names = stacks.filter { !$0.applied.isLeaving }.map(\.name)
        return Refusal(
            .unknown, "there is no stack \(name)",
            remedy: names.isEmpty
                ? "nothing is applied; orch apply FILE" : "applied stacks: \(names.joined(separator: ", "))")
    }

    /// The stack as it is to be kept while it leaves; nil when there is none.
    public func leaving(stack: String) -> AppliedStack? {
        guard let place = stackPlace(stack) else { return nil }
        var applied = stacks[place].applied
        applied.isLeaving = true
        return applied
    }
}

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Replacing the instances of a service whose definition changed: who runs which definition, and whose turn it is.
extension Fleet {
    /// The definition that the instance is to run.
    func targetDefinition(of slot: Slot) -> Digest {
        guard slot.isHeld, let previous = services[slot.service].formerDefinition else {
            return services[slot.service].definition
        }
        return previous
    }

    /// The locks that it is to be launched with.
    func targetLocks(of slot: Slot) -> [String] {
        let known = services[slot.service].known
        guard slot.isHeld, let former = services[slot.service].former else { return known.value.locks }
        return former.value.locks
    }

    /// All that a launch of the instance is made from.
    func targetVersion(of slot: Slot) -> (spec: ServiceSpec, inherited: [EnvironmentEntry], fileLimit: UInt64?) {
        let service = services[slot.service]
        guard slot.isHeld, let previous = service.rollout?.previous else {
            return (service.spec, service.inherited, service.fileLimit)
        }
        return (previous.spec, previous.inherited, previous.fileLimit)
    }

    /// What the manifest said of what runs: an instance of the previous definition is probed and stopped as that one asked.
    func spec(of slot: Slot) -> KnownSpec {
        let place = slot.service
        if let former = services[place].former,
            services[place].formerDefinition == slot.current?.definition ?? targetDefinition(of: slot)
        {
            return former
        }
        return services[place].known
    }

    /// As `spec(of:)`, for whoever is about to write to the slot and keeps no copy of it.
    func spec(at place: Int) -> KnownSpec? {
        guard let slot = slots[place] else { return nil }
        return spec(of: slot)
    }

    /// As `spec(of:)`, for a launch that is over.
    func version(of slot: Slot, _ incarnation: Incarnation) -> KnownSpec {
        var ended = slot
        ended.current = incarnation
        return spec(of: ended)
    }

    /// Ready, and without a break for `min_ready`.
    func isProven(_ slot: Slot) -> Bool { isReady(slot) && hasLasted(slot) }

    /// One that is ready has been so for `min_ready`.
    func hasLasted(_ slot: Slot) -> Bool { provenAt(slot).map { $0 <= clock } ?? true }

    /// When an instance that stays ready has been so for `min_ready`; nil while no update looks at it.
    func provenAt(_ slot: Slot) -> Instant? {
        guard services[slot.service].isRolling, let readyAt = slot.current?.readyAt else { return nil }
        let since = max(readyAt.instant, slot.current?.recoveredAt?.instant ?? readyAt.instant)
        return since + services[slot.service].spec.update.minReady
    }

    /// Ready instances are replaced `parallelism` at a time: the next goes when one before has proven itself.
    func holdsUpReplacement(of slot: Slot) -> String? {
        guard slot.successor == nil, isWanted(slot), !slot.isRestartAsked, isReady(slot) else { return nil }
        var room = services[slot.service].spec.update.parallelism
        let last = services[slot.service].lastReplaced
        if let last, let other = slots[last], other.service == slot.service, other.id != slot.id,
            isInFlight(other, beside: slot)
        {
            room -= 1
            if room <= 0 { return label(of: other) }
        }
        for place in services[slot.service].slots where place != last {
            guard let other = slots[place], other.id != slot.id, isInFlight(other, beside: slot) else { continue }
            room -= 1
            if room <= 0 { return label(of: other) }
        }
        return nil
    }

    /// Being replaced, or not back yet.
    private func isInFlight(_ slot: Slot, beside asker: Slot) -> Bool {
        guard isWanted(slot), !slot.isPassedOver else { return false }
        if slot.predecessor != nil {
            // Of those that took over from another and are to go themselves by now, the first goes first.
            let isToGo = mustGo(slot) && isReady(slot)
            return !isToGo || asker.predecessor == nil || slot.id < asker.id
        }
        guard let incarnation = slot.current else {
            // What it waits for may be waiting for this very instance to go.
            return !isStandIn(slot) && !isHeldBack(slot) && slot.outcomePhase != .done
        }
        let isStale = incarnation.definition != targetDefinition(of: slot)
        if isStale, incarnation.stopping == nil { return false }
        return !isProven(slot)
    }

    /// Begins or goes on with the update that an apply asks for. What a person applies again is tried again, whoever was held.
    mutating func takeUp(_ rollout: Rollout?, of service: Int) {
        services[service].rollout = rollout
        for place in services[service].slots {
            guard let slot = slots[place] else { continue }
            slots[place]?.isHeld = rollout?.held.contains(slot.id.replica) ?? false
            slots[place]?.isPassedOver = false
        }
    }

    /// The updates as they are to be kept with an apply of `request`: of services that run something else than what is asked.
    func rollouts(for request: ApplyRequest, _ renames: [Renaming]) -> [Rollout] {
        guard let stack = stackPlace(request.stack.name), !stacks[stack].applied.isLeaving else { return [] }
        var found: [Rollout] = []
        for spec in request.stack.services {
            let name = renames.first { $0.to == spec.name }?.from ?? spec.name
            guard let place = stacks[stack].services[name], !services[place].isRemoved else { continue }
            if let rollout = rollout(of: services[place], to: spec) { found.append(rollout) }
        }
        return found
    }

    private func rollout(of service: Service, to spec: ServiceSpec) -> Rollout? {
        if service.rollout == nil, service.spec == spec { return nil }
        let definition = spec.definitionDigest
        let runsOther = (service.slots + service.outgoing).contains { place in
            slots[place]?.current.map { $0.definition != definition } ?? false
        }
        guard runsOther else { return nil }
        var previous =
            service.rollout?.previous
            ?? ServiceVersion(spec: service.spec, inherited: service.inherited, fileLimit: service.fileLimit)
        if previous.definition == definition {
            previous = ServiceVersion(spec: service.spec, inherited: service.inherited, fileLimit: service.fileLimit)
        }
        guard previous.definition != definition else { return nil }
        previous.spec.name = spec.name
        return Rollout(service: spec.name, previous: previous)
    }

    /// Ends an update once every instance runs the new definition and has proven itself.
    mutating func concludeRollout(of service: Int, _ effects: inout [Effect]) {
        guard services[service].rollout?.stance == .going, services[service].outgoing.isEmpty else { return }
        for place in services[service].slots {
            guard let slot = slots[place], isWanted(slot) else { continue }
            if slot.current?.definition == services[service].definition, isProven(slot) { continue }
            if slot.current == nil, slot.outcomePhase == .done || isStandIn(slot) { continue }
            return
        }
        end(rolloutOf: service, &effects)
    }

    mutating func end(rolloutOf service: Int, _ effects: inout [Effect]) {
        services[service].rollout = nil
        for place in services[service].slots {
            slots[place]?.isHeld = false
            slots[place]?.isPassedOver = false
        }
        keep(service, &effects)
        touch(service: service)
    }

    /// Writes the state of the service's update into what is kept of its stack.
    mutating func keep(_ service: Int, _ effects: inout [Effect]) {
        let id = services[service].id
        guard let stack = stackPlace(id.stack) else { return }
        var rollout = services[service].rollout
        rollout?.held = services[service].slots.compactMap { slots[$0] }.filter(\.isHeld).map(\.id.replica)
        services[service].rollout = rollout
        stacks[stack].applied.rollouts.removeAll { $0.service == id.service }
        if let rollout {
            let all = stacks[stack].applied.rollouts
            stacks[stack].applied.rollouts.insert(
                rollout, at: all.firstIndex { $0.service > id.service } ?? all.count)
        }
        effects.append(.keepUpdates(stack: id.stack))
    }

    /// What the present revision says of a service; nil when there is none.
    public func spec(of service: ServiceID) -> ServiceSpec? { serviceIndex[service].map { services[$0].spec } }

    /// The stack as it is to be kept now; nil when there is none.
    public func kept(stack: String) -> AppliedStack? { stackPlace(stack).map { stacks[$0].applied } }
}

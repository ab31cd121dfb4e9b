// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Taking up a revision.
extension Fleet {
    mutating func apply(_ applied: AppliedStack, at now: Moment) {
        let former = stackPlace(applied.request.stack.name).map { stacks[$0].applied }
        let stack = takeUp(applied)
        let refuted = trials.first { $0.stack == stacks[stack].name }?.refuted
        stacks[stack].failedTrial = applied.entry.origin == .automaticRollback ? refuted : nil
        attendHost(of: stack)
        resume(stack: stack)
        for renaming in applied.renames { rename(renaming, in: stack, at: now) }
        var rollouts: [String: Rollout] = [:]
        for rollout in applied.rollouts { rollouts[rollout.service] = rollout }
        var known: Set<String> = []
        for (index, spec) in applied.request.stack.services.enumerated() {
            known.insert(spec.name)
            let inherited =
                index < applied.inherited.count ? applied.inherited[index].environment : applied.request.inherited
            takeUp(spec, inherited, applied, stack, rollouts[spec.name], former?.revision, at: now)
            if let place = stacks[stack].services[spec.name] { takeUp(rollouts[spec.name], of: place) }
        }
        for service in placesOfServices(stack) where !known.contains(services[service].id.service) {
            services[service].isRemoved = true
            for slot in services[service].slots { slots[slot]?.isLeaving = true }
        }
        connect(stack)
        for service in placesOfServices(stack) {
            if services[service].slots.isEmpty, services[service].isRemoved {
                dissolve(service)
            } else {
                touch(service: service)
            }
        }
        beginTrial(stack, after: former)
        pending.append(.record(applied.occurrence(at: now.wall)))
    }

    /// Puts the revision in its place among the stacks.
    private mutating func takeUp(_ applied: AppliedStack) -> Int {
        let name = applied.request.stack.name
        if let place = stackPlace(name) {
            stacks[place].applied = applied
            return place
        }
        let place = stacks.firstIndex { $0.name > name } ?? stacks.count
        stacks.insert(StackRecord(applied: applied), at: place)
        return place
    }

    private mutating func takeUp(
        _ spec: ServiceSpec, _ inherited: [EnvironmentEntry], _ applied: AppliedStack, _ stack: Int,
        _ rollout: Rollout?, _ former: Digest?, at now: Moment
    ) {
        let fileLimit = applied.request.fileLimit
        let id = ServiceID(stack: stacks[stack].name, service: spec.name)
        guard let place = stacks[stack].services[spec.name] else {
            let service = Service(
                id: id, spec: spec, definition: spec.definitionDigest, inherited: inherited, fileLimit: fileLimit)
            let place = freeServices.popLast() ?? services.count
            if place < services.count { services[place] = service } else { services.append(service) }
            serviceIndex[id] = place
            stacks[stack].services[spec.name] = place
            stacks[stack].sorted = nil
            populate(place, stack, at: now)
            return
        }
        let old = services[place].spec
        let oldDefinition = services[place].definition
        // Large, so looked at once.
        let isChanged = old != spec
        if isChanged {
            services[place].spec = spec
            services[place].definition = spec.definitionDigest
        }
        services[place].inherited = inherited
        services[place].fileLimit = fileLimit
        services[place].isRemoved = false
        services[place].isRetired = false
        services[place].scaled = nil
        populate(place, stack, at: now)
        for slot in services[place].slots {
            tellSuperseded(slot, former, oldDefinition, at: now)
            if applied.entry.origin != .automaticRollback || !isKeptByHand(slot) { putBack(slot) }
            mend(slot, from: old, to: spec, isChanged)
            forgetRefusal(slot)
            if isChanged || rollout != nil { forgetProbes(slot, from: old, to: spec, rollout) }
        }
    }

    /// As many slots as replicas; what is beyond leaves.
    mutating func populate(_ service: Int, _ stack: Int, at now: Moment) {
        let wanted = services[service].replicas
        for place in services[service].slots {
            let replica = slots[place]?.id.replica ?? 1
            // A run beside others ends by itself.
            if slots[place]?.isOverlap == true, wanted > 0 { continue }
            slots[place]?.isLeaving = replica > wanted
        }
        let taken = Set(services[service].slots.compactMap { slots[$0]?.id.replica })
        for replica in stride(from: 1, through: wanted, by: 1) where !taken.contains(replica) {
            let slot = Slot(
                id: InstanceID(service: services[service].id, replica: replica), service: service, since: now.wall)
            seat(slot, in: stack)
        }
        let replicas = services[service].slots.map { (place: $0, replica: slots[$0]?.id.replica ?? 0) }
        services[service].slots = replicas.sorted { $0.replica < $1.replica }.map(\.place)
    }

    /// Gives a new slot its place.
    @discardableResult mutating func seat(_ slot: Slot, in stack: Int) -> Int {
        let place = freeSlots.popLast() ?? slots.count
        if place < slots.count {
            slots[place] = slot
            stories[place] = []
        } else {
            slots.append(slot)
            stories.append([])
        }
        // By replica, as they are searched: the number of a run beside others may be free again.
        let before = services[slot.service].slots.lastIndex { slots[$0].map { $0.id < slot.id } ?? false }
        services[slot.service].slots.insert(place, at: before.map { $0 + 1 } ?? 0)
        stacks[stack].slotCount += 1
        touch(place)
        noteChange(place)
        return place
    }

    /// What a person did by hand while a revision was on trial holds when the daemon goes back by itself: that is nobody's command.
    private func isKeptByHand(_ place: Int) -> Bool {
        guard let slot = slots[place], let departure = slot.departure else { return false }
        return (departure == .started) != services[slot.service].spec.enabled
    }

    /// Apply mends drift.
    private mutating func putBack(_ place: Int) {
        guard let slot = slots[place] else { return }
        if slot.current?.stopping == nil { slots[place]?.stopBy = nil }
        guard slot.departure != nil else { return }
        depart(place, nil)
        slots[place]?.nextCause = "apply put it back"
    }

    /// Takes up what is live.
    private mutating func mend(_ place: Int, from old: ServiceSpec, to spec: ServiceSpec, _ isChanged: Bool) {
        guard let slot = slots[place] else { return }
        if slot.outcomePhase == .failed || isChanged {
            let isAnew = slot.outcomePhase == .failed
            if let note = forgive(place, isAnew: isAnew) { pending.append(.note(note)) }
            if slot.current == nil { slots[place]?.retryAt = nil }
            slots[place]?.waitingSince = nil
            if slot.current == nil {
                let isNews = isChanged || isRolledBack(slot.id.service)
                let cause = isNews ? causeOfChange(slot.id.service) : "applied again after it failed"
                slots[place]?.nextCause = cause
            }
        }
        if isChanged { leaveLines(place) }
        guard isChanged, let incarnation = slot.current else { return }
        if old.logging != spec.logging { pending.append(.relog(incarnation.launch, spec.logging)) }
    }

    /// Probes that are redefined for what runs start anew. A launch of the former definition is asked as before until it is replaced.
    private mutating func forgetProbes(_ place: Int, from old: ServiceSpec, to spec: ServiceSpec, _ rollout: Rollout?) {
        guard let slot = slots[place], let incarnation = slot.current else { return }
        func health(_ spec: ServiceSpec, _ rollout: Rollout?) -> HealthSpec {
            guard let previous = rollout?.previous, previous.definition == incarnation.definition else {
                return spec.health
            }
            return previous.spec.health
        }
        let before = health(old, services[slot.service].rollout)
        let after = health(spec, rollout)
        for kind in ProbeKind.allCases where before[kind] != after[kind] { slots[place]?.current?.forget(kind) }
    }

    /// What still runs the definition before last never ran the one that is replaced now, and never will: only the newest starts.
    private mutating func tellSuperseded(_ place: Int, _ former: Digest?, _ replaced: Digest, at now: Moment) {
        guard let former, let slot = slots[place], let incarnation = slot.current, incarnation.definition != replaced,
            services[slot.service].definition != replaced
        else { return }
        var told: [Effect] = []
        tell(place, .superseded, "revision \(former.short) was replaced before it ran", at: now, &told)
        pending += told
    }

    /// Forgets stacks that were told to leave and of which nothing is left.
    mutating func finishLeaving(at now: Moment, _ effects: inout [Effect]) {
        for stack in stacks.indices.reversed() where stacks[stack].applied.isLeaving && stacks[stack].slotCount == 0 {
            let name = stacks[stack].name
            dissolve(stack: stack)
            stacks.remove(at: stack)
            effects.append(.forget(stack: name))
            effects.append(
                .record(Occurrence(time: now.wall, stack: name, kind: .removed, cause: "down; nothing of it is left")))
        }
    }
}

extension Incarnation {
    /// A probe that was redefined starts anew; what it had concluded holds until it says otherwise.
    mutating func forget(_ kind: ProbeKind) {
        guard let old = probes[kind] else { return }
        var fresh = ProbeState(next: .zero)
        fresh.verdict = old.verdict == .failing ? .unknown : old.verdict
        fresh.round = old.round
        fresh.notedTally = old.notedTally
        probes[kind] = fresh
    }
}

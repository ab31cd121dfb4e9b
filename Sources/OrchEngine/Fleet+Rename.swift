// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// `renamed_from`: a service gets another name, and all that is known and alive of it moves along.
extension Fleet {
    /// What an apply of `stack` moves: services that are here under the name they had, and under no other.
    func renames(for stack: Stack, _ place: Int) -> [Renaming] {
        guard !stacks[place].applied.isLeaving else { return [] }
        var found: [Renaming] = []
        // A manifest that takes a rename back needs no word for it.
        var later: [String: String] = [:]
        for spec in stacks[place].applied.request.stack.services {
            if let name = spec.renamedFrom { later[name] = spec.name }
        }
        for spec in stack.services {
            let names = [spec.renamedFrom, later[spec.name]].compactMap { $0 }
            guard let old = names.first(where: { isFree($0, for: stack, place) }) else { continue }
            guard stacks[place].services[spec.name] == nil, !found.contains(where: { $0.from == old }) else { continue }
            found.append(Renaming(from: old, to: spec.name))
        }
        return found
    }

    /// A name that is still taken by what was removed can't be had yet.
    func checkRenames(for stack: Stack, _ place: Int) throws(Refusal) {
        for spec in stack.services {
            guard let old = spec.renamedFrom, isFree(old, for: stack, place),
                let occupant = stacks[place].services[spec.name], services[occupant].isRemoved
            else { continue }
            throw Refusal(
                .conflict,
                "\(old) can't be renamed to \(spec.name) yet: a removed service of that name is still stopping",
                remedy: "apply again when it has stopped")
        }
    }

    /// A service has the name now, and the manifest has none of that name any more.
    private func isFree(_ name: String, for stack: Stack, _ place: Int) -> Bool {
        guard stack.service(name) == nil, let service = stacks[place].services[name] else { return false }
        return !services[service].isRemoved
    }

    /// Moves the service; when it is not there, as for a daemon that has just woken up, there is nothing to move.
    mutating func rename(_ renaming: Renaming, in stack: Int, at now: Moment) {
        guard stacks[stack].services[renaming.to] == nil,
            let service = stacks[stack].services.removeValue(forKey: renaming.from)
        else { return }
        let old = services[service].id
        let new = ServiceID(stack: old.stack, service: renaming.to)
        serviceIndex[old] = nil
        serviceIndex[new] = service
        stacks[stack].services[renaming.to] = service
        stacks[stack].sorted = nil
        services[service].id = new
        services[service].spec.name = renaming.to
        services[service].spec.renamedFrom = stacks[stack].applied.request.stack.service(renaming.to)?.renamedFrom
        services[service].rollout?.service = renaming.to
        services[service].rollout?.previous.spec.name = renaming.to
        pending.append(.note(.renamed(old, to: new)))
        if !services[service].watched.isEmpty { pending.append(.watch(old, [])) }
        services[service].watched = []
        moveSockets(of: service, from: old)
        for place in services[service].slots + services[service].outgoing {
            guard let slot = slots[place] else { continue }
            changed.append(slot.id)
            slots[place]?.isChanged = false
            slots[place]?.id = InstanceID(service: new, replica: slot.id.replica)
            for index in slot.hooks.indices { slots[place]?.hooks[index].call.instance.service = new }
            slots[place]?.prepared?.instance.service = new
            noteChange(place)
            touch(place)
            tellName(of: place)
            guard slot.successor == nil else { continue }
            var told: [Effect] = []
            tell(place, .renamed, "it was \(old.service)", at: now, key: "renamed_from", &told)
            mark(place, &told)
            pending += told
        }
        for stray in strays.indices where strays[stray].instance?.service == old {
            let replica = strays[stray].instance?.replica ?? 1
            strays[stray].instance = InstanceID(service: new, replica: replica)
        }
    }

    /// Marks that the former daemon did not live to write under the new name; one that it did write comes last and counts.
    static func underPresentNames(_ marks: [ScheduleMark], lately: [(from: ServiceID, to: String)]) -> [ScheduleMark] {
        let old = marks.compactMap { mark -> ScheduleMark? in
            guard let renaming = lately.first(where: { $0.from == mark.instance.service }) else { return nil }
            var moved = mark
            let service = ServiceID(stack: renaming.from.stack, service: renaming.to)
            moved.instance = InstanceID(service: service, replica: mark.instance.replica)
            return moved
        }
        return old.isEmpty ? marks : old + marks
    }

    /// Says of a living launch whose it is.
    private mutating func tellName(of place: Int) {
        guard let slot = slots[place], let launch = slot.current?.launch else { return }
        pending.append(.rename(launch, to: slot.id, spec(of: slot).value.logging))
    }

    /// The former daemon may have died before it said what the last apply moved: saying it twice changes nothing.
    mutating func tellNames(after applied: AppliedStack) {
        guard let stack = stackPlace(applied.request.stack.name) else { return }
        for renaming in applied.renames {
            guard let service = stacks[stack].services[renaming.to] else { continue }
            let old = ServiceID(stack: services[service].id.stack, service: renaming.from)
            pending.append(.note(.renamed(old, to: services[service].id)))
            for place in services[service].slots + services[service].outgoing { tellName(of: place) }
        }
    }
}

extension LaunchNote {
    /// The same notes as if every service had always had the name that it has now. `lately`: renames that no note may speak of yet.
    public static func underPresentNames(
        _ notes: [LaunchNote], lately: [(from: ServiceID, to: String)] = []
    ) -> [LaunchNote] {
        // The rule, and each note is large.
        guard !lately.isEmpty || notes.contains(where: { if case .renamed = $0 { true } else { false } }) else {
            return notes
        }
        var names: [ServiceID: ServiceID] = [:]
        for (from, to) in lately { names[from] = ServiceID(stack: from.stack, service: to) }
        func present(_ id: InstanceID) -> InstanceID {
            names[id.service].map { InstanceID(service: $0, replica: id.replica) } ?? id
        }
        var result: [LaunchNote] = []
        result.reserveCapacity(notes.count)
        for note in notes.reversed() {
            switch note {
            case .renamed(let from, let to): names[from] = names[to] ?? to
            case .ordered(let launch, let id, let definition, let at, let restarts):
                result.append(.ordered(launch, present(id), definition: definition, at: at, restarts: restarts))
            case .failed(let id, let launch, let at): result.append(.failed(present(id), launch, at: at))
            case .forgiven(let id, let isAnew): result.append(.forgiven(present(id), isAnew: isAnew))
            case .resumed(let id): result.append(.resumed(present(id)))
            case .halted(var halt, let appliedAt):
                halt.instance = present(halt.instance)
                result.append(.halted(halt, appliedAt: appliedAt))
            case .ended(let id, let launch, let exit, let at, let outcome):
                result.append(.ended(present(id), launch, exit, at: at, outcome))
            case .hook(var call, let stage):
                call.instance = present(call.instance)
                result.append(.hook(call, stage))
            case .runs(let id, let state): result.append(.runs(present(id), state))
            case .executed, .ready, .announced, .told, .locked, .stopping, .reloadOwed, .reloadEnded, .configured,
                .probed,
                .tallied,
                .released:
                result.append(note)
            }
        }
        return result.reversed()
    }
}

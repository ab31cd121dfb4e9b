// SPDX-License-Identifier: Apache-2.0

import OrchModel

extension Fleet {
    /// Brings one slot to rest at this instant: tell what happened, close, let time act, decide, say where it stands.
    mutating func settle(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        announce(place, at: now, &effects)
        if slots[place]?.current?.isClosed == true, slots[place].map({ holdsUpClose($0) }) == false,
            let incarnation = slots[place]?.current
        {
            close(place, incarnation, at: now, &effects)
        } else {
            attend(place, at: now, &effects)
        }
        attendSchedule(place, at: now, &effects)
        attendWatch(place, at: now, &effects)
        if let service = slots[place]?.service {
            attendRules(of: service, &effects)
            attendSockets(of: service, &effects)
        }
        attendStored(place, &effects)
        decide(place, at: now, &effects)
        attendHooks(place, at: now, &effects)
        if let service = slots[place]?.service { attendSockets(of: service, &effects) }
        guard let service = slots[place]?.service, let before = slots[place]?.signature else { return }
        present(place, at: now)
        if services[service].isRolling, slots[place]?.signature != before { concludeRollout(of: service, &effects) }
    }

    /// Facts worth telling, in the order in which they happened.
    private mutating func announce(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        announceStart(place, &effects)
        countStart(place)
        guard let slot = slots[place], let incarnation = slot.current, incarnation.hasEnded, !incarnation.isEndTold
        else { return }
        let launch = incarnation.launch
        slots[place]?.current?.isEndTold = true
        if let exit = incarnation.exit {
            slots[place]?.lastExit = exit
            let end = incarnation.exitAt ?? now
            let lived = incarnation.executedAt.map { end.instant - $0.instant }
            let how = endText(of: incarnation, slot) ?? exit.text
            tell(
                place, .exited, lived.map { "\(how) after \($0.brief)" } ?? how, at: end, launch: launch, exit: exit,
                &effects)
        } else if let fault = incarnation.fault {
            tell(place, .exited, "never executed: \(fault.text)", at: now, launch: launch, &effects)
        }
    }

    private mutating func announceStart(_ place: Int, _ effects: inout [Effect]) {
        guard let incarnation = slots[place]?.current, !incarnation.isStartTold, let executedAt = incarnation.executedAt
        else { return }
        let launch = incarnation.launch
        slots[place]?.current?.isStartTold = true
        slots[place]?.lastStartedAt = executedAt.wall
        let pid = incarnation.pid ?? 0
        effects.append(
            .note(
                .executed(
                    launch, pid: pid, at: executedAt, ports: incarnation.ports, tracking: incarnation.tracking ?? "")))
        tell(place, .started, "pid \(pid)", at: executedAt, launch: launch, &effects)
    }

    /// Time acts on what is alive.
    private mutating func attend(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let hasEnded = slots[place]?.current?.hasEnded else { return }
        if hasEnded {
            dropReload(place, &effects)
            // Its errands end.
            if slots[place]?.current?.isGone == true { return }
        }
        if slots[place]?.current?.isStopping == true {
            climb(place, at: now, &effects)
        } else if hasEnded {
            let ended = (slots[place]?.current?.exitAt ?? now).instant
            if ended + Patience.clearing <= now.instant {
                beginStop(place, .clearing, "its main process ended and left others behind", at: now, &effects)
            }
        } else if attendTold(place, at: now, &effects) {
            attendReadiness(place, at: now, &effects)
            attendStartDeadline(place, at: now, &effects)
            attendReload(place, at: now, &effects)
            attendLimits(place, at: now, &effects)
        }
    }

    /// Compares what is wanted with what is there.
    private mutating func decide(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place] else { return }
        if let incarnation = slot.current {
            guard mustGo(slot), incarnation.stopping == nil, !incarnation.hasEnded else { return }
            if let holder = firstHolder(of: slot) { slots[place]?.holder = holder.index }
            let isLate = slot.stopBy.map { $0 <= now.instant } ?? false
            guard !isLate, isToBeSucceeded(slot) else {
                guard isLate || holdsUpStop(of: slot) == nil else { return }
                beginStop(place, .requested, goingBecause(slot), at: now, &effects)
                services[slot.service].lastReplaced = place
                return
            }
            guard beginSuccession(place, at: now, &effects) else { return }
        }
        guard isWanted(slot) else {
            slots[place]?.retryAt = nil
            leaveLines(place)
            dropPreparation(place, at: now, &effects)
            guard standDown(place, at: now, &effects) else { return }
            if slot.isLeaving, slots[place]?.hooks.isEmpty == true { remove(place) }
            return
        }
        // One thing after the other.
        guard slots[place]?.hooks.isEmpty == true else { return }
        if isScheduled(slot) {
            guard slot.schedule?.pending != nil else { return }
            slots[place]?.outcome = nil
        } else if let outcome = slot.outcome {
            let isDue = slot.retryAt.map { $0 <= now.instant } ?? false
            let isOver = isDue || hasCeasedToStandIn(slot)
            guard isOver || outcome.definition != targetDefinition(of: slot), standDown(place, at: now, &effects) else {
                return
            }
            forgiveFailures(place, &effects)
            if slot.nextCause == nil {
                let change = causeOfChange(slot.id.service)
                slots[place]?.nextCause = isDue ? "retry_after passed since it failed" : change
            }
        }
        guard let current = slots[place], current.retryAt.map({ $0 <= now.instant }) ?? true,
            stray(of: current.id) == nil
        else { return }
        guard isClearOfPredecessor(place) else { return leaveLines(place) }
        guard mayStart(place, at: now, &effects), isPrepared(place, at: now, &effects) else { return }
        launch(place, at: now, &effects)
    }

    private mutating func launch(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place] else { return }
        let (spec, inherited, fileLimit) = targetVersion(of: slot)
        let definition = targetDefinition(of: slot)
        let launch = takeLaunch()
        let because = slot.nextCause ?? "wanted by the manifest"
        let label = label(of: slot)
        var incarnation = Incarnation(
            launch: launch, definition: definition, orderedAt: now, because: because)
        incarnation.locks = spec.locks
        incarnation.configuration = spec.configurationDigest
        incarnation.isUnderWay = true
        startsUnderWay += 1
        leaveLines(place)
        slots[place]?.current = incarnation
        slots[place]?.lastLaunch = launch
        slots[place]?.launched = definition
        slots[place]?.nextCause = nil
        slots[place]?.prepared = nil
        beginRun(place, at: now)
        slots[place]?.outcome = nil
        slots[place]?.retryAt = nil
        slots[place]?.isRestartAsked = false
        slots[place]?.restartCause = nil
        slots[place]?.waitingSince = nil
        slots[place]?.stopBy = nil
        launchIndex[launch] = place
        takeLocks(spec.locks, launch)
        effects.append(
            .note(.ordered(launch, slot.id, definition: definition, at: now, restarts: slot.restarts)))
        if !spec.locks.isEmpty { effects.append(.note(.locked(launch, spec.locks))) }
        if spec.reload != nil { effects.append(.note(.configured(launch, spec.configurationDigest))) }
        effects.append(
            .launch(
                LaunchOrder(
                    launch: launch, instance: slot.id, spec: spec, label: label, inherited: inherited,
                    fileLimit: fileLimit, because: because)))
        tell(place, .launching, because, at: now, launch: launch, &effects)
    }

    /// Gives the slot up once nothing of it is alive and nobody wants it any more.
    private mutating func remove(_ place: Int) {
        guard let slot = slots[place], slot.predecessor == nil else { return }
        guard slot.successor == nil else { return dropAside(place) }
        let service = slot.service
        resume(place)
        noteChange(place)
        depart(place, nil)
        slots[place] = nil
        freeSlots.append(place)
        services[service].slots.removeAll { $0 == place }
        for neighbour in neighbours(of: service) { touch(service: neighbour) }
        if let stack = stackPlace(services[service].id.stack) { stacks[stack].slotCount -= 1 }
        if services[service].slots.isEmpty, services[service].isRemoved { dissolve(service) }
    }

    func neighbours(of service: Int) -> [Int] {
        services[service].needs.compactMap { $0 } + services[service].neededBy + [service]
    }

    /// Records what happened for `events` and `why`.
    mutating func tell(
        _ place: Int, _ kind: Occurrence.Kind, _ cause: String, at now: Moment, launch: LaunchID? = nil,
        exit: Exit? = nil, key: String = "",
        _ effects: inout [Effect]
    ) {
        guard let slot = slots[place] else { return }
        let occurrence = Occurrence(
            time: now.wall, stack: slot.id.service.stack, service: slot.id.service.service, instance: slot.id,
            launch: launch ?? slot.current?.launch, kind: kind, cause: cause, exit: exit,
            position: position(of: slot.id.service, key: key))
        effects.append(.record(occurrence))
        // What happens to a former launch is part of its instance's story.
        let teller = slot.successor ?? place
        stories[teller].append(occurrence)
        // Many at a time: what is taken from the front moves all that stays.
        let surplus = stories[teller].count - Limits.causesPerInstance
        if surplus > Limits.causesPerInstance / 2 { stories[teller].removeFirst(surplus) }
    }

    /// Where in the manifest a key of a service stands, or the service itself.
    func position(of service: ServiceID, key: String) -> Position? {
        guard let stack = stackPlace(service.stack) else { return nil }
        let path = key.isEmpty ? service.service : "\(service.service).\(key)"
        return stacks[stack].applied.request.positions.nearest(to: path)
    }

    func label(of slot: Slot) -> String {
        let isAlone = services[slot.service].spec.replicas <= 1 && services[slot.service].slots.count <= 1
        return slot.id.label(alone: isAlone)
    }

    mutating func noteChange(_ place: Int) {
        let shown = slots[place]?.successor ?? place
        guard slots[shown]?.isChanged == false, let id = slots[shown]?.id else { return }
        slots[shown]?.isChanged = true
        changed.append(id)
    }
}

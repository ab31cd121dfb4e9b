// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Waking up: the revisions from the disk, the notes of this boot, the launches that live.
extension Fleet {
    mutating func recover(_ recovery: Recovery, at now: Moment) {
        for applied in recovery.stacks {
            apply(applied, at: now)
            guard applied.isLeaving else { continue }
            observe(.down(stack: applied.request.stack.name, timeout: nil), at: now)
        }
        recoverTrials(recovery, at: now)
        pending.removeAll()
        for departure in recovery.departures + recovery.formerDepartures where departure.kind == .scaled {
            recallScale(departure, at: now)
        }
        for departure in recovery.departures { recall(departure, isOfThisBoot: true) }
        for departure in recovery.formerDepartures { recall(departure, isOfThisBoot: false) }
        let renames = recovery.stacks.flatMap(\.lateRenames)
        recall(Self.underPresentNames(recovery.marks, lately: renames), isNewBoot: recovery.isNewBoot, at: now)
        var open: [LaunchID: Int] = [:]
        let notes = LaunchNote.underPresentNames(recovery.notes, lately: renames)
        var ordered: [LaunchID: InstanceID] = [:]
        var locked: [LaunchID: [String]] = [:]
        for note in notes {
            recall(note, &open, at: now)
            if case .ordered(let launch, let instance, _, _, _) = note { ordered[launch] = instance }
            if case .locked(let launch, let names) = note { locked[launch] = names }
        }
        indexHooks()
        let strayHooks = Self.strayHooks(in: notes)
        for survivor in recovery.survivors where !adopt(hook: survivor, strayHooks, at: now) {
            let isTold = recovery.told.contains(survivor.launch)
            let locks = locked[survivor.launch] ?? []
            adopt(survivor, isTold: isTold, open[survivor.launch], ordered, locks, at: now)
        }
        oweLostHooks()
        dropOrphanedHooks(notes)
        noteStrays(notes, at: now)
        letGo(recovery.closed, told: recovery.told.union(strayHooks.keys), at: now)
        buryTheLost(recovery.survivors, at: now)
        recall(recovery.sockets, renamed: renames)
        recall(stored: recovery.stored, renamed: renames)
        resumeUpdates(afterBoot: recovery.isNewBoot)
        for applied in recovery.stacks { tellNames(after: applied) }
        for place in slots.indices {
            rememberSchedule(place, at: now)
            remember(place, at: now)
        }
    }

    private mutating func recall(_ departure: Departure, isOfThisBoot: Bool) {
        guard departure.kind != .scaled, let place = slotPlace(departure.instance), let slot = slots[place] else {
            return
        }
        let survivesBoot = services[slot.service].spec.restart.policy == .unlessStopped || departure.kind == .started
        if isOfThisBoot || survivesBoot { depart(place, departure.kind) }
    }

    /// A phase that a former daemon knew began when it began, not when this one woke up.
    private mutating func remember(_ place: Int, at now: Moment) {
        // A stop by hand forgot how the last launch ended.
        if slots[place]?.departure == .stopped { slots[place]?.outcome = nil }
        guard let slot = slots[place] else { return }
        let (phase, reason, key) = standing(of: slot, at: now.instant)
        slots[place]?.phase = phase
        slots[place]?.reason = reason
        slots[place]?.reasonKey = key
        guard let incarnation = slot.current else { return }
        slots[place]?.since = (incarnation.readyAt ?? incarnation.executedAt ?? incarnation.orderedAt).wall
    }

    /// Takes one note of a former life into account.
    private mutating func recall(_ note: LaunchNote, _ open: inout [LaunchID: Int], at now: Moment) {
        switch note {
        case .ordered(let launch, let id, let definition, let moment, let restarts):
            recall(launch, of: id, definition, orderedAt: moment, restarts: restarts, &open)
        case .executed(let launch, let pid, let moment, let ports, let tracking):
            rewrite(launch, open) {
                $0.executedAt = moment
                $0.pid = pid
                $0.ports = ports
                $0.tracking = tracking
                $0.isStartTold = true
            }
            if let place = open[launch] { slots[place]?.lastStartedAt = moment.wall }
        case .ready(let launch, let moment):
            rewrite(launch, open) {
                $0.readyAt = moment
                $0.isAnnounced = true
            }
        case .reloadOwed(let launch, _), .reloadEnded(let launch, _, _), .configured(let launch, _),
            .announced(let launch), .told(let launch, _):
            rewrite(launch, open) { $0.recall(note) }
        case .stopping(let launch, let motive, let reason, let step, let deadline):
            guard let place = open[launch], let service = slots[place]?.service else { return }
            let stop = (slots[place].map { spec(of: $0) } ?? services[service].known).value.stop
            var progress = StopProgress(
                motive: motive, reason: reason, scope: stop.scope, steps: stop.steps, deadline: deadline)
            progress.step = min(step, stop.steps.count - 1)
            rewrite(launch, open) { $0.stopping = progress }
        case .failed(let id, let launch, let moment):
            guard let place = slotPlace(id) else { return }
            // What failed may be pruned already, and another launch of the instance there: the one that serves until its successor is ready.
            if launch == nil || slots[place]?.current?.launch == launch { closeJudged(place) }
            recount(failedIn: place, at: moment)
        case .forgiven(let id, let isAnew): if let place = slotPlace(id) { _ = forgive(place, isAnew: isAnew) }
        case .locked(let launch, let names): rewrite(launch, open) { $0.locks = names }
        case .halted(let halt, let appliedAt): recallHalt(halt, appliedAt: appliedAt, at: now)
        case .resumed(let id): if let place = slotPlace(id) { letGo(place) }
        case .probed(let launch, let kind, let isPassing):
            rewrite(launch, open) {
                var state = ProbeState(next: now.instant)
                state.verdict = isPassing ? .passing : .failing
                // Who noted this may not have lived to act on it; what has been stopped since is noted, too.
                state.isTurned = !isPassing && kind != .readiness
                $0.probes[kind] = state
            }
        case .tallied(let launch, let kind, let tally):
            rewrite(launch, open) {
                var state = $0.probes[kind] ?? ProbeState(next: now.instant)
                state.successes = max(0, tally)
                state.failures = max(0, -tally)
                state.notedTally = tally
                $0.probes[kind] = state
            }
        case .renamed: break
        case .hook(let call, let stage): recall(call, stage, open)
        case .released(let launch):
            guard let place = open.removeValue(forKey: launch), slots[place]?.current?.launch == launch else { return }
            closeJudged(place)
            slots[place]?.schedule?.forgetUnderway()
            if slots[place]?.successor != nil { dropAside(place) }
        case .runs(let id, let state): recall(state, of: id, at: now)
        case .ended(let id, let launch, let exit, let moment, let outcome):
            if let place = slotPlace(id) { recall(outcome, of: place, launch, exit, at: moment) }
        }
    }

    private mutating func recall(_ outcome: Outcome, of place: Int, _ launch: LaunchID, _ exit: Exit, at moment: Moment)
    {
        guard let stack = slots[place]?.id.service.stack else { return }
        slots[place]?.since = moment.wall
        // Number 0: it never came to a launch.
        if launch != LaunchID(0) {
            slots[place]?.lastExit = exit
            slots[place]?.lastLaunch = launch
        }
        if slots[place]?.current?.launch == launch { closeJudged(place) }
        guard outcome.phase != .failed || !isForgiven(stack, moment) else {
            _ = forgive(place, isAnew: true)
            return
        }
        slots[place]?.outcome = outcome
        recount(endedIn: place, outcome.phase, at: moment)
    }

    /// What its end asks for was decided by the daemon that noted this: it is not judged again.
    private mutating func closeJudged(_ place: Int) {
        guard let incarnation = slots[place]?.current else { return }
        slots[place]?.formerUpSince = (incarnation.readyAt ?? incarnation.executedAt)?.instant
        usePreparation(place, incarnation.launch)
        slots[place]?.current = nil
    }

    /// A launch was about to begin: it is its instance's one, or was begun beside the one that is there.
    private mutating func recall(
        _ launch: LaunchID, of id: InstanceID, _ definition: Digest, orderedAt moment: Moment, restarts: Int,
        _ open: inout [LaunchID: Int]
    ) {
        if launch >= upcoming { upcoming = LaunchID(launch.number + 1) }
        guard let place = slotPlace(id) else { return }
        if let former = slots[place]?.current, slots[place]?.predecessor == nil {
            // It was launched beside this one.
            stepAside(place)
            launchIndex[former.launch] = nil
            open[former.launch] = slots[place]?.predecessor
        }
        slots[place]?.launched = definition
        slots[place]?.current = Incarnation(
            launch: launch, definition: definition, orderedAt: moment, because: "adopted")
        slots[place]?.lastLaunch = launch
        recount(orderedIn: place, restarts: restarts)
        beginRun(place, at: moment)
        open[launch] = place
    }

    private mutating func rewrite(_ launch: LaunchID, _ open: [LaunchID: Int], _ write: (inout Incarnation) -> Void) {
        guard let place = open[launch], var incarnation = slots[place]?.current, incarnation.launch == launch else {
            return
        }
        write(&incarnation)
        slots[place]?.current = incarnation
    }

    private mutating func adopt(
        _ survivor: Survivor, isTold: Bool, _ place: Int?, _ ordered: [LaunchID: InstanceID], _ locks: [String],
        at now: Moment
    ) {
        guard let place, var incarnation = slots[place]?.current, incarnation.launch == survivor.launch else {
            if !isTold { tellEnd(of: survivor, ordered[survivor.launch], at: now) }
            guard survivor.fault == nil else {
                pending.append(.release(survivor.launch))
                pending.append(.note(.released(survivor.launch)))
                return
            }
            if survivor.exit == nil {
                chase(survivor.launch, of: ordered[survivor.launch], locks, at: now)
            } else {
                expectEmpty(survivor.launch, of: ordered[survivor.launch], locks, at: now)
            }
            return
        }
        if survivor.hasExecuted, incarnation.executedAt == nil { incarnation.executedAt = now }
        incarnation.pid = survivor.pid
        incarnation.fault = survivor.fault
        incarnation.exit = survivor.exit
        if survivor.exit != nil { incarnation.exitAt = now }
        incarnation.isEndTold = isTold
        // A former daemon may have heard it just before it died.
        incarnation.fedAt = now.instant
        if incarnation.locks.isEmpty, let service = slots[place]?.service,
            incarnation.definition == services[service].definition
        {
            // A run directory that was full may have lost the note.
            incarnation.locks = services[service].spec.locks
        }
        incarnation.isUnderWay = !incarnation.isExecuted && !incarnation.hasEnded
        if incarnation.isUnderWay { startsUnderWay += 1 }
        slots[place]?.current = incarnation
        usePreparation(place, survivor.launch)
        launchIndex[survivor.launch] = place
        takeLocks(incarnation.locks, survivor.launch)
        touch(place)
        var told: [Effect] = []
        tell(
            place, .adopted, "the daemon was replaced; pid \(survivor.pid) kept", at: now, launch: survivor.launch,
            &told)
        pending += told
    }

    /// Updates go on where they were; those of an earlier boot are over, but for what they hold back.
    private mutating func resumeUpdates(afterBoot isNewBoot: Bool) {
        var effects: [Effect] = []
        for service in services.indices where services[service].rollout != nil {
            for former in services[service].outgoing { touch(former) }
            if isNewBoot, services[service].rollout?.stance == .going {
                end(rolloutOf: service, &effects)
            } else {
                concludeRollout(of: service, &effects)
            }
        }
        pending += effects
    }

    /// Launches that were noted but that the keeper does not hold: they never came to be, or died with the keeper.
    private mutating func buryTheLost(_ survivors: [Survivor], at now: Moment) {
        for place in slots.indices {
            guard let slot = slots[place], let launch = slot.current?.launch, launchIndex[launch] == nil else {
                continue
            }
            slots[place]?.current = nil
            slots[place]?.nextCause = "its launch \(launch.number) was lost with the former daemon"
            // It is still to be done, and no end of it: whoever wakes up next reads that before the launch is let go of.
            if slot.schedule?.underway != nil {
                slots[place]?.schedule?.takeBack()
                pending.append(runsNote(place))
            }
            pending.append(.note(.released(launch)))
            // What came before it need not come again, if it never began.
            if slot.current?.isExecuted == true { usePreparation(place, launch) }
            if let call = slots[place]?.prepared { pending.append(.note(.hook(call, .over(nil, isSuccess: true)))) }
            touch(place)
        }
    }
}

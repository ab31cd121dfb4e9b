// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What becomes of the runs of scheduled tasks.
extension Fleet {
    func isScheduled(_ slot: Slot) -> Bool { services[slot.service].known.isScheduled && slot.hasSchedule }

    /// A person wants these now. A run that waits for its time is tried at once; one that is under way is enough.
    mutating func runByHand(_ targets: [Target]) {
        for place in places(of: targets, withNeeds: false) {
            guard let slot = slots[place], slot.current == nil || slot.isRestartAsked else { continue }
            runByHand(place)
        }
    }

    private mutating func runByHand(_ place: Int) {
        guard let slot = slots[place], services[slot.service].spec.schedule != nil, !slot.isOverlap else { return }
        if slots[place]?.schedule == nil {
            slots[place]?.schedule = ScheduleState(trigger: "", through: WallTime(nanoseconds: 0))
        }
        if slots[place]?.schedule?.pending == nil { slots[place]?.schedule?.pending = DueRun(due: nil) }
        pending.append(runsNote(place))
    }

    /// A stop by hand makes void what was decided before it and not begun.
    mutating func voidRuns(_ place: Int) {
        guard let slot = slots[place], let schedule = slot.schedule else { return }
        if slot.isOverlap { slots[place]?.isLeaving = true }
        guard schedule.pending != nil || schedule.queued != nil else { return }
        slots[place]?.schedule?.void()
        pending.append(runsNote(place))
    }

    /// The launch of the slot is for what was decided.
    mutating func beginRun(_ place: Int, at now: Moment) {
        guard let run = slots[place]?.schedule?.pending else { return }
        slots[place]?.schedule?.underway = run
        slots[place]?.schedule?.startedAt = now.wall
        slots[place]?.schedule?.tellsSkips = true
        slots[place]?.schedule?.pending = nil
    }

    /// How a run that ended by itself goes on: true when it was a scheduled one, and the restart policy has no say.
    mutating func judgeRun(
        _ place: Int, _ incarnation: Incarnation, isSuccess: Bool, _ how: String, at now: Moment,
        _ effects: inout [Effect]
    ) -> Bool {
        guard let slot = slots[place], isScheduled(slot), let spec = services[slot.service].spec.schedule,
            var run = slot.schedule?.underway
        else { return false }
        if slot.schedule?.pending != nil {
            endRun(place, isSuccess ? .succeeded : .failed, incarnation, at: now, &effects)
        } else if incarnation.isScarcity {
            again(place, run, after: Patience.scarcity, incarnation, at: now, &effects)
            tell(place, .backoff, "not counted as a failure: \(how)", at: now, &effects)
        } else if !isSuccess, run.attempt < spec.retries {
            run.attempt += 1
            again(place, run, after: spec.retryDelay, incarnation, at: now, &effects)
            slots[place]?.restarts += 1
            slots[place]?.nextCause = "retry \(run.attempt) of \(spec.retries) after \(how)"
            tell(
                place, .backoff, "retry \(run.attempt) of \(spec.retries) in \(spec.retryDelay.brief) after \(how)",
                at: now,
                launch: incarnation.launch, key: "schedule.retries", &effects)
        } else {
            giveUp(
                place, isSuccess ? .done : .failed, isSuccess ? "ended with \(how)" : how, last: incarnation, at: now,
                &effects)
        }
        return true
    }

    private mutating func again(
        _ place: Int, _ run: DueRun, after delay: Duration, _ incarnation: Incarnation, at now: Moment,
        _ effects: inout [Effect]
    ) {
        slots[place]?.schedule?.pending = run
        slots[place]?.schedule?.underway = nil
        slots[place]?.retryAt = now.instant + delay
        effects.append(runsNote(place, judged: incarnation.launch))
    }

    /// The run is over for good: it goes into the history, and the one that waits has its turn.
    mutating func endRun(
        _ place: Int, _ result: ScheduledRun.Result, _ incarnation: Incarnation?, at now: Moment,
        _ effects: inout [Effect]
    ) {
        guard let slot = slots[place], var schedule = slot.schedule, let run = schedule.underway ?? schedule.pending
        else { return }
        if schedule.underway == nil { schedule.pending = nil }
        let record = ScheduledRun(
            due: run.due, startedAt: incarnation?.executedAt?.wall, endedAt: now.wall, exit: incarnation?.exit,
            result: result,
            attempts: run.attempt + 1)
        schedule.promote()
        slots[place]?.schedule = schedule
        slots[place]?.retryAt = nil
        if schedule.pending != nil, schedule.pending != slot.schedule?.pending {
            slots[place]?.nextCause = "it waited for the end of the run before"
        }
        effects.append(runsNote(place, judged: incarnation?.launch, last: record))
        remember(record, of: place)
        let keeper = slot.isOverlap ? services[slot.service].slots.first : place
        if let keeper { mark(keeper, &effects) }
        if slot.isOverlap { slots[place]?.isLeaving = true }
    }

    /// Newest last; overlapping runs are kept with those of the instance that is scheduled.
    mutating func remember(_ record: ScheduledRun, of place: Int) {
        guard let slot = slots[place], let keeper = slot.isOverlap ? services[slot.service].slots.first : place else {
            return
        }
        // What a note says again the disk may have, in whole milliseconds.
        let isKnown = slots[keeper]?.schedule?.runs.contains { known in
            known.due == record.due && (known.endedAt - record.endedAt).nanoseconds.magnitude < 2_000_000
        }
        guard isKnown == false else { return }
        slots[keeper]?.schedule?.runs.append(record)
        let limit = services[slot.service].spec.schedule?.history ?? 0
        let surplus = (slots[keeper]?.schedule?.runs.count ?? 0) - limit
        if surplus > 0 { slots[keeper]?.schedule?.runs.removeFirst(surplus) }
    }

    // MARK: Both at a time

    /// One instance more, for one run.
    mutating func overlap(_ place: Int, _ run: DueRun, _ cause: String, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place] else { return }
        mark(place, decided: run, &effects)
        guard services[slot.service].slots.count < Limits.overlappingRuns else {
            tell(
                place, .skipped, "\(cause), but \(Limits.overlappingRuns) runs are not over", at: now,
                key: "schedule.overlap",
                &effects)
            return
        }
        let replicas = services[slot.service].slots.compactMap { slots[$0]?.id.replica }
        guard let replica = (1...Limits.overlappingRuns).first(where: { !replicas.contains($0) }) else { return }
        let id = InstanceID(service: services[slot.service].id, replica: replica)
        guard let other = addOverlap(id, at: now) else { return }
        slots[other]?.schedule?.pending = run
        slots[other]?.nextCause = cause
        effects.append(runsNote(other))
    }

    /// The place for one run beside the others; it leaves with it.
    mutating func addOverlap(_ id: InstanceID, at now: Moment) -> Int? {
        guard let service = serviceIndex[id.service], let stack = stackPlace(id.service.stack) else { return nil }
        var slot = Slot(id: id, service: service, since: now.wall)
        slot.isOverlap = true
        slot.schedule = ScheduleState(trigger: "", through: now.wall)
        return seat(slot, in: stack)
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// When scheduled tasks are due. An instant is decided once: it runs, or is left out with a reason, and never again; what was decided is
/// written down before it is done.
extension Fleet {
    /// Arms the schedule of a slot, and decides the instant that has come.
    mutating func attendSchedule(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place] else { return }
        let known = services[slot.service].known
        guard known.isScheduled, let spec = known.value.schedule, !slot.isOverlap else {
            if !slot.isOverlap, slot.hasSchedule { slots[place]?.schedule = nil }
            return
        }
        guard isWanted(slot) else { return disarm(place, at: now) }
        if !slot.hasSchedule || slot.schedule?.trigger != known.trigger {
            restart(schedule: place, spec, at: now, &effects)
        }
        guard let zone = zone(for: spec, &effects) else {
            slots[place]?.schedule?.next = nil
            slots[place]?.schedule?.fireAt = nil
            let isUnknown = isUnknown(spec)
            slots[place]?.schedule?.isZoneUnknown = isUnknown
            return
        }
        if slots[place]?.schedule?.isZoneUnknown == true { slots[place]?.schedule?.isZoneUnknown = false }
        if slots[place]?.schedule?.next == nil { arm(place, spec, zone, at: now) }
        if isDue(place, at: now) {
            decide(place, spec, zone, at: now, &effects)
            arm(place, spec, zone, at: now)
        }
    }

    /// Not wanted: what passes meanwhile is not missed. What runs is stopped by others.
    private mutating func disarm(_ place: Int, at now: Moment) {
        guard var schedule = slots[place]?.schedule else { return }
        let isVoid = !isShuttingDown && (schedule.pending != nil || schedule.queued != nil)
        if isVoid { schedule.void() }
        schedule.next = nil
        schedule.fireAt = nil
        schedule.trigger = ""
        slots[place]?.schedule = schedule
        if isVoid { pending.append(runsNote(place)) }
    }

    /// From now on: a new schedule, another trigger, or wanted again.
    private mutating func restart(schedule place: Int, _ spec: ScheduleSpec, at now: Moment, _ effects: inout [Effect])
    {
        var fresh = ScheduleState(trigger: spec.triggerText, through: now.wall)
        if let old = slots[place]?.schedule {
            fresh.pending = old.pending
            fresh.queued = old.queued
            fresh.underway = old.underway
            fresh.startedAt = old.startedAt
            fresh.runs = old.runs
        }
        fresh.throughElapsed = now.elapsed
        slots[place]?.schedule = fresh
        mark(place, &effects)
    }

    /// Finds the next instant and by how much it comes late.
    private mutating func arm(_ place: Int, _ spec: ScheduleSpec, _ zone: TimeZone, at now: Moment) {
        guard var schedule = slots[place]?.schedule else { return }
        switch spec.trigger {
        case .cron(let expression):
            // A clock that was set back far was wrong before: what it said is no reason to be silent for so long.
            let isFarBack = schedule.through - now.wall > Patience.clockCorrection
            schedule.next = expression.next(after: isFarBack ? now.wall : schedule.through, in: zone)
            schedule.nextElapsed = nil
        case .every(let span):
            let last = schedule.throughElapsed ?? lastElapsed(schedule.through, at: now)
            schedule.throughElapsed = last
            schedule.nextElapsed = last + span
            schedule.next = now.wall + (last + span - now.elapsed)
        }
        let most = Int(clamping: spec.jitter.nanoseconds / 1_000_000)
        schedule.lateness = most > 0 ? .milliseconds(random.below(most + 1)) : .zero
        slots[place]?.schedule = schedule
        aim(place, at: now)
    }

    /// After a boot the clock of time that passes began anew: the clock on the wall says how long ago it was.
    private func lastElapsed(_ through: WallTime, at now: Moment) -> Instant {
        let ago = max(.zero, now.wall - through)
        return Instant(nanoseconds: now.elapsed.nanoseconds - ago.nanoseconds)
    }

    /// Works out when the armed instant is on the clock of deadlines.
    private mutating func aim(_ place: Int, at now: Moment) {
        slots[place]?.schedule?.fireAt = nil
        guard let schedule = slots[place]?.schedule, let next = schedule.next else { return }
        let ahead = schedule.nextElapsed.map { $0 - now.elapsed } ?? next - now.wall
        if schedule.nextElapsed != nil { slots[place]?.schedule?.next = now.wall + ahead }
        slots[place]?.schedule?.fireAt = now.instant + max(.zero, ahead + schedule.lateness)
        noteChange(place)
    }

    private mutating func isDue(_ place: Int, at now: Moment) -> Bool {
        guard let schedule = slots[place]?.schedule, let next = schedule.next, let fireAt = schedule.fireAt else {
            return false
        }
        let hasCome = schedule.nextElapsed.map { $0 <= now.elapsed } ?? (next <= now.wall)
        if hasCome, fireAt <= now.instant { return true }
        // The clock on the wall was set meanwhile, or runs at another pace.
        if fireAt <= now.instant { aim(place, at: now) }
        return false
    }

    /// The clock on the wall was set, or the machine slept.
    mutating func clockWasSet(at now: Moment) {
        for place in slots.indices where slots[place]?.schedule?.next != nil {
            // By the calendar it is another day now; by time that passes nothing changed but what the clock will show.
            if slots[place]?.schedule?.nextElapsed == nil {
                slots[place]?.schedule?.next = nil
                slots[place]?.schedule?.fireAt = nil
            } else {
                aim(place, at: now)
            }
            touch(place)
        }
        for place in zones.indices { zones[place].readAt = nil }
    }

    // MARK: Deciding

    /// All instants up to now are decided: the last one runs, unless it is too long ago for the policy.
    private mutating func decide(
        _ place: Int, _ spec: ScheduleSpec, _ zone: TimeZone, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let schedule = slots[place]?.schedule, let next = schedule.next else { return }
        var run = DueRun(due: next)
        let late: Duration
        let patience = Patience.missed + spec.jitter
        switch spec.trigger {
        case .cron(let expression):
            let last = expression.last(after: next, through: now.wall, in: zone) ?? next
            run.due = last
            late = now.wall - last
        case .every(let span):
            let first = schedule.nextElapsed ?? now.elapsed
            let rounds = max(0, (now.elapsed - first).nanoseconds / max(1, span.nanoseconds))
            let last = first + .nanoseconds(rounds * span.nanoseconds)
            late = now.elapsed - last
            run.elapsed = last
            run.due = now.wall + .nanoseconds(-late.nanoseconds)
        }
        slots[place]?.schedule?.through = run.due ?? next
        slots[place]?.schedule?.throughElapsed = run.elapsed
        let text = zone.text(of: run.due ?? next)
        guard late <= patience || spec.missed == .runOnce else {
            mark(place, &effects)
            tell(
                place, .skipped, "missed \(text) by \(late.brief); missed: skip", at: now, key: "schedule.missed",
                &effects)
            return
        }
        begin(place, run, spec, "due at \(text)" + (late > patience ? ", \(late.brief) late" : ""), at: now, &effects)
    }

    /// Runs it, or does what the policy says while another one is not over.
    private mutating func begin(
        _ place: Int, _ run: DueRun, _ spec: ScheduleSpec, _ cause: String, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let slot = slots[place], let schedule = slot.schedule else { return }
        guard slot.current != nil || !schedule.isIdle else {
            slots[place]?.schedule?.pending = run
            note(place, run, cause, &effects)
            return
        }
        switch spec.overlap {
        case .skip:
            mark(place, &effects)
            // Told once a run: a schedule of a second would tell of nothing else.
            guard schedule.tellsSkips else { return }
            slots[place]?.schedule?.tellsSkips = false
            tell(
                place, .skipped, "\(cause), but the run before is not over; overlap: skip", at: now,
                key: "schedule.overlap", &effects)
        case .queue:
            guard schedule.queued == nil else {
                mark(place, &effects)
                tell(
                    place, .skipped, "\(cause), but one run waits already; overlap: queue", at: now,
                    key: "schedule.overlap", &effects)
                return
            }
            slots[place]?.schedule?.queued = run
            note(place, run, cause, isQueued: true, &effects)
            tell(
                place, .waiting, "\(cause): waits for the end of the run before", at: now, key: "schedule.overlap",
                &effects)
        case .replace:
            slots[place]?.schedule?.pending = run
            slots[place]?.retryAt = nil
            note(place, run, cause, &effects)
            if slot.current?.hasEnded == false {
                beginStop(place, .requested, "replaced by the run \(cause)", at: now, &effects)
            }
        case .allow: overlap(place, run, cause, at: now, &effects)
        }
    }

    /// Writes the decision down before it is done: for this boot, and for the next one.
    private mutating func note(
        _ place: Int, _ run: DueRun, _ cause: String, isQueued: Bool = false, _ effects: inout [Effect]
    ) {
        if !isQueued { slots[place]?.nextCause = cause }
        effects.append(runsNote(place))
        mark(place, decided: run, &effects)
    }

    /// Where the runs of a slot stand, for the next daemon of this boot.
    func runsNote(_ place: Int, judged: LaunchID? = nil, last: ScheduledRun? = nil) -> Effect {
        let schedule = slots[place]?.schedule
        let state = RunState(
            underway: schedule?.underway, pending: schedule?.pending, queued: schedule?.queued, judged: judged,
            last: last, elapsed: schedule?.throughElapsed)
        return .note(.runs(slots[place]?.id ?? Self.nobody, state))
    }

    private static var nobody: InstanceID { InstanceID(service: ServiceID(stack: "", service: ""), replica: 0) }

    /// How far the schedule has come, for the disk.
    mutating func mark(_ place: Int, decided: DueRun? = nil, _ effects: inout [Effect]) {
        guard let slot = slots[place], let schedule = slot.schedule, let spec = services[slot.service].spec.schedule
        else {
            return
        }
        var isRare = true
        if case .every(let span) = spec.trigger { isRare = span >= Patience.missed }
        effects.append(
            .mark(
                ScheduleMark(
                    instance: slot.id, trigger: schedule.trigger, through: schedule.through,
                    elapsed: schedule.throughElapsed, boot: boot, decided: decided, runs: schedule.runs,
                    isUrgent: decided != nil && isRare)))
    }

    // MARK: Time zones

    /// The zone of a schedule; nil while the host has not said, or when it has none of that name.
    private mutating func zone(for spec: ScheduleSpec, _ effects: inout [Effect]) -> TimeZone? {
        guard case .cron = spec.trigger else { return .utc }
        let place: Int
        if let known = zones.firstIndex(where: { $0.name == spec.timeZone }) {
            place = known
        } else {
            place = zones.count
            zones.append(ReadZone(name: spec.timeZone))
        }
        // Governments change their minds, and machines move: what was read long ago is read again, and holds until then.
        if !zones[place].isAsked, zones[place].readAt.map({ clock - $0 > Patience.zone }) ?? true {
            zones[place].isAsked = true
            effects.append(.readZone(spec.timeZone))
        }
        return zones[place].zone
    }

    func isUnknown(_ spec: ScheduleSpec) -> Bool {
        zones.contains { $0.name == spec.timeZone && $0.zone == nil && $0.isAnswered }
    }

    mutating func learn(zone name: String, _ zone: TimeZone?, at now: Moment) {
        guard let place = zones.firstIndex(where: { $0.name == name }) else { return }
        let isNews = zones[place].zone != zone || !zones[place].isAnswered
        zones[place] = ReadZone(name: name, zone: zone, readAt: now.instant, isAnswered: true)
        guard isNews else { return }
        for place in slots.indices {
            guard let slot = slots[place], services[slot.service].spec.schedule?.timeZone == name else { continue }
            slots[place]?.schedule?.next = nil
            slots[place]?.schedule?.fireAt = nil
            touch(place)
        }
    }
}

extension Moment {
    /// The clock of time that really passes (`CLOCK_BOOTTIME`): it goes on while the machine sleeps.
    var elapsed: Instant { instant + slept }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What a new daemon knows of schedules: from the disk how far they had come, from the notes of this boot what was decided.
extension Fleet {
    /// Each schedule goes on where it was; one of which nothing is known, or that has another trigger now, begins with its revision.
    ///
    /// What a mark decided is gone with the boot that it was written in, though the first daemon of this one may have died at once.
    mutating func recall(_ marks: [ScheduleMark], isNewBoot: Bool, at now: Moment) {
        for place in slots.indices {
            guard let slot = slots[place], let spec = services[slot.service].spec.schedule,
                let stack = stackPlace(slot.id.service.stack)
            else { continue }
            slots[place]?.schedule = ScheduleState(trigger: spec.triggerText, through: stacks[stack].applied.appliedAt)
        }
        for mark in marks {
            guard let place = slotPlace(mark.instance), slots[place]?.schedule != nil else { continue }
            slots[place]?.schedule?.runs = mark.runs
            guard slots[place]?.schedule?.trigger == mark.trigger else { continue }
            slots[place]?.schedule?.through = mark.through
            guard !isNewBoot, mark.boot == boot || mark.boot.isEmpty else { continue }
            slots[place]?.schedule?.throughElapsed = mark.elapsed
            slots[place]?.schedule?.marked = mark.decided
        }
    }

    /// A note of this boot: what was decided, and may be running.
    mutating func recall(_ state: RunState, of id: InstanceID, at now: Moment) {
        guard let place = slotPlace(id) ?? recallOverlap(id, at: now), slots[place]?.schedule != nil else { return }
        slots[place]?.schedule?.underway = state.underway
        slots[place]?.schedule?.pending = state.pending
        slots[place]?.schedule?.queued = state.queued
        // What its end asks for was decided before the daemon died.
        if let judged = state.judged, slots[place]?.current?.launch == judged {
            usePreparation(place, judged)
            slots[place]?.current = nil
        }
        guard let keeper = slots[place]?.isOverlap == true ? slotPlace(id.ofFirst) : place else { return }
        if let last = state.last { remember(last, of: place) }
        guard let through = state.through, var schedule = slots[keeper]?.schedule else { return }
        schedule.notedThrough = max(through, schedule.notedThrough ?? through)
        // Notes of a trigger before say nothing of this one.
        if let elapsed = state.throughElapsed, schedule.throughElapsed != nil || through >= schedule.through {
            schedule.throughElapsed = max(elapsed, schedule.throughElapsed ?? elapsed)
        }
        schedule.through = max(through, schedule.through)
        slots[keeper]?.schedule = schedule
    }

    private mutating func recallOverlap(_ id: InstanceID, at now: Moment) -> Int? {
        guard let service = serviceIndex[id.service], services[service].spec.schedule?.overlap == .allow else {
            return nil
        }
        return addOverlap(id, at: now)
    }

    /// After all notes: what was decided and never noted is still to be done, unless the machine died with it; so is what was noted
    /// and never launched.
    mutating func rememberSchedule(_ place: Int, at now: Moment) {
        guard let slot = slots[place], var schedule = slot.schedule else { return }
        var isNews = false
        if slot.current == nil { schedule.takeBack() }
        if let run = schedule.marked, let due = run.due, schedule.notedThrough.map({ $0 < due }) ?? true {
            if schedule.isIdle { schedule.pending = run } else if schedule.queued == nil { schedule.queued = run }
            slots[place]?.nextCause = "decided by a daemon that died before it was begun"
            isNews = true
        }
        schedule.marked = nil
        if slot.departure == .stopped {
            schedule.void()
            schedule.trigger = ""
        }
        slots[place]?.schedule = schedule
        // The launch that comes of it must be known for what it is.
        if isNews { pending.append(runsNote(place)) }
        if slot.isOverlap, slot.current == nil, schedule.isIdle { slots[place]?.isLeaving = true }
        touch(place)
    }
}

extension InstanceID {
    fileprivate var ofFirst: InstanceID { InstanceID(service: service, replica: 1) }
}

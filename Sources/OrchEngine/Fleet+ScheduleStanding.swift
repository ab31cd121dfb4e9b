// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What people are told of schedules.
extension Fleet {
    /// Where a scheduled task stands between its runs; nil when a run is to begin, which is as with any task.
    func scheduledStanding(of slot: Slot, at now: Instant) -> (Phase, String, String)? {
        guard services[slot.service].known.isScheduled, let spec = services[slot.service].spec.schedule,
            !slot.isOverlap,
            let schedule = slot.schedule
        else {
            return nil
        }
        guard schedule.pending == nil else { return nil }
        if schedule.isZoneUnknown {
            return (.failed, "this host has no time zone \(spec.timeZone)", "schedule.timezone")
        }
        guard let next = schedule.next else {
            return (.waiting, "waiting to know the time zone \(spec.timeZone)", "schedule.timezone")
        }
        let zone = zones.first { $0.name == spec.timeZone }?.zone ?? .utc
        let ahead = "next run at \(zone.text(of: next))"
        guard let outcome = slot.outcome, outcome.definition == services[slot.service].definition else {
            return (.idle, ahead, "schedule")
        }
        return (outcome.phase, "\(outcome.reason); \(ahead)", "schedule")
    }

    /// When the next run is, for status.
    func nextRun(of slot: Slot) -> WallTime? {
        guard slot.current == nil, let schedule = slot.schedule, schedule.pending == nil, let next = schedule.next
        else {
            return nil
        }
        return next + schedule.lateness
    }

    /// Whether `apply` is done with a scheduled task: it is armed, whatever its last run came to.
    func scheduleVerdict(of slot: Slot) -> Verdict? {
        guard services[slot.service].spec.schedule != nil, isWanted(slot) else { return nil }
        guard let schedule = slot.schedule, !slot.isDirty else { return slot.isOverlap ? .reached : .pending }
        if schedule.isZoneUnknown { return .failed(slot.reason) }
        return slot.isOverlap || schedule.next != nil ? .reached : .pending
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// The restart ledger of a former life, counted again from its notes: neither a death of the daemon nor a quick one of the service makes
/// the other start sooner.
extension Fleet {
    /// A launch of a former life was ordered: what was counted before it was forgiven if it was the first of its row.
    mutating func recount(orderedIn place: Int, restarts: Int) {
        slots[place]?.restarts = restarts
        slots[place]?.outcome = nil
        slots[place]?.retryAt = nil
        slots[place]?.formerUpSince = nil
        guard restarts == 0 else { return }
        slots[place]?.failures = []
        slots[place]?.streak = 0
    }

    /// It ended by itself.
    mutating func recount(failedIn place: Int, at moment: Moment) {
        guard let slot = slots[place] else { return }
        let policy = services[slot.service].spec.restart
        if let upSince = slot.formerUpSince, moment.instant - upSince >= policy.resetAfter {
            slots[place]?.failures = []
            slots[place]?.streak = 0
        }
        slots[place]?.failures.append(moment.instant)
        slots[place]?.streak += 1
        slots[place]?.restarts += 1
        guard let counted = slots[place] else { return }
        let delay = backoff(policy, attempt: counted.streak)
        slots[place]?.retryAt = moment.instant + delay
        slots[place]?.nextCause = "restart \(counted.restarts) after an end under the former daemon"
    }

    /// It was given up, and may be tried again after a while.
    mutating func recount(endedIn place: Int, _ phase: Phase, at moment: Moment) {
        guard let slot = slots[place] else { return }
        slots[place]?.nextCause = nil
        slots[place]?.retryAt =
            phase == .failed ? services[slot.service].spec.restart.retryAfter.map { moment.instant + $0 } : nil
    }
}

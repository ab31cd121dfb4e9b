// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// The machine was away: it slept, or was so busy or so frozen that the loop woke late. Services were away with it, so that what they
/// seem to have missed is no proof against them: each deadline that would take one down in this very turn has one more period, once.
extension Fleet {
    /// Compares a moment with what was planned; before anything is made of it.
    mutating func sense(_ now: Moment) {
        // A deadline lies after the last turn: only time that passed since can have made it late.
        let isLate = now.instant > clock && deadline.map { now.instant - $0 > Patience.lateness } ?? false
        if isLate || now.slept - slept > Patience.lateness { isDiscontinuous = true }
        slept = now.slept
    }

    /// Whether an answer that would take the service down is to be asked for once more.
    func spares(_ kind: ProbeKind, _ state: ProbeState, _ probe: Probe) -> Bool {
        guard isDiscontinuous, !state.isSpared, state.verdict != .failing else { return false }
        return kind != .readiness && state.failures + 1 >= probe.failureThreshold
    }

    /// Whether the start deadline that has come is put off by one period.
    mutating func sparesStart(_ place: Int, _ limit: Duration, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard isDiscontinuous, let incarnation = slots[place]?.current, incarnation.startBy == nil else { return false }
        slots[place]?.current?.startBy = now.instant + limit
        let key = services[slots[place]?.service ?? 0].spec.kind == .service ? "start_timeout" : "timeout"
        tell(
            place, .warning, "the machine was away when its time was over: \(limit.text) more, once", at: now, key: key,
            &effects)
        return true
    }
}

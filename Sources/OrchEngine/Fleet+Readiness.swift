// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Readiness and the probes.
extension Fleet {
    /// Asks what is due, and concludes whether the instance is ready.
    mutating func attendReadiness(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let executedAt = slots[place]?.current?.executedAt, let spec = spec(at: place) else {
            return
        }
        let hasStarted = !spec.has(.startup) || slots[place]?.current?.verdict(of: .startup) == .passing
        for kind in ProbeKind.allCases {
            let known = slots[place]?.current?.stand(of: kind)
            if known?.isNews == true {
                react(place, kind, at: now, &effects)
                guard slots[place]?.current?.isStopping == false else { return }
            }
            guard spec.has(kind) else {
                if known != nil { slots[place]?.current?.probes.drop(kind) }
                continue
            }
            // Startup holds the other two back, and has no more to say once it has passed.
            guard kind == .startup ? !hasStarted : hasStarted, known?.rests(at: now.instant) != true,
                spec.heard.isEmpty || !spec.heard.contains(kind)
            else { continue }
            ask(place, kind, spec.value, since: executedAt.instant, at: now, &effects)
        }
        concludeReadiness(place, spec, at: now, &effects)
    }

    private mutating func ask(
        _ place: Int, _ kind: ProbeKind, _ spec: ServiceSpec, since start: Instant, at now: Moment,
        _ effects: inout [Effect]
    ) {
        guard let launch = slots[place]?.current?.launch else { return }
        guard let probe = spec.health[kind] else { return }
        if slots[place]?.current?.probes[kind] == nil {
            let next = max(start + probe.initialDelay, kind == .startup ? start : now.instant)
            let rounds = slots[place]?.current?.probes.rounds ?? 0
            slots[place]?.current?.probes[kind] = ProbeState(next: next, after: rounds)
            if next > now.instant { return }
        }
        // In place: nobody holds a copy of it here.
        slots[place]?.current?.probes[kind]?.isAsked = true
        slots[place]?.current?.probes[kind]?.round += 1
        slots[place]?.current?.probes[kind]?.keepRhythm(of: probe.interval, at: now.instant)
        let round = slots[place]?.current?.probes[kind]?.round ?? 0
        let runner = takeLaunch()
        effects.append(.probe(launch, kind, round: round, probe, runner: runner))
    }

    private mutating func concludeReadiness(
        _ place: Int, _ known: KnownSpec, at now: Moment, _ effects: inout [Effect]
    ) {
        let spec = known.value
        guard spec.kind == .service, slots[place]?.current?.readyAt == nil, let incarnation = slots[place]?.current
        else {
            return
        }
        if lack(spec, incarnation) != nil { return }
        for kind in [ProbeKind.startup, .readiness]
        where known.has(kind) && incarnation.verdict(of: kind) != .passing { return noteAnnouncement(place, &effects) }
        owe(.postReady, place, about: incarnation, "it is ready", at: now, &effects)
        slots[place]?.current?.readyAt = now
        slots[place]?.current?.told.extendedTo = nil
        effects.append(.note(.ready(incarnation.launch, at: now)))
        let after = incarnation.executedAt.map { " after \((now.instant - $0.instant).brief)" } ?? ""
        tell(place, .ready, (spec.ready?.achievement ?? "ready") + after, at: now, &effects)
    }

    /// Never ready by `start_timeout`, or a task that runs over its `timeout`.
    mutating func attendStartDeadline(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place], let by = startDeadline(slot), by <= now.instant, slot.current?.stopping == nil
        else { return }
        let spec = spec(of: slot).value
        if sparesStart(place, spec.startTimeout ?? .zero, at: now, &effects) { return }
        let limit = (spec.startTimeout ?? .zero).text
        switch spec.kind {
        case .service:
            let said = complaint(slot.current)
            let complaint = said.isEmpty ? slot.current.flatMap { lack(spec, $0)?.lack } ?? "" : said
            beginStop(
                place, .failure, "not ready within \(limit)" + (complaint.isEmpty ? "" : ": \(complaint)"), at: now,
                &effects)
        case .task: beginStop(place, .failure, "ran longer than its timeout of \(limit)", at: now, &effects)
        }
    }

    func startDeadline(_ slot: Slot) -> Instant? {
        guard let incarnation = slot.current, incarnation.readyAt == nil, !incarnation.hasEnded,
            let limit = spec(of: slot).value.startTimeout, incarnation.told.stoppingSince == nil
        else { return nil }
        let by = incarnation.startBy ?? (incarnation.executedAt ?? incarnation.orderedAt).instant + limit
        return incarnation.told.extendedTo.map { max(by, $0) } ?? by
    }

    /// What a probe that has not passed said last.
    func complaint(_ incarnation: Incarnation?) -> String {
        for kind in ProbeKind.allCases {
            if let state = incarnation?.probes[kind], state.verdict != .passing, !state.complaint.isEmpty {
                return "\(kind.rawValue) probe: \(state.complaint)"
            }
        }
        return ""
    }

    mutating func observe(_ launch: LaunchID, _ kind: ProbeKind, _ round: UInt64, _ result: ProbeResult, at now: Moment)
    {
        guard let place = launchIndex[launch], let spec = spec(at: place),
            slots[place]?.current?.hasEnded == false, slots[place]?.current?.isStopping == false,
            var state = slots[place]?.current?.probes[kind], state.round == round, state.isAsked,
            let probe = spec.value.health[kind]
        else { return }
        // It is put back below; until then nobody else holds it.
        slots[place]?.current?.probes[kind] = nil
        let before = state.verdict
        state.isAsked = false
        state.next = max(state.next, now.instant)
        switch result {
        case .success:
            state.successes += 1
            state.failures = 0
            state.isSpared = false
            state.complaint = ""
            if state.successes >= probe.successThreshold { state.verdict = .passing }
        case .failure(let text) where spares(kind, state, probe):
            state.isSpared = true
            state.successes = 0
            state.complaint = text
        case .failure(let text):
            state.failures += 1
            state.successes = 0
            state.complaint = text
            if state.failures >= probe.failureThreshold { state.verdict = .failing }
        case .unasked(let text): state.complaint = "could not be asked: \(text)"
        }
        if state.verdict != before { state.isTurned = true }
        slots[place]?.current?.probes[kind] = state
        touch(place)
    }

    /// Thresholds that are half reached are kept for the next daemon. A service that is steadily well, or steadily not, costs no notes.
    private mutating func noteTally(_ place: Int, _ kind: ProbeKind, _ effects: inout [Effect]) {
        guard let state = slots[place]?.current?.probes[kind], let launch = slots[place]?.current?.launch else {
            return
        }
        // A verdict that has turned is noted by itself, and begins anew.
        let tally = state.isTurned ? 0 : state.tally
        guard tally != state.notedTally else { return }
        slots[place]?.current?.probes[kind]?.notedTally = tally
        if !state.isTurned { effects.append(.note(.tallied(launch, kind, tally))) }
    }

    /// Acts once on a verdict that has turned.
    private mutating func react(_ place: Int, _ kind: ProbeKind, at now: Moment, _ effects: inout [Effect]) {
        noteTally(place, kind, &effects)
        guard slots[place]?.current?.probes[kind]?.isTurned == true, let slot = slots[place],
            let incarnation = slot.current, let state = incarnation.probes[kind]
        else { return }
        slots[place]?.current?.probes[kind]?.isTurned = false
        countTurn(place, kind, at: now, &effects)
        let launch = incarnation.launch
        let key = "health.\(kind.rawValue)"
        effects.append(.note(.probed(launch, kind, passing: state.verdict == .passing)))
        guard state.verdict == .failing else {
            if incarnation.readyAt != nil {
                slots[place]?.current?.recoveredAt = now
                tell(place, .healthy, "\(kind.rawValue) probe passes", at: now, key: key, &effects)
            }
            return
        }
        let isHeard = spec(of: slot).heard.contains(kind) && !state.complaint.isEmpty
        let cause =
            isHeard
            ? "\(kind.rawValue) probe: \(state.complaint)"
            : state.failures > 0
                ? "\(kind.rawValue) probe failed \(state.failures) times in a row: \(state.complaint)"
                : "\(kind.rawValue) probe had failed when the former daemon died"
        switch kind {
        case .readiness: if incarnation.readyAt != nil { tell(place, .unready, cause, at: now, key: key, &effects) }
        case .startup: beginStop(place, .failure, cause, at: now, &effects)
        case .liveness:
            tell(place, .unhealthy, cause, at: now, key: key, &effects)
            switch spec(of: slot).value.health.liveness?.onFailure ?? .report {
            case .restart: beginStop(place, .failure, cause, at: now, &effects)
            case .stop: beginStop(place, .retired, cause, at: now, &effects)
            case .report: break
            case .signal(let signal): effects.append(.signal(launch, signal, to: .main))
            }
        }
    }
}

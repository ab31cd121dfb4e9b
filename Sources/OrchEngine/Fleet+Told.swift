// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// What a service has said of itself by sd_notify(3) that outlasts the message, and a daemon.
public struct Told: Equatable, Sendable {
    /// It has said `READY=1`.
    public var isReady = false
    /// Until then at least it has time for what it is about: `EXTEND_TIMEOUT_USEC=`. The last word counts.
    public var extendedTo: Instant?
    /// Its own `WATCHDOG_USEC=`, instead of the manifest's.
    public var watchdog: Duration?
    /// When it said `STOPPING=1`.
    public var stoppingSince: Instant?
    public init() {}
}

/// A service that speaks: its watchdog, its own stop, the time it asks for. What each word means is sd_notify(3)'s; what follows from it is
/// what systemd.service(5) says of WatchdogSec=, TimeoutStartSec= and TimeoutStopSec=.
extension Fleet {
    /// What it said takes effect. False: it stops, and nothing else is to be asked of it.
    mutating func attendTold(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard let incarnation = slots[place]?.current, let known = spec(at: place) else { return false }
        if incarnation.told != incarnation.notedTold {
            slots[place]?.current?.notedTold = incarnation.told
            var former = incarnation.notedTold
            if known.heard.isEmpty { former.isReady = incarnation.told.isReady }
            if incarnation.told != former { effects.append(.note(.told(incarnation.launch, incarnation.told))) }
            if incarnation.told.stoppingSince != nil, incarnation.notedTold.stoppingSince == nil {
                beginOwnStop(place, at: now, &effects)
            }
        }
        if incarnation.told.stoppingSince != nil { return attendOwnStop(place, at: now, &effects) }
        if incarnation.isTriggered, !known.heard.contains(.liveness) {
            beginStop(place, .failure, Self.triggered, at: now, &effects)
            return false
        }
        for kind in known.heard {
            switch kind {
            case .startup, .readiness: conclude(kind, place, known.value, at: now)
            case .liveness: attendWatchdog(place, known.value, at: now)
            }
        }
        return true
    }

    private static var triggered: String { "it said WATCHDOG=trigger" }

    // MARK: Its own stop

    /// From here on it goes by itself: it is asked nothing, and serves nobody. How it ends decides what follows, as with any end.
    private mutating func beginOwnStop(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let launch = slots[place]?.current?.launch else { return }
        effects.append(.endProbes(launch))
        dropReload(place, &effects)
        tell(place, .stopping, "it said STOPPING=1", at: now, key: "stop", &effects)
    }

    /// It has the time that its ladder would have; then the ladder begins.
    private mutating func attendOwnStop(_ place: Int, at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard let slot = slots[place], let since = slot.current?.told.stoppingSince, let by = stoppedBy(slot),
            by <= now.instant
        else { return false }
        guard !isDiscontinuous else {
            slots[place]?.current?.told.stoppingSince = now.instant
            return false
        }
        let span = (now.instant - since).brief
        beginStop(place, .failure, "still there \(span) after it said STOPPING=1", at: now, &effects)
        return false
    }

    /// When one that said that it stops is waited for no longer.
    func stoppedBy(_ slot: Slot) -> Instant? {
        guard let told = slot.current?.told, let since = told.stoppingSince else { return nil }
        return max(since + spec(of: slot).value.stop.patience, told.extendedTo ?? since)
    }

    // MARK: Probes that nobody asks

    private mutating func conclude(_ kind: ProbeKind, _ place: Int, _ spec: ServiceSpec, at now: Moment) {
        guard let incarnation = slots[place]?.current else { return }
        let isReady = incarnation.told.isReady || spec.ready == .notify && incarnation.isAnnounced
        var state = heardState(kind, place, at: now)
        let before = state.verdict
        if kind == .startup || incarnation.reloadingSince == nil {
            state.verdict = isReady ? .passing : .unknown
            state.complaint = isReady ? "" : "it has not said READY=1 yet"
        } else if isReady {
            state.verdict = .failing
            state.complaint = "it said RELOADING=1 and has not said READY=1 again"
        }
        if state.verdict != before { state.isTurned = true }
        slots[place]?.current?.probes[kind] = state
    }

    /// It is watched from the end of its start on.
    private mutating func attendWatchdog(_ place: Int, _ spec: ServiceSpec, at now: Moment) {
        guard let incarnation = slots[place]?.current, let probe = spec.health.liveness,
            let start = spec.kind == .task ? incarnation.executedAt : incarnation.readyAt
        else { return }
        var state = heardState(.liveness, place, at: now)
        let before = state.verdict
        let limit = incarnation.told.watchdog ?? probe.silence
        if incarnation.isFed {
            state.successes += 1
            state.complaint = ""
            if state.successes >= probe.successThreshold { state.verdict = .passing }
        }
        var since = incarnation.fedAt.map { max($0, start.instant) } ?? start.instant + probe.initialDelay
        if isDiscontinuous, since + limit <= now.instant { since = now.instant }
        state.next = since + limit
        if incarnation.isTriggered {
            state.complaint = Self.triggered
            state.verdict = .failing
        } else if limit > .zero, state.next <= now.instant, state.verdict != .failing {
            state.complaint = "no WATCHDOG=1 within \(limit.text)"
            state.verdict = .failing
        }
        if state.verdict == .failing, before != .failing { state.successes = 0 }
        if state.verdict != before { state.isTurned = true }
        slots[place]?.current?.learn {
            $0.fedAt = incarnation.fedAt == nil && since == start.instant + probe.initialDelay ? nil : since
            $0.isFed = false
            $0.isTriggered = false
            $0.probes[.liveness] = state
        }
    }

    private func heardState(_ kind: ProbeKind, _ place: Int, at now: Moment) -> ProbeState {
        var state = slots[place]?.current?.probes[kind] ?? ProbeState(next: now.instant)
        // It may have been one that is asked.
        state.isAsked = false
        if kind != .liveness { state.next = now.instant }
        return state
    }
}

extension StopSpec {
    /// What all its steps may take together.
    var patience: Duration { steps.reduce(.zero) { $0 + $1.wait } }
}

extension Incarnation {
    /// It asks for time until then, for what it is about: its stop, its start or its reload.
    mutating func extend(to instant: Instant) {
        guard let progress = stopping else {
            told.extendedTo = instant
            if let by = reload?.underWay?.deadline { reload?.underWay?.deadline = max(by, instant) }
            return
        }
        guard !progress.isAtKill, progress.step >= 0, instant > progress.deadline else { return }
        stopping?.deadline = instant
        stopping?.isExtended = true
    }
}

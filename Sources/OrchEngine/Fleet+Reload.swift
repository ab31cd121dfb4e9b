// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Services take up what has changed without being started anew. One reload of a launch at a time; what a daemon did not live to see the
/// end of, the next one begins again.
extension Fleet {
    static var reloadedByHand: String { "reloaded by hand" }

    mutating func oweReload(_ place: Int, _ cause: String) {
        var notes: [Effect] = []
        oweReload(place, cause, &notes)
        pending += notes
    }

    mutating func oweReload(_ place: Int, _ cause: String, _ effects: inout [Effect]) {
        guard let launch = slots[place]?.current?.launch else { return }
        var state = slots[place]?.current?.reload ?? ReloadState()
        state.owed = cause
        state.fault = nil
        slots[place]?.current?.reload = state
        effects.append(.note(.reloadOwed(launch, cause: cause)))
        touch(place)
    }

    /// Begins what is owed, and ends what is over.
    mutating func attendReload(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        endUnaskedReload(place, at: now, &effects)
        guard let incarnation = slots[place]?.current, !incarnation.isStopping, let known = spec(at: place),
            incarnation.hasReload || incarnation.configuration != known.configuration
        else { return }
        if let progress = incarnation.reload?.underWay {
            let isLate = progress.deadline.map { $0 <= now.instant } ?? false
            guard let end = progress.end ?? (isLate ? .failed(progress.lateness) : nil) else { return }
            endReload(place, progress, end, at: now, &effects)
        }
        guard incarnation.readyAt != nil, slots[place]?.current?.reload?.underWay == nil else { return }
        oweConfiguration(place, &effects)
        guard let owed = slots[place]?.current?.reload?.owed else { return }
        slots[place]?.current?.reload?.owed = nil
        guard let way = known.value.reload else {
            // The manifest does not say any more how.
            slots[place]?.current?.reload = nil
            effects.append(.note(.reloadEnded(incarnation.launch, fault: nil)))
            return
        }
        let progress = ReloadProgress(
            cause: owed, way: way, configuration: known.configuration, began: now.instant)
        beginReload(place, progress, at: now, &effects)
    }

    /// When one that says by itself that it reloads is waited for no longer: what an asked reload would get, else what its start got, as
    /// systemd does it (systemd.service(5), TimeoutStartSec=).
    func reloadedBy(_ slot: Slot) -> Instant? {
        guard let since = slot.current?.reloadingSince, slot.current?.reload?.underWay == nil else { return nil }
        let spec = spec(of: slot).value
        let limit = if case .notify(let timeout) = spec.reload { timeout } else { spec.startTimeout }
        return limit.map { max(since + $0, slot.current?.told.extendedTo ?? since) }
    }

    private mutating func endUnaskedReload(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place], let since = slot.current?.reloadingSince, let by = reloadedBy(slot),
            by <= now.instant
        else { return }
        slots[place]?.current?.reloadingSince = nil
        let reason = "no READY=1 within \((by - since).text) after RELOADING=1"
        tell(place, .notReloaded, reason, at: now, key: "reload", &effects)
    }

    /// Its config files are others than those that it has taken up.
    private mutating func oweConfiguration(_ place: Int, _ effects: inout [Effect]) {
        guard let slot = slots[place], let incarnation = slot.current, owesConfiguration(slot, incarnation),
            incarnation.reload?.owed == nil
        else { return }
        let cause = "its config files changed: \(causeOfChange(slot.id.service))"
        var state = incarnation.reload ?? ReloadState()
        state.owed = cause
        slots[place]?.current?.reload = state
        effects.append(.note(.reloadOwed(incarnation.launch, cause: cause)))
    }

    func owesConfiguration(_ slot: Slot, _ incarnation: Incarnation) -> Bool {
        let wanted = spec(of: slot)
        return wanted.configuration != incarnation.configuration && wanted.value.reload != nil
            && (incarnation.reload?.fault == nil || incarnation.reload?.refused != wanted.configuration)
    }

    /// Why it has not taken up the config files that are applied, and will not by itself.
    func refusal(of slot: Slot) -> String? {
        guard let incarnation = slot.current, let state = incarnation.reload, let fault = state.fault,
            state.underWay == nil, state.owed == nil
        else { return nil }
        let wanted = spec(of: slot).configuration
        return wanted != incarnation.configuration && state.refused == wanted ? fault : nil
    }

    /// An apply tries again.
    mutating func forgetRefusal(_ place: Int) {
        guard let slot = slots[place], refusal(of: slot) != nil else { return }
        slots[place]?.current?.reload = nil
        touch(place)
    }

    private mutating func beginReload(
        _ place: Int, _ begun: ReloadProgress, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let launch = slots[place]?.current?.launch else { return }
        var progress = begun
        switch progress.way {
        case .signal(let signal):
            effects.append(.signal(launch, signal, to: .main))
            slots[place]?.current?.reload = nil
            effects.append(.note(.reloadEnded(launch, fault: nil)))
            take(progress.configuration, place, &effects)
            return tell(place, .reloaded, "\(progress.cause): \(progress.text)", at: now, key: "reload", &effects)
        case .command(let command, let timeout):
            let runner = takeLaunch()
            progress.runner = runner
            slots[place]?.current?.errands.append(runner)
            effects.append(.run(Errand(launch: launch, runner: runner, command: command, limit: timeout)))
        case .notify(let timeout):
            progress.deadline = now.instant + timeout
            effects.append(.signal(launch, .hangup, to: .main))
        }
        slots[place]?.current?.reload?.underWay = progress
        slots[place]?.current?.reload?.fault = nil
        tell(place, .reloading, progress.cause, at: now, key: "reload", &effects)
    }

    private mutating func take(_ configuration: Digest?, _ place: Int, _ effects: inout [Effect]) {
        guard let incarnation = slots[place]?.current, incarnation.configuration != configuration else { return }
        slots[place]?.current?.configuration = configuration
        effects.append(.note(.configured(incarnation.launch, configuration)))
    }

    private mutating func endReload(
        _ place: Int, _ progress: ReloadProgress, _ end: ReloadProgress.End, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let launch = slots[place]?.current?.launch else { return }
        slots[place]?.current?.reload?.underWay = nil
        switch end {
        case .done(let how):
            effects.append(.note(.reloadEnded(launch, fault: nil)))
            take(progress.configuration, place, &effects)
            let span = (now.instant - progress.began).brief
            tell(place, .reloaded, "\(how) after \(span)", at: now, key: "reload", &effects)
        case .failed(let reason):
            slots[place]?.current?.reload?.fault = reason
            // Whatever it said of it: nobody waits for more.
            slots[place]?.current?.reloadingSince = nil
            slots[place]?.current?.reload?.refused = progress.configuration
            effects.append(.note(.reloadEnded(launch, fault: reason, refused: progress.configuration)))
            tell(place, .notReloaded, reason, at: now, key: "reload", &effects)
        }
        guard let state = slots[place]?.current?.reload else { return }
        if let owed = state.owed {
            effects.append(.note(.reloadOwed(launch, cause: owed)))
        } else if state.fault == nil {
            slots[place]?.current?.reload = nil
        }
    }

    /// Its launch ends: nobody needs the reload any more.
    mutating func dropReload(_ place: Int, _ effects: inout [Effect]) {
        guard let incarnation = slots[place]?.current, incarnation.hasReload else { return }
        if let runner = incarnation.reload?.underWay?.runner, incarnation.errands.contains(runner) {
            effects.append(.endErrand(incarnation.launch, runner: runner))
        }
        slots[place]?.current?.reload = nil
    }

    // MARK: What people ask

    /// What runs of the targets and is to stay, and can reload.
    func placesToReload(_ targets: [Target]) -> [Int] {
        placesReached(by: targets).filter { place in
            guard let slot = slots[place], slot.current?.isStopping == false else { return false }
            return spec(of: slot).value.reload != nil
        }
    }

    func admitReload(of targets: [Target]) throws(Refusal) {
        for target in targets {
            let covered = places(of: [target], withNeeds: false).compactMap { slots[$0] }
            guard let mute = covered.first(where: { services[$0.service].spec.reload == nil }),
                target.service != nil || covered.allSatisfy({ services[$0.service].spec.reload == nil })
            else { continue }
            let name = mute.id.service.service
            throw Refusal(
                .conflict, "\(name) has no `reload`: the manifest does not say how it takes up what has changed",
                remedy: "say how, such as `reload: { signal: SIGHUP }`, and apply; or `orch restart \(name)`")
        }
        guard placesToReload(targets).isEmpty else { return }
        let going = places(of: targets, withNeeds: false).compactMap { slots[$0] }.first {
            $0.current?.isStopping == true
        }
        guard let going else { throw noProcess(of: targets) }
        throw Refusal(.conflict, "\(label(of: going)) is being stopped: \(going.reason)")
    }

    /// What can be said at once: nil where the end of a reload can be waited for.
    public func reloadText(for targets: [Target]) -> String? {
        var signal: Signal?
        for place in placesToReload(targets) {
            guard let slot = slots[place], slot.current?.readyAt != nil,
                case .signal(let found) = spec(of: slot).value.reload, signal == nil || signal == found
            else { return nil }
            signal = found
        }
        return signal.map { "\($0.name) sent to \(reached(by: targets).map(\.text).joined(separator: ", "))" }
    }

    func verdictOnReload(of slot: Slot) -> Verdict {
        guard services[slot.service].spec.reload != nil else { return .reached }
        let former = slot.predecessor.flatMap { slots[$0] }
        guard let incarnation = slot.current ?? former?.current, !incarnation.hasEnded, !incarnation.isStopping else {
            return isWanted(slot) ? .failed("it ended before it had reloaded: \(slot.reason)") : .failed(slot.reason)
        }
        guard let state = incarnation.reload else { return .reached }
        if state.owed != nil || state.underWay != nil { return .pending }
        return state.fault.map { .failed("its reload failed: \($0)") } ?? .reached
    }
}

extension ReloadProgress {
    /// Why it is over at its deadline.
    fileprivate var lateness: String {
        let limit = ((deadline ?? began) - began).text
        return isTakenUp ? "no READY=1 within \(limit)" : "no RELOADING=1 within \(limit) after SIGHUP"
    }
}

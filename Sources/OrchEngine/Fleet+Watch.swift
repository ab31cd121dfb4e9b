// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// How one watch rule of one instance stands.
struct WatchState: Sendable {
    /// When the first and the last change came for which nothing was done yet.
    var firstAt: Instant?
    var lastAt = Instant.zero
    /// A name that changed, for people, and how many changes there were.
    var example = ""
    var count = 0
    /// When the rule last did something, and how often without a long rest.
    var actedAt: Instant?
    var streak = 0

    /// When something is to be done: once the changes rest, but not later than ten times that after the first; and with a growing distance
    /// from the time before, so that a service that changes what it watches can't keep itself busy.
    func dueAt(_ rule: WatchRule) -> Instant? {
        guard let firstAt else { return nil }
        let due = min(lastAt + rule.debounce, firstAt + rule.debounce * 10)
        return max(due, actedAt.map { $0 + distance(rule) } ?? due)
    }

    /// None for a few, as somebody who works on it saves often; then it doubles with each time, up to a minute.
    func distance(_ rule: WatchRule) -> Duration {
        let excess = streak - Patience.watchFree
        guard excess > 0 else { return .zero }
        return min(max(rule.debounce, Patience.watch) * (1 << min(excess - 1, 16)), Patience.watchAtMost)
    }

    /// What was seen is done, or void.
    mutating func forget() {
        firstAt = nil
        count = 0
        example = ""
    }
}

/// Files change. Many changes are one action; a change that comes from the service's own restart is none; a stop by hand voids what waits.
extension Fleet {
    mutating func observe(changed names: [String], of id: ServiceID, rule: Int, at now: Moment) {
        guard let place = serviceIndex[id], rule < services[place].spec.watch.count else { return }
        let foreign = names.filter { !isOwn($0, services[place].spec) }
        guard let example = foreign.first else { return }
        for slot in services[place].slots { note(foreign.count, example, slot, rule, at: now) }
    }

    mutating func reacted(_ launch: LaunchID, _ fault: Fault?, at now: Moment) {
        guard let fault, let place = launchIndex[launch] else { return }
        var told: [Effect] = []
        tell(place, .warning, "after a change of files: \(fault.text)", at: now, key: "watch", &told)
        pending += told
    }

    /// Nothing is watched for a service of which nothing is wanted.
    mutating func attendRules(of place: Int, _ effects: inout [Effect]) {
        let service = services[place]
        guard !service.spec.watch.isEmpty || !service.watched.isEmpty else { return }
        let isAnyWanted = service.slots.contains { slots[$0].map { isWanted($0) } ?? false }
        let rules = isAnyWanted ? service.spec.watch : []
        guard rules != service.watched else { return }
        services[place].watched = rules
        effects.append(.watch(service.id, rules))
    }

    /// Written by the service's own logging.
    private func isOwn(_ name: String, _ spec: ServiceSpec) -> Bool {
        [spec.logging.stdout, spec.logging.stderr].contains { sink in
            switch sink {
            // Rotated files have the name and a number.
            case .file(let path), .append(let path): name == path || name.hasPrefix(path + ".")
            case .standard, .discard, .merge: false
            }
        }
    }

    private mutating func note(_ count: Int, _ example: String, _ place: Int, _ rule: Int, at now: Moment) {
        guard let slot = slots[place], isWanted(slot), !isWithinOwnRestart(slot, rule, at: now) else { return }
        while (slots[place]?.watches.count ?? 0) <= rule { slots[place]?.watches.append(WatchState()) }
        guard var state = slots[place]?.watches[rule] else { return }
        if state.firstAt == nil {
            state.firstAt = now.instant
            state.example = example
            if let actedAt = state.actedAt, now.instant - actedAt > Patience.watchRest { state.streak = 0 }
        }
        state.lastAt = now.instant
        state.count += count
        slots[place]?.watches[rule] = state
        touch(place)
    }

    /// From the action until it is up again and has been quiet for the debounce: it makes changes itself when it starts.
    private func isWithinOwnRestart(_ slot: Slot, _ rule: Int, at now: Moment) -> Bool {
        guard rule < slot.watches.count, slot.watches[rule].actedAt != nil else { return false }
        let spec = services[slot.service].spec
        guard spec.watch[rule].action == .restart else { return false }
        guard let incarnation = slot.current, incarnation.stopping == nil, !slot.isRestartAsked else { return true }
        guard let upAt = incarnation.readyAt ?? (spec.kind == .task ? incarnation.executedAt : nil) else { return true }
        return incarnation.because.hasSuffix(Self.watchMark) && now.instant - upAt.instant < spec.watch[rule].debounce
    }

    /// Does what is due.
    mutating func attendWatch(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place], !slot.watches.isEmpty else { return }
        let rules = services[slot.service].spec.watch
        if slot.watches.count > rules.count { slots[place]?.watches.removeLast(slot.watches.count - rules.count) }
        for (index, rule) in rules.enumerated() where index < (slots[place]?.watches.count ?? 0) {
            guard let state = slots[place]?.watches[index], let due = state.dueAt(rule), due <= now.instant else {
                continue
            }
            slots[place]?.watches[index].forget()
            guard let slot = slots[place], isWanted(slot) else { continue }
            slots[place]?.watches[index].actedAt = now.instant
            slots[place]?.watches[index].streak += 1
            let more = state.count > 1 ? " and \(state.count - 1) more" : ""
            act(place, rule, "\(state.example)\(more) changed\(Self.watchMark)", at: now, &effects)
        }
    }

    private static var watchMark: String { " (watch)" }

    private mutating func act(
        _ place: Int, _ rule: WatchRule, _ cause: String, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let slot = slots[place] else { return }
        guard let incarnation = slot.current, !incarnation.hasEnded, incarnation.stopping == nil else {
            // Nothing runs that could take it up; what waits for a retry need not wait for it any more.
            if rule.action == .restart, slot.current == nil, slot.outcome == nil || slot.outcomePhase == .failed {
                forgiveFailures(place, &effects)
                slots[place]?.nextCause = cause
            }
            return
        }
        switch rule.action {
        case .restart:
            slots[place]?.isRestartAsked = true
            slots[place]?.restartCause = cause
            forgiveFailures(place, &effects)
            if rule.cascade { cascade(from: slot.service, cause) }
        case .signal(let signal):
            effects.append(.signal(incarnation.launch, signal, to: .main))
            tell(place, .changed, "\(cause): \(signal.name)", at: now, key: "watch", &effects)
        case .reload:
            oweReload(place, cause, &effects)
            tell(place, .changed, "\(cause): it reloads", at: now, key: "watch", &effects)
        case .command:
            effects.append(.react(incarnation.launch, rule.action, runner: takeLaunch()))
            tell(place, .changed, cause, at: now, key: "watch", &effects)
        }
    }

    /// All that need it, and what needs those, each once.
    private mutating func cascade(from service: Int, _ cause: String) {
        var seen: Set<Int> = [service]
        var work = services[service].neededBy
        while let next = work.popLast() {
            guard seen.insert(next).inserted else { continue }
            work += services[next].neededBy
            for place in services[next].slots {
                guard let incarnation = slots[place]?.current, !incarnation.hasEnded, incarnation.stopping == nil else {
                    continue
                }
                slots[place]?.isRestartAsked = true
                slots[place]?.restartCause = cause
                touch(place)
            }
        }
    }

    /// A person stopped it: what waits to be done is void.
    mutating func voidWatches(_ place: Int) {
        for index in slots[place]?.watches.indices ?? 0..<0 { slots[place]?.watches[index].forget() }
    }

    /// When the next rule has something to do.
    func nextWatch(of slot: Slot) -> Instant? {
        guard !slot.watches.isEmpty else { return nil }
        let rules = services[slot.service].spec.watch
        return zip(slot.watches, rules).compactMap { $0.dueAt($1) }.min()
    }
}

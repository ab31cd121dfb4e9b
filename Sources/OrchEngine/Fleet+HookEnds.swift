// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What is learnt of the launches of hooks, and what their ends lead to.
extension Fleet {
    mutating func learn(ofHook launch: LaunchID, _ write: (inout HookRun) -> Void) {
        guard let place = hookIndex[launch],
            let index = slots[place]?.hooks.firstIndex(where: { $0.launch == launch }),
            var run = slots[place]?.hooks[index]
        else { return }
        write(&run)
        slots[place]?.hooks[index] = run
        touch(place)
    }

    /// It has not begun, and never will.
    mutating func forget(_ place: Int, _ run: HookRun, _ effects: inout [Effect]) {
        drop(place, run)
        effects.append(.note(.hook(run.call, .over(nil, isSuccess: false))))
    }

    private mutating func drop(_ place: Int, _ run: HookRun) {
        slots[place]?.hooks.removeAll { $0.call.id == run.call.id }
        hookCount -= 1
        if let launch = run.launch { hookIndex[launch] = nil }
        touch(place)
        if let other = slots[place].flatMap({ $0.successor ?? $0.predecessor }) { touch(other) }
    }

    /// Nothing of it is left.
    mutating func conclude(_ place: Int, _ run: HookRun, at now: Moment, _ effects: inout [Effect]) {
        guard let launch = run.launch, let slot = slots[place] else { return forget(place, run, &effects) }
        let kind = run.call.kind
        drop(place, run)
        releaseLocks(run.locks, launch)
        defer {
            effects.append(.release(launch))
            effects.append(.note(.released(launch)))
        }
        if kind != .preStart, run.isScarcity, mayTryAgain(run, slot, at: now.instant) {
            return tryAgain(place, run, at: now, &effects)
        }
        let span = run.began.map { " after \((now.instant - $0.instant).brief)" } ?? ""
        guard let failure = run.failure else {
            tell(place, .hooked, "\(kind.rawValue) worked\(span)", at: now, launch: launch, key: run.call.key, &effects)
            if kind == .preStart { slots[place]?.prepared = run.call }
            effects.append(.note(.hook(run.call, .over(launch, isSuccess: true))))
            return
        }
        let output = run.hasExecuted ? "; what it wrote: \(whereOutputIs(slot))" : ""
        let cause = "\(kind.rawValue) failed: \(failure)\(run.exit == nil ? "" : span)\(output)"
        tell(place, .hookFailed, cause, at: now, launch: launch, exit: run.exit, key: run.call.key, &effects)
        if kind == .preStart { failStart(place, run, launch, cause, at: now, &effects) }
        effects.append(.note(.hook(run.call, .over(launch, isSuccess: false))))
    }

    private func mayTryAgain(_ run: HookRun, _ slot: Slot, at now: Instant) -> Bool {
        guard let first = run.firstTriedAt, run.call.kind == .postStop || run.call.kind == .onFailed else {
            return false
        }
        return now - first < hook(of: run.call, slot)?.timeout ?? Hook.standardTimeout
    }

    /// What the machine lacked may be there soon.
    private mutating func tryAgain(_ place: Int, _ run: HookRun, at now: Moment, _ effects: inout [Effect]) {
        var again = HookRun(run.call)
        again.firstTriedAt = run.firstTriedAt
        again.notBefore = now.instant + Patience.scarcity
        slots[place]?.hooks.insert(again, at: 0)
        hookCount += 1
        effects.append(.note(.hook(run.call, .owed)))
    }

    /// A start that failed before it began.
    private mutating func failStart(
        _ place: Int, _ run: HookRun, _ launch: LaunchID, _ cause: String, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let slot = slots[place] else { return }
        var attempt = Incarnation(
            launch: launch, definition: run.call.definition, orderedAt: run.began ?? now, because: run.call.reason)
        attempt.fault = run.fault ?? Fault(step: "start", subject: label(of: slot), reason: cause)
        attempt.isScarcity = run.isScarcity
        if run.hasExecuted { owe(.postStop, place, about: attempt, cause, at: now, &effects) }
        guard run.calledOffAt == nil, isWanted(slot), run.call.definition == targetDefinition(of: slot) else { return }
        beginRun(place, at: now)
        judge(place, attempt, how: run.fault == nil ? cause : nil, at: now, &effects)
    }

    private func whereOutputIs(_ slot: Slot) -> String {
        let logging = spec(of: slot).value.logging
        if logging.stdout == .discard, logging.stderr == .discard || logging.stderr == .merge {
            return "nothing was kept, as logging discards it"
        }
        return "orch logs \(label(of: slot))"
    }
}

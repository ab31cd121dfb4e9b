// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// A launch of a former life whose place is gone: its service or its stack was removed while the daemon died. What its ladder was is not
/// known any more, so it is asked to end, and killed if it does not; until then nothing else is launched as that instance.
struct Stray: Sendable {
    let launch: LaunchID
    var instance: InstanceID?
    let locks: [String]
    var next: Instant
    var isEndTold = false
    /// Descriptors that it has handed over are held.
    var hasStored = false
    /// What it runs, if it is the launch of a hook.
    var hook: HookCall?
}

extension Fleet {
    mutating func chase(_ launch: LaunchID, of instance: InstanceID?, _ locks: [String], at now: Moment) {
        strays.append(Stray(launch: launch, instance: instance, locks: locks, next: now.instant + Patience.stray))
        takeLocks(locks, launch)
        pending.append(.signal(launch, .terminate, to: .tree))
    }

    /// Before they are told to end: a later daemon whose manifest names them again must know that they were.
    mutating func noteStrays(_ notes: [LaunchNote], at now: Moment) {
        var known: Set<LaunchID> = []
        for case .stopping(let launch, _, _, _, _) in notes { known.insert(launch) }
        let reason = "it was removed from the manifest"
        let news = strays.filter { !$0.isEndTold && !known.contains($0.launch) }.map { stray in
            Effect.note(.stopping(stray.launch, .requested, reason: reason, step: -1, deadline: now.instant))
        }
        pending = news + pending
    }

    /// Its end is known and was judged; only that nothing is left of it is still to be said.
    mutating func expectEmpty(_ launch: LaunchID, of instance: InstanceID?, _ locks: [String], at now: Moment) {
        strays.append(
            Stray(
                launch: launch, instance: instance, locks: locks, next: now.instant + Patience.stray, isEndTold: true))
        takeLocks(locks, launch)
    }

    /// The end of a launch that has no place any more belongs to the history as any other.
    mutating func tellEnd(of launch: LaunchID, _ instance: InstanceID?, _ exit: Exit?, _ cause: String, at now: Moment)
    {
        pending.append(
            .record(
                Occurrence(
                    time: now.wall, stack: instance?.service.stack ?? "", service: instance?.service.service,
                    instance: instance, launch: launch, kind: .exited, cause: cause, exit: exit)))
    }

    mutating func tellEnd(of survivor: Survivor, _ instance: InstanceID?, at now: Moment) {
        if let exit = survivor.exit {
            tellEnd(of: survivor.launch, instance, exit, exit.text, at: now)
        } else if let fault = survivor.fault {
            tellEnd(of: survivor.launch, instance, nil, "never executed: \(fault.text)", at: now)
        }
    }

    /// What had no place when a daemon woke up has ended.
    mutating func learnEnd(ofStray launch: LaunchID, _ exit: Exit?, _ cause: String, at now: Moment) {
        guard let place = strays.firstIndex(where: { $0.launch == launch }), !strays[place].isEndTold else { return }
        strays[place].isEndTold = true
        tellEnd(of: launch, strays[place].instance, exit, cause, at: now)
    }

    mutating func tendStrays(_ effects: inout [Effect]) {
        for place in strays.indices where strays[place].next <= clock {
            strays[place].next = clock + Patience.killAgain
            effects.append(.kill(strays[place].launch))
        }
    }

    /// Nothing of it is left: its instance may be launched again.
    mutating func bury(stray launch: LaunchID) {
        guard let place = strays.firstIndex(where: { $0.launch == launch }) else { return }
        let stray = strays.remove(at: place)
        releaseLocks(stray.locks, launch)
        if let hook = stray.hook { pending.append(.note(.hook(hook, .over(launch, isSuccess: false)))) }
        pending.append(.release(launch))
        pending.append(.note(.released(launch)))
        guard let instance = stray.instance else { return }
        let slot = slotPlace(instance)
        if let slot { touch(slot) }
        guard stray.hasStored else { return }
        // Its service may be known again.
        if let slot { slots[slot]?.hasStored = true } else { pending.append(.dropStored(instance)) }
    }

    /// The launch of a former life that still occupies the instance.
    func stray(of instance: InstanceID) -> LaunchID? { strays.first { $0.instance == instance }?.launch }
}

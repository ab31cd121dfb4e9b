// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What a new daemon knows of hooks.
extension Fleet {
    mutating func recall(_ call: HookCall, _ stage: HookStage, _ open: [LaunchID: Int]) {
        for number in [call.id, stage.launch ?? call.id] where number >= upcoming {
            upcoming = LaunchID(number.number + 1)
        }
        let isOfLiving = call.kind == .postReady || call.kind == .preStop
        guard let place = isOfLiving ? call.about.flatMap({ open[$0] }) : slotPlace(call.instance) else { return }
        var run = HookRun(call)
        let index = slots[place]?.hooks.firstIndex { $0.call.id == call.id }
        switch stage {
        // It begins anew once everything is there that its start needs.
        case .owed: if call.kind == .preStart { return }
        case .begun(let launch, let moment):
            run.launch = launch
            run.began = moment
            run.firstTriedAt = moment.instant
        case .over(_, let isSuccess):
            if let index { slots[place]?.hooks.remove(at: index) }
            if call.kind == .preStart { slots[place]?.prepared = isSuccess ? call : nil }
            return
        }
        if let index { slots[place]?.hooks[index] = run } else { slots[place]?.hooks.append(run) }
    }

    /// What was done before a launch that came to be is that one's; what was done after it began is for the next.
    mutating func usePreparation(_ place: Int, _ launch: LaunchID) {
        if let call = slots[place]?.prepared, call.id < launch { slots[place]?.prepared = nil }
    }

    /// Once all notes are recalled: which launches are those of hooks.
    mutating func indexHooks() {
        for place in slots.indices {
            // Notes that were pruned have lost the order in which they became owed.
            slots[place]?.hooks.sort { $0.call.id < $1.call.id }
            for run in slots[place]?.hooks ?? [] {
                hookCount += 1
                if let launch = run.launch { hookIndex[launch] = place }
                touch(place)
            }
        }
    }

    /// Launches of hooks that are over, or whose service is gone; by the last note of each.
    static func strayHooks(in notes: [LaunchNote]) -> [LaunchID: (call: HookCall, isOver: Bool)] {
        var found: [LaunchID: (call: HookCall, isOver: Bool)] = [:]
        for case .hook(let call, let stage) in notes {
            switch stage {
            case .owed: break
            case .begun(let launch, _): found[launch] = (call, false)
            case .over(let launch, _): if let launch { found[launch] = (call, true) }
            }
        }
        return found
    }

    /// Takes a launch for a hook, if it is one.
    mutating func adopt(
        hook survivor: Survivor, _ strayHooks: [LaunchID: (call: HookCall, isOver: Bool)], at now: Moment
    ) -> Bool {
        let launch = survivor.launch
        guard let place = hookIndex[launch] else {
            guard let stray = strayHooks[launch] else { return false }
            if stray.isOver || survivor.fault != nil {
                pending.append(.release(launch))
                pending.append(.note(.released(launch)))
            } else {
                // Its service is gone from the manifest.
                strays.append(
                    Stray(
                        launch: launch, instance: stray.call.instance, locks: [],
                        next: now.instant + Hook.standardTimeout, isEndTold: true, hook: stray.call))
            }
            return true
        }
        guard let index = slots[place]?.hooks.firstIndex(where: { $0.launch == launch }),
            var run = slots[place]?.hooks[index]
        else { return true }
        run.hasExecuted = survivor.hasExecuted
        run.fault = survivor.fault
        run.exit = survivor.exit
        if survivor.exit != nil { run.exitAt = now.instant }
        run.isHeld = true
        if run.call.kind == .preStart {
            run.locks = slots[place].map { targetLocks(of: $0) } ?? []
            run.isUnderWay = !run.hasExecuted && !run.isOver
        }
        if run.isUnderWay { startsUnderWay += 1 }
        takeLocks(run.locks, launch)
        slots[place]?.hooks[index] = run
        return true
    }

    /// What was to be launched and never reached the keeper is owed still, and so is what went with a keeper.
    mutating func oweLostHooks() {
        for place in slots.indices {
            for run in slots[place]?.hooks ?? [] {
                guard let launch = run.launch, !run.isHeld else { continue }
                hookIndex[launch] = nil
                if run.call.kind == .preStart {
                    var told: [Effect] = []
                    forget(place, run, &told)
                    pending += told
                } else if let index = slots[place]?.hooks.firstIndex(where: { $0.launch == launch }) {
                    slots[place]?.hooks[index] = HookRun(run.call)
                    pending.append(.note(.hook(run.call, .owed)))
                }
                pending.append(.note(.released(launch)))
            }
        }
    }

    /// What nobody is there for any more is over: whoever wakes up next may know their service again.
    mutating func dropOrphanedHooks(_ notes: [LaunchNote]) {
        var last: [LaunchID: (call: HookCall, launch: LaunchID?)] = [:]
        for case .hook(let call, let stage) in notes {
            switch stage {
            case .owed: last[call.id] = (call, nil)
            case .begun(let launch, _): last[call.id] = (call, launch)
            case .over: last[call.id] = nil
            }
        }
        for (id, (call, launch)) in last.sorted(by: { $0.key < $1.key }) {
            let place = launch.flatMap { hookIndex[$0] } ?? slotPlace(call.instance)
            let isKnown = place.flatMap { slots[$0] }?.hooks.contains { $0.call.id == id } ?? false
            if isKnown || strays.contains(where: { $0.launch == launch }) { continue }
            pending.append(.note(.hook(call, .over(nil, isSuccess: false))))
        }
    }

    /// Hooks of a launch move with it.
    mutating func moveHooks(about launch: LaunchID, from place: Int, to other: Int) {
        guard let runs = slots[place]?.hooks, !runs.isEmpty else { return }
        let moved = runs.filter { $0.call.about == launch }
        guard !moved.isEmpty else { return }
        slots[place]?.hooks.removeAll { $0.call.about == launch }
        slots[other]?.hooks += moved
        for run in moved { if let launch = run.launch { hookIndex[launch] = other } }
        touch(other)
    }
}

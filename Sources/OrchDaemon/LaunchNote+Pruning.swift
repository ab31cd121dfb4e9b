// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

extension LaunchNote {
    /// What later daemons still ask for: open launches whole; of the closed ones only how each instance last ended; of failures the newest
    /// of each instance; where the runs of each scheduled task stood last, and how far they had come: what a mark on the disk decided must
    /// not be taken for never begun. Of the numbers that were given away the highest stays, as a full disk may not know of it.
    /// `open`: launches that the keeper still holds.
    public static func pruned(_ notes: [LaunchNote], open: Set<LaunchID>) -> [LaunchNote] {
        let notes = underPresentNames(notes)
        let released = Set(notes.compactMap { if case .released(let launch) = $0 { launch } else { nil } })
        let highest = notes.compactMap(\.launch).max()
        let spent = spentRuns(notes)
        var failuresLeft: [InstanceID: Int] = [:]
        var ended: Set<InstanceID> = []
        var scheduled: [InstanceID: Int] = [:]
        var forgiven: Set<InstanceID> = []
        var halted: Set<String> = []
        var hooks: Set<LaunchID> = []
        var launchesOfHooks: Set<LaunchID> = []
        var started: Set<InstanceID> = []
        var kept: [LaunchNote] = []
        for note in notes.reversed() {
            let isKept: Bool
            switch note {
            case .ordered(let launch, let instance, _, _, _):
                isKept = !released.contains(launch)
                if !isKept { started.insert(instance) }
                // It was gone by the time of the next launch, however that one ended.
                if !isKept { ended.insert(instance) }
            case .executed(let launch, _, _, _, _), .ready(let launch, _), .announced(let launch),
                .told(let launch, _),
                .stopping(let launch, _, _, _, _), .locked(let launch, _), .reloadOwed(let launch, _),
                .reloadEnded(let launch, _, _), .configured(let launch, _), .probed(let launch, _, _),
                .tallied(let launch, _, _):
                isKept = !released.contains(launch)
            case .renamed: isKept = false
            case .released(let launch): isKept = open.contains(launch) || launch == highest
            case .runs(let instance, let state):
                isKept = false
                if let place = scheduled[instance] {
                    kept[place].add(state)
                } else {
                    scheduled[instance] = kept.count
                    kept.append(spent.contains(instance) ? .runs(instance, state.spent) : note)
                }
            case .failed(let instance, _, _):
                failuresLeft[instance, default: 100] -= 1
                isKept = failuresLeft[instance, default: 0] >= 0 && !forgiven.contains(instance)
            case .forgiven(let instance, let isAnew):
                forgiven.insert(instance)
                if isAnew { ended.insert(instance) }
                isKept = false
            case .ended(let instance, _, _, _, _): isKept = ended.insert(instance).inserted
            case .halted(let halt, _): isKept = halted.insert(halt.instance.service.stack).inserted
            case .hook(let call, let stage):
                let isStarted = started.contains(call.instance)
                let isLast = hooks.insert(call.id).inserted
                isKept = isLast && call.isKept(at: stage, isStarted: isStarted)
                // Nobody may take its launch for a service's, nor what was done before one start for done before the next.
                if !isKept, let launch = stage.launch, open.contains(launch), launchesOfHooks.insert(launch).inserted {
                    kept.append(.hook(call, stage.used))
                }
            case .resumed(let instance): isKept = !halted.contains(instance.service.stack)
            }
            if isKept { kept.append(note) }
        }
        return kept.reversed()
    }

    /// So far an earlier note of the same runs had come.
    private mutating func add(_ before: RunState) {
        guard case .runs(let instance, var state) = self else { return }
        if let through = before.through, state.through.map({ $0 < through }) ?? true { state.earlier = through }
        if let elapsed = before.throughElapsed, state.throughElapsed.map({ $0 < elapsed }) ?? true {
            state.elapsed = elapsed
        }
        self = .runs(instance, state)
    }

    /// Instances of which the last word is a run whose launch was let go of since: its place was gone when it ended, so nobody judged it.
    private static func spentRuns(_ notes: [LaunchNote]) -> Set<InstanceID> {
        var runs: [InstanceID: RunState] = [:]
        var current: [InstanceID: LaunchID] = [:]
        var owners: [LaunchID: InstanceID] = [:]
        var spent: Set<InstanceID> = []
        for note in notes {
            switch note {
            case .runs(let instance, let state):
                runs[instance] = state
                spent.remove(instance)
                if state.judged == current[instance] { current[instance] = nil }
            case .ordered(let launch, let instance, _, _, _):
                owners[launch] = instance
                current[instance] = launch
                if let run = runs[instance]?.pending { runs[instance]?.underway = run }
            case .ended(let instance, let launch, _, _, _):
                if current[instance] == launch { current[instance] = nil }
            case .released(let launch):
                guard let instance = owners[launch], current[instance] == launch else { continue }
                current[instance] = nil
                if runs[instance]?.underway != nil { spent.insert(instance) }
            case .executed, .ready, .announced, .told, .locked, .reloadOwed, .reloadEnded, .configured, .stopping,
                .failed,
                .forgiven, .probed, .tallied, .renamed,
                .hook, .halted,
                .resumed:
                break
            }
        }
        return spent
    }
}

extension HookCall {
    /// Whether somebody still asks how far it came, which was so far at last.
    fileprivate func isKept(at stage: HookStage, isStarted: Bool) -> Bool {
        switch stage {
        case .owed, .begun: true
        // A start that was prepared is still to come.
        case .over(_, let isSuccess): kind == .preStart && isSuccess && !isStarted
        }
    }
}

extension HookStage {
    /// The same, and nothing is to follow from it.
    fileprivate var used: HookStage {
        switch self {
        case .owed, .begun: self
        case .over(let launch, _): .over(launch, isSuccess: false)
        }
    }
}

extension RunState {
    /// Nothing of it is left to do.
    fileprivate var spent: RunState {
        RunState(
            underway: nil, pending: nil, queued: nil, judged: judged, last: last, earlier: through,
            elapsed: throughElapsed)
    }
}

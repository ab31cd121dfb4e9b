// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

extension LaunchNote {
    /// What later daemons still ask for: open launches whole; of the closed ones only how each instance last ended; of failures the newest
    /// of each instance; where the runs of each scheduled task stood last, and how far they
    /// had come: what a mark on the disk decided must not be taken for never begun. `open`: launches that the keeper still holds.
    public static func pruned(_ notes: [LaunchNote], open: Set<LaunchID>) -> [LaunchNote] {
        let released = Set(notes.compactMap { if case .released(let launch) = $0 { launch } else { nil } })
        var failuresLeft: [InstanceID: Int] = [:]
        var ended: Set<InstanceID> = []
        var scheduled: [InstanceID: Int] = [:]
        var forgiven: Set<InstanceID> = []
        var halted: Set<String> = []
        var kept: [LaunchNote] = []
        for note in underPresentNames(notes).reversed() {
            let isKept: Bool
            switch note {
            case .ordered(let launch, let instance, _, _, _):
                isKept = !released.contains(launch)
                // It was gone by the time of the next launch, however that one ended.
                if !isKept { ended.insert(instance) }
            case .executed(let launch, _, _, _, _), .ready(let launch, _),
                .stopping(let launch, _, _, _, _), .locked(let launch, _),
                .probed(let launch, _, _), .tallied(let launch, _, _):
                isKept = !released.contains(launch)
            case .renamed: isKept = false
            case .released(let launch): isKept = open.contains(launch)
            case .runs(let instance, let state):
                isKept = scheduled[instance] == nil
                if let place = scheduled[instance] {
                    kept[place].add(state.through)
                } else {
                    scheduled[instance] = kept.count
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
            case .resumed(let instance): isKept = !halted.contains(instance.service.stack)
            }
            if isKept { kept.append(note) }
        }
        return kept.reversed()
    }

    /// So far an earlier note of the same runs had come.
    private mutating func add(_ through: WallTime?) {
        guard case .runs(let instance, var state) = self, let through, state.through.map({ $0 < through }) ?? true
        else { return }
        state.earlier = through
        self = .runs(instance, state)
    }
}

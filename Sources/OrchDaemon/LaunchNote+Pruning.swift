// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

extension LaunchNote {
    /// What later daemons still ask for: open launches whole; of the closed ones only how each instance last ended; of failures the newest
    /// of each instance; where the runs of each scheduled task stood last. `open`: launches that the keeper still holds.
    public static func pruned(_ notes: [LaunchNote], open: Set<LaunchID>) -> [LaunchNote] {
        let released = Set(notes.compactMap { if case .released(let launch) = $0 { launch } else { nil } })
        var failuresLeft: [InstanceID: Int] = [:]
        var ended: Set<InstanceID> = []
        var scheduled: Set<InstanceID> = []
        var forgiven: Set<InstanceID> = []
        var halted: Set<String> = []
        var kept: [LaunchNote] = []
        for note in underPresentNames(notes).reversed() {
            let isKept: Bool
            switch note {
            case .ordered(let launch, _, _, _, _), .executed(let launch, _, _, _, _), .ready(let launch, _),
                .stopping(let launch, _, _, _, _), .locked(let launch, _),
                .probed(let launch, _, _), .tallied(let launch, _, _):
                isKept = !released.contains(launch)
            case .renamed: isKept = false
            case .released(let launch): isKept = open.contains(launch)
            case .runs(let instance, _): isKept = scheduled.insert(instance).inserted
            case .failed(let instance, _):
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
}

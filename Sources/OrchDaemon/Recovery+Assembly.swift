// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
import OrchModel

extension Recovery {
    /// Puts together what a new daemon knows.
    ///
    /// - Parameters:
    ///   - notes: of this boot, in the order of writing.
    ///   - isNewBoot: there are no notes of this boot.
    ///   - highestLaunch: the highest number that the keeper has seen; 0 for none.
    ///   - seed: entropy.
    public static func assembled(
        from stored: StoredState, notes: [LaunchNote], isNewBoot: Bool, survivors: [Survivor],
        highestLaunch: UInt64 = 0, seed: UInt64
    ) -> Recovery {
        var recovery = Recovery()
        recovery.stacks = stored.stacks
        recovery.fallbacks = stored.fallbacks
        recovery.departures = stored.departures
        recovery.notes = notes
        recovery.marks = stored.marks
        recovery.isNewBoot = isNewBoot
        recovery.survivors = survivors.sorted { $0.launch < $1.launch }
        recovery.seed = seed
        var highest = highestLaunch
        for survivor in survivors { highest = max(highest, survivor.launch.number) }
        for note in notes { highest = max(highest, note.launch?.number ?? 0) }
        recovery.nextLaunch = max(stored.nextLaunch, LaunchID(highest + 1))
        return recovery
    }
}

extension Recovery {
    /// Asks history which of the survivors that have ended it knows of. One that can't be read knows nothing.
    public mutating func recall(from store: inout some Store) {
        let ended = Set(survivors.filter { $0.exit != nil || $0.fault != nil }.map(\.launch))
        guard !ended.isEmpty else { return }
        let past = (try? store.occurrences(of: nil, since: nil, limit: Limits.occurrencesPerAnswer)) ?? []
        for occurrence in past where occurrence.kind == .exited {
            if let launch = occurrence.launch, ended.contains(launch) { told.insert(launch) }
        }
    }
}

extension LaunchNote {
    /// The launch that it speaks of.
    var launch: LaunchID? {
        switch self {
        case .ordered(let launch, _, _, _, _), .executed(let launch, _, _, _, _), .ready(let launch, _),
            .stopping(let launch, _, _, _, _), .locked(let launch, _),
            .probed(let launch, _, _), .tallied(let launch, _, _), .released(let launch),
            .ended(_, let launch, _, _, _):
            launch
        case .failed, .forgiven, .halted, .resumed, .runs, .renamed: nil
        }
    }
}

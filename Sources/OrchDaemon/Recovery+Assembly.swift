// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

extension Recovery {
    /// Puts together what a new daemon knows.
    ///
    /// - Parameters:
    ///   - notes: of this boot, in the order of writing.
    ///   - isNewBoot: there are no notes of this boot.
    ///   - boot: the identity of this boot; empty when it is not known.
    ///   - closed: what the keeper holds of what is noted as released.
    ///   - sockets: what is open for services.
    ///   - highestLaunch: the highest number that the keeper has seen; 0 for none.
    ///   - seed: entropy.
    public static func assembled(
        from stored: StoredState, notes: [LaunchNote], isNewBoot: Bool, boot: String = "", survivors: [Survivor],
        closed: [ClosedLaunch] = [], sockets: [OpenSockets] = [], highestLaunch: UInt64 = 0, seed: UInt64
    ) -> Recovery {
        var recovery = Recovery()
        recovery.stacks = stored.stacks
        recovery.fallbacks = stored.fallbacks
        recovery.departures = stored.departures
        recovery.formerDepartures = stored.formerDepartures
        recovery.notes = notes
        recovery.marks = stored.marks
        recovery.isNewBoot = isNewBoot
        recovery.boot = boot
        recovery.survivors = survivors.sorted { $0.launch < $1.launch }
        recovery.closed = closed.sorted { $0.launch < $1.launch }
        recovery.sockets = sockets
        recovery.seed = seed
        var highest = highestLaunch
        for survivor in survivors { highest = max(highest, survivor.launch.number) }
        for one in closed { highest = max(highest, one.launch.number) }
        for note in notes { highest = max(highest, note.launch?.number ?? 0) }
        recovery.nextLaunch = max(stored.nextLaunch, LaunchID(highest + 1))
        return recovery
    }
}

extension Recovery {
    /// Asks history which of the launches that have ended it knows of. One that can't be read knows nothing: what it is told twice it
    /// keeps once.
    public mutating func recall(from store: inout some Store) {
        let ended = survivors.filter { $0.exit != nil || $0.fault != nil }.map(\.launch) + closed.map(\.launch)
        guard !ended.isEmpty else { return }
        told = (try? store.endsTold(among: ended)) ?? []
    }

    /// Some launch has ended that history does not know of.
    var owesEnds: Bool {
        closed.contains { !told.contains($0.launch) }
            || survivors.contains { ($0.exit != nil || $0.fault != nil) && !told.contains($0.launch) }
    }
}

extension LaunchNote {
    /// The launch that it speaks of.
    var launch: LaunchID? {
        switch self {
        case .ordered(let launch, _, _, _, _), .executed(let launch, _, _, _, _), .ready(let launch, _),
            .announced(let launch), .told(let launch, _),
            .stopping(let launch, _, _, _, _), .locked(let launch, _), .reloadOwed(let launch, _),
            .reloadEnded(let launch, _, _),
            .configured(let launch, _),
            .probed(let launch, _, _), .tallied(let launch, _, _), .released(let launch),
            .ended(_, let launch, _, _, _):
            launch
        case .hook(let call, let stage): stage.launch ?? call.id
        case .failed, .forgiven, .halted, .resumed, .runs, .renamed: nil
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// The death of the daemon between any two effects, and the next one's waking.
extension FleetWorld {
    /// The daemon dies after so many more effects.
    public mutating func killDaemon(after effects: Int) { lifeLeft = effects }

    /// The daemon dies now, between two turns, and another one wakes up.
    public mutating func killDaemonNow() { replaceDaemon() }

    /// What must be durable before an order is told.
    mutating func save(_ order: Order) {
        for (stack, list) in fleet.departures(after: order) { departures[stack] = list }
        switch order {
        case .apply(let applied): keep(applied)
        case .down(let stack, _): if let leaving = fleet.leaving(stack: stack) { keep(leaving) }
        case .start, .stop, .restart, .reload, .scale, .signal, .shutdown: break
        }
    }

    mutating func keep(_ applied: AppliedStack) {
        revisions.append(applied)
        stored.removeAll { $0.request.stack.name == applied.request.stack.name }
        stored.append(applied)
    }

    /// Another daemon wakes up with the disk, the notes and what the keeper holds.
    mutating func replaceDaemon() {
        lifeLeft = nil
        generation += 1
        note("✝ the daemon dies")
        var recovery = Recovery()
        recovery.isNewBoot = false
        recovery.seed = generation
        recovery.startsAtOnce = startsAtOnce
        recovery.stacks = stored.sorted { $0.request.stack.name < $1.request.stack.name }
        recovery.fallbacks = recovery.stacks.compactMap { applied in
            applied.trial?.fallback.flatMap { digest in revisions.last { $0.revision == digest } }
        }
        recovery.departures = departures.sorted { $0.key < $1.key }.flatMap(\.value)
        recovery.notes = notes
        recovery.marks = marks
        recovery.nextLaunch = fleet.nextLaunch
        recovery.survivors = processes.map {
            Survivor(launch: $0.launch, pid: 1, hasExecuted: $0.hasExecuted, fault: $0.fault, exit: $0.exit)
        }.sorted { $0.launch < $1.launch }
        // Questions die with who asked them.
        coming.removeAll { item in
            switch item.event {
            case .probed, .answered, .stepEnded, .errandEnded, .reacted, .measured, .hostMeasured: true
            case .commanded, .launched, .launchFailed, .exited, .emptied, .drained, .notified, .survivorsSeen,
                .clockSet, .zoneRead, .changed:
                false
            }
        }
        fleet = Fleet(recovering: recovery, at: now)
        for process in processes where process.hasEnded && !process.isAlive && process.fault == nil {
            fleet.observe(.emptied(process.launch), at: now)
        }
        turn()
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// A probe that keeps turning says more about its thresholds than about the service: a person is told, once in a while.
extension Fleet {
    /// Counts a turn of a verdict; what turns too often is told with the remedy.
    mutating func countTurn(_ place: Int, _ kind: ProbeKind, at now: Moment, _ effects: inout [Effect]) {
        guard var turns = slots[place]?.current?.probes[kind]?.turns else { return }
        turns.append(now.instant)
        turns.removeAll { now.instant - $0 > Patience.flapWindow }
        let isFlapping = turns.count >= Patience.flapTurns
        slots[place]?.current?.probes[kind]?.turns = isFlapping ? [] : turns
        guard isFlapping else { return }
        let cause =
            "its \(kind.rawValue) probe turned \(Patience.flapTurns) times within \(Patience.flapWindow.text): raise its interval or thresholds"
        tell(place, .warning, cause, at: now, key: "health.\(kind.rawValue)", &effects)
    }
}

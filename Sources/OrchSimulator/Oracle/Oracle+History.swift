// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Nothing is lost and nothing is told twice: each launch has one `started` at most and exactly one `exited`.
///
/// History is written behind, at most a second late. So what a daemon knew and had released within that second before its death may be
/// missing; while the disk takes nothing, all of it may.
extension Machine {
    private static let behind = Duration.seconds(1)

    /// The daemon is told of an end, and has to write it down.
    func owe(_ event: Event) {
        if case .exited(let launch, _) = event { watch.owed[launch] = clock }
        if case .launchFailed(let launch, _, _) = event { watch.owed[launch] = clock }
    }

    /// It is written down.
    func written(_ occurrence: Occurrence) {
        guard let launch = occurrence.launch else { return }
        if occurrence.kind == .started, !watch.startsTold.insert(launch).inserted {
            violate("history says twice that \(launch.number) started")
        }
        guard occurrence.kind == .exited else { return }
        watch.owed[launch] = nil
        if !watch.endsTold.insert(launch).inserted { violate("history says twice that \(launch.number) ended") }
    }

    /// A daemon is gone: what it had released it may take with it.
    func excuse() {
        let isBehind = disk.fault != nil || watch.isHistoryBehind
        for (launch, since) in watch.owed {
            let isReleased = places[launch].flatMap { processes[$0] }?.isReleased ?? true
            if isReleased, isBehind || clock - since <= Self.behind + watch.longestLag { watch.owed[launch] = nil }
        }
    }

    /// Power was cut before it was synced.
    func forget(_ lost: ArraySlice<Occurrence>) {
        for occurrence in lost {
            guard let launch = occurrence.launch else { continue }
            if occurrence.kind == .started { watch.startsTold.remove(launch) }
            if occurrence.kind == .exited { watch.endsTold.remove(launch) }
        }
    }

    /// At the end of all.
    func checkHistory() {
        for launch in watch.owed.keys.sorted() { violate("history does not say how \(launch.number) ended") }
    }
}

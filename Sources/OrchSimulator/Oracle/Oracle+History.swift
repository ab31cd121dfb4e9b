// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Nothing is lost, nothing is told twice and nothing is made up: each launch has one `started` at most, and each end that a process
/// really had is told once, as it was, whoever dies between any two deeds.
///
/// History is written behind, and until it is the keeper holds the end. So nothing but the end of the keeper's own memory, a cut of
/// power or a damaged database may cost one; and a full disk only if everything is shut down before it has room again.
extension Machine {
    /// A process has ended, and somebody has to write it down.
    func owe(_ event: Event) {
        // History tells of hooks in its own words.
        if case .exited(let launch, _) = event, hookPlace(launch) != nil { return }
        if case .launchFailed(let launch, _, _) = event, hookPlace(launch) != nil { return }
        if case .exited(let launch, let exit) = event { watch.owed[launch] = OwedEnd(exit: exit) }
        if case .launchFailed(let launch, _, _) = event { watch.owed[launch] = OwedEnd(exit: nil) }
    }

    /// It is written down.
    func written(_ occurrence: Occurrence) {
        guard let launch = occurrence.launch else { return }
        if occurrence.kind == .started, !watch.startsTold.insert(launch).inserted {
            violate("history says twice that \(launch.number) started")
        }
        guard occurrence.kind == .exited else { return }
        guard watch.endsTold.insert(launch).inserted else {
            return violate("history says twice that \(launch.number) ended")
        }
        guard let owed = watch.owed.removeValue(forKey: launch) else {
            return violate("history says that \(launch.number) ended, and it did not")
        }
        if owed.exit != occurrence.exit { violate("history does not say how \(launch.number) ended, but another end") }
    }

    /// The keeper lets it go.
    func checkTold(_ launch: LaunchID) {
        if watch.owed[launch] != nil { violate("nobody knows any more how \(launch.number) ended, nor does history") }
    }

    /// The database is gone: what the keeper still knows is told anew.
    func forgetHistory() {
        watch.startsTold = []
        watch.endsTold = []
        for process in processes.compactMap({ $0 }) where process.isOver {
            watch.owed[process.launch] = OwedEnd(exit: process.exit)
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

    /// The keeper ends too, and all that it knows.
    func checkHistoryOfShutdown() {
        if disk.fault == nil { checkHistory() }
        watch.owed = [:]
    }

    /// At the end of all.
    func checkHistory() {
        for launch in watch.owed.keys.sorted() { violate("history does not say how \(launch.number) ended") }
    }
}

/// How a process really ended; nil when it never executed.
struct OwedEnd { var exit: Exit? }

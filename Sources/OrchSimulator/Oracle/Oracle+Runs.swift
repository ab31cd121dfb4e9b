// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What the oracle knows of the runs of one scheduled task.
struct WatchedRuns {
    /// The trigger that the instants are of.
    var trigger = ""
    /// Instants for which a run was begun, and how often: on the clock of time that passes where the schedule goes by it.
    var begun: [Int64: Int] = [:]
    /// What the notes of this boot say.
    var state = RunState(underway: nil, pending: nil, queued: nil)
    /// A person asked for a run that has not begun.
    var isAsked = false
}

/// No instant has two runs, and none begins that was not due.
extension Machine {
    func watchRuns(_ id: InstanceID, _ state: RunState) {
        watch.runs[id, default: WatchedRuns()].state = state
        // What was decided before the clock was set back stays decided.
        watch.latestWall = max(watch.latestWall, now.wall)
        for due in [state.pending?.due, state.queued?.due].compactMap({ $0 }) where due > watch.latestWall {
            violate("a run of \(id) is decided before it is due at \(due.rfc3339)")
        }
    }

    /// A run that is on the disk is decided, though the daemon may die before it notes it.
    func watchDecided(_ id: InstanceID, _ run: DueRun) {
        var runs = watch.runs[id] ?? WatchedRuns()
        if runs.state.pending == nil, runs.state.underway == nil { runs.state.pending = run }
        watch.runs[id] = runs
    }

    /// How far frequent schedules had come is written behind: after a cut of power an instant of the last second may come again.
    func forgetFrequentRuns() {
        for id in watch.runs.keys.sorted() where watch.runs[id]?.trigger.hasPrefix("every") == true {
            watch.runs[id]?.begun = [:]
        }
    }

    /// A run beside others, which a scenario never has: it has a place of its own, and the rules for places don't know it.
    func isOverlap(_ id: InstanceID) -> Bool {
        guard isRehearsed, let spec = specNow(of: id.service) else { return false }
        return spec.schedule?.overlap == .allow && id.replica > spec.replicas
    }

    /// Before the launch of a scheduled task.
    func checkRun(_ order: LaunchOrder) {
        guard let schedule = specNow(of: order.instance.service)?.schedule else { return }
        let id = order.instance
        var runs = watch.runs[id] ?? WatchedRuns()
        defer { watch.runs[id] = runs }
        if runs.trigger != schedule.triggerText {
            runs.trigger = schedule.triggerText
            runs.begun = [:]
        }
        guard let run = runs.state.pending ?? runs.state.underway else {
            return violate("\(id) is launched and no run of it was decided")
        }
        guard let due = run.due else { return }
        guard run.attempt == 0 else { return }
        // The clock on the wall may show the same time twice.
        let instant = run.elapsed?.nanoseconds ?? due.nanoseconds
        runs.begun[instant, default: 0] += 1
        // A launch that the keeper never got, or lost, is made again; each loss is one more.
        if runs.begun[instant, default: 0] > 1 + (watch.lostRuns[id] ?? 0) {
            violate("the run of \(id) that was due at \(due.rfc3339) begins twice")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// Going back: by a person to what was applied, by the daemon only where it promised to, and then without delay.
extension Machine {
    /// A revision is to take the place of another on the disk.
    func checkRevision(_ applied: AppliedStack, after present: AppliedStack) {
        let name = applied.request.stack.name
        guard (applied.revision, applied.appliedAt) != (present.revision, present.appliedAt) else {
            if let trial = applied.trial, present.trial == nil, !present.isLeaving, trial.fallback != nil,
                applied.acceptedAt == present.acceptedAt
            {
                violate("\(name): a trial that was over is on again")
            }
            return
        }
        switch applied.entry.origin {
        case .apply: return
        case .rollback: break
        case .automaticRollback:
            guard !watch.isDiskBehind else { break }
            if present.trial?.fallback != applied.revision {
                violate("\(name) went back to \(applied.revision.short), which nobody was promised")
            }
            if applied.entry.left != present.revision { violate("\(name) left another revision than it says") }
        }
        let former = disk.newest(applied.revision, of: name)
        if former?.request.stack != applied.request.stack {
            violate("\(name) went back to what never was applied")
        }
    }

    var isOnTrial: Bool { disk.state.stacks.contains { $0.trial?.fallback != nil && !$0.isLeaving } }

    /// What is on trial and has failed is taken back in the turn in which it failed.
    func checkTrials(_ status: [StackStatus]) {
        guard !watch.isDiskBehind, !isShuttingDown, isDaemonAlive else { return }
        let tried = disk.state.stacks.filter { $0.trial?.fallback != nil && !$0.isLeaving }
        let rows = status.flatMap(\.instances)
        for applied in tried {
            let name = applied.request.stack.name
            for row in rows where row.id.service.stack == name && row.phase == .failed {
                // A schedule has settled when it is armed: how a run of it ends is another matter.
                guard applied.request.stack.service(row.id.service.service)?.schedule == nil else { continue }
                violate("\(row.label) has failed on trial and \(name) is not taken back")
            }
        }
    }
}

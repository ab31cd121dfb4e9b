// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Stacks that are to go back to the revision before, as a trial has failed, and wait for room on the disk.
struct WaysBack {
    private var stacks: [String] = []
    /// When they are tried again; nil when none waits.
    private(set) var deadline: Instant?
    private static let pause = Duration.seconds(5)

    /// Whether that is news.
    mutating func wait(_ stack: String, at now: Instant) -> Bool {
        deadline = now + Self.pause
        if stacks.contains(stack) { return false }
        stacks.append(stack)
        return true
    }

    mutating func end(_ stack: String) {
        stacks.removeAll { $0 == stack }
        if stacks.isEmpty { deadline = nil }
    }

    func due(at now: Instant) -> [String] { deadline.map { $0 <= now } ?? false ? stacks : [] }
}

extension Conductor {
    /// What is gone back to is saved before it is taken up, as with any command. Where the disk does not take it, a stack that fails is
    /// helped all the same, and the revision is owed; but what would be renamed waits: a daemon that died before it was saved would know
    /// living services by names that no revision on the disk has.
    mutating func goBack(_ name: String, at now: Moment) {
        guard !isShuttingDown, let applied = fleet.wayBack(of: name, at: now) else { return waysBack.end(name) }
        do { try journal.save(applied) } catch {
            guard applied.renames.isEmpty else { return postpone(applied, error, at: now) }
            journal.saveEventually(applied, at: now)
        }
        waysBack.end(name)
        if let failed = requests[name], failed.stack != applied.request.stack { withdrawn[name] = failed }
        requests[name] = applied.request
        tell(.apply(applied), at: now)
        journal.saveEventually([(name, fleet.departures(of: name))], at: now)
    }

    private mutating func postpone(_ applied: AppliedStack, _ fault: Fault, at now: Moment) {
        let name = applied.request.stack.name
        guard waysBack.wait(name, at: now.instant) else { return }
        let cause =
            "\(applied.entry.because); revision \(applied.revision.short) is gone back to as soon as it can be saved, as it renames services: \(fault.text)"
        record(Occurrence(time: now.wall, stack: name, kind: .warning, cause: cause), at: now)
    }

    mutating func goBackDue(at now: Moment) {
        for name in waysBack.due(at: now.instant) { goBack(name, at: now) }
    }
}

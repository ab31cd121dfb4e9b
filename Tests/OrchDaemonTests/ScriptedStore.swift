// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// A disk in memory. It can be told to fail, and remembers in which order it was written to.
final class ScriptedStore: Store {
    private(set) var stored = StoredState()
    private(set) var history: [Occurrence] = []
    /// What was saved of each stack, newest last; the forgotten ones too.
    private var kept: [String: [AppliedStack]] = [:]
    /// One word for each call that came to pass.
    private(set) var writes: [String] = []
    /// Every call fails with it, while it is there.
    var fault: Fault?

    init() {}

    func load() throws(Fault) -> StoredState {
        try check()
        var state = stored
        state.fallbacks = stored.stacks.compactMap { applied in
            applied.trial?.fallback.flatMap { newest($0, of: applied.request.stack.name) }
        }
        return state
    }

    func save(_ applied: AppliedStack) throws(Fault) {
        try check()
        let name = applied.request.stack.name
        stored.stacks.removeAll { $0.request.stack.name == name }
        stored.stacks.append(applied)
        stored.stacks.sort { $0.request.stack.name < $1.request.stack.name }
        keep(applied, of: name)
        writes.append("save \(name)")
    }

    func forget(stack: String) throws(Fault) {
        try check()
        stored.stacks.removeAll { $0.request.stack.name == stack }
        stored.departures.removeAll { $0.instance.service.stack == stack }
        stored.marks.removeAll { $0.instance.service.stack == stack }
        writes.append("forget \(stack)")
    }

    func save(marks: [ScheduleMark]) throws(Fault) {
        try check()
        let names = Set(marks.map(\.instance))
        stored.marks = stored.marks.filter { !names.contains($0.instance) } + marks
        writes.append("marks \(marks.count)")
    }

    private func keep(_ applied: AppliedStack, of name: String) {
        var all = kept[name] ?? []
        if let last = all.last, (last.revision, last.appliedAt) == (applied.revision, applied.appliedAt) {
            all.removeLast()
        }
        all.append(applied)
        kept[name] = Array(all.suffix(Limits.revisionsPerStack))
    }

    func history(of stack: String) throws(Fault) -> [AppliedRevision] {
        try check()
        let current = stored.stacks.first { $0.request.stack.name == stack && !$0.isLeaving }
        var entries = (kept[stack] ?? []).reversed().map(\.entry)
        if current != nil { entries[0].isCurrent = true }
        return entries
    }

    func revision(_ digest: Digest, of stack: String) throws(Fault) -> AppliedStack? {
        try check()
        return newest(digest, of: stack)
    }

    private func newest(_ digest: Digest, of stack: String) -> AppliedStack? {
        guard var found = kept[stack]?.last(where: { $0.revision == digest }) else { return nil }
        found.isLeaving = false
        found.trial = nil
        return found
    }

    func save(departures: [Departure], of stack: String) throws(Fault) {
        try check()
        stored.departures.removeAll { $0.instance.service.stack == stack }
        stored.departures += departures
        writes.append("departures \(stack) \(departures.count)")
    }

    func reserve(launchesBelow next: LaunchID) throws(Fault) {
        try check()
        stored.nextLaunch = next
        writes.append("reserve \(next.number)")
    }

    func append(_ occurrences: [Occurrence]) throws(Fault) {
        try check()
        history += occurrences
        writes.append("append \(occurrences.count)")
    }

    func occurrences(of target: Target?, since: WallTime?, limit: Int) throws(Fault) -> [Occurrence] {
        try check()
        let found = history.filter { occurrence in
            let isCovered =
                target.map { target in
                    occurrence.instance.map { target.covers($0) } ?? (occurrence.stack == target.stack)
                } ?? true
            return isCovered && since.map { occurrence.time >= $0 } ?? true
        }
        return Array(found.suffix(limit))
    }

    func endsTold(among launches: [LaunchID]) throws(Fault) -> Set<LaunchID> {
        try check()
        return Set(history.filter { $0.kind == .exited }.compactMap(\.launch)).intersection(launches)
    }

    private func check() throws(Fault) { if let fault { throw fault } }
}

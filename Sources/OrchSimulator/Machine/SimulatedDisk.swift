// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// What is on the disk, whoever wrote it.
struct DiskImage {
    var state = StoredState()
    var history: [Occurrence] = []
    /// What was saved of each stack, newest last; the forgotten ones too.
    private(set) var kept: [String: [AppliedStack]] = [:]
    /// So much of the history outlives a cut of power for certain.
    var syncedHistory = 0
    /// What outlives a cut of power of how far schedules have come.
    var syncedMarks: [ScheduleMark] = []
    /// Nothing can be written while it is there.
    var fault: Fault?
    /// What the next daemon finds damaged; whether departures can be rescued.
    var damage: Bool?

    mutating func keep(_ applied: AppliedStack) {
        var all = kept[applied.request.stack.name] ?? []
        if let last = all.last, (last.revision, last.appliedAt) == (applied.revision, applied.appliedAt) {
            all.removeLast()
        }
        all.append(applied)
        kept[applied.request.stack.name] = Array(all.suffix(Limits.revisionsPerStack))
    }

    func newest(_ digest: Digest, of stack: String) -> AppliedStack? {
        guard var found = kept[stack]?.last(where: { $0.revision == digest }) else { return nil }
        found.isLeaving = false
        found.trial = nil
        return found
    }

    mutating func forgetDepartures(of stack: String) {
        state.departures.removeAll { $0.instance.service.stack == stack }
        state.formerDepartures.removeAll { $0.instance.service.stack == stack }
    }

    /// What is of one boot only is of an earlier one now.
    mutating func reboot() {
        state.formerDepartures += state.departures
        state.departures = []
        for place in state.stacks.indices { state.stacks[place].acceptedAt = .zero }
    }

    static let full = Fault(
        step: "write", subject: "/state", reason: "no space left on device (ENOSPC)", remedy: "free some space there")
}

/// The disk as one daemon sees it.
final class SimulatedDisk: Store {
    private let machine: Machine
    private let daemon: Int

    init(_ machine: Machine) {
        self.machine = machine
        daemon = machine.daemon
    }

    func load() -> StoredState {
        var found = machine.disk.state
        if let rescues = machine.disk.damage {
            machine.disk.damage = nil
            machine.disk.history = []
            machine.forgetHistory()
            machine.disk.syncedHistory = 0
            machine.disk.state.marks = []
            machine.disk.syncedMarks = []
            for id in machine.watch.runs.keys.sorted() { machine.watch.runs[id]?.begun = [:] }
            if !rescues {
                machine.disk.state.departures = []
                machine.disk.state.formerDepartures = []
                machine.departures = []
            }
            found = machine.disk.state
            found.remarks = ["/state/orch.db is damaged; it is set aside and built anew"]
        }
        found.fallbacks = found.stacks.compactMap { applied in
            applied.trial?.fallback.flatMap { machine.disk.newest($0, of: applied.request.stack.name) }
        }
        return found
    }

    func save(_ applied: AppliedStack) throws(Fault) {
        let name = applied.request.stack.name
        do { guard try mayWrite(1) else { return } } catch {
            if applied.entry.origin == .automaticRollback, applied.renames.isEmpty { machine.believed[name] = applied }
            throw error
        }
        machine.believed[name] = nil
        machine.digest.mix(applied.revision.hex)
        machine.note("    ⎘ save \(name) \(applied.revision.short)\(applied.isLeaving ? ", leaving" : "")")
        let place =
            machine.disk.state.stacks.firstIndex { $0.request.stack.name >= name } ?? machine.disk.state.stacks.count
        if place < machine.disk.state.stacks.count, machine.disk.state.stacks[place].request.stack.name == name {
            machine.checkRevision(applied, after: machine.disk.state.stacks[place])
            machine.revised(from: machine.disk.state.stacks[place], to: applied)
            machine.disk.state.stacks[place] = applied
        } else {
            machine.disk.state.stacks.insert(applied, at: place)
        }
        machine.moveSeats(after: applied)
        machine.disk.keep(applied)
        machine.watch.saved.append((stack: name, revision: applied.isLeaving ? nil : applied.revision))
        machine.watch.commandedAt[name] = machine.clock
        if !applied.isLeaving { machine.watch.takenUpAfter[name] = machine.watch.deedsOfTurn }
    }

    func forget(stack: String) throws(Fault) {
        guard try mayWrite(2) else { return }
        machine.note("    ⎘ forget \(stack)")
        machine.disk.state.stacks.removeAll { $0.request.stack.name == stack }
        // What stopped it is forgotten with it.
        machine.watch.halted = machine.watch.halted.filter { $0.service.stack != stack }
        machine.disk.state.marks.removeAll { $0.instance.service.stack == stack }
        machine.disk.syncedMarks = machine.disk.state.marks
        machine.disk.forgetDepartures(of: stack)
        machine.departures.removeAll { $0.instance.service.stack == stack }
        machine.disk.syncedHistory = machine.disk.history.count
    }

    func history(of stack: String) throws(Fault) -> [AppliedRevision] {
        let current = machine.stackNow(stack).map { !$0.isLeaving } ?? false
        var entries = (machine.disk.kept[stack] ?? []).reversed().map(\.entry)
        if current, !entries.isEmpty { entries[0].isCurrent = true }
        return entries
    }

    func revision(_ digest: Digest, of stack: String) throws(Fault) -> AppliedStack? {
        machine.disk.newest(digest, of: stack)
    }

    func save(departures: [Departure], of stack: String) throws(Fault) {
        guard try mayWrite(3) else { return }
        if machine.keepsScore {
            machine.note("    ⎘ departures \(stack) \(departures.map { "\($0.instance.name) \($0.kind.rawValue)" })")
        }
        machine.disk.forgetDepartures(of: stack)
        machine.disk.state.departures += departures
        machine.departures.removeAll { $0.instance.service.stack == stack }
        machine.departures += departures
        machine.disk.syncedHistory = machine.disk.history.count
    }

    func save(marks: [ScheduleMark]) throws(Fault) {
        guard try mayWrite(6) else { return }
        let names = Set(marks.map(\.instance))
        machine.disk.state.marks = machine.disk.state.marks.filter { !names.contains($0.instance) } + marks
        for mark in marks {
            machine.digest.mix(UInt64(bitPattern: mark.through.nanoseconds))
            if let run = mark.decided { machine.watchDecided(mark.instance, run) }
            if mark.isUrgent {
                machine.disk.syncedMarks = machine.disk.state.marks
                machine.disk.syncedHistory = machine.disk.history.count
            }
        }
    }

    func reserve(launchesBelow next: LaunchID) throws(Fault) {
        guard try mayWrite(4) else { return }
        machine.disk.state.nextLaunch = next
        machine.disk.syncedHistory = machine.disk.history.count
    }

    func append(_ occurrences: [Occurrence]) throws(Fault) {
        guard try mayWrite(5) else { return }
        for occurrence in occurrences {
            machine.digest.mix(UInt64(bitPattern: occurrence.time.nanoseconds))
            machine.digest.mix(occurrence.launch?.number ?? 0)
            machine.digest.mix(occurrence.cause)
            machine.written(occurrence)
        }
        machine.disk.history += occurrences
    }

    func occurrences(of target: Target?, since: WallTime?, limit: Int) throws(Fault) -> [Occurrence] {
        let found = machine.disk.history.filter { occurrence in
            let isCovered =
                target.map { target in
                    occurrence.instance.map { target.covers($0) } ?? (occurrence.stack == target.stack)
                } ?? true
            return isCovered && since.map { occurrence.time >= $0 } ?? true
        }
        return Array(found.suffix(limit))
    }

    func endsTold(among launches: [LaunchID]) throws(Fault) -> Set<LaunchID> {
        machine.watch.endsTold.intersection(launches)
    }

    /// False when the daemon is dead already.
    private func mayWrite(_ kind: Int) throws(Fault) -> Bool {
        guard machine.takesDeed(daemon) else { return false }
        machine.watch.deedsOfTurn += 1
        machine.digest.mix(kind << 48)
        if let fault = machine.disk.fault {
            machine.watch.isDiskBehind = true
            throw fault
        }
        return true
    }
}

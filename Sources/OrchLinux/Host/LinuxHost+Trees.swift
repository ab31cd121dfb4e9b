// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// Signals, kills, and when nothing of a launch is left.
extension LinuxHost {
    /// How often trees that no control group holds are looked at, and only while one of them has to get empty.
    static let lookInterval = Duration.milliseconds(25)
    /// A kill that lasts longer is told, with names.
    static let killPatience = Duration.seconds(2)

    func send(_ signal: Signal, to recipient: StopSpec.Recipient, of launch: LaunchID) {
        guard let record = records[launch], !record.isEmpty else { return }
        guard record.hasExecuted || record.isOver else {
            record.waitingSignals.append((signal, recipient))
            return
        }
        switch recipient {
        // Once the main process is gone, what is left gets the signal.
        case .main where !record.isOver: sendToMain(signal, record)
        case .group where !record.isOver:
            if let fd = pidfd(of: record) { _ = corch_pidfd_signal_group(fd, record.pid, signal.number) }
        case .main, .group, .tree: sendToTree(signal, record)
        }
        Failpoint.signalSent.reach()
    }

    private func sendToMain(_ signal: Signal, _ record: LaunchRecord) {
        if let main = record.main, main.pid != record.pid, main.send(signal) { return }
        if let fd = pidfd(of: record) { _ = corch_pidfd_signal(fd, signal.number) }
    }

    /// Of the process that the keeper started, while it lives. One that came without, for want of descriptors, is pinned again here.
    func pidfd(of record: LaunchRecord) -> Int32? {
        if record.pidfd == nil, !record.isOver, record.pid > 0,
            let found = try? Descriptor("pidfd_open", corch_pidfd_open(record.pid)),
            corch_process_start_ticks(record.pid) == Int64(record.startTicks)
        {
            record.pidfd = consume found
        }
        return record.pidfd?.number
    }

    private func sendToTree(_ signal: Signal, _ record: LaunchRecord) {
        if let group = record.group { return group.send(signal) }
        for member in tracker.scan()[record.launch] ?? [] { member.identity.send(signal) }
    }

    func kill(_ launch: LaunchID) {
        guard let record = records[launch], !record.isEmpty else { return }
        if !record.isDoomed {
            record.isDoomed = true
            appointments.add(.survivors(launch), at: now.instant + Self.killPatience)
        }
        if let fd = pidfd(of: record) { _ = corch_pidfd_signal(fd, SIGKILL) }
        if let group = record.group { group.kill() } else { look() }
    }

    // MARK: Emptiness

    /// Asked when a launch is over, and whenever something suggests a change.
    func checkEmptiness(of record: LaunchRecord) {
        guard record.isOver, !record.isEmpty else { return }
        if let group = record.group {
            if !isPopulated(group, record) { emptied(record) } else if !record.isService { doom(record) }
        } else if record.main == nil {
            emptied(record)
        } else {
            if !record.isService { doom(record) }
            arrangeLook(at: now.instant)
        }
    }

    /// If so, it is checked again when that may have changed.
    private func isPopulated(_ group: ControlGroup, _ record: LaunchRecord) -> Bool {
        guard let groups else { return group.isPopulated }
        do { return try groups.isPopulated(group, of: record.launch) } catch {
            // The kernel gives no more watches.
            appointments.add(.emptiness(record.launch), at: now.instant + Self.lookInterval)
            return true
        }
    }

    /// What a probe, a step or a former daemon left behind goes without asking.
    private func doom(_ record: LaunchRecord) {
        if !record.isDoomed { kill(record.launch) }
    }

    private func emptied(_ record: LaunchRecord) {
        record.isEmpty = true
        record.lockFiles = []
        if launchesByPid[record.pid] == record.launch { launchesByPid[record.pid] = nil }
        holdPorts(of: record, false)
        guard !record.isService else { return outbox.append(.event(.emptied(record.launch))) }
        errandIsGone(record)
        dispose(record)
    }

    func groupsChanged() {
        for launch in groups?.changes.changed() ?? [] { records[launch].map { checkEmptiness(of: $0) } }
    }

    private func arrangeLook(at instant: Instant) {
        guard !isLooking else { return }
        isLooking = true
        appointments.add(.look, at: instant)
    }

    /// One scan for all trees that are to get empty; what is doomed is killed again, as it may have forked meanwhile.
    func look() {
        let pending = records.values.filter {
            $0.group == nil && !$0.isEmpty && $0.main != nil && ($0.isOver || $0.isDoomed)
        }
        guard !pending.isEmpty else { return }
        let living = tracker.scan()
        var isUnfinished = false
        for record in pending.sorted(by: { $0.launch < $1.launch }) {
            let members = living[record.launch] ?? []
            if record.isDoomed { for member in members { member.identity.send(.kill) } }
            if members.isEmpty, record.isOver { emptied(record) } else { isUnfinished = true }
        }
        if isUnfinished { arrangeLook(at: now.instant + Self.lookInterval) }
    }

    func members(of record: LaunchRecord) -> [ProcessEntry] {
        if let group = record.group { return group.members().filter(\.isAlive) }
        return tracker.scan()[record.launch] ?? []
    }

    /// Names what a kill has not ended, and kills again.
    func reportSurvivors(of launch: LaunchID) {
        guard let record = records[launch], !record.isEmpty else { return }
        let left = members(of: record).sorted { $0.pid < $1.pid }.map {
            "\($0.pid) \(ProcessTable.commandLine(of: $0.pid))"
        }
        if left != record.survivors, record.isService {
            record.survivors = left
            outbox.append(.event(.survivorsSeen(launch, left)))
        }
        kill(launch)
        appointments.add(.survivors(launch), at: now.instant + Self.killPatience)
    }
}

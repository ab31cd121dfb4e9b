// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// What a keeper that was killed has left, and the present one does not know: services that live on. They are known by their launch's number
/// in their control group or environment, they are told to the keeper, and their pipes are found again in their own hands.
extension LinuxHost {
    /// Launches of services that the keeper does not know, `missing`, with their processes, which may be none any more.
    func findLost(
        _ missing: [LaunchID], _ groups: [LaunchID: ControlGroup], _ marked: [LaunchID: [ProcessEntry]]
    ) -> [(launch: LaunchID, members: [ProcessEntry])] {
        missing.map { launch in
            let inGroup = groups[launch]?.members().filter(\.isAlive) ?? []
            let seen = Set(inGroup.map(\.pid))
            return (launch, inGroup + (marked[launch] ?? []).filter { !seen.contains($0.pid) })
        }
    }

    /// Nil when there was nothing: it never came to be, or was forgotten with its instance.
    func adoptLost(
        _ launch: LaunchID, _ members: [ProcessEntry], _ group: ControlGroup?, _ logging: (InstanceID) -> LoggingSpec?
    ) throws(Fault) -> Survivor? {
        guard let context = try LaunchContext.load(launch, from: run.launches) else { return nil }
        let noted = notedPid(of: launch)
        guard noted != nil || !members.isEmpty else { return nil }
        let isGrouped = group.map { $0.isPopulated || members.isEmpty } ?? false
        guard let main = mainProcess(among: members, noted: noted), let process = pinned(main) else {
            return buryLost(
                launch, context, members, pid: noted ?? members.first?.session ?? 0, isGrouped ? group : nil, logging)
        }
        let ends = readEnds(of: context, among: members)
        let state = KeeperState(progress: .running, process: process, heldReadEnds: ends.map { DescriptorParcel($0) })
        do {
            try keeper.adopt(
                launch.number, pid: process.pid, startTicks: process.startTicks, pidfd: process.pidfd?.borrowed ?? -1,
                readEnds: ends)
        } catch {
            outbox.append(.remarked(error.fault(step: "hand over to the keeper", subject: context.label).text))
        }
        let record = adopt(launch, state, context, isGrouped ? group : nil)
        attachPipes(of: record, state, logging)
        return Survivor(launch: launch, pid: record.pid, hasExecuted: true)
    }

    /// Its main process ended while nobody looked. What it left runs on or not.
    private func buryLost(
        _ launch: LaunchID, _ context: LaunchContext, _ members: [ProcessEntry], pid: Int32, _ group: ControlGroup?,
        _ logging: (InstanceID) -> LoggingSpec?
    ) -> Survivor {
        let end = ProcessEnd(outcome: .unknown, userTime: 0, systemTime: 0)
        let ends = readEnds(of: context, among: members)
        let state = KeeperState(
            progress: .ended(end), process: nil, heldReadEnds: ends.map { DescriptorParcel($0) })
        let record = adopt(launch, state, context, group)
        attachPipes(of: record, state, logging)
        record.isKnownToKeeper = false
        record.pid = pid
        if group == nil, !members.isEmpty {
            // The number may be another's by now: one that started when this machine did is nobody's.
            let gone = ProcessIdentity(pid: pid, startTicks: 0)
            record.main = gone
            tracker.add(launch, gone)
        }
        return Survivor(launch: launch, pid: pid, hasExecuted: true, exit: notedExit(of: launch) ?? end.exit)
    }

    /// What was closed and is still on record, `gone`, though the keeper does not know it: the one that could say how it ended is no more, or,
    /// where it is still the same one, it was never told to start it.
    func findClosed(
        _ gone: [LaunchID], _ groups: [LaunchID: ControlGroup], isKeeperNew: Bool
    ) throws(Fault) -> [ClosedLaunch] {
        try gone.map { launch throws(Fault) in
            let record = LaunchRecord(launch, .service)
            record.context = try LaunchContext.load(launch, from: run.launches)
            record.group = groups[launch]
            record.isOver = true
            record.isEmpty = true
            records[launch] = record
            var closed = ClosedLaunch(launch: launch, instance: record.context?.instance)
            closed.exit = notedExit(of: launch)
            if closed.exit == nil, isKeeperNew {
                closed.exit = ProcessEnd(outcome: .unknown, userTime: 0, systemTime: 0).exit
            } else if closed.exit == nil {
                closed.fault = Fault(
                    step: "start", subject: record.context?.label ?? "launch \(launch.number)",
                    reason: "the daemon that knew why has ended before it could write it down")
            }
            return closed
        }
    }

    private func notedPid(of launch: LaunchID) -> Int32? {
        for note in ledger.notes { if case .executed(launch, let pid, _, _, _) = note { return pid } }
        return nil
    }

    private func notedExit(of launch: LaunchID) -> Exit? {
        for note in ledger.notes { if case .ended(_, launch, let exit, _, _) = note { return exit } }
        return nil
    }

    /// It leads a session of its own; the first of them when nobody noted its number.
    private func mainProcess(among members: [ProcessEntry], noted: Int32?) -> ProcessEntry? {
        let leaders = members.filter { $0.session == $0.pid }
        if let noted { return leaders.first { $0.pid == noted } }
        return leaders.min { ($0.identity.startTicks, $0.pid) < ($1.identity.startTicks, $1.pid) }
    }

    /// With a pidfd that is this very process.
    private func pinned(_ entry: ProcessEntry) -> KeeperProcess? {
        let fd = corch_pidfd_open(entry.pid)
        guard fd >= 0 else { return nil }
        let parcel = DescriptorParcel(fd)
        guard corch_process_start_ticks(entry.pid) == Int64(entry.identity.startTicks) else { return nil }
        return KeeperProcess(pid: entry.pid, startTicks: entry.identity.startTicks, pidfd: parcel)
    }

    /// A read end of each of its pipes, from whoever holds it; of one that nobody holds any more, nothing is left to read.
    private func readEnds(of context: LaunchContext, among members: [ProcessEntry]) -> [Int32] {
        context.pipeInodes.map { inode in
            for member in members {
                let folder = "/proc/\(member.pid)/fd"
                for name in SmallFile.names(in: folder) where SmallFile.link("\(folder)/\(name)") == "pipe:[\(inode)]" {
                    // Opened without waiting for a writer, then as any other end of a pipe.
                    let end = unsafe open("\(folder)/\(name)", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
                    guard end >= 0 else { continue }
                    guard SmallFile.pipe(end) == inode, fcntl(end, F_SETFL, 0) == 0 else {
                        close(end)
                        continue
                    }
                    return end
                }
            }
            var ends: [Int32] = [-1, -1]
            if unsafe corch_pipe(&ends, 0) == 0 { close(ends[1]) }
            return ends[0]
        }
    }
}

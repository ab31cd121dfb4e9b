// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
public import OrchModel

/// When the keeper is killed: the daemon's process becomes the next keeper, which starts another daemon and hands over to it what this
/// one knew. The processes are then nobody's children that we could reap; their pidfds tell how they end, where the kernel lets them.
extension LinuxHost {
    /// Returns only when it can't be done, and why. `program` and `daemon`: absolute; nil when they are not installed. The keeper
    /// that is lost has served: its file is preferred to what is at `program` by now.
    public func becomeKeeper(_ program: String?, daemon: String?) -> Fault {
        guard let program, let daemon else {
            return Fault(step: "become", subject: "orch-keeper", reason: "it is not installed beside orchd")
        }
        do {
            let legacy = try legacy()
            pump.stop(deadline: Self.pumpPatience)
            let arguments = ["--state", state, "--run", run.path]
            let error = legacy.execute(keeperProgram?.number, program, daemon: daemon, arguments: arguments)
            return error.fault(step: "become", subject: program)
        } catch { return error.fault(step: "become", subject: program) }
    }

    /// This program serves: once it has done so for a while, the keeper goes back to it when a later one can't.
    public func commend() {
        do {
            let program = try SmallFile.open("/proc/self/exe", corch_O_PATH)
            try keeper.serves(program: program.number)
        } catch { outbox.append(.remarked(error.fault(step: "commend", subject: "this program to the keeper").text)) }
    }

    /// A file system that hangs must not keep the services without a keeper; what is not written stays in the pipes.
    private static let pumpPatience = Duration.seconds(1)

    private func legacy() throws(SystemError) -> KeeperLegacy {
        guard let clients else { throw SystemError("become keeper", code: ENOTSOCK) }
        var holder: Int32 = 0
        var lock = lockNumber
        if lock < 0 { lock = unsafe corch_lock("\(state)/lock", &holder) }
        try Syscall.check("flock", lock)
        var legacy = try KeeperLegacy(
            listener: clients.number, lock: lock, notify: notify?.descriptor.number,
            highestLaunch: keeper.highestLaunch,
            highestOwnLaunch: highestOwnNumber, daemonStarts: daemonStarts,
            isGivenUp: renewal != nil)
        let held = KeeperState.Progress.ended(ProcessEnd(outcome: .unknown, userTime: 0, systemTime: 0))
        let kept = sockets.map { ($0.number, $0.descriptor) } + stored.map { ($0.number, $0.descriptor) }
        for (number, descriptor) in kept.sorted(by: { $0.0 < $1.0 }) {
            try legacy.add(number, held, pid: 0, startTicks: 0, pidfd: nil, readEnds: [descriptor.number])
        }
        for record in records.values.sorted(by: { $0.launch < $1.launch }) where record.isKnownToKeeper {
            // One that was asked for and of which nothing was heard: the next daemon looks for it.
            guard record.pid != 0 || record.isOver else { continue }
            var ends: [HeldDescriptor] = []
            // What is over and read to its end needs no pipe any more.
            let isRead = record.isOver && record.readEnds.allSatisfy { SmallFile.pipe($0.number) != $0.inode }
            for end in record.readEnds where !isRead { ends.append(try Self.pinned(end.number, end.inode)) }
            if let terminal = record.terminal, !isRead { ends.append(terminal) }
            try legacy.add(
                record.launch.number, record.isOver ? record.progress : .running, pid: record.pid,
                startTicks: record.startTicks, pidfd: record.pidfd?.number, readEnds: ends.map(\.number))
        }
        return legacy
    }

    /// A copy of that pipe's end, by a number that its owner may be closing just now; one that is at its end when it has.
    private static func pinned(_ number: Int32, _ inode: UInt64) throws(SystemError) -> HeldDescriptor {
        let copy = corch_dup_above(number, 3)
        if copy >= 0 {
            let end = HeldDescriptor(Descriptor(owning: copy))
            if SmallFile.pipe(copy) == inode { return end }
        }
        return HeldDescriptor(ended(try Descriptor.pipe()))
    }

    private static func ended(_ ends: consuming PipeEnds) -> Descriptor { ends.read }
}

// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc

/// What a keeper that was killed leaves in its daemon's hands, as keeper_protocol.h lays it out. The daemon's process executes the next
/// keeper, so no descriptor is let go in between.
struct KeeperLegacy {
    private var bytes: [UInt8] = []

    init(
        listener: Int32, lock: Int32, notify: Int32?, highestLaunch: UInt64, highestOwnLaunch: UInt64,
        daemonStarts: UInt64, isGivenUp: Bool
    )
        throws(SystemError)
    {
        var head = keeper_legacy()
        head.version = UInt8(KEEPER_PROTOCOL_VERSION)
        head.listen_fd = try Self.handedOn(listener)
        head.lock_fd = try Self.handedOn(lock)
        head.notify_fd = -1
        if let notify { head.notify_fd = try Self.handedOn(notify) }
        head.highest_launch = (highestLaunch, highestOwnLaunch)
        head.daemon_starts = daemonStarts
        head.is_given_up = isGivenUp ? 1 : 0
        // This very program has served.
        let program = try? SmallFile.open("/proc/self/exe", corch_O_PATH)
        head.sound_fd = if let program { try Self.handedOn(program.number) } else { -1 }
        head.link_fd = -1
        unsafe withUnsafeBytes(of: head) { unsafe bytes.append(contentsOf: $0) }
    }

    /// One launch, its pidfd and the read ends that the next keeper shall hold.
    mutating func add(
        _ launch: UInt64, _ progress: KeeperState.Progress, pid: Int32, startTicks: UInt64, pidfd: Int32?,
        readEnds: [Int32]
    ) throws(SystemError) {
        var slot = keeper_legacy_slot()
        slot.event = Self.event(progress)
        slot.event.launch = launch
        slot.event.pid = pid
        slot.event.start_ticks = startTicks
        slot.told = slot.event.state
        slot.fds = (-1, -1, -1)
        if let pidfd { slot.fds.0 = try Self.handedOn(pidfd) }
        if let first = readEnds.first { slot.fds.1 = try Self.handedOn(first) }
        if readEnds.count > 1 { slot.fds.2 = try Self.handedOn(readEnds[1]) }
        unsafe withUnsafeBytes(of: slot) { unsafe bytes.append(contentsOf: $0) }
    }

    /// Becomes the program that is open at `file`, else the one at `program`; returns only with the reason why not.
    func execute(_ file: Int32?, _ program: String, daemon: String, arguments: [String]) -> SystemError {
        let memfd: Int32
        do {
            let memory = try Descriptor("memfd_create", unsafe corch_memfd("orch-legacy"))
            try SmallFile.write(bytes, to: memory.number)
            try Syscall.libc("lseek") { Int(lseek(memory.number, 0, SEEK_SET)) }
            memfd = try Self.handedOn(memory.number)
        } catch { return error }
        let words = [program, "--legacy", "\(memfd)", "--daemon", daemon, "--"] + arguments
        var strings = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe strings.forEach { unsafe free($0) } }
        if let file { unsafe fexecve(file, &strings, environ) }
        unsafe execv(program, &strings)
        return SystemError("execv", code: errno)
    }

    /// A copy that outlives an execve, above the numbers that a keeper takes for itself.
    private static func handedOn(_ number: Int32) throws(SystemError) -> Int32 {
        try Syscall.libc("fcntl F_DUPFD") { fcntl(number, F_DUPFD, KEEPER_FLOOR) }
    }

    private static func event(_ progress: KeeperState.Progress) -> keeper_event {
        var event = keeper_event()
        switch progress {
        // It may execute yet: nobody would tell its next daemon, and a child that runs is all that matters.
        case .queued, .starting, .running: event.state = UInt8(KEEPER_RUNNING)
        case .failed(let failure):
            event.state = UInt8(KEEPER_FAILED)
            event.stage = failure.stage.rawValue
            event.error = failure.code
        case .ended(let end):
            event.state = UInt8(KEEPER_ENDED)
            event.user_usec = end.userTime
            event.system_usec = end.systemTime
            (event.code, event.status) = end.outcome.waited
        }
        return event
    }
}

extension ProcessEnd.Outcome {
    /// As `waitid(2)` says it: CLD_EXITED is 1, CLD_KILLED 2, CLD_DUMPED 3.
    fileprivate var waited: (code: Int32, status: Int32) {
        switch self {
        case .exited(let code): (1, code)
        case .killed(let signal, let coreDumped): (coreDumped ? 3 : 2, signal)
        case .unknown: (0, 0)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchLinux
import Testing

/// Descriptors are not for ever there: what is over keeps none, and a lack of them is no death.
@Suite struct ShortageTests {
    /// Daemons that die before they acknowledge must not fill the keeper.
    @Test func anEndThatIsOnlyRememberedKeepsNoDescriptor() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        let before = descriptors(of: keeper.pid)
        for identifier in 1...40 {
            let text = try written(by: keeper, UInt64(identifier), "echo line; exit 3", drains: identifier != 40)
            #expect(text == (identifier == 40 ? "" : "line\n"))
        }
        // The table is looked through with every launch, also while no daemon comes.
        for identifier in 41...60 {
            try keeper.link.spawn(launch(UInt64(identifier), "true"))
            _ = try keeper.end(of: UInt64(identifier))
        }
        // Who may not look is told nothing.
        if before > 0 { #expect(descriptors(of: keeper.pid) <= before + 3, "1 pipe that is not read, and a little") }
        try keeper.killDaemon()
        #expect(try keeper.handOver().count == 60)
        for identifier in 1...39 {
            let state = try keeper.state(UInt64(identifier))
            guard case .ended(let end) = state.progress else { throw Timeout(description: "\(identifier) has no end") }
            #expect(end.outcome == .exited(code: 3))
            #expect(state.heldReadEnds.isEmpty && state.process?.pidfd == nil)
            #expect(state.process?.pid ?? 0 > 1, "its session's number")
        }
        let unread = try keeper.state(40).heldReadEnds.first?.take()?.release() ?? -1
        #expect(contents(of: unread) == "line\n")
        close(unread)
    }

    /// One that is handed over while its child writes on is held until that one is done, too.
    @Test func whatAChildMayStillWriteIsKept() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        var input = try Descriptor.pipe()
        var pipe = try Descriptor.pipe()
        var parent = launch(1, "sh", "-c", "exec 3<&0; (read line <&3; echo late) & exit 0")
        parent.standardInput = input.read.number
        parent.standardOutput = pipe.write.number
        parent.heldReadEnds = [pipe.read.number]
        try keeper.link.spawn(parent)
        #expect(try keeper.end(of: 1).outcome == .exited(code: 0))
        pipe = try Descriptor.pipe()
        try keeper.killDaemon()
        _ = try keeper.handOver()
        let held = try keeper.state(1).heldReadEnds.first?.take()?.release() ?? -1
        input = try Descriptor.pipe()
        #expect(contents(of: held) == "late\n")
        close(held)
    }

    /// The keeper answers that it can't, and neither hangs up nor ends.
    @Test func aKeeperWithoutRoomRefusesALaunchAndGoesOn() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        let daemon = keeper.daemon.pid
        try limit(keeper.pid, to: Int(KEEPER_FLOOR) + 1)
        let pipe = try Descriptor.pipe()
        for identifier in 1...3 {
            var starved = launch(UInt64(identifier), "true")
            starved.standardOutput = pipe.write.number
            try keeper.link.spawn(starved)
            #expect(try keeper.failure(of: UInt64(identifier)) == SpawnFailure(stage: .pipe, code: EMFILE))
        }
        let program = try Descriptor("open", unsafe open(tool("keeper-probe"), O_RDONLY | O_CLOEXEC))
        try keeper.link.serves(program: program.number)
        try limit(keeper.pid, to: nil)
        try keeper.link.spawn(launch(4, "true"))
        #expect(try keeper.end(of: 4).outcome == .exited(code: 0))
        #expect(keeper.daemon.pid == daemon)
        try keeper.killDaemon()
        #expect(try keeper.handOver().count == 4)
        #expect(try keeper.state(2).progress == .failed(SpawnFailure(stage: .pipe, code: EMFILE)))
    }

    /// The daemon's side: a message whose descriptors this process has no room for is one without them.
    @Test func aMessageWithoutItsDescriptorsIsNoEndOfTheConversation() throws {
        var ends: [Int32] = [-1, -1]
        try Syscall.check("socketpair", unsafe corch_socketpair(&ends))
        let keeper = Descriptor(owning: ends[0])
        let link = try KeeperLink(descriptor: Descriptor(owning: ends[1]))
        var event = keeper_event()
        event.version = UInt8(KEEPER_PROTOCOL_VERSION)
        event.type = UInt8(KEEPER_SPAWNED)
        event.launch = 7
        event.pid = 77
        event.fds = UInt32(KEEPER_FD_PIDFD)
        // More than it takes is as good as more than it may have.
        let many = [Int32](repeating: keeper.number, count: 9)
        let sent = unsafe withUnsafeBytes(of: event) { head in
            unsafe corch_send(keeper.number, head.baseAddress, head.count, nil, 0, many, 9, 0)
        }
        #expect(sent > 0)
        let messages = try link.receive()
        guard case .spawned(launch: 7, let process)? = messages.first else {
            Issue.record("\(messages)")
            return
        }
        #expect(messages.count == 1 && process.pid == 77 && process.pidfd == nil)
        #expect(link.cutMessages == 1)
    }

    /// Whoever fails at its start is started ever more rarely; who had served is missed, and so is who was killed: somebody else did that.
    @Test func aDaemonThatHadServedIsReplacedSoon() throws {
        let keeper = try Keeper()
        func lives(_ count: Int, _ live: () throws -> Void) throws -> Int64 {
            let start = corch_clock(CLOCK_MONOTONIC)
            for _ in 1...count {
                _ = try keeper.handOver()
                try live()
            }
            return (corch_clock(CLOCK_MONOTONIC) - start) / 1_000_000
        }
        // 10 ms, again and again.
        let served = try lives(10) {
            try keeper.serve()
            try keeper.killDaemon()
        }
        let killed = try lives(10) { try keeper.killDaemon() }
        // 30, 70, 150, 310, 630 and 1,000 ms.
        let failed = try lives(6) {
            keeper.dismissDaemon(code: 3)
            try keeper.meetNext()
        }
        #expect(failed >= 2_100, "\(failed) ms: it must not spin")
        #expect(served < failed / 2, "\(served) ms for 10, \(failed) ms for 6")
        #expect(killed < failed / 2, "\(killed) ms for 10, \(failed) ms for 6")
    }

    /// Somebody kills daemons before they serve: as many come at once as somebody may want, and then it is taken for the program's fault.
    @Test func killsWithoutEndAreFailuresToo() throws {
        let keeper = try Keeper()
        for _ in 1...105 { try keeper.killDaemon() }
        let start = corch_clock(CLOCK_MONOTONIC)
        for _ in 1...5 { try keeper.killDaemon() }
        let last = (corch_clock(CLOCK_MONOTONIC) - start) / 1_000_000
        #expect(last >= 4_000, "\(last) ms")
    }

    // MARK: Surroundings

    /// What a launch has written once it has ended; `drains`: and it is read, so nobody needs the pipe any more.
    private func written(by keeper: Keeper, _ identifier: UInt64, _ script: String, drains: Bool) throws -> String {
        var pipe = try Descriptor.pipe()
        var short = launch(identifier, "sh", "-c", script)
        short.standardOutput = pipe.write.number
        short.heldReadEnds = [pipe.read.number]
        try keeper.link.spawn(short)
        pipe.write = Descriptor(owning: unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        _ = try keeper.end(of: identifier)
        return drains ? contents(of: pipe.read.number) : ""
    }

    private func descriptors(of pid: Int32) -> Int {
        guard let folder = unsafe opendir("/proc/\(pid)/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }

    /// Sets the soft RLIMIT_NOFILE of another process by prlimit(1); nil: as much as it may have.
    private func limit(_ pid: Int32, to soft: Int?) throws {
        let most = contents("/proc/\(pid)/limits").split(separator: "\n").first { $0.hasPrefix("Max open files") }
        let hard = try #require(most?.split(separator: " ").dropFirst(4).first.map(String.init))
        let number = soft.map(String.init) ?? hard
        let setter = try execute(["/usr/bin/prlimit", "--pid", "\(pid)", "--nofile=\(number):"], log: "/dev/null")
        var status: Int32 = 0
        _ = unsafe waitpid(setter, &status, 0)
        #expect(status == 0)
    }
}

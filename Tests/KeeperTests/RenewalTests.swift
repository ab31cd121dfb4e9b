// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchLinux
import Testing

/// The keeper becomes another program while everything it holds stays where it is; and a daemon's program that can't begin.
@Suite struct RenewalTests {
    /// A process that runs and writes, one that is told as running and ends meanwhile, one that has ended and is not acknowledged, one
    /// that could not be executed, and one whose parent is gone.
    @Test func theKeeperBecomesAnotherProgramWithAllItHolds() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        var output = try Descriptor.pipe()
        var input = try Descriptor.pipe()
        var writer = launch(1, "sh", "-c", "echo before; read line; echo after")
        writer.standardInput = input.read.number
        writer.standardOutput = output.write.number
        writer.heldReadEnds = [output.read.number]
        try keeper.link.spawn(writer)
        try keeper.link.spawn(launch(2, "sh", "-c", "exit 9"))
        try keeper.link.spawn(launch(3, "no-such-program"))
        var gate = try Descriptor.pipe()
        var orphan = launch(4, "sh", "-c", "(sh -c 'read line; exit 3' <&0 &) ; exit 0")
        orphan.standardInput = gate.read.number
        try keeper.link.spawn(orphan)
        let process = try keeper.process(1)
        try keeper.executed(1)
        #expect(try keeper.end(of: 2).outcome == .exited(code: 9))
        _ = try keeper.failure(of: 3)
        _ = try keeper.end(of: 4)
        let copy = try keeper.copyOfItsProgram()
        let unheard = keeper.unheard(below: 4)

        #expect(try keeper.renew(copy) == 0)

        #expect(program(of: keeper.pid) == copy)
        #expect(!contents("/proc/\(keeper.pid)/cmdline").contains("--socket"))
        // Its daemon is the same, and heard all that there was to hear: nothing is told again.
        #expect(kill(keeper.daemon.pid, 0) == 0)
        try keeper.link.acknowledge(4)
        #expect(try keeper.output(launch(5, "echo", "new")) == "new\n")
        let numbers = try keeper.output(launch(6, tool("keeper-probe"), "fds"))
        #expect(numbers == "0\n1\n2\n", "nothing of the keeper's is inherited")
        #expect(keeper.unheard(below: 4) == unheard)
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        gate.write = Descriptor(owning: dup(nothing))
        gate.read = Descriptor(owning: dup(nothing))

        try keeper.killDaemon()

        let handOver = try keeper.handOver()
        #expect(handOver.count == 3)
        #expect(handOver.highestLaunch == 6)
        #expect(handOver.daemonStarts == 2)
        let first = try keeper.state(1)
        #expect(first.progress == .running)
        #expect(first.process?.pid == process.pid && first.process?.startTicks == process.startTicks)
        guard case .ended(let second) = try keeper.state(2).progress else { throw Timeout(description: "2 has ended") }
        #expect(second.outcome == .exited(code: 9))
        #expect(try keeper.state(3).progress == .failed(SpawnFailure(stage: .execute, code: ENOENT)))
        output = PipeEnds(read: Descriptor(owning: dup(nothing)), write: Descriptor(owning: dup(nothing)))
        input = PipeEnds(read: Descriptor(owning: dup(nothing)), write: Descriptor(owning: nothing))
        let end = first.heldReadEnds.first?.take()?.release() ?? -1
        #expect(contents(of: end) == "before\nafter\n")
        close(end)
        #expect(try keeper.end(of: 1).outcome == .exited(code: 0), "it is the keeper's child as it ever was")
        try keeper.becomeAlone()
    }

    /// Processes end, and are asked for, while the keeper becomes another one twenty times: each end is told once.
    @Test func nothingIsLostWhileItBecomesAnother() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        var next: UInt64 = 1
        for _ in 1...20 {
            let first = next
            for _ in 1...20 {
                try keeper.link.spawn(launch(next, "sh", "-c", "exit \(next % 100)"))
                next += 1
            }
            try keeper.link.renew(tool("orch-keeper"), daemon: tool("keeper-probe"))
            for launch in first..<next {
                #expect(try keeper.end(of: launch).outcome == .exited(code: Int32(launch % 100)))
                try keeper.link.acknowledge(launch)
            }
            #expect(try keeper.renewal() == 0)
        }
        try keeper.killDaemon()
        #expect(try keeper.handOver().count == 0)
    }

    @Test func whatCanNotBeExecutedChangesNothing() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        #expect(try keeper.renew("/no/such/keeper") == ENOENT)
        #expect(try keeper.renew("relative") == EINVAL)
        let text = keeper.directory + "/text"
        _ = try keeper.output(launch(1, "sh", "-c", "echo no program > \(text); chmod 755 \(text)"))
        #expect(try keeper.renew(text) == ENOEXEC)
        #expect(program(of: keeper.pid) == tool("orch-keeper"))
        #expect(try keeper.output(launch(2, tool("keeper-probe"), "fds")) == "0\n1\n2\n")
        try keeper.link.spawn(launch(3, "sleep", "1000"))
        let service = try keeper.process(3).pid
        #expect(try keeper.renew(text) == ENOEXEC)
        try keeper.killDaemon()
        #expect(try keeper.handOver().daemonStarts == 2)
        let numbers = try keeper.output(launch(4, "ls", "/proc/\(keeper.daemon.pid)/fd"))
        let leaked = numbers.split(separator: "\n").compactMap { Int32($0) }.filter { $0 >= KEEPER_FLOOR }
        #expect(leaked.isEmpty, "the next daemon inherits what it is given")
        kill(service, SIGKILL)
    }

    /// How a child fares between clone and exec, only this very process can tell.
    @Test func aChildThatHangsBeforeExecIsNotLeftBehind() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        let held = keeper.directory + "/held"
        try keeper.link.spawn(launch(1, "cp", "/bin/true", held))
        _ = try keeper.end(of: 1)
        signal(SIGIO, SIG_IGN)
        let leased = try Descriptor("open", unsafe open(held, O_RDONLY | O_CLOEXEC))
        try Syscall.check("fcntl F_SETLEASE", fcntl(leased.number, 1024, F_WRLCK))
        try keeper.link.spawn(launch(2, held))
        #expect(try keeper.renew(tool("orch-keeper")) == EBUSY)
        try Syscall.check("fcntl F_SETLEASE", fcntl(leased.number, 1024, F_UNLCK))
        #expect(try keeper.end(of: 2).outcome == .exited(code: 0))
        #expect(try keeper.renew(tool("orch-keeper")) == 0)
    }

    /// A program that hangs at its start is given up once, one that ends three times; then the one that served before is started.
    @Test(arguments: ["exec sleep 1000", "sleep 1.1; exit 3"])
    func aDaemonThatDoesNotBeginIsGoneBackFrom(script: String) throws {
        let hangs = script.hasPrefix("exec")
        let keeper = try Keeper(options: ["--patience", hangs ? "200" : "1000"], ownsProbe: true)
        _ = try keeper.handOver()
        try keeper.serve()
        let text = "printf '#!/bin/sh\\n\(script)\\n' > \(keeper.probe).new; chmod 755 \(keeper.probe).new"
        _ = try keeper.output(launch(1, "sh", "-c", text + "; mv \(keeper.probe).new \(keeper.probe)"))
        try keeper.killDaemon()
        let starts = try keeper.handOver().daemonStarts
        #expect(starts == (hangs ? 3 : 5))
        #expect(contents("/proc/\(keeper.daemon.pid)/cmdline").contains("--fallback"))
    }

    /// It says that it serves, and dies of itself soon after: nothing to go back to.
    @Test(arguments: [0, SIGSEGV]) func aDaemonThatCrashesSoonAfterItServedIsGoneBackFrom(signal: Int32) throws {
        let keeper = try Keeper(ownsProbe: true)
        _ = try keeper.handOver()
        try keeper.serve()
        let copy = "cp \(keeper.probe) \(keeper.probe).new; mv \(keeper.probe).new \(keeper.probe)"
        _ = try keeper.output(launch(1, "sh", "-c", copy))
        try keeper.killDaemon()
        for start in 2...4 {
            #expect(try keeper.handOver().daemonStarts == UInt64(start))
            #expect(!contents("/proc/\(keeper.daemon.pid)/cmdline").contains("--fallback"))
            try keeper.serve()
            if signal == 0 { keeper.dismissDaemon(code: 3) } else { kill(keeper.daemon.pid, signal) }
            try keeper.meetNext()
        }
        #expect(try keeper.handOver().daemonStarts == 5)
        #expect(contents("/proc/\(keeper.daemon.pid)/cmdline").contains("--fallback"))
    }

    private func program(of pid: Int32) -> String {
        var target = [CChar](repeating: 0, count: 4096)
        let length = unsafe readlink("/proc/\(pid)/exe", &target, target.count - 1)
        return String(decoding: target.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension KeeperMessage {
    fileprivate var launch: UInt64? {
        switch self {
        case .spawned(let launch, _), .executed(let launch), .spawnFailed(let launch, _), .ended(let launch, _),
            .state(let launch, _):
            launch
        case .stateEnd, .renewed, .closed: nil
        }
    }
}

extension Keeper {
    /// How much came of these launches that nobody waited for.
    fileprivate func unheard(below limit: UInt64) -> Int {
        unheard.count { message in message.launch.map { $0 < limit } ?? false }
    }

    fileprivate func copyOfItsProgram() throws -> String {
        let copy = directory + "/another-keeper"
        let pid = try execute(["/bin/cp", tool("orch-keeper"), copy], log: "/dev/null")
        var status: Int32 = 0
        _ = unsafe waitpid(pid, &status, 0)
        return copy
    }

    /// errno, or 0.
    fileprivate func renew(_ program: String) throws -> Int32 {
        try link.renew(program, daemon: tool("keeper-probe"))
        return try renewal()
    }

    fileprivate func renewal() throws -> Int32 {
        try wait("answer about the upgrade") { message in
            if case .renewed(let code) = message { code } else { nil }
        }
    }

    /// Everything that came to the keeper is reaped.
    fileprivate func becomeAlone() throws {
        var children = ""
        for identifier in 1000...1500 where children != "\(daemon.pid) " {
            try link.spawn(launch(UInt64(identifier), "true"))
            _ = try end(of: UInt64(identifier))  // the keeper has turned since
            children = contents("/proc/\(pid)/task/\(pid)/children")
        }
        #expect(children == "\(daemon.pid) ")
    }
}

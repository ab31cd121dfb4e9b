// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchLinux
import Testing

extension Keeper {
    func handOver() throws -> HandOver {
        try wait("end of the hand-over") { message in
            if case .stateEnd(let end) = message { end } else { nil }
        }
    }

    /// This daemon says that it serves, and the keeper has heard it.
    func serve() throws {
        let program = try Descriptor("open", unsafe open(probe, O_RDONLY | O_CLOEXEC))
        try link.serves(program: program.number)
        // The answer to what was asked behind it says that it was read.
        servings += 1
        let own = UInt64(1) << 63 | servings
        try link.spawn(launch(own, "true"))
        _ = try end(of: own)
        try link.acknowledge(own)
    }

    func state(_ launch: UInt64) throws -> KeeperState {
        try wait("state of \(launch)") { message in
            if case .state(launch, let state) = message { state } else { nil }
        }
    }
}

@Suite struct HandOverTests {
    @Test func aNewDaemonGetsEveryLaunchAsItIs() throws {
        let keeper = try Keeper()
        #expect(try keeper.handOver().daemonStarts == 1)
        #expect(keeper.daemon.hasReadyDescriptor == false)
        var pipe = try Descriptor.pipe()
        var running = launch(1, "sh", "-c", "echo before; read line; echo after")
        var input = try Descriptor.pipe()
        running.standardInput = input.read.number
        running.standardOutput = pipe.write.number
        running.heldReadEnds = [pipe.read.number]
        try keeper.link.spawn(running)
        try keeper.link.spawn(launch(2, "sh", "-c", "exit 9"))
        try keeper.link.spawn(launch(3, "no-such-program"))
        try keeper.link.spawn(launch(4, "true"))
        let process = try keeper.process(1)
        try keeper.executed(1)
        _ = try keeper.end(of: 2)
        _ = try keeper.failure(of: 3)
        _ = try keeper.end(of: 4)
        try keeper.link.acknowledge(4)
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        pipe = PipeEnds(read: Descriptor(owning: nothing), write: Descriptor(owning: dup(nothing)))
        input.read = Descriptor(owning: dup(nothing))

        try keeper.killDaemon()

        let handOver = try keeper.handOver()
        #expect(handOver.count == 3)
        #expect(handOver.highestLaunch == 4)
        #expect(handOver.daemonStarts == 2)
        let first = try keeper.state(1)
        #expect(first.progress == .running)
        #expect(first.process?.pid == process.pid)
        #expect(first.process?.startTicks == process.startTicks)
        let pidfd = first.process?.pidfd?.take()?.release() ?? -1
        let alive = corch_pidfd_signal(pidfd, 0)
        #expect(alive == 0)
        close(pidfd)
        guard case .ended(let second) = try keeper.state(2).progress else {
            Issue.record("launch 2 did not end")
            return
        }
        #expect(second.outcome == .exited(code: 9))
        #expect(try keeper.state(3).progress == .failed(SpawnFailure(stage: .execute, code: ENOENT)))
        input.write = Descriptor(owning: dup(nothing))
        let output = first.heldReadEnds.first?.take()?.release() ?? -1
        #expect(contents(of: output) == "before\nafter\n")
        close(output)
        #expect(try keeper.end(of: 1).outcome == .exited(code: 0))
    }

    @Test func anEndWhileNoDaemonListensIsKept() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        var input = try Descriptor.pipe()
        var waiting = launch(1, "sh", "-c", "read line; exit 5")
        waiting.standardInput = input.read.number
        try keeper.link.spawn(waiting)
        let pidfd = try keeper.process(1).pidfd?.take()?.release() ?? -1
        try keeper.executed(1)
        kill(keeper.daemon.pid, SIGSTOP)  // deaf, but there
        input.write = Descriptor(owning: unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        #expect(ready(pidfd))
        close(pidfd)
        try keeper.killDaemon()
        _ = try keeper.handOver()
        guard case .ended(let end) = try keeper.state(1).progress else {
            // The keeper may be told of the end after the hand-over.
            #expect(try keeper.end(of: 1).outcome == .exited(code: 5))
            return
        }
        #expect(end.outcome == .exited(code: 5))
    }

    @Test func oneIdentifierIsOneProcess() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        let touched = keeper.directory + "/touched"
        let pipe = try Descriptor.pipe()
        var once = launch(5, "sh", "-c", "echo x >> \(touched); echo; exec sleep 1000")
        once.standardOutput = pipe.write.number
        try keeper.link.spawn(once)
        let first = try keeper.process(5)
        try keeper.executed(5)
        try keeper.link.spawn(once)
        #expect(try keeper.process(5).pid == first.pid)
        try keeper.executed(5)
        try keeper.link.spawn(launch(4, "true"))
        #expect(try keeper.failure(of: 4) == SpawnFailure(stage: .stale, code: ESTALE))
        #expect(ready(pipe.read.number))  // it has written
        kill(first.pid, SIGKILL)
        #expect(try keeper.end(of: 5).outcome == .killed(signal: SIGKILL, coreDumped: false))
        try keeper.link.spawn(once)
        #expect(try keeper.end(of: 5).outcome == .killed(signal: SIGKILL, coreDumped: false))
        try keeper.link.acknowledge(5)
        try keeper.link.spawn(once)
        #expect(try keeper.failure(of: 5) == SpawnFailure(stage: .stale, code: ESTALE))
        #expect(contents(touched) == "x\n")
    }

    @Test func shutdownEndsTheKeeperWhenNothingIsLeft() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        try keeper.link.spawn(launch(1, "true"))
        _ = try keeper.end(of: 1)
        try keeper.link.shutdown()
        keeper.dismissDaemon(code: 0)
        try keeper.meetNext()  // launch 1 is not acknowledged
        #expect(try keeper.handOver().count == 1)
        try keeper.link.acknowledge(1)
        try keeper.link.shutdown()
        keeper.dismissDaemon(code: 0)
        #expect(try keeper.end() == 0)
    }

    @Test func theListeningSocketOutlivesTheDaemon() throws {
        let name = String(repeating: "long", count: 16)  // 64 bytes, in a directory that makes it more than 107
        let keeper = try Keeper(path: "./././././././././././././././././././././" + name)
        let path = keeper.directory + "/" + name
        var status = stat()
        #expect(unsafe lstat(path, &status) == 0)
        #expect(status.st_mode == S_IFSOCK | 0o600)
        let client = unsafe corch_unix_connect(path)
        #expect(client >= 0)
        try keeper.killDaemon()
        let accepted = corch_accept(keeper.daemon.listener.number)
        #expect(accepted >= 0)
        close(accepted)
        close(client)
    }

    @Test func aStateDirectoryHasOneKeeper() throws {
        let keeper = try Keeper()
        let pid = try execute(
            [
                tool("orch-keeper"), "--foreground", "--socket", keeper.directory + "/orch.sock", "--lock",
                keeper.directory + "/lock", "--daemon", tool("keeper-probe"),
            ], log: keeper.directory + "/second")
        var status: Int32 = 0
        _ = unsafe waitpid(pid, &status, 0)
        #expect(status >> 8 == 4)
        #expect(
            contents(keeper.directory + "/second")
                == "orch-keeper: not started: \(keeper.directory)/lock is locked by pid \(keeper.pid): "
                + "another daemon owns this state directory\n")
        let client = unsafe corch_unix_connect(keeper.directory + "/orch.sock")
        #expect(client >= 0)
        close(client)
    }
}

// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchLinux
import Testing

@Suite struct StartTests {
    /// As `orch` starts it: with a ready pipe, in the background, from anywhere.
    @Test func aDetachedKeeperIsASessionOfItsOwnAtTheRoot() throws {
        let directory = try makeDirectory()
        defer { removeDirectory(directory) }
        let meeting = try Descriptor("listen", unsafe corch_unix_listen(directory + "/meeting", 8))
        let first = try Started(in: directory)
        #expect(try first.code() == 0)  // detached
        let daemon = try Keeper.meet(meeting.number)
        #expect(daemon.hasReadyDescriptor)
        let holder = contents(directory + "/lock").split(separator: "\n").first.flatMap { Int32($0) }
        let keeper = try #require(holder)
        defer { for pid in [keeper, daemon.pid] { kill(pid, SIGKILL) } }
        #expect(keeper != first.pid)
        #expect(getsid(keeper) == keeper)
        #expect(getsid(daemon.pid) == daemon.pid)
        #expect(link("/proc/\(keeper)/cwd") == "/")

        let second = try Started(in: directory)
        #expect(try second.code() == 4)
        let fact =
            "\(directory)/lock is locked by pid \(keeper): another daemon owns this state directory"
        #expect(second.said == "orch-keeper: not started: \(fact)\n")

        let mind = try KeeperLink(descriptor: Descriptor(owning: dup(daemon.keeper.number)))
        try mind.shutdown()
        let pidfd = try Descriptor("pidfd_open", corch_pidfd_open(keeper))
        unsafe withUnsafeBytes(of: UInt8(0)) { _ = unsafe send(daemon.connection.number, $0.baseAddress, 1, 0) }
        #expect(ready(pidfd.number))  // the keeper ends with its daemon
        #expect(first.said == "ready\n")  // and nobody else held the pipe
    }

    @Test func aDaemonThatCannotStartIsSaidToTheStarter() throws {
        let directory = try makeDirectory()
        defer { removeDirectory(directory) }
        let started = try Started(in: directory, daemon: "/no/such/daemon")
        #expect(try started.code() == 0)
        #expect(
            started.said == "orch-keeper: cannot start the daemon /no/such/daemon: No such file or directory\n")
    }

    /// The daemon is stopped while something waits to be read: asked, aborted, killed, replaced, and what it missed is known.
    @Test func aHungDaemonIsReplaced() throws {
        let keeper = try Keeper(options: ["--patience", "200"])
        _ = try keeper.handOver()
        try keeper.link.spawn(launch(1, "sh", "-c", "exit 7"))
        // Nobody reads: keeper-probe lends its end to this test, which doesn't look at it until the next one comes.
        let hung = try Descriptor("pidfd_open", corch_pidfd_open(keeper.daemon.pid))
        kill(keeper.daemon.pid, SIGSTOP)
        #expect(ready(hung.number))
        try keeper.meetNext()
        #expect(try keeper.handOver().daemonStarts == 2)
        guard case .ended(let end) = try keeper.state(1).progress else {
            Issue.record("launch 1 did not end")
            return
        }
        #expect(end.outcome == .exited(code: 7))
        #expect(contents(keeper.directory + "/log").contains("was killed by signal"))
    }

    /// Nothing is to be read, nobody asks, no process ends: that it was stopped is told by the kernel (waitid(2), WSTOPPED).
    @Test func aStoppedDaemonIsReplacedThoughNothingIsDue() throws {
        let keeper = try Keeper(options: ["--patience", "200"])
        _ = try keeper.handOver()
        for starts in 2...3 {
            let stopped = try Descriptor("pidfd_open", corch_pidfd_open(keeper.daemon.pid))
            kill(keeper.daemon.pid, SIGSTOP)
            #expect(ready(stopped.number))
            try keeper.meetNext()
            #expect(try keeper.handOver().daemonStarts == UInt64(starts))
        }
    }

    @Test func aStoppedDaemonThatGoesOnInTimeIsLeftAlone() throws {
        let keeper = try Keeper(options: ["--patience", "400"])
        _ = try keeper.handOver()
        let daemon = keeper.daemon.pid
        kill(daemon, SIGSTOP)
        #expect(ready(keeper.link.number), "it is asked whether it lives")
        kill(daemon, SIGCONT)
        // Reads, and so answers, until much more time than the keeper would take to kill it has passed.
        try keeper.link.spawn(launch(1, "sleep", "2"))
        _ = try keeper.end(of: 1)
        #expect(kill(daemon, 0) == 0)
        try keeper.killDaemon()
        #expect(try keeper.handOver().daemonStarts == 2)
    }

    @Test func race40WhatMustOutliveAShortageOfMemoryIsProtected() throws {
        let own = try #require(Int(contents("/proc/self/oom_score_adj").dropLast()))
        let keeper = try Keeper()
        _ = try keeper.handOver()
        let kept = try #require(Int(contents("/proc/\(keeper.pid)/oom_score_adj").dropLast()))
        // Lowering it takes CAP_SYS_RESOURCE (proc_pid_oom_score_adj(5)).
        guard kept != own else { return }
        #expect(kept == -1000)
        #expect(contents("/proc/\(keeper.daemon.pid)/oom_score_adj") == "-900\n")
        #expect(try keeper.output(launch(1, "cat", "/proc/self/oom_score_adj")) == "\(own)\n", "a service is not")
    }

    private func link(_ path: String) -> String {
        var target = [CChar](repeating: 0, count: 4096)
        let length = unsafe readlink(path, &target, target.count - 1)
        return String(decoding: target.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The process that `orch` would start, and its ready pipe.
private final class Started {
    let pid: Int32
    private let pipe: Int32

    init(in directory: String, daemon: String = tool("keeper-probe")) throws {
        let ends = try Descriptor.pipe()
        pid = try execute(
            [
                tool("orch-keeper"), "--socket", directory + "/orch.sock", "--lock", directory + "/lock", "--ready-fd",
                "3", "--daemon", daemon, "--", directory + "/meeting",
            ], log: directory + "/log", ready: ends.write.number)
        pipe = dup(ends.read.number)
    }

    deinit { close(pipe) }

    /// Everything that is written to the pipe until its last writer is gone.
    var said: String { contents(of: pipe) }

    func code() throws -> Int32 {
        let pidfd = try Descriptor("pidfd_open", corch_pidfd_open(pid))
        guard ready(pidfd.number) else { throw Timeout(description: "\(pid) does not end") }
        var status: Int32 = 0
        _ = unsafe waitpid(pid, &status, 0)
        return status >> 8
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchDaemon
import OrchEngine
import OrchModel
import Testing

@testable import OrchLinux

/// The daemon dies; what lives, lives on, and what happened meanwhile is told.
@Suite(.serialized) struct TakeOverTests {
    @Test(arguments: [false, true]) func aServiceKeepsItsPidAndItsLog(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, ["sh", "-c", "echo before; read line; echo $line"]) {
            $0.stop = StopSpec(steps: [StopSpec.Step(.stdin("after\n"), wait: .seconds(1))])
        }
        let pid = try bench.launched(1)
        try bench.replaceDaemon()
        #expect(bench.inheritance.survivors == [Survivor(launch: LaunchID(1), pid: pid, hasExecuted: true)])
        #expect(bench.inheritance.highestLaunch == 1)
        #expect(bench.inheritance.daemonStarts == 2)
        bench.perform(.runStep(LaunchID(1), step: 0, .stdin("after\n"), runner: LaunchID(2), limit: .seconds(20)))
        #expect(try bench.exit(of: 1) == .code(0))
        try bench.expect(.emptied(LaunchID(1)))
        #expect(try bench.output(of: 1) == "before\nafter\n")
    }

    /// The keeper tells it right behind the hand-over, in which it still lived.
    @Test(arguments: [false, true]) func anEndBetweenHandOverAndTakeOverIsTold(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, ["sleep", "1000"])
        let pid = try bench.launched(1)
        try bench.replaceDaemon(beforeItHears: {
            kill(pid, SIGKILL)
            let end = Clock.now.instant + Bench.patience
            while kill(pid, 0) == 0, Clock.now.instant < end { _ = poll(nil, 0, 1) }
        })
        #expect(bench.inheritance.survivors.map(\.launch) == [LaunchID(1)])
        if bench.inheritance.survivors.first?.exit == nil {
            #expect(try bench.exit(of: 1) == .signal(.kill, coreDumped: false))
        }
        try bench.expect(.emptied(LaunchID(1)))
    }

    @Test(arguments: [false, true]) func theTreeIsStillHeld(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, [Bench.tool("host-probe"), "scatter"]) { $0.ready = .notify }
        try bench.expect(.notified(LaunchID(1), .status("the daemon is there")))
        try bench.replaceDaemon()
        #expect(bench.leftBehind.count == 3)
        bench.perform(.kill(LaunchID(1)))
        #expect(try bench.exit(of: 1) == .signal(.kill, coreDumped: false))
        try bench.expect(.emptied(LaunchID(1)))
        #expect(bench.leftBehind.isEmpty)
    }

    /// Only a dead keeper is followed by this process: beside one that lives there would be two.
    @Test(arguments: [false, true]) func aKeeperThatHangsUpIsNotTakenForDead(isKilled: Bool) throws {
        let bench = try Bench(session: true)
        if isKilled { bench.killKeeper() } else { bench.babble() }
        let said = try bench.until("a remark on the keeper") { input -> String? in
            guard case .remarked(let text) = input else { return nil }
            return text.contains("keeper") ? text : nil
        }
        #expect(bench.host.isKeeperLost == isKilled)
        #expect(bench.host.isKeeperDeaf == !isKilled)
        #expect(said.contains(isKilled ? "was killed" : "hung up"), "\(said)")
    }

    /// What is over and read is released without another thread's help, and what was found closed too.
    @Test(arguments: [false, true]) func whatIsOverAndReadIsReleasedAtOnce(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, ["sh", "-c", "echo line"])
        #expect(try bench.exit(of: 1) == .code(0))
        try bench.expect(.emptied(LaunchID(1)))
        let log = bench.directory + "/state/logs/shop/web/stdout.log"
        let end = Clock.now.instant + Bench.patience
        while SmallFile.text(log) != "line\n", Clock.now.instant < end { bench.turn() }
        bench.perform(.note(.released(LaunchID(1))))
        try bench.replaceDaemon()
        #expect(bench.inheritance.survivors.isEmpty)
        let instance = InstanceID(service: ServiceID(stack: "shop", service: "web"))
        #expect(
            bench.inheritance.closed == [ClosedLaunch(launch: LaunchID(1), instance: instance, exit: .code(0))])
        let record = try #require(bench.host.records[LaunchID(1)])
        #expect(record.readEnds.isEmpty && record.pidfd == nil && record.pid > 1)
        bench.perform(.release(LaunchID(1)))
        #expect(bench.host.records.isEmpty)
        try bench.expect(.drained(LaunchID(1)))
        try bench.replaceDaemon()
        #expect(bench.inheritance.closed.isEmpty)
        #expect(SmallFile.text(log) == "line\n")
    }
}

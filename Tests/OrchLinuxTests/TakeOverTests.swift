// SPDX-License-Identifier: Apache-2.0
import Glibc
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

    @Test(arguments: [false, true]) func anEndThatNobodySawIsTold(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, ["sh", "-c", "read line; exit 5"]) {
            $0.stop = StopSpec(steps: [StopSpec.Step(.stdin("go\n"), wait: .seconds(1))])
        }
        let pid = try bench.launched(1)
        bench.perform(.runStep(LaunchID(1), step: 0, .stdin("go\n"), runner: LaunchID(2), limit: .seconds(20)))
        try bench.replaceDaemon()
        // Either it had ended by the hand-over, or its end comes now.
        let survivor = try #require(bench.inheritance.survivors.first)
        #expect(survivor.pid == pid)
        let exit = try survivor.exit ?? bench.exit(of: 1)
        #expect(exit == .code(5))
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

    @Test(arguments: [false, true]) func theFormerDaemonsProbesEnd(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, ["sleep", "1000"])
        _ = try bench.launched(1)
        var probe = Probe(.command(.exec(["sleep", "2000"])))
        probe.timeout = .seconds(1000)
        bench.perform(.probe(LaunchID(1), .liveness, round: 1, probe, runner: LaunchID(2)))
        let born = bench.host.now.instant + Bench.patience
        while bench.host.records[LaunchID(2)]?.hasExecuted != true, bench.host.now.instant < born {
            _ = bench.host.wait(until: born)
        }
        try bench.replaceDaemon()
        #expect(bench.inheritance.survivors.map(\.launch) == [LaunchID(1)])
        let end = bench.host.now.instant + Bench.patience
        while bench.host.records[LaunchID(2)] != nil, bench.host.now.instant < end { _ = bench.host.wait(until: end) }
        #expect(bench.leftBehind.count == 1)
    }
}

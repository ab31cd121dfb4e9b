// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchDaemon
import OrchEngine
import OrchModel
import Testing

@testable import OrchLinux

/// Everything that a service forked goes, wherever it hides; both ways of holding a tree.
@Suite(.serialized) struct TreeTests {
    /// A leader that ignores SIGTERM, a child in its own session, a double-forked daemon; all there once the daemon spoke.
    private func scatter(_ bench: Bench, _ mode: String = "scatter") throws {
        bench.launch(1, [Bench.tool("host-probe"), mode]) { $0.ready = .notify }
        try bench.expect(.notified(LaunchID(1), .status("the daemon is there")))
        #expect(bench.leftBehind.count >= 2)
    }

    @Test(arguments: [false, true]) func aKillEndsSessionsAndDaemonsToo(session: Bool) throws {
        let bench = try Bench(session: session)
        try scatter(bench)
        #expect(bench.leftBehind.count == 3)
        bench.perform(.signal(LaunchID(1), .terminate, to: .main))
        bench.perform(.kill(LaunchID(1)))
        #expect(try bench.exit(of: 1) == .signal(.kill, coreDumped: false))
        try bench.expect(.emptied(LaunchID(1)))
        #expect(bench.leftBehind.isEmpty)
    }

    @Test(arguments: [false, true]) func whatALeaderLeavesBehindIsSeenAndCleared(session: Bool) throws {
        let bench = try Bench(session: session)
        try scatter(bench, "scatter-and-exit")
        #expect(try bench.exit(of: 1) == .code(0))
        #expect(bench.host.records[LaunchID(1)]?.isEmpty == false)
        bench.perform(.kill(LaunchID(1)))
        try bench.expect(.emptied(LaunchID(1)))
        #expect(bench.leftBehind.isEmpty)
    }

    @Test(arguments: [false, true]) func aSignalToTheTreeReachesAll(session: Bool) throws {
        let bench = try Bench(session: session)
        try scatter(bench, "scatter-and-exit")
        _ = try bench.exit(of: 1)
        // What is left of it ignores SIGTERM, and does not ignore this.
        bench.perform(.signal(LaunchID(1), .hangup, to: .main))
        try bench.expect(.emptied(LaunchID(1)))
        #expect(bench.leftBehind.isEmpty)
    }

    @Test(arguments: [false, true]) func aSignalToTheGroupReachesAPipeline(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, ["sh", "-c", "sleep 1000 & sleep 1000 & wait"])
        _ = try bench.launched(1)
        bench.perform(.signal(LaunchID(1), .terminate, to: .group))
        #expect(try bench.exit(of: 1) == .signal(.terminate, coreDumped: false))
        try bench.expect(.emptied(LaunchID(1)))
    }
}

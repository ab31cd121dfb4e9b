// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// Races between single facts, told to the mind one by one.
@Suite struct RacesOfFacts {
    private let start = Moment(
        instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))

    private func after(_ seconds: Int64) -> Moment {
        Moment(instant: start.instant + .seconds(seconds), wall: start.wall + .seconds(seconds))
    }

    private func fleet(_ spec: ServiceSpec) throws -> Fleet {
        var fleet = Fleet(recovering: Recovery(), at: start)
        let applied = try fleet.admit(request([spec]), at: start)
        fleet.observe(.commanded(.apply(applied)), at: start)
        _ = fleet.reconcile(at: start)
        fleet.observe(.launched(LaunchID(1), pid: 1, ports: [], tracking: "cgroup"), at: start)
        return fleet
    }

    @Test func race16AnswerToAProbeOfAnOldLaunch() throws {
        var fleet = try fleet(
            service("web") {
                $0.health.readiness = probe()
                $0.restart.delay = .seconds(1)
            })
        let asked = fleet.reconcile(at: start)
        #expect(asked.contains { if case .probe(LaunchID(1), .readiness, round: 1, _, _) = $0 { true } else { false } })
        fleet.observe(.exited(LaunchID(1), .code(1)), at: start)
        fleet.observe(.emptied(LaunchID(1)), at: start)
        _ = fleet.reconcile(at: start)
        let launches = fleet.reconcile(at: after(1)).compactMap {
            if case .launch(let order) = $0 { order.launch } else { nil }
        }
        let launch = try #require(launches.first)
        fleet.observe(.launched(launch, pid: 2, ports: [], tracking: "cgroup"), at: after(1))
        _ = fleet.reconcile(at: after(1))
        // The answer that was on its way when launch 1 died; its round is the one that launch 2 is asked now.
        fleet.observe(.probed(LaunchID(1), .readiness, round: 1, .success), at: after(1))
        #expect(fleet.reconcile(at: after(1)).isEmpty)
        #expect(fleet.status(of: nil).first?.instances.first?.phase == .starting)
        fleet.observe(.probed(launch, .readiness, round: 1, .success), at: after(1))
        _ = fleet.reconcile(at: after(1))
        #expect(fleet.status(of: nil).first?.instances.first?.phase == .ready)
    }

    @Test func race09ExecFailureAgainstAFastExit() throws {
        var fleet = Fleet(recovering: Recovery(), at: start)
        let applied = try fleet.admit(request([service("web") { $0.restart.policy = .no }]), at: start)
        fleet.observe(.commanded(.apply(applied)), at: start)
        _ = fleet.reconcile(at: start)
        let fault = Fault(step: "execute", subject: "/bin/web", reason: "permission denied (EACCES)")
        fleet.observe(.launchFailed(LaunchID(1), fault, isScarcity: false), at: start)
        // The child that could not execute ends too: that is no exit of the service.
        fleet.observe(.exited(LaunchID(1), .code(127)), at: start)
        fleet.observe(.emptied(LaunchID(1)), at: start)
        _ = fleet.reconcile(at: start)
        let row = try #require(fleet.status(of: nil).first?.instances.first)
        #expect(row.phase == .failed)
        #expect(row.reason.contains("cannot execute /bin/web: permission denied (EACCES)"))
        #expect(row.exit == nil)
    }

    @Test func race12TheSameExitTwice() throws {
        var fleet = try fleet(
            service("web") {
                $0.restart.delay = .seconds(5)
                $0.restart.maxAttempts = 1
            })
        for _ in 0..<3 {
            fleet.observe(.exited(LaunchID(1), .code(1)), at: start)
            fleet.observe(.emptied(LaunchID(1)), at: start)
            _ = fleet.reconcile(at: start)
        }
        #expect(fleet.status(of: nil).first?.instances.first?.phase == .backoff)
    }
}

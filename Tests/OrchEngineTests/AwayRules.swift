// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// The machine sleeps, the loop wakes late, the daemon dies half-way to a threshold.
@Suite struct AwayRules {
    @Test func aStartDeadlineThatComesWithTheWakingIsPutOffOnce() {
        timeline("who was away with the machine has one more period to start, and no more") {
            service("web") {
                $0.ready = .notify
                $0.startTimeout = .seconds(4)
                $0.restart.delay = .seconds(30)
            }
            world("web", "---------t----")
            orch("web", "L-------T-----")
            phases("web", "sssssssspbbbbb")
            machineSleeps(for: .seconds(3_600), at: 4)
            told("web", .warning, at: 4, "the machine was away when its time was over: 4s more, once")
        }
    }

    @Test func sleepUsesUpNoTimeOfAnybody() {
        timeline("deadlines stand still while the machine sleeps") {
            service("web") {
                $0.ready = .notify
                $0.startTimeout = .seconds(6)
            }
            world("web", "----r----")
            orch("web", "L--------")
            phases("web", "ssssrrrrr")
            machineSleeps(for: .seconds(3_600), at: 2)
        }
    }

    @Test func thresholdsThatAreHalfReachedAreKept() {
        timeline("two failures under one daemon and one under the next are three in a row") {
            service("web") { $0.health.readiness = probe { $0.failureThreshold = 3 } }
            //           0    5    10
            world("web", "g--p------")
            asked("web", "RRRRR-RRRR")
            phases("web", "rrrr==nnnn")
            daemon("----✝=----")
            told("web", .unready, at: 6, "readiness probe failed 3 times in a row: sick")
        }
    }

    @Test func aSuccessBeginsAnewForTheNextDaemonToo() {
        timeline("a success between them makes the failures of the former daemon none") {
            service("web") { $0.health.readiness = probe { $0.failureThreshold = 3 } }
            world("web", "g-pg--p---")
            asked("web", "RRRRR-RRRR")
            phases("web", "rrrr==rrnn")
            daemon("----✝=----")
        }
    }

    @Test func aFailureOfTheWakingTurnIsAskedForOnceMore() throws {
        var spec = service("web")
        spec.health.liveness = probe { $0.failureThreshold = 1 }
        var now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        var fleet = Fleet(recovering: Recovery(), at: now)
        fleet.observe(.commanded(.apply(try fleet.admit(request([spec]), at: now))), at: now)
        _ = fleet.reconcile(at: now)
        let launch = try #require(fleet.openLaunches.first)
        fleet.observe(.launched(launch, pid: 1, ports: [], tracking: "cgroup"), at: now)
        _ = fleet.reconcile(at: now)
        fleet.observe(.probed(launch, .liveness, round: 1, .success), at: now)
        var stopped: [Bool] = []
        for (round, lateness) in [(2, 30), (3, 0)] as [(UInt64, Int64)] {
            _ = fleet.reconcile(at: now)
            now.instant = try #require(fleet.deadline)
            #expect(
                fleet.reconcile(at: now).contains { if case .probe(_, .liveness, _, _, _) = $0 { true } else { false } }
            )
            // Nothing else is due, so that lateness is seen by the clock of sleep.
            now.slept += .seconds(lateness)
            fleet.observe(.probed(launch, .liveness, round: round, .failure("no answer")), at: now)
            stopped.append(fleet.reconcile(at: now).contains { if case .signal = $0 { true } else { false } })
        }
        #expect(stopped == [false, true])
    }
}

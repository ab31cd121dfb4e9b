// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// Readiness, and what probes do.
@Suite struct ProbeRules {
    @Test func withoutAnyOfItStartedIsReady() {
        timeline("no ready and no probe: ready when executed") {
            service("web")
            world("web", "www---")
            orch("web", "L-----")
            phases("web", "sssrrr")
            reason("web", at: 1, "being executed")
        }
    }

    @Test func notifyIsReadyWhenItSaysSo() {
        timeline("ready: notify waits for READY=1, and for the probes too") {
            service("web") {
                $0.ready = .notify
                $0.health.readiness = probe()
            }
            world("web", "p-r-g---")
            asked("web", "RRRRRRRR")
            phases("web", "ssrrrrrr")
            reason("web", at: 1, "readiness probe: sick")
        }
    }

    @Test func thresholdsHoldAVerdict() {
        timeline("three failures in a row make it not ready, two successes ready again; it is not stopped for it") {
            service("web") {
                $0.health.readiness = probe {
                    $0.failureThreshold = 3
                    $0.successThreshold = 2
                }
            }
            //             0    5    10   15
            world("web", "----pg-p------g----")
            asked("web", "RRRRRRRRRRRRRRRRRRR")
            phases("web", "srrrrrrrrnnnnnnrrrr")
            orch("web", "L------------------")
            told("web", .unready, at: 9, "readiness probe failed 3 times in a row: sick")
            told("web", .healthy, at: 15, "readiness probe passes")
        }
    }

    @Test func startupHoldsTheOthersBack() {
        timeline("readiness and liveness are not asked before startup has passed; then startup is silent") {
            service("web") {
                $0.health.startup = probe { $0.failureThreshold = 10 }
                $0.health.readiness = probe { $0.initialDelay = .seconds(2) }
            }
            world("web", "p--g----")
            asked("web", "SSSSRRRR")
            asked("web", "---R----")
            phases("web", "sssrrrrr")
        }
    }

    @Test func startupThatNeverPassesIsAFailure() {
        timeline("at its threshold a startup probe is a failed start") {
            service("web") {
                $0.health.startup = probe { $0.failureThreshold = 3 }
                $0.restart.delay = .seconds(2)
            }
            world("web", "p--0-----")
            asked("web", "SSS--S---")
            orch("web", "L-T--L---")
            phases("web", "sspbbrrrr")
        }
    }

    @Test func aLateAnswerIsNotThatOfAProbeThatCameBack() throws {
        let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        var recovery = Recovery()
        recovery.isNewBoot = false
        var fleet = Fleet(recovering: recovery, at: now)
        func apply(_ spec: ServiceSpec) throws -> [UInt64] {
            fleet.observe(.commanded(.apply(try fleet.admit(request([spec]), at: now))), at: now)
            return rounds(fleet.reconcile(at: now))
        }
        func rounds(_ effects: [Effect]) -> [UInt64] {
            effects.compactMap { if case .probe(_, _, let round, _, _) = $0 { round } else { nil } }
        }
        let probed = service("web") { $0.health.readiness = probe() }
        _ = try apply(probed)
        fleet.observe(.launched(LaunchID(1), pid: 1, ports: [], tracking: "cgroup"), at: now)
        let first = try #require(rounds(fleet.reconcile(at: now)).first)
        _ = try apply(service("web"))
        let second = try #require(try apply(probed).first)
        fleet.observe(.probed(LaunchID(1), .readiness, round: first, .failure("of the one before")), at: now)
        _ = fleet.reconcile(at: now)
        #expect(fleet.status(of: nil).flatMap(\.instances).first?.phase == .ready)
        fleet.observe(.probed(LaunchID(1), .readiness, round: second, .failure("sick")), at: now)
        _ = fleet.reconcile(at: now)
        #expect(fleet.status(of: nil).flatMap(\.instances).first?.phase == .unhealthy)
    }

    /// A daemon that wakes 100 ms late asks late, and the question after it comes when it would have come anyway.
    @Test func aLateQuestionMovesNoOtherOne() throws {
        func at(_ milliseconds: Int64) -> Moment {
            Moment(instant: Instant(nanoseconds: milliseconds * 1_000_000), wall: WallTime(nanoseconds: 0))
        }
        var recovery = Recovery()
        recovery.isNewBoot = false
        var fleet = Fleet(recovering: recovery, at: at(1_000))
        let spec = service("web") { $0.health.readiness = probe { $0.interval = .seconds(1) } }
        fleet.observe(.commanded(.apply(try fleet.admit(request([spec]), at: at(1_000)))), at: at(1_000))
        _ = fleet.reconcile(at: at(1_000))
        fleet.observe(.launched(LaunchID(1), pid: 1, ports: [], tracking: "cgroup"), at: at(1_000))
        // When it is asked, and when the next question is due: one late by more than half of its interval begins anew.
        for (asked, due) in [(1_000, 2_000), (2_100, 3_000), (3_000, 4_000), (4_600, 5_600)] as [(Int64, Int64)] {
            let rounds: [UInt64] = fleet.reconcile(at: at(asked)).compactMap {
                if case .probe(_, _, let round, _, _) = $0 { round } else { nil }
            }
            let round = try #require(rounds.first, "nobody asked at \(asked) ms")
            fleet.observe(.probed(LaunchID(1), .readiness, round: round, .success), at: at(asked))
            _ = fleet.reconcile(at: at(asked))
            #expect(fleet.deadline == at(due).instant)
        }
    }

    @Test func theInitialDelayIsKept() {
        timeline("not asked before initial_delay, then at each interval") {
            service("web") {
                $0.health.liveness = probe {
                    $0.initialDelay = .seconds(3)
                    $0.interval = .seconds(2)
                }
            }
            world("web", "---------")
            asked("web", "---L-L-L-")
            phases("web", "rrrrrrrrr")
        }
    }

    @Test func livenessActsAsItsReactionSays() {
        for (reaction, done, phase) in [
            (Probe.Reaction.restart, "L--T", "p"), (.stop, "L--T", "p"), (.report, "L---", "n"),
            (.signal(.hangup), "L--H", "n"),
        ] {
            timeline("liveness on_failure: \(reaction)") {
                service("web") { $0.health.liveness = probe { $0.onFailure = reaction } }
                world("web", "---p--")
                orch("web", "\(done)--")
                phases("web", "rrr\(phase)\(phase)\(phase)")
                told("web", .unhealthy, at: 3, "liveness probe failed 1 times in a row: sick")
            }
        }
    }

    @Test func livenessRestartCountsAndStopDoesNot() {
        timeline("restart is a failure, with its back-off; stop is an end that stays") {
            service("a") {
                $0.health.liveness = probe()
                $0.restart.delay = .seconds(2)
            }
            service("b") { $0.health.liveness = probe { $0.onFailure = .stop } }
            world("a", "--p-0----")
            orch("a", "L-T---L--")
            phases("a", "rrppbbrrr")
            world("b", "--p-0----")
            orch("b", "L-T------")
            phases("b", "rrppddddd")
            reason("b", at: 8, "liveness probe failed 1 times in a row: sick")
        }
    }

    @Test func whatCouldNotBeAskedIsNoAnswer() {
        timeline("unasked is neither a success nor a failure") {
            service("web") { $0.health.readiness = probe() }
            world("web", "d--g-d----")
            phases("web", "sssrrrrrrr")
            reason("web", at: 1, "could not be asked: no prober")
        }
    }

    @Test func neverReadyByStartTimeoutIsAFailure() {
        timeline("start_timeout: stopped and counted; apply fails when it has given up") {
            service("web") {
                $0.ready = .notify
                $0.startTimeout = .seconds(3)
                $0.restart.maxAttempts = 0
            }
            world("web", "-----0--")
            orch("web", "L--T----")
            phases("web", "sssppfff")
            verdict(
                on: .settled, at: 5,
                is: .failed(
                    "web: gave up after 1 failures within 10m; the last: not ready within 3s: it has not said READY=1 yet"
                ))
            asleep
        }
    }

    @Test func reloadingIsAPhaseOfItsOwn() {
        timeline("RELOADING=1 until READY=1; nothing is stopped for it") {
            service("web") { $0.ready = .notify }
            world("web", "-r-v--r--")
            orch("web", "L--------")
            phases("web", "srrlllrrr")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// What follows an end that nobody asked for.
@Suite struct RestartRules {
    @Test func backOffGrowsToItsCap() {
        timeline("1, 2, 4, 4 seconds: delay × factor^(n-1), at most max_delay") {
            service("web") {
                $0.restart.delay = .seconds(1)
                $0.restart.maxDelay = .seconds(4)
            }
            //             0    5    10   15
            world("web", "-x-x--x----x------")
            orch("web", "L-L--L----L----L--")
            phases("web", "rbrbbrbbbbrbbbbrrr")
            told("web", .backoff, at: 1, "retry 1 in 1s after exit 1")
            told("web", .launching, at: 5, "restart 2 after exit 1")
            asleep
        }
    }

    @Test func aQuietTimeForgetsFailures() {
        timeline("up for reset_after, the back-off begins anew") {
            service("web") {
                $0.restart.delay = .seconds(2)
                $0.restart.resetAfter = .seconds(5)
            }
            //             0    5    10   15
            world("web", "-x-x----------x---")
            orch("web", "L--L---L--------L-")
        }
    }

    @Test func tooManyFailuresInTheWindowIsFailed() {
        timeline("more than max_attempts within window gives up; a start by hand begins with nothing counted") {
            service("web") {
                $0.restart.delay = .seconds(1)
                $0.restart.factor = 1
                $0.restart.maxAttempts = 2
                $0.restart.window = .seconds(10)
            }
            //             0    5    10
            world("web", "-x-x-x----x----")
            orch("web", "L-L-L---L--L---")
            phases("web", "rbrbrfffrrbrrrr")
            reason("web", at: 5, "gave up after 3 failures within 10s; the last: exit 1")
            verdict(on: .settled, at: 5, is: .failed("web: gave up after 3 failures within 10s; the last: exit 1"))
            command(.start([target("web")]), at: 8)
        }
    }

    @Test func failuresOutsideTheWindowDoNotCount() {
        timeline("failures older than window are not counted") {
            service("web") {
                $0.restart.delay = .seconds(1)
                $0.restart.factor = 1
                $0.restart.maxAttempts = 1
                $0.restart.window = .seconds(4)
            }
            //             0    5    10
            world("web", "-x-----x-----x-")
            orch("web", "L-L-----L-----L")
        }
    }

    @Test func failedTriesAgainAfterRetryAfter() {
        timeline("from failed, once more after retry_after") {
            service("web") {
                $0.restart.delay = .seconds(1)
                $0.restart.maxAttempts = 0
                $0.restart.retryAfter = .seconds(4)
            }
            world("web", "-x-------")
            orch("web", "L----L---")
            phases("web", "rffffrrrr")
            told("web", .launching, at: 5, "retry_after passed since it failed")
        }
    }

    @Test(arguments: [
        (RestartPolicy.Policy.no, "d", "f"), (.onFailure, "d", "b"), (.always, "b", "b"), (.unlessStopped, "b", "b"),
    ]) func thePolicySaysWhatAnEndMeans(policy: RestartPolicy.Policy, well: String, badly: String) {
        for (letter, phase) in [("0", well), ("x", badly), ("c", badly)] {
            timeline("restart: \(policy.rawValue) after \(letter)") {
                service("web") {
                    $0.restart.policy = policy
                    $0.restart.delay = .seconds(60)
                }
                world("web", "--\(letter)--")
                phases("web", "rr\(phase)\(phase)\(phase)")
            }
        }
    }

    @Test func successIsWhatSuccessExitCodesSay() {
        timeline("exit 7 and SIGTERM are ends that went well, if the manifest says so; exit 0 then is none") {
            for name in ["a", "b", "c"] { service(name) { $0.successExitCodes = [.code(7), .signal(.terminate)] } }
            world("a", "--7--")
            phases("a", "rrdddddd")
            world("b", "--t--")
            phases("b", "rrdddddd")
            world("c", "--0-----")
            orch("c", "L-L-----")
        }
    }

    @Test func aTaskRunsToItsEndAndAFailedOneIsTriedAsItsPolicySays() {
        timeline("a task that succeeded is done; always does not run it again") {
            task("once") { $0.restart.policy = .always }
            task("stubborn") {
                $0.restart = RestartPolicy(.onFailure)
                $0.restart.jitter = 0
                $0.restart.delay = .seconds(1)
            }
            task("shy")
            world("once", "--0-----")
            phases("once", "uudddddd")
            world("stubborn", "-x--0---")
            orch("stubborn", "L-L-----")
            phases("stubborn", "ubuudddd")
            world("shy", "-x------")
            phases("shy", "ufffffff")
        }
    }

    @Test func aTaskHasItsTimeout() {
        timeline("longer than timeout is a failure: it is stopped") {
            task("seed") { $0.startTimeout = .seconds(3) }
            world("seed", "----x--")
            orch("seed", "L--T---")
            phases("seed", "uuupfff")
            reason("seed", at: 5, "ran longer than its timeout of 3s")
        }
    }

    @Test func whatNeverExecutedIsAFailure() {
        timeline("a command that can't be executed is tried again as after a crash") {
            service("web") {
                $0.restart.delay = .seconds(2)
                $0.restart.maxAttempts = 1
            }
            world("web", "f-f---")
            orch("web", "L-L---")
            phases("web", "bbffff")
            told("web", .exited, at: 0, "never executed: cannot execute /bin/web: no such file or directory (ENOENT)")
        }
    }

    @Test func whatTheMachineLacksIsNotTheServicesFailure() {
        timeline("out of descriptors: tried again after a second, and never counted") {
            service("web") { $0.restart.maxAttempts = 0 }
            world("web", "sss---")
            orch("web", "LLLL--")
            phases("web", "bbbrrr")
            told("web", .backoff, at: 0, "not counted as a failure")
        }
    }

    @Test func whatAnEndLeavesBehindIsClearedBeforeTheRestart() {
        timeline("what is left gets a moment, then the ladder, then its place is free", column: .milliseconds(100)) {
            service("web") {
                $0.stop = StopSpec(steps: [.init(.signal(.terminate, to: .main), wait: .milliseconds(300))])
                $0.restart.delay = .milliseconds(200)
            }
            world("web", "--X--------")
            orch("web", "L--T--K-L--")
            heard("web", "---t-------")
            phases("web", "rrppppbbrrr")
            told("web", .stopping, at: 3, "its main process ended and left others behind")
        }
        timeline("what ends by itself within the moment needs no ladder", column: .milliseconds(50)) {
            service("web") { $0.restart.delay = .milliseconds(50) }
            world("web", "--Xe----")
            orch("web", "L---L---")
        }
    }

    @Test func aStartDuringTheEndWins() {
        timeline("a person wants it up while its last child lingers: its exit 0 leaves it not done") {
            service("web")
            world("web", "-Oe---")
            orch("web", "LTL---")
            phases("web", "rprrrr")
            command(.start([target("web")]), at: 1)
        }
    }

    @Test func aRestartOfANeedIsPassedOn() {
        for (reaction, row, phase) in [
            (Dependency.Reaction.ignore, "L------", "r"), (.restart, "L-TL---", "r"), (.stop, "L-T----", "d"),
        ] {
            timeline("on_restart: \(reaction.rawValue)") {
                service("db") { $0.restart.delay = .seconds(1) }
                service("web", needs: ["db"]) { $0.dependsOn[0].onRestart = reaction }
                world("db", "--x----")
                orch("db", "L--L---")
                orch("web", row)
                phases(
                    "web",
                    "rr" + (phase == "d" ? "d" : reaction == .restart ? "w" : "r") + phase + phase + phase + phase)
            }
        }
    }

    @Test func aFailureOfANeedIsPassedOn() {
        for (reaction, row, phase) in [
            (Dependency.Reaction.ignore, "L-----", "r"), (.restart, "L-T---", "w"), (.stop, "L-T---", "d"),
        ] {
            timeline("on_failure: \(reaction.rawValue)") {
                service("db") { $0.restart.policy = .no }
                service("web", needs: ["db"]) { $0.dependsOn[0].onFailure = reaction }
                world("db", "--x---")
                phases("db", "rrffff")
                orch("web", row)
                phases("web", "rr\(phase)\(phase)\(phase)\(phase)")
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// The races that the mind settles, each by its number in docs/races.md.
@Suite struct Races {
    func port(_ text: String) -> (inout ServiceSpec) -> Void { { $0.environment = [EnvironmentEntry("PORT", text)] } }

    @Test func race01ApplyWhileStopping() {
        timeline("only the newest revision starts; the one between is told as superseded") {
            service("web")
            world("web", "-----0---")
            orch("web", "L-T--L---")
            change("web", at: 2, port("2"))
            change("web", at: 3, port("3"))
            told("web", .superseded, at: 3, "was replaced before it ran")
            told("web", .launching, at: 5, "its definition changed")
        }
        timeline("back to what still runs: it goes all the same, as its ladder is not left upward") {
            service("web")
            world("web", "-----0---")
            orch("web", "L-T--L---")
            change("web", at: 2, port("2"))
            change("web", at: 3) { $0.environment = [] }
        }
    }

    @Test func race02ApplyTwiceQuickly() {
        timeline("the same revision again is nothing, in the same instant and later") {
            service("web")
            world("web", "wwr-----")
            orch("web", "L-------")
            applyAgain(at: 0)
            applyAgain(at: 1)
            applyAgain(at: 4)
            phases("web", "ssrrrrrr")
        }
    }

    @Test func race03DependencyFailsWhileDependantIsStarting() {
        timeline("the dependant keeps its own start: a condition gates starts, and it has started") {
            service("db") { $0.restart.policy = .no }
            service("web", needs: ["db"]) { $0.ready = .notify }
            world("db", "--x---")
            world("web", "----r-")
            orch("web", "L-----")
            phases("web", "ssssrr")
        }
        timeline("on_failure acts on one that is still starting") {
            service("db") { $0.restart.policy = .no }
            service("web", needs: ["db"]) {
                $0.ready = .notify
                $0.dependsOn[0].onFailure = .stop
            }
            world("db", "--x---")
            world("web", "---0--")
            orch("web", "L-T---")
            phases("web", "sspddd")
        }
        timeline("ready and gone in one instant is not ready: nothing starts on it") {
            service("db") {
                $0.ready = .notify
                $0.restart.delay = .seconds(2)
            }
            service("web", needs: ["db"])
            world("db", "--r--r")
            world("db", "--x---")
            orch("db", "L---L-")
            orch("web", "-----L")
        }
    }

    @Test func race04DependencyStopsBecauseItsDependantDoes() {
        timeline("the need is told to stop when nothing of its dependant is left, not when that was told to") {
            service("db")
            service("web", needs: ["db"])
            world("web", "----O-e-")
            orch("web", "L-T-T---")
            orch("db", "L-----T-")
            command(.stop([target()], timeout: nil), at: 2)
        }
    }

    @Test func race05ExitDuringTheLadder() {
        timeline("main ends: its other steps are not for it, but what it left is still cleared") {
            service("web") {
                $0.stop = StopSpec(steps: [
                    .init(.signal(.interrupt, to: .main), wait: .seconds(2)),
                    .init(.signal(.terminate, to: .main), wait: .seconds(2)),
                ])
            }
            world("web", "---O-----")
            orch("web", "L-IIT-K--")
            heard("web", "--mtt----")
            phases("web", "rrppppiii")
            command(.stop([target("web")], timeout: nil), at: 2)
        }
    }

    @Test func race06MainExitsAndChildrenLive() {
        timeline("a moment of grace, the ladder, and no replacement before all is gone", column: .milliseconds(100)) {
            service("web") {
                $0.stop = StopSpec(steps: [.init(.signal(.terminate, to: .tree), wait: .milliseconds(200))])
            }
            world("web", "-x--------")
            world("web", "----------")
            orch("web", "L--L------")
        }
        timeline("left processes are told as such", column: .milliseconds(100)) {
            service("web") {
                $0.stop = StopSpec(steps: [.init(.signal(.terminate, to: .tree), wait: .milliseconds(200))])
            }
            world("web", "-X--------")
            orch("web", "L-T-K-L---")
            told("web", .stopping, at: 2, "its main process ended and left others behind")
        }
    }

    @Test func race07TreeIsEmptyBeforeTheExitIsDelivered() {
        timeline("an empty group with an unreaped leader is no end: the exit decides") {
            service("web") { $0.restart.delay = .seconds(1) }
            world("web", "--e-x----")
            orch("web", "L----L---")
            phases("web", "rrrrbrrrr")
        }
    }

    @Test func race08ExitBeforeStartedIsRecorded() {
        timeline("the exit of what was not known to have executed ends it; that it had executed changes nothing then") {
            service("web") { $0.restart.delay = .seconds(2) }
            world("web", "wx-----")
            orch("web", "L--L---")
            phases("web", "sbbrrrr")
        }
    }

    @Test func race10DaemonDiesBetweenIntentAndSpawn() {
        timeline("no keeper has heard of it: it never ran, and the next launch has a number of its own") {
            service("web")
            orch("web", "-L---")
            daemon("b----")
            phases("web", "=rrrr")
            told("web", .launching, at: 1, "its launch 1 was lost with the former daemon")
        }
    }

    @Test func race11DaemonDiesBetweenSpawnAndRecord() {
        timeline("the keeper holds it: it is adopted, not started again") {
            service("web")
            world("web", "------")
            orch("web", "L-----")
            daemon("a-----")
            phases("web", "=rrrrr")
        }
    }

    @Test func race12DaemonDiesBetweenExitAndRecord() {
        timeline("the keeper tells of the exit again until it is acknowledged: it is counted once") {
            service("web") {
                $0.restart.delay = .seconds(4)
                $0.restart.factor = 1
                $0.restart.maxAttempts = 2
            }
            world("web", "--x----x-----")
            orch("web", "L-----L----L-")
            phases("web", "rr==bbrbbbbrr")
            daemon("--✝=---------")
        }
    }

    @Test func race14ReadyAfterExit() {
        timeline("dropped, and told: the service and its readiness have got out of step") {
            service("web") {
                $0.ready = .notify
                $0.restart.delay = .seconds(3)
            }
            world("web", "-xl---")
            orch("web", "L---L-")
            phases("web", "sbbbss")
            told("web", .warning, at: 2, "READY=1 of launch 1 came after its end")
        }
        timeline("while its last child lingers, too") {
            service("web") {
                $0.ready = .notify
                $0.restart.delay = .seconds(3)
            }
            world("web", "-Xl-e--")
            phases("web", "spppbbb")
            told("web", .warning, at: 2, "READY=1 of launch 1 came after its end")
        }
    }

    @Test func race15HealthFlaps() {
        timeline(
            "a single answer turns nothing; what turns lasts at least its threshold of intervals; nobody is restarted"
        ) {
            service("db") {
                $0.health.readiness = probe {
                    $0.failureThreshold = 2
                    $0.successThreshold = 2
                }
            }
            service("web", needs: ["db"])
            //            0    5    10   15
            world("db", "---pgpgppgpgg----")
            orch("db", "L----------------")
            phases("db", "srrrrrrrnnnnrrrrr")
            orch("web", "-L---------------")
        }
    }

    @Test func race15HealthFlapsAndIsTold() {
        timeline("without thresholds each answer turns it: its dependants wait, nobody is restarted, a person is told")
        {
            service("db") { $0.health.readiness = probe() }
            service("web", needs: ["db"]) { $0.restart.delay = .milliseconds(1_500) }
            //            0    5    10
            world("db", "-pgpgpg---")
            orch("db", "L---------")
            phases("db", "rnrnrnrrrr")
            world("web", "--x-------")
            orch("web", "L---L-----")
            phases("web", "rrbwrrrrrr")
            told(
                "db", .warning, at: 5, "its readiness probe turned 6 times within 1m: raise its interval or thresholds")
        }
    }

    @Test func race17RestartDuringBackOff() {
        timeline("the operator wins: what was counted is forgotten, the deadline dropped, it starts now") {
            service("web") {
                $0.restart.delay = .seconds(4)
                $0.restart.maxAttempts = 1
            }
            world("web", "-x--x------")
            orch("web", "L--L----L--")
            phases("web", "rbbrbbbbrrr")
            command(.restart([target("web")]), at: 3)
            told("web", .backoff, at: 4, "retry 1 in 4s")
        }
    }

    @Test func race18StopDuringBackOff() {
        timeline("idle at once, and the pending restart is void") {
            service("web") { $0.restart.delay = .seconds(4) }
            world("web", "-x------")
            orch("web", "L-------")
            phases("web", "rbbiiiii")
            command(.stop([target("web")], timeout: nil), at: 3)
            asleep
        }
    }

    @Test func race19StartLimitAndAManualStart() {
        timeline("a start that comes in the very instant of the last failure wins") {
            service("web") { $0.restart.maxAttempts = 0 }
            world("web", "--x---")
            orch("web", "L-L---")
            command(.start([target("web")]), at: 2)
        }
        timeline("never failed because the operator was quick: restarts by hand are no failures") {
            service("web") { $0.restart.maxAttempts = 0 }
            orch("web", "LTTT--")
            orch("web", "-LLL--")
            phases("web", "rrrrrr")
            for column in 1...3 { command(.restart([target("web")]), at: column) }
        }
    }

    @Test func race32ShutdownDuringAStartStorm() {
        timeline("all are unwanted at once, then one pass in reverse order; nothing waiting starts any more") {
            service("a") { $0.ready = .notify }
            service("b", needs: ["a"]) { $0.ready = .notify }
            service("c", needs: ["b"])
            service("d", needs: ["a"])
            world("a", "-r---0-")
            orch("a", "L---T--")
            world("b", "----0--")
            orch("b", "-LT----")
            world("c", "-------")
            orch("c", "-------")
            world("d", "-ww0---")
            orch("d", "-LT----")
            phases("a", "srrrpii")
            phases("b", "wsppiii")
            phases("c", "wwiiiii")
            command(.shutdown, at: 2)
        }
    }

    @Test func race33ManifestRemovesARunningService() {
        timeline("its place lasts until nothing of it is left; only then it is forgotten") {
            service("web")
            service("old")
            world("old", "---O-e-")
            orch("old", "L-TT---")
            phases("old", "rrppp--")
            remove("old", at: 2)
        }
        timeline("put back while it goes, it starts anew at the end") {
            service("web")
            service("old")
            world("old", "----0-")
            orch("old", "L-T-L-")
            remove("old", at: 2)
            add(service("old"), at: 3)
        }
    }

    @Test func race35ScaleDownAgainstTheCrashOfThatReplica() {
        timeline("what is beyond is not restarted, and its number is free only when nothing of it is left") {
            service("web") { $0.replicas = 2 }
            world("web.2", "--X-e-----")
            orch("web.2", "L-T---L---")
            phases("web.2", "rrpp--rrrr")
            change("web", at: 2) { $0.replicas = 1 }
            change("web", at: 6) { $0.replicas = 2 }
        }
        timeline("up again before it is gone: the same number waits for its own end") {
            service("web") { $0.replicas = 2 }
            world("web.2", "--X--e----")
            orch("web.2", "L-T--L----")
            change("web", at: 2) { $0.replicas = 1 }
            change("web", at: 4) { $0.replicas = 2 }
        }
    }

    @Test func race36PortOfItsOwnOldIncarnation() {
        timeline("a replacement is launched when nothing of the old one is left that could hold its port") {
            service("web") { $0.ports = [PortSpec(port: 8080)] }
            world("web", "---O--e---")
            orch("web", "L-TT--L---")
            change("web", at: 2, port("2"))
        }
    }

    @Test func race37TheMachineHasNoMoreDescriptors() {
        timeline("tried again each second, never counted: it comes up when the machine can") {
            service("web") {
                $0.restart.maxAttempts = 1
                $0.restart.delay = .milliseconds(200)
            }
            world("web", "ssss--")
            orch("web", "LLLLL-")
            phases("web", "bbbbrr")
        }
    }

    @Test func race38ReloadDuringReload() {
        timeline("a second RELOADING=1 is the same reload; READY=1 ends it") {
            service("web") { $0.ready = .notify }
            world("web", "rv-vr--")
            orch("web", "L------")
            phases("web", "rlllrrr")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// The ladder.
@Suite struct StopRules {
    private func ladder(_ steps: [StopSpec.Step], scope: StopSpec.Scope = .tree) -> (inout ServiceSpec) -> Void {
        { $0.stop = StopSpec(scope: scope, steps: steps) }
    }

    @Test func eachStepHasItsTimeAndTheLastKills() {
        timeline("SIGINT to main, 3 s later SIGTERM to all, 2 s later the kill") {
            service(
                "web", needs: [],
                ladder([
                    .init(.signal(.interrupt, to: .main), wait: .seconds(3)),
                    .init(.signal(.terminate, to: .tree), wait: .seconds(2)),
                ]))
            world("web", "---------")
            orch("web", "L-I--T-K-")
            heard("web", "--m--t---")
            phases("web", "rrpppppii")
            reason("web", at: 3, "stopped by hand; step 1 of 3: SIGINT to main, waiting up to 3s")
            reason("web", at: 8, "stopped by hand")
            command(.stop([target("web")], timeout: nil), at: 2)
            verdict(on: .stopped, at: 6, is: .pending)
            verdict(on: .stopped, at: 7, is: .reached)
            asleep
        }
    }

    @Test func aStepEndsWhenAllIsGone() {
        timeline("gone during a step: the rest of the ladder is not climbed") {
            service("web", needs: [], ladder([.init(.signal(.interrupt, to: .group), wait: .seconds(9))]))
            world("web", "----0---")
            orch("web", "L-I-----")
            heard("web", "--g-----")
            phases("web", "rrppiiii")
            command(.stop([target("web")], timeout: nil), at: 2)
        }
    }

    @Test func onceMainIsGoneTheRestGetsTheStep() {
        timeline("main ends by its signal and leaves others: they are told too, then killed at the step's end") {
            service(
                "web", needs: [],
                ladder([
                    .init(.signal(.interrupt, to: .main), wait: .seconds(3)),
                    .init(.signal(.terminate, to: .main), wait: .seconds(2)),
                ]))
            world("web", "---O-----")
            orch("web", "L-II-T-K-")
            heard("web", "--mt-t---")
            command(.stop([target("web")], timeout: nil), at: 2)
        }
    }

    @Test func scopeMainCaresForMainOnly() {
        timeline("scope: main: when main is gone the ladder is over, and what is left is killed") {
            service("web", needs: [], ladder([.init(.signal(.interrupt, to: .main), wait: .seconds(9))], scope: .main))
            world("web", "---O----")
            orch("web", "L-IK----")
            phases("web", "rrpiiiii")
            command(.stop([target("web")], timeout: nil), at: 2)
        }
    }

    @Test func stepsThatAreNoSignals() {
        timeline("a command, a request, text: each has its wait; one that can't do its work is over at once") {
            service(
                "web", needs: [],
                ladder([
                    .init(.stdin("q"), wait: .seconds(1)),
                    .init(.command(.exec(["/bin/drain"])), wait: .seconds(2)),
                    .init(.http(HTTPProbe(url: "http://127.0.0.1/stop")), wait: .seconds(9)),
                ]))
            world("web", "-----n---")
            orch("web", "L-SS-S---")
            orch("web", "-----K---")
            command(.stop([target("web")], timeout: nil), at: 2)
            told("web", .warning, at: 5, "stop step 3: cannot run the step: exit 1")
        }
    }

    @Test func aLaterCommandShortensNeverLengthens() {
        timeline("a second stop with less time brings the kill forward; one with more changes nothing") {
            service("web", needs: [], ladder([.init(.signal(.interrupt, to: .main), wait: .seconds(20))]))
            world("web", "---------")
            orch("web", "L-I---K--")
            command(.stop([target("web")], timeout: nil), at: 2)
            command(.stop([target("web")], timeout: .seconds(2)), at: 4)
            command(.stop([target("web")], timeout: .seconds(9)), at: 5)
        }
    }

    @Test func downGivesNoMoreTimeToAStackThatStopsAlready() {
        timeline("one that is held back by the end of another, was told to be gone in two seconds, and then goes down")
        {
            service("db")
            service("web", needs: ["db"])
            service("app") {
                $0.essential = true
                $0.restart.policy = .no
            }
            world("app", "-7------")
            world("web", "--------")
            orch("web", "LT--K---")
            world("db", "--------")
            orch("db", "L---K---")
            command(.stop([target()], timeout: .seconds(2)), at: 2)
            command(.down(stack: "s", timeout: .seconds(30)), at: 3)
        }
    }

    @Test func theKillIsRepeatedAndWhatOutlivesItIsStuck() {
        timeline("uninterruptible sleep: killed each second, stuck after ten, never doubled") {
            service("web", needs: [], ladder([.init(.signal(.terminate, to: .main), wait: .seconds(1))]))
            //             0    5    10   15
            world("web", "--u------------x---")
            orch("web", "L-TKKKKKKKKKKKKL---")
            phases("web", "rrpppppppppppkkrrrr")
            command(.restart([target("web")]), at: 2)
        }
    }

    @Test func aStartDuringAStopTakesEffectAtItsEnd() {
        timeline("the ladder is not left upward: what is wanted anew starts when nothing is left") {
            service("web")
            world("web", "----0---")
            orch("web", "L-T-L---")
            phases("web", "rrpprrrr")
            command(.stop([target("web")], timeout: nil), at: 2)
            command(.start([target("web")]), at: 3)
            told("web", .launching, at: 4, "started by hand")
        }
    }

    @Test func aStopDuringALaunchIsServedWhenItExecutes() {
        timeline("told to stop while it is being executed: the signal goes out at once, the end counts when it comes") {
            service("web")
            world("web", "www0--")
            orch("web", "LT----")
            phases("web", "sppiii")
            command(.stop([target("web")], timeout: nil), at: 1)
        }
    }
}

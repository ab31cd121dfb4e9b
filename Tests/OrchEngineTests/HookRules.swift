// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// `hooks`: commands around the life of a service.
@Suite struct HookRules {
    private func web(
        _ kind: HookKind, timeout: Duration = .seconds(30), needs: [String] = [],
        _ adjust: (inout ServiceSpec) -> Void = { _ in }
    ) -> ServiceSpec {
        service("web", needs: needs) {
            $0.hooks[kind] = Hook(.exec(["/bin/\(kind.rawValue)"]), timeout: timeout)
            $0.restart.delay = .seconds(2)
            adjust(&$0)
        }
    }
    private func stop(at column: Int, timeout: Duration? = nil) -> TimelineLine {
        OrchEngineTests.command(.stop([target("web")], timeout: timeout), at: column)
    }

    // MARK: pre_start

    @Test func aStartComesAfterItsPreStart() {
        timeline("it is starting meanwhile, and is launched once that has worked") {
            web(.preStart)
            world("web/pre_start", "--0--")
            orch("web/pre_start", "L----")
            orch("web", "--L--")
            phases("web", "ssrrr")
            reason("web", at: 1, "pre_start runs: /bin/pre_start")
            hook("web/pre_start", at: 0, knows: "ORCH_HOOK=pre_start")
            hook("web/pre_start", at: 0, knows: "ORCH_ATTEMPT=1")
            told("web", .hook, at: 0, "pre_start runs: /bin/pre_start")
            told("web", .hooked, at: 2, "pre_start worked after 2s")
            asleep
        }
    }

    @Test func aPreStartThatFailsIsAFailedStart() {
        timeline("the retry comes as after any other failure, with another pre_start") {
            web(.preStart)
            world("web/pre_start", "-x--0--")
            orch("web/pre_start", "L--L---")
            orch("web", "----L--")
            phases("web", "sbbsrrr")
            reason("web", at: 1, "pre_start failed: exit 1 after 1s; what it wrote: orch logs web")
            hook("web/pre_start", at: 3, knows: "ORCH_ATTEMPT=2")
            told("web", .hookFailed, at: 1, "pre_start failed: exit 1")
            told("web", .backoff, at: 1, "retry 1 in 2s after pre_start failed")
        }
        timeline("and one that may not be tried again is failed") {
            web(.preStart) { $0.restart.policy = .no }
            world("web/pre_start", "-x--")
            orch("web/pre_start", "L---")
            orch("web", "----")
            phases("web", "sfff")
            told("web", .failed, at: 1, "pre_start failed: exit 1 after 1s; what it wrote: orch logs web; restart: no")
            asleep
        }
    }

    @Test func eachRestartHasOne() {
        timeline("a crash leads to another pre_start") {
            web(.preStart)
            world("web", "--x-----")
            orch("web/pre_start", "L---L---")
            orch("web", "L---L---")
        }
    }

    @Test func aPreStartThatTakesTooLongIsKilled() {
        timeline("its time is its own") {
            web(.preStart, timeout: .seconds(2)) { $0.restart.policy = .no }
            world("web/pre_start", "-----")
            orch("web/pre_start", "L-K--")
            phases("web", "ssfff")
            told("web", .hookFailed, at: 2, "no end within 2s")
            asleep
        }
    }

    @Test func aStopEndsThePreStart() {
        timeline("it is asked to end, and the service is not started") {
            web(.preStart)
            world("web/pre_start", "---t--")
            orch("web/pre_start", "L-T---")
            orch("web", "------")
            phases("web", "sspiii")
            reason("web", at: 2, "stopped by hand; its pre_start is being ended")
            stop(at: 2)
            verdict(on: .stopped, at: 2, is: .pending)
            verdict(on: .stopped, at: 3, is: .reached)
            asleep
        }
    }

    // MARK: post_stop

    @Test func whatEndedIsFollowedByItsPostStop() {
        timeline("the next start waits for it, though its time has come") {
            web(.postStop)
            world("web", "--x-------")
            world("web/post_stop", "-----0----")
            orch("web/post_stop", "--L-------")
            orch("web", "L----L----")
            phases("web", "rrppprrrrr")
            reason("web", at: 3, "exit 1; post_stop runs: /bin/post_stop")
            hook("web/post_stop", at: 2, knows: "ORCH_EXIT_CODE=1")
            hook("web/post_stop", at: 2, knows: "ORCH_REASON=exit 1")
        }
        timeline("one that fails is told, and changes nothing") {
            web(.postStop)
            world("web", "--c-------")
            world("web/post_stop", "---x------")
            orch("web", "L---L-----")
            hook("web/post_stop", at: 2, knows: "ORCH_EXIT_SIGNAL=SIGSEGV")
            told("web", .hookFailed, at: 3, "post_stop failed: exit 1 after 1s")
        }
    }

    @Test func aStackGoesDownAfterItsPostStops() {
        timeline("what it needs is there until its post_stop is over") {
            service("db")
            web(.postStop, needs: ["db"])
            world("web/post_stop", "----0--")
            orch("web", "L-T----")
            orch("web/post_stop", "--L----")
            orch("db", "L---T--")
            hook("web/post_stop", at: 2, knows: "ORCH_EXIT_SIGNAL=SIGTERM")
            hook("web/post_stop", at: 2, knows: "ORCH_REASON=the stack is going down")
            command(.down(stack: "s", timeout: nil), at: 2)
            verdict(on: .gone, at: 3, is: .pending)
            verdict(on: .gone, at: 4, is: .reached)
            asleep
        }
    }

    @Test func aTaskHasSucceededOnceItsPostStopIsOver() {
        timeline("who waits for the task waits for that, too") {
            task("job") { $0.hooks[.postStop] = Hook(.exec(["/bin/clean"])) }
            service("web", needs: []) { $0.dependsOn = [Dependency(on: "job", condition: .succeeded)] }
            world("job", "-0---")
            world("job/post_stop", "---0-")
            orch("job/post_stop", "-L---")
            orch("web", "---L-")
            phases("job", "uppdd")
            verdict(on: .settled, at: 2, is: .pending)
        }
    }

    @Test func aFailedPreStartIsFollowedByPostStop() {
        timeline("what it did by half can be undone") {
            web(.preStart) { $0.hooks[.postStop] = Hook(.exec(["/bin/undo"])) }
            world("web/pre_start", "-x---")
            orch("web/pre_start", "L--L-")
            orch("web/post_stop", "-L---")
            orch("web", "-----")
        }
    }

    @Test func aDeadlineEndsPostStop() {
        timeline("one that is begun in time has no more than the stop, but five seconds") {
            web(.postStop)
            world("web/post_stop", "----------")
            orch("web", "L-T-------")
            orch("web/post_stop", "--L----K--")
            stop(at: 2, timeout: .seconds(3))
            verdict(on: .stopped, at: 6, is: .pending)
            verdict(on: .stopped, at: 7, is: .reached)
            told("web", .hookFailed, at: 7, "the time that the stop was given is over")
        }
    }

    // MARK: pre_stop

    @Test func theLadderBeginsAfterPreStop() {
        timeline("one that fails does not keep it from being stopped") {
            web(.preStop)
            world("web/pre_stop", "----x---")
            orch("web/pre_stop", "--L-----")
            orch("web", "L---T---")
            phases("web", "rrppiiii")
            reason("web", at: 3, "stopped by hand; pre_stop runs: /bin/pre_stop")
            hook("web/pre_stop", at: 2, knows: "ORCH_MAIN_PID=100")
            hook("web/pre_stop", at: 2, knows: "ORCH_REASON=stopped by hand")
            stop(at: 2)
            asleep
        }
        timeline("nor does one that takes too long") {
            web(.preStop, timeout: .seconds(3))
            world("web/pre_stop", "-------")
            orch("web/pre_stop", "--L--K-")
            orch("web", "L----T-")
            stop(at: 2)
        }
        timeline("at the deadline of the stop both are killed") {
            web(.preStop)
            world("web/pre_stop", "-------")
            orch("web/pre_stop", "--L-K--")
            orch("web", "L---K--")
            stop(at: 2, timeout: .seconds(2))
        }
    }

    @Test func whatHasEndedByItselfHasNoPreStop() {
        timeline("there is nobody to prepare") {
            web(.preStop)
            world("web", "--x--")
            orch("web/pre_stop", "-----")
            orch("web", "L---L")
        }
    }

    // MARK: post_ready, on_failed

    @Test func onceReadyItsPostReadyRuns() {
        timeline("nobody waits for it, and a failure is only told") {
            web(.postReady) { $0.ready = .notify }
            service("next", needs: ["web"])
            world("web", "--r----")
            world("web/post_ready", "----x--")
            orch("web/post_ready", "--L----")
            orch("next", "--L----")
            phases("web", "ssrrrrr")
            hook("web/post_ready", at: 2, knows: "ORCH_MAIN_PID=100")
            told("web", .hookFailed, at: 4, "post_ready failed: exit 1 after 2s")
            asleep
        }
        timeline("a stop does not wait for it") {
            web(.postReady)
            world("web/post_ready", "---t--")
            orch("web/post_ready", "L-T---")
            orch("web", "L-T---")
            phases("web", "rrpiii")
            stop(at: 2)
        }
    }

    @Test func whatHasFailedSaysSo() {
        timeline("once, with the reason") {
            web(.onFailed) { $0.restart.maxAttempts = 1 }
            world("web", "-x-x---")
            orch("web/on_failed", "---L---")
            orch("web", "L--L---")
            phases("web", "rbbffff")
            hook("web/on_failed", at: 3, knows: "ORCH_REASON=gave up after 2 failures")
            hook("web/on_failed", at: 3, knows: "ORCH_EXIT_CODE=1")
            hook("web/on_failed", at: 3, knows: "ORCH_ATTEMPT=2")
            asleep
        }
    }

    // MARK: The daemon dies

    @Test func aHookOutlivesTheDaemon() {
        timeline("the next daemon waits for it") {
            web(.preStart)
            world("web/pre_start", "-----0-")
            orch("web/pre_start", "L------")
            orch("web", "-----L-")
            phases("web", "s===srr")
            daemon("-✝==---")
        }
        timeline("and knows how it ended meanwhile") {
            web(.preStart)
            world("web/pre_start", "--0----")
            orch("web/pre_start", "L------")
            orch("web", "----L--")
            daemon("-✝==---")
            told("web", .hooked, at: 4, "pre_start worked")
        }
        timeline("as of a post_stop") {
            web(.postStop)
            world("web/post_stop", "---0---")
            orch("web/post_stop", "-L-----")
            orch("web", "LT--L--")
            OrchEngineTests.command(.restart([target("web")]), at: 1)
            daemon("-✝==---")
        }
    }

    @Test func whatIsOwedIsNotForgotten() {
        timeline("who dies before it begins leaves it to the next daemon") {
            web(.postStop) { $0.restart.delay = .seconds(1) }
            world("web", "--x---")
            orch("web/post_stop", "----L-")
            orch("web", "L---L-")
            daemon("--b=--")
        }
        timeline("who dies before the ladder has not forgotten what comes before it") {
            web(.preStop)
            orch("web/pre_stop", "----L-")
            orch("web", "L---T-")
            stop(at: 2)
            daemon("--b=--")
        }
    }

    @Test func whatWorkedIsNotDoneAgain() {
        timeline("the start that it was for comes with the next daemon") {
            web(.preStart)
            world("web/pre_start", "--0---")
            orch("web/pre_start", "L-----")
            orch("web", "----L-")
            daemon("--b=--")
        }
    }

    @Test func aStartThatCameToBeHadItsOwn() {
        timeline("who dies after its end does not leave its pre_start to the next start") {
            web(.preStart)
            world("web", "--0----")
            orch("web/pre_start", "L----L-")
            orch("web", "L----L-")
            daemon("--✝=---")
            OrchEngineTests.command(.start([target("web")]), at: 5)
        }
    }

    // MARK: Beside others

    @Test func ofTwoLaunchesOfOneInstanceOneHookRunsAtATime() {
        timeline("start-first: the new one is made known before the old one is withdrawn") {
            web(.postReady) {
                $0.update.order = .startFirst
                $0.hooks[.preStop] = Hook(.exec(["/bin/pre_stop"]))
            }
            change("web", at: 2) { $0.environment = [EnvironmentEntry("PORT", "2")] }
            world("web/post_ready", "-0--0--")
            orch("web/post_ready", "L-L----")
            orch("web/pre_stop", "----L--")
            orch("web", "L-L-T--")
        }
    }

    @Test func whatCountsAsUpIsThereOnceItsPostStopIsOver() {
        timeline("who waits for it is started then") {
            web(.postStop) { $0.onExit = ExitActions([.init(.code(0), .ignore)]) }
            service("next", needs: ["web"])
            world("web", "--0----")
            world("web/post_stop", "----0--")
            world("next", "--x----")
            orch("web/post_stop", "--L----")
            orch("next", "L---L--")
        }
    }

    // MARK: watch

    @Test func aWatchRuleReloads() {
        timeline("as by hand, and by the same way") {
            service("web") {
                $0.watch = [WatchRule(path: "/src")]
                $0.watch[0].debounce = .seconds(1)
                $0.watch[0].action = .reload
                $0.reload = .command(.exec(["/bin/reload"]), timeout: .seconds(5))
            }
            world("web", "r----y--")
            orch("web", "L--R----")
            phases("web", "rrrllrrr")
            files(of: "web", ["/src/a"], at: 2)
            told("web", .changed, at: 3, "/src/a changed (watch): it reloads")
            told("web", .reloaded, at: 5, "its command succeeded")
            asleep
        }
    }
}

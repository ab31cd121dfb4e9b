// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// `reload`, by hand.
@Suite struct ReloadRules {
    private func web(_ reload: ReloadSpec, _ adjust: (inout ServiceSpec) -> Void = { _ in }) -> ServiceSpec {
        service("web") {
            $0.reload = reload
            adjust(&$0)
        }
    }
    private let command = ReloadSpec.command(.exec(["/bin/reload"]), timeout: .seconds(3))
    private func reload(at column: Int) -> TimelineLine {
        OrchEngineTests.command(.reload([target("web")]), at: column)
    }

    @Test func bySignalItIsToldAndDone() {
        timeline("nobody can tell when it is done") {
            web(.signal(.hangup))
            world("web", "r----")
            orch("web", "L-H--")
            heard("web", "--m--")
            phases("web", "rrrrr")
            reload(at: 2)
            told("web", .reloaded, at: 2, "reloaded by hand: SIGHUP sent")
            verdict(on: .reloaded, at: 2, is: .reached)
            asleep
        }
    }

    @Test func byCommandItReloadsUntilThatHasEnded() {
        timeline("reloading while the command runs") {
            web(command)
            world("web", "r---y--")
            orch("web", "L-R----")
            phases("web", "rrllrrr")
            reload(at: 2)
            reason("web", at: 3, "its reload runs: /bin/reload")
            verdict(on: .reloaded, at: 3, is: .pending)
            told("web", .reloading, at: 2, "reloaded by hand")
            told("web", .reloaded, at: 4, "its command succeeded after 2s")
            verdict(on: .reloaded, at: 4, is: .reached)
            asleep
        }
    }

    @Test func oneThatFailsLeavesItAsItWas() {
        timeline("the failure is shown until the next reload works") {
            web(command)
            world("web", "r--q--y-")
            orch("web", "L-R--R--")
            phases("web", "rrlrrlrr")
            reload(at: 2)
            told("web", .notReloaded, at: 3, "exit 1: no such port")
            reason("web", at: 4, "it runs as it was: its reload failed: exit 1: no such port")
            verdict(on: .reloaded, at: 3, is: .failed("web: its reload failed: exit 1: no such port"))
            reload(at: 5)
            verdict(on: .reloaded, at: 6, is: .reached)
            reason("web", at: 6, "")
        }
    }

    @Test func oneThatHangsIsOverAtItsTime() {
        timeline("it is killed, and has failed") {
            web(command)
            world("web", "r------")
            orch("web", "L-R----")
            phases("web", "rrlllrr")
            reload(at: 2)
            told("web", .notReloaded, at: 5, "no answer within 3s")
        }
    }

    @Test func byNotifyItSaysBoth() {
        timeline("RELOADING=1, then READY=1") {
            web(.notify(timeout: .seconds(5))) { $0.ready = .notify }
            world("web", "r---v-r-")
            orch("web", "L-H-----")
            phases("web", "rrllllrr")
            reload(at: 2)
            reason("web", at: 3, "it has not said RELOADING=1 yet")
            reason("web", at: 4, "it reloads; it has not said READY=1 yet")
            told("web", .reloaded, at: 6, "it said READY=1 after 4s")
        }
        timeline("READY=1 alone belongs to an earlier time") {
            web(.notify(timeout: .seconds(3))) { $0.ready = .notify }
            world("web", "r--r---")
            orch("web", "L-H----")
            phases("web", "rrlllrr")
            reload(at: 2)
            told("web", .notReloaded, at: 5, "no RELOADING=1 within 3s after SIGHUP")
        }
    }

    /// As by a SIGHUP of somebody else's.
    @Test func oneThatNobodyAskedForIsNotWaitedForForEver() {
        timeline("RELOADING=1, and never READY=1") {
            web(.notify(timeout: .seconds(3))) { $0.ready = .notify }
            world("web", "r-v----")
            orch("web", "L------")
            phases("web", "rrlllrr")
            reason("web", at: 3, "it is reloading")
            told("web", .notReloaded, at: 5, "no READY=1 within 3s after RELOADING=1")
        }
        timeline("as long as its start may take, where no reload is said") {
            service("web") {
                $0.ready = .notify
                $0.startTimeout = .seconds(2)
            }
            world("web", "r-v---")
            orch("web", "L-----")
            phases("web", "rrllrr")
        }
    }

    @Test func itWaitsUntilTheServiceIsReady() {
        timeline("a signal before its handler is there would kill it") {
            web(.signal(.hangup)) { $0.ready = .notify }
            world("web", "---r--")
            orch("web", "L--H--")
            phases("web", "sssrrr")
            reload(at: 1)
            verdict(on: .reloaded, at: 2, is: .pending)
            verdict(on: .reloaded, at: 3, is: .reached)
        }
    }

    @Test func oneAfterTheOther() {
        timeline("what is asked meanwhile is done afterwards, once") {
            web(command)
            world("web", "r---y-y")
            orch("web", "L-R-R--")
            reload(at: 2)
            reload(at: 3)
            reload(at: 3)
            verdict(on: .reloaded, at: 5, is: .pending)
            verdict(on: .reloaded, at: 6, is: .reached)
        }
    }

    @Test func aStopEndsIt() {
        timeline("its command is killed before anything else is done") {
            web(command)
            world("web", "r---0")
            orch("web", "L-RT-")
            phases("web", "rrlpi")
            reload(at: 2)
            OrchEngineTests.command(.stop([target("web")], timeout: nil), at: 3)
        }
    }

    @Test func theNextDaemonBeginsItAgain() {
        timeline("a reload under way when the daemon dies is done once more") {
            web(command)
            world("web", "r----y-")
            orch("web", "L-R-R--")
            daemon("--✝=---")
            phases("web", "rr==lrr")
            reload(at: 2)
            told("web", .reloaded, at: 5, "its command succeeded")
        }
        timeline("one that failed stays known") {
            web(command)
            world("web", "r--q---")
            orch("web", "L-R----")
            daemon("---✝=--")
            reload(at: 2)
            reason("web", at: 5, "its reload failed: exit 1: no such port")
        }
    }

    @Test func whatCanNotReloadIsRefused() throws {
        var world = FleetWorld { _, _ in SimulatedLife() }
        try world.apply(request([service("web"), service("api") { $0.reload = .signal(.hangup) }]))
        world.run(for: .seconds(1))
        try world.fleet.admit(.reload([target()]))
        let mute = Refusal(
            .conflict, "web has no `reload`: the manifest does not say how it takes up what has changed",
            remedy: "say how, such as `reload: { signal: SIGHUP }`, and apply; or `orch restart web`")
        #expect(throws: mute) { try world.fleet.admit(.reload([target("web")])) }
        world.command(.stop([target("api")], timeout: nil))
        world.run(for: .seconds(1))
        let idle = Refusal(
            .conflict, "api has no process: it is idle (stopped by hand)", remedy: "`orch start api` starts it")
        #expect(throws: idle) { try world.fleet.admit(.reload([target("api")])) }
        #expect(throws: idle) { try world.fleet.admit(.reload([target()])) }
    }
}

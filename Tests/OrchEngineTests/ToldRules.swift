// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// What services say of themselves by sd_notify(3), beside that they are ready.
@Suite struct ToldRules {
    /// One that speaks, and may be silent for three seconds.
    private func watched(_ name: String = "web", _ adjust: @escaping (inout ServiceSpec) -> Void = { _ in })
        -> TimelineLine
    {
        .service(
            service(name) {
                $0.ready = .notify
                $0.health.liveness = Probe(.notify)
                $0.health.liveness?.interval = .seconds(1)
                adjust(&$0)
            })
    }

    @Test func silenceIsAFailure() {
        timeline("WATCHDOG=1 comes in time or it is restarted; it is watched from its readiness on") {
            watched()
            world("web", "----r-k-k----t-")
            orch("web", "L----------T-L--")
            phases("web", "ssssrrrrrrrppsss")
            told("web", .unhealthy, at: 11, "liveness probe: no WATCHDOG=1 within 3s")
        }
    }

    @Test func whoFindsItselfSickIsRestarted() {
        timeline("WATCHDOG=trigger fails at once, with a watchdog and without one") {
            watched()
            service("plain") { $0.ready = .notify }
            world("web", "r-T--")
            world("plain", "r-T--")
            orch("web", "L-T--")
            orch("plain", "L-T--")
            reason("web", at: 3, "it said WATCHDOG=trigger")
            reason("plain", at: 3, "it said WATCHDOG=trigger")
        }
    }

    @Test func aWatchdogMayOnlyReport() {
        timeline("with on_failure: report it is unhealthy until it speaks again") {
            watched { $0.health.liveness?.onFailure = .report }
            world("web", "rk------k--")
            orch("web", "L----------")
            phases("web", "rrrrnnnnrrr")
        }
    }

    @Test func aDaemonThatDiesDoesNotAccuse() {
        timeline("what was said while nobody listened is not held against it") {
            watched()
            world("web", "r-k------k--")
            orch("web", "L-----------")
            daemon("---✝====----")
            phases("web", "rrr=====rrrr")
        }
    }

    @Test func itsOwnStopIsNoFailure() {
        timeline("STOPPING=1 makes it a service that stops; how it ends decides what follows") {
            watched()
            service("user", needs: ["web"])
            world("web", "r-h--0--")
            orch("web", "L-------")
            phases("web", "rrpppddd")
            reason("web", at: 3, "it said STOPPING=1")
            told("web", .done, at: 5, "ended with exit 0")
        }
    }

    @Test func itsOwnStopHasTheTimeOfItsLadder() {
        timeline("who says STOPPING=1 and stays is ended by the ladder; EXTEND_TIMEOUT_USEC gives it more") {
            for name in ["a", "b"] {
                watched(name) { $0.stop = StopSpec(steps: [.init(.signal(.terminate, to: .main), wait: .seconds(3))]) }
            }
            world("a", "r-h--------")
            world("b", "r-h-E------")
            orch("a", "L----T--K--")
            orch("a", "--------L--")
            orch("b", "L--------T-")
            told("a", .stopping, at: 5, "still there 3s after it said STOPPING=1")
        }
    }

    @Test func aSlowStartMayAskForTime() {
        timeline("EXTEND_TIMEOUT_USEC moves the start's deadline, never nearer; the last word counts") {
            for name in ["a", "b", "c"] {
                service(name) {
                    $0.ready = .notify
                    $0.startTimeout = .seconds(4)
                }
            }
            world("a", "-----------")
            world("b", "---E-------")
            world("c", "---E--E---r")
            orch("a", "L---T------")
            orch("b", "L-------T--")
            orch("c", "L----------")
            phases("c", "ssssssssssr")
            told("b", .stopping, at: 8, "not ready within 4s")
        }
    }

    @Test func aSlowStopMayAskForTime() {
        timeline("EXTEND_TIMEOUT_USEC moves the end of the step that is waited for, over the death of a daemon too") {
            service("a") {
                $0.ready = .notify
                $0.stop = StopSpec(steps: [.init(.signal(.terminate, to: .main), wait: .seconds(3))])
            }
            world("a", "r---E------")
            orch("a", "L-T------K-")
            daemon("-----✝=----")
            command(.stop([target("a")], timeout: nil), at: 2)
        }
    }

    @Test func whatIsHandedOverIsKeptWhileItIsToBeUp() {
        timeline("FDSTORE=1: kept over a crash, a restart and the daemon's death; closed when it is stopped") {
            service("a") { $0.ready = .notify }
            world("a", "rF-x-r-----t---")
            orch("a", "L--L-----T-D---")
            command(.stop([target("a")], timeout: nil), at: 9)
        }
    }

    @Test func readinessMayBeWhatItSays() {
        timeline("startup and readiness by notify follow READY=1 and RELOADING=1") {
            service("a") {
                $0.health.startup = Probe(.notify)
                $0.health.readiness = Probe(.notify)
            }
            service("user", needs: ["a"])
            world("a", "--r-v-r")
            orch("user", "--L----")
            phases("a", "ssrrllr")
            reason("a", at: 1, "it has not said READY=1 yet")
        }
    }
}

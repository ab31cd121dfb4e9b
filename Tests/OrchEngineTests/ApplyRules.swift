// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// What apply does to what runs.
@Suite struct ApplyRules {
    private func newPort(_ spec: inout ServiceSpec) { spec.environment = [EnvironmentEntry("PORT", "81")] }

    @Test func onlyWhatChangedMoves() {
        timeline("a changed definition is replaced; what needs it and what it needs keep their processes") {
            service("db")
            service("api", needs: ["db"])
            service("web", needs: ["api"])
            orch("db", "L-----")
            orch("api", "L-T---")
            orch("api", "--L---")
            orch("web", "L-----")
            change("api", at: 2, newPort)
            told("api", .stopping, at: 2, "its definition changed")
        }
    }

    @Test func whatIsLiveTouchesNoProcess() {
        timeline("restart, stop, logging and probes are taken up by what runs") {
            service("web")
            world("web", "-----x---")
            orch("web", "L-------L")
            asked("web", "--RRR---R")
            phases("web", "rrrrrbbbr")
            change("web", at: 2) {
                $0.restart.delay = .seconds(3)
                $0.health.readiness = probe()
                $0.stop = StopSpec(steps: [.init(.signal(.interrupt, to: .main), wait: .seconds(1))])
                $0.logging.rotate.keep = 9
            }
        }
    }

    @Test func aNewServiceComesAndARemovedOneGoes() {
        timeline("what the manifest lacks is stopped and forgotten; what is new starts") {
            service("old")
            world("old", "----0--")
            orch("old", "L-T----")
            phases("old", "rrpp---")
            orch("new", "--L----")
            phases("new", "--rrrrr")
            remove("old", at: 2)
            add(service("new"), at: 2)
        }
    }

    @Test func apartFromOrderARemovedNeedWaitsForItsDependant() {
        timeline("both removed: the dependant goes first") {
            service("db")
            service("web", needs: ["db"])
            service("other")
            world("web", "----0--")
            orch("web", "L-T----")
            orch("db", "L---T--")
            orch("other", "L------")
            remove("web", at: 2)
            remove("db", at: 2)
        }
    }

    @Test func applyMendsDrift() {
        timeline("stopped by hand stays stopped until apply puts it back") {
            service("web")
            orch("web", "L-T--L--")
            phases("web", "rriiirrr")
            reason("web", at: 3, "stopped by hand")
            command(.stop([target("web")], timeout: nil), at: 2)
            applyAgain(at: 5)
            told("web", .launching, at: 5, "apply put it back")
        }
        timeline("what has failed is tried again, with nothing counted") {
            service("web") { $0.restart.maxAttempts = 0 }
            world("web", "--x-----")
            orch("web", "L---L---")
            phases("web", "rrffrrrr")
            applyAgain(at: 4)
        }
        timeline(
            "what rests in back-off is left to its policy by the same manifest, and starts at once by a changed one"
        ) {
            service("a") { $0.restart.delay = .seconds(4) }
            service("b") { $0.restart.delay = .seconds(4) }
            world("a", "-x------")
            orch("a", "L----L--")
            world("b", "-x------")
            orch("b", "L--L----")
            applyAgain(at: 2)
            change("b", at: 3, newPort)
        }
    }

    @Test func aDisabledOneStopsAndAnEnabledOneStarts() {
        timeline("enabled is live: no definition changes, only what is wanted") {
            service("web")
            orch("web", "L-T-L-")
            phases("web", "rriirr")
            change("web", at: 2) { $0.enabled = false }
            change("web", at: 4) { $0.enabled = true }
        }
    }

    @Test func replicasScaleUpAndDown() {
        timeline("more are started, the highest go first, the others keep their processes") {
            service("web")
            orch("web", "L--------")
            orch("web.2", "--L------")
            orch("web.3", "--L--T---")
            world("web.3", "-------0-")
            phases("web.3", "--rrrpp--")
            reason("web.3", at: 5, "scaled down to 2")
            change("web", at: 2) { $0.replicas = 3 }
            change("web", at: 5) { $0.replicas = 2 }
        }
    }

    @Test func replicasAreReplacedOneAfterTheOther() {
        timeline("the next goes when the one before is ready again") {
            service("web") {
                $0.replicas = 3
                $0.ready = .notify
            }
            //              0    5    10
            world("web", "r--0-r-------")
            orch("web", "L-TL---------")
            world("web.2", "r-----0-r----")
            orch("web.2", "L----TL------")
            world("web.3", "r--------0r--")
            orch("web.3", "L-------TL---")
            change("web", at: 2, newPort)
        }
    }

    @Test func aReplacementDoesNotWaitForWhatWaitsForIt() {
        timeline("web.1 can't return before db does, db goes once web.2 has gone: so web.2 does not wait for web.1") {
            service("db")
            service("web", needs: ["db"]) { $0.replicas = 2 }
            world("web", "---0-----")
            orch("web", "L-T---L--")
            world("web.2", "----0----")
            orch("web.2", "L--T--L--")
            world("db", "------0--")
            orch("db", "L---T-L--")
            change("web", at: 2, newPort)
            command(.restart([target("db")]), at: 2)
        }
    }

    @Test func aReplicaThatFailsStopsTheReplacement() {
        timeline("a new definition that does not come up leaves the other replicas as they are") {
            service("web") {
                $0.replicas = 2
                $0.ready = .notify
                $0.restart.maxAttempts = 0
            }
            world("web", "r--0-x----")
            orch("web", "L-TL------")
            phases("web", "rrpssfffff")
            world("web.2", "r---------")
            orch("web.2", "L---------")
            change("web", at: 2, newPort)
        }
    }

    @Test func aTaskRunsAgainWhenItsDefinitionChanges() {
        timeline("a succeeded task rests through the same manifest and runs again when it is changed") {
            task("migrate")
            service("web", needs: ["migrate"]) { $0.dependsOn[0].condition = .succeeded }
            world("migrate", "-0----0--")
            orch("migrate", "L----L---")
            phases("migrate", "udddduddd")
            orch("web", "-L-------")
            applyAgain(at: 3)
            change("migrate", at: 5, newPort)
        }
    }

    @Test func restartMovesOnlyWhatItNames() {
        timeline("orch restart replaces what it names, in place, with the same definition") {
            service("db")
            service("web", needs: ["db"])
            world("db", "----0---")
            orch("db", "L-T-L---")
            orch("web", "L-------")
            command(.restart([target("db")]), at: 2)
            told("db", .stopping, at: 2, "restarted by hand")
        }
    }

    @Test func restartOfAllGoesByOrder() {
        timeline("restarted together: dependants first down, needs first up") {
            service("db") { $0.ready = .notify }
            service("web", needs: ["db"])
            world("db", "r---0-r-")
            orch("db", "L--TL---")
            world("web", "---0----")
            orch("web", "L-T---L-")
            command(.restart([target()]), at: 2)
        }
    }
}

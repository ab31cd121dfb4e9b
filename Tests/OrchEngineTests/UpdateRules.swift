// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// How apply replaces the instances of a service whose definition changed: `update`.
@Suite struct UpdateRules {
    private func newPort(_ spec: inout ServiceSpec) { spec.environment = [EnvironmentEntry("PORT", "81")] }
    private func web(_ replicas: Int, _ adjust: (inout UpdatePolicy) -> Void) -> ServiceSpec {
        service("web") {
            $0.replicas = replicas
            $0.restart.delay = .seconds(2)
            adjust(&$0.update)
        }
    }

    @Test func aNewOneProvesItselfBeforeTheNextGoes() {
        timeline("min_ready: ready for two seconds, then the next; each stops before it starts") {
            add(web(3) { $0.minReady = .seconds(2) }, at: 0)
            change("web", at: 1, newPort)
            orch("web", "LT-----")
            orch("web", "-L-----")
            orch("web.2", "L--T---")
            orch("web.2", "---L---")
            orch("web.3", "L----T-")
            orch("web.3", "-----L-")
            verdict(on: .settled, at: 6, is: .pending)
        }
    }

    @Test func whatWaitsForItsTurnIsAskedAsBefore() {
        timeline(
            "who waits for its turn is probed as before: failures count on though the probe is redefined"
        ) {
            add(
                service("web") {
                    $0.replicas = 2
                    $0.health.readiness = probe { $0.failureThreshold = 3 }
                }, at: 0)
            change("web", at: 2) {
                $0.environment = [EnvironmentEntry("PORT", "81")]
                $0.health.readiness?.failureThreshold = 2
            }
            world("web", "g-----")
            world("web.2", "gp----")
            phases("web.2", "rrrppp")
        }
    }

    @Test func soManyGoAtATime() {
        timeline("parallelism: two at a time") {
            add(
                web(4) {
                    $0.parallelism = 2
                    $0.minReady = .seconds(2)
                }, at: 0)
            change("web", at: 1, newPort)
            orch("web", "LT------")
            orch("web", "-L------")
            orch("web.2", "LT------")
            orch("web.2", "-L------")
            orch("web.3", "L--T----")
            orch("web.3", "---L----")
            orch("web.4", "L--T----")
            orch("web.4", "---L----")
            verdict(on: .settled, at: 7, is: .reached)
            asleep
        }
    }

    @Test func theOldOneGoesOnceTheNewOneHasProvenItself() {
        timeline(
            "start-first: the new launch begins beside the old one, which is stopped when it has been ready for min_ready"
        ) {
            add(
                web(2) {
                    $0.order = .startFirst
                    $0.minReady = .seconds(2)
                }, at: 0)
            change("web", at: 1, newPort)
            orch("web", "LL-T----")
            orch("web.2", "L--L-T--")
            phases("web", "rrrrrrrr")
            phases("web.2", "rrrrrrrr")
            reason("web.2", at: 2, "its definition changed; it goes once web.1 is done")
            told("web", .stopping, at: 3, "took over")
            verdict(on: .settled, at: 6, is: .reached)
            asleep
        }
    }

    @Test func aServiceThatNeverGetsReadyIsNotMissed() {
        timeline("start-first, pause: the new one fails, and the old one never was away") {
            add(web(1) { $0.order = .startFirst }, at: 0)
            change("web", at: 1) {
                newPort(&$0)
                $0.ready = .notify
                $0.startTimeout = .seconds(60)
            }
            world("web", "---x-----")
            orch("web", "LL-------")
            phases("web", "rssrrrrrr")
            reason("web", at: 2, "its launch 1 serves meanwhile")
            reason("web", at: 4, "paused, web failed with the new definition: exit 1")
            verdict(
                on: .settled, at: 4,
                is: .failed(
                    "web: it keeps the definition from before the update, which is paused, web failed with the new definition: exit 1"
                ))
            asleep
        }
    }

    @Test func aFailureKeepsTheRestAsItIs() {
        timeline("pause: the rest keep what they run until a person applies again") {
            add(web(3) { $0.minReady = .seconds(3) }, at: 0)
            change("web", at: 1, newPort)
            world("web", "--tx---------")
            orch("web", "LTL--L-------")
            orch("web.2", "L-------T----")
            orch("web.2", "--------L----")
            orch("web.3", "L----------T-")
            orch("web.3", "-----------L-")
            phases("web", "rprbbrrrrrrrr")
            reason("web.2", at: 4, "paused, web.1 failed with the new definition: exit 1; mend it and apply")
            applyAgain(at: 8)
        }
    }

    @Test func aFailureTakesAllBack() {
        timeline("rollback: all return to the definition from before, one after the other, and stay there") {
            add(
                web(2) {
                    $0.onFailure = .rollback
                    $0.minReady = .seconds(2)
                }, at: 0)
            change("web", at: 1, newPort)
            world("web.2", "----tx----")
            orch("web", "LT-----T--")
            orch("web", "-L-----L--")
            orch("web.2", "L--TLL----")
            told("web", .warning, at: 5, "the update was rolled back: web.2 failed with the new definition: exit 1")
            verdict(on: .settled, at: 5, is: .pending)
            verdict(
                on: .settled, at: 9,
                is: .failed("web.1: the update was rolled back, web.2 failed with the new definition: exit 1"))
        }
    }

    @Test func anUpdateMayGoOnWithoutOne() {
        timeline("continue: the one that fails is left to its restart policy") {
            add(
                web(2) {
                    $0.onFailure = .continue
                    $0.minReady = .seconds(2)
                }, at: 0)
            change("web", at: 1, newPort)
            world("web", "--tx----")
            orch("web", "LTL--L--")
            orch("web.2", "L--T----")
            orch("web.2", "---L----")
        }
    }

    @Test func pairsThatAreToGoDoNotWaitForEachOther() {
        timeline(
            "start-first, two at a time, and then back to one after the other: each old one is taken back in its turn"
        ) {
            add(web(2) { _ in }, at: 0)
            change("web", at: 1) {
                newPort(&$0)
                $0.update.order = .startFirst
                $0.update.parallelism = 2
                $0.update.minReady = .seconds(9)
            }
            rollback(at: 3)
            orch("web", "LL-T--")
            orch("web.2", "LL-T--")
            phases("web", "rrrrrr")
            phases("web.2", "rrrrrr")
            verdict(on: .settled, at: 5, is: .reached)
            asleep
        }
    }

    @Test func whatFailsAfterItsReturnIsNotWaitedFor() {
        timeline(
            "rollback within a trial: one fails with the former definition while the other one is still to go back"
        ) {
            add(
                web(
                    2,
                    {
                        $0.onFailure = .rollback
                        $0.minReady = .seconds(2)
                    }), at: 0)
            change("web", at: 0) { $0.restart.policy = .no }
            change("web", at: 1, newPort)
            promise(at: 1)
            world("web.2", "----txx--")
            orch("web", "LT------T")
            orch("web", "-L------L")
            told("s", .rolledBack, at: 6, "as web.2: exit 1; restart: no")
        }
    }

    @Test func twoLaunchesAreTakenOverAsTwo() {
        timeline("the daemon dies while the new one proves itself: the next one knows both, and goes on") {
            add(
                web(1) {
                    $0.order = .startFirst
                    $0.minReady = .seconds(5)
                }, at: 0)
            change("web", at: 1, newPort)
            orch("web", "LL----T---")
            daemon("--✝=------")
            verdict(on: .settled, at: 5, is: .pending)
            verdict(on: .settled, at: 8, is: .reached)
        }
    }

    @Test func aPauseOutlivesTheDaemonAndTheMachine() {
        timeline(
            "what was held stays held: the next daemon replaces nothing, and after a boot each starts what it is to run"
        ) {
            add(web(2) { $0.minReady = .seconds(2) }, at: 0)
            change("web", at: 1, newPort)
            world("web", "--tx-------")
            orch("web", "LTL--L--L--")
            orch("web.2", "L-------L--")
            daemon("---✝=-B=---")
            reason("web.2", at: 9, "paused, web.1 failed with the new definition: exit 1")
        }
    }

    @Test func aRollbackGoesOnUnderTheNextDaemon() {
        timeline("the daemon dies with the first instance back and the second not: the next one goes on") {
            add(
                web(3) {
                    $0.onFailure = .rollback
                    $0.minReady = .seconds(2)
                }, at: 0)
            change("web", at: 1, newPort)
            world("web.3", "------tx------")
            orch("web", "LT-------T----")
            orch("web", "-L-------L----")
            orch("web.2", "L--T--------T-")
            orch("web.2", "---L--------L-")
            orch("web.3", "L----TLL------")
            daemon("---------✝==--")
        }
    }

    @Test func aNeedThatIsReplacedTooDoesNotWaitForWhatWaitsForIt() {
        timeline("db stops first, web starts first and needs it: the old web outlives the change of db") {
            service("db") { $0.ready = .notify }
            add(
                service("web", needs: ["db"]) {
                    $0.update.order = .startFirst
                    $0.update.minReady = .seconds(1)
                }, at: 0)
            change("db", at: 2, newPort)
            change("web", at: 2, newPort)
            world("db", "r--tr---")
            orch("db", "L-TL----")
            orch("web", "L---LT--")
        }
    }
}

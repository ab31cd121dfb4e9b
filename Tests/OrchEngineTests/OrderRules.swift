// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// Starts wait for what they need, stops for who needs them.
@Suite struct OrderRules {
    @Test func aStackComesUpInOrderOfItsNeeds() {
        timeline("each starts when what it needs is there: db is ready, the task succeeded") {
            service("db") { $0.ready = .notify }
            task("migrate", needs: ["db"])
            service("web") { $0.dependsOn = [Dependency(on: "db"), Dependency(on: "migrate", condition: .succeeded)] }
            world("db", "--r-----")
            orch("db", "L-------")
            phases("db", "ssrrrrrr")
            world("migrate", "----0---")
            orch("migrate", "--L-----")
            phases("migrate", "wwuudddd")
            orch("web", "----L---")
            phases("web", "wwwwrrrr")
            reason("web", at: 1, "waiting for db to be ready")
            reason("web", at: 3, "waiting for migrate to be successful")
            verdict(on: .settled, at: 3, is: .pending)
            verdict(on: .settled, at: 4, is: .reached)
            asleep
        }
    }

    @Test func startedIsEnoughWhereStartedIsAsked() {
        timeline("started: it executed, no more") {
            service("db") { $0.ready = .notify }
            service("web") { $0.dependsOn = [Dependency(on: "db", condition: .started)] }
            world("db", "ww--r-")
            orch("db", "L-----")
            orch("web", "--L---")
            phases("web", "wwrrrr")
        }
    }

    @Test func healthyWaitsForLiveness() {
        timeline("healthy: ready, and its liveness passed") {
            service("db") { $0.health.liveness = probe() }
            service("web") { $0.dependsOn = [Dependency(on: "db", condition: .healthy)] }
            world("db", "d--g---")
            phases("db", "rrrrrrr")
            orch("web", "---L---")
        }
    }

    @Test func completedTakesAnyEnd() {
        timeline("completed takes a failure, succeeded does not") {
            task("seed")
            service("web") { $0.dependsOn = [Dependency(on: "seed", condition: .completed)] }
            service("app") { $0.dependsOn = [Dependency(on: "seed", condition: .succeeded)] }
            world("seed", "--x---")
            phases("seed", "uuffff")
            orch("web", "--L---")
            phases("app", "wwwwww")
            reason("app", at: 5, "waiting for seed to be successful (seed is failed: exit 1")
            asleep
        }
    }

    @Test func allReplicasCount() {
        timeline("a need is there when all its replicas are") {
            service("db") {
                $0.replicas = 2
                $0.ready = .notify
            }
            service("web", needs: ["db"])
            world("db", "-r----")
            world("db.2", "---r--")
            orch("web", "---L--")
            reason("web", at: 2, "waiting for db.2 to be ready")
        }
    }

    @Test func whatIsNotRequiredHoldsUpOnlyWhileItIsThere() {
        timeline("required: false waits for what is wanted, not for what is disabled or stopped by hand") {
            service("cache") { $0.ready = .notify }
            service("mail") { $0.enabled = false }
            service("web") { $0.dependsOn = [optional("cache"), optional("mail")] }
            world("cache", "------------")
            orch("cache", "L---T-K-----")
            command(.stop([target("cache")], timeout: .seconds(2)), at: 4)
            orch("web", "----L-------")
            phases("web", "wwwwrrrrrrrr")
            phases("mail", "iiiiiiiiiiii")
            reason("mail", at: 0, "disabled in the manifest")
        }
    }

    @Test func atItsTimeoutTheDependantFails() {
        timeline("a dependency's timeout is the dependant's failure; the need may still come") {
            service("db") { $0.ready = .notify }
            service("web") {
                $0.dependsOn = [Dependency(on: "db")]
                $0.dependsOn[0].timeout = .seconds(3)
            }
            world("db", "-----r-")
            phases("web", "wwwffff")
            reason("web", at: 3, "waited 3s for db to be ready")
            verdict(on: .settled, at: 3, is: .failed("web: waited 3s for db to be ready"))
        }
    }

    @Test func theTimeoutIsCountedFromTheBeginningOfTheWait() {
        timeline("a need that comes and goes does not begin the wait anew") {
            service("db") { $0.ready = .notify }
            service("api") { $0.ready = .notify }
            service("web") {
                $0.dependsOn = [Dependency(on: "api"), Dependency(on: "db")]
                $0.dependsOn[1].timeout = .seconds(5)
            }
            world("db", "---------")
            world("api", "--r------")
            phases("web", "wwwwwffff")
        }
    }

    @Test func aGateIsForStartsOnly() {
        timeline("once it runs, a need that dies does nothing to it; it waits again only to start again") {
            service("db") { $0.restart.delay = .seconds(3) }
            service("web", needs: ["db"]) { $0.restart.delay = .seconds(1) }
            world("db", "--x------")
            orch("db", "L----L---")
            phases("db", "rrbbbrrrr")
            world("web", "---x-----")
            orch("web", "L----L---")
            phases("web", "rrrbwrrrr")
        }
    }

    @Test func downStopsInReverseOrder() {
        timeline("who needs it goes first; its stop is over only when nothing is left") {
            service("db")
            service("web", needs: ["db"])
            world("db", "------0--")
            orch("db", "L---T----")
            heard("db", "----m----")
            phases("db", "rrrrpp---")
            world("web", "---Oe----")
            orch("web", "L-TT-----")
            heard("web", "--mt-----")
            phases("web", "rrpp-----")
            command(.down(stack: "s", timeout: nil), at: 2)
            asleep
        }
    }

    @Test func shutdownStopsAllAndForgetsNothing() {
        timeline("the daemon's end stops all in order; the next daemon starts all again") {
            service("db")
            service("web", needs: ["db"])
            world("web", "---0------")
            orch("db", "L--T--L---")
            orch("web", "L-T---L---")
            command(.shutdown, at: 2)
            daemon("----✝=----")
            phases("web", "rrpi==rrrr")
        }
    }

    @Test func theWholeStopHasADeadline() {
        timeline("at the stack's deadline every ladder skips to its kill, order or not") {
            service("db")
            service("web", needs: ["db"]) {
                $0.stop = StopSpec(steps: [.init(.signal(.terminate, to: .main), wait: .seconds(60))])
            }
            world("db", "--------")
            orch("db", "L----K--")
            world("web", "--------")
            orch("web", "L-T--K--")
            command(.down(stack: "s", timeout: .seconds(3)), at: 2)
        }
    }

    @Test func startBringsWhatItNeeds() {
        timeline("a start by hand starts what it needs too, in order") {
            service("db") { $0.ready = .notify }
            service("web", needs: ["db"])
            world("db", "r--0--r--")
            orch("db", "L-T-L----")
            orch("web", "L-T---L--")
            command(.stop([target()], timeout: nil), at: 2)
            command(.start([target("web")]), at: 4)
        }
    }

    @Test func aDisabledServiceStaysDownUntilAPersonStartsIt() {
        timeline("disabled means stopped; a person may start it, and apply puts it back") {
            service("debug") { $0.enabled = false }
            orch("debug", "--L--T-")
            phases("debug", "iirrrii")
            command(.start([target("debug")]), at: 2)
            applyAgain(at: 5)
        }
    }

    private func optional(_ name: String) -> Dependency {
        var dependency = Dependency(on: name)
        dependency.required = false
        return dependency
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// Going back to a former revision, by a person and by the daemon itself.
@Suite struct RollbackRules {
    private func newPort(_ spec: inout ServiceSpec) { spec.environment = [EnvironmentEntry("PORT", "81")] }
    private func noRestart(_ spec: inout ServiceSpec) { spec.restart.policy = .no }

    @Test func aPersonGoesBack() {
        timeline("a rollback is an apply of what was applied before: only what differs moves") {
            service("db")
            service("web")
            orch("db", "L-----")
            orch("web", "L-T-T-")
            orch("web", "--L-L-")
            change("web", at: 2, newPort)
            rollback(at: 4)
            told("s", .rolledBack, at: 4, "by me")
            told("web", .stopping, at: 4, "rolled back to revision")
            asleep
        }
        timeline("and back again: the revision before is the one that was left") {
            service("web")
            orch("web", "LTTT-")
            orch("web", "-LLL-")
            change("web", at: 1, newPort)
            rollback(at: 2)
            rollback(at: 3)
            asleep
        }
        timeline("what a rollback brings back is what was removed; what it lacks goes") {
            service("old")
            orch("old", "LT-L-")
            orch("new", "-L-T-")
            remove("old", at: 1)
            add(service("new"), at: 1)
            rollback(at: 3)
            asleep
        }
    }

    @Test func whatFailsIsTakenBack() {
        timeline("something failed before everything had settled: the daemon goes back by itself") {
            service("db")
            service("web", noRestart)
            orch("db", "L-------")
            world("web", "---0x---")
            orch("web", "L-TLL---")
            phases("web", "rrprrrrr")
            change("web", at: 2, newPort)
            add(task("slow"), at: 2)
            world("slow", "-----0--")
            orch("slow", "--L-T---")
            promise(at: 2)
            told("s", .rolledBack, at: 4, "as web: ")
            told("web", .launching, at: 4, "rolled back to revision")
        }
        timeline("also when what failed did not change itself") {
            service("db")
            service("web", noRestart)
            add(task("slow"), at: 2)
            world("slow", "-----0-")
            orch("slow", "--L-T--")
            world("web", "----x--")
            orch("web", "L---L--")
            promise(at: 2)
            told("web", .launching, at: 4, "rolled back to revision")
            asleep
        }
    }

    @Test func whatAPersonStoppedMeanwhileStaysStopped() {
        timeline("the daemon goes back by itself, which is nobody's command: a stop by hand holds") {
            service("db")
            service("web", noRestart)
            add(task("slow"), at: 2)
            world("slow", "-----0--")
            orch("slow", "--L-T---")
            world("web", "----x---")
            orch("web", "L---L---")
            orch("db", "L--T----")
            phases("db", "rrriiiii")
            command(.stop([target("db")], timeout: nil), at: 3)
            promise(at: 2)
            reason("db", at: 6, "stopped by hand")
        }
    }

    @Test func theTimeOfATrialIsADeadline() {
        timeline("what is not ready in time is taken back") {
            service("web") { $0.ready = .notify }
            world("web", "r--0--0r--")
            orch("web", "L-TL-TL---")
            phases("web", "rrpsspsrrr")
            change("web", at: 2, newPort)
            promise(within: .seconds(3), at: 2)
            told("s", .rolledBack, at: 5, "not everything was ready within 3s; web is starting")
            asleep
        }
    }

    @Test func whatHasSettledStays() {
        timeline("once everything has settled the trial is over: what fails then is left to its policy") {
            service("web", noRestart)
            world("web", "---0--x--")
            orch("web", "L-TL-----")
            phases("web", "rrprrrfff")
            change("web", at: 2, newPort)
            promise(within: .seconds(3), at: 2)
            asleep
        }
    }

    @Test func theFirstRevisionHasNothingBeforeIt() {
        timeline("there is nothing to go back to: it is left as it is, and said") {
            service("web", noRestart)
            service("db")
            world("web", "-x--")
            orch("web", "L---")
            phases("web", "rfff")
            orch("db", "L---")
            add(task("slow"), at: 0)
            world("slow", "----")
            orch("slow", "L---")
            promise(at: 0)
            told("s", .warning, at: 1, "nothing was applied before; it failed: web: ")
        }
    }

    @Test func aLaterCommandEndsTheTrial() {
        timeline("an apply without a promise: what fails then stays") {
            service("web", noRestart)
            add(task("slow"), at: 2)
            world("slow", "--------")
            orch("slow", "--L-----")
            world("web", "----x---")
            orch("web", "L-------")
            promise(at: 2)
            applyAgain(at: 3)
        }
        timeline("a stack that goes down is not brought back") {
            service("web") { $0.ready = .notify }
            world("web", "r--0-0--")
            orch("web", "L-TLT---")
            phases("web", "rrpsp---")
            change("web", at: 2, newPort)
            promise(within: .seconds(4), at: 2)
            command(.down(stack: "s", timeout: nil), at: 4)
            asleep
        }
    }

    @Test func thePromiseOutlivesTheDaemon() {
        timeline("what fails while there is no daemon is taken back by the next one") {
            service("web", noRestart)
            add(task("slow"), at: 2)
            world("slow", "-------0")
            orch("slow", "--L---T-")
            world("web", "----x---")
            orch("web", "L-----L-")
            daemon("---✝==--")
            promise(at: 2)
            told("s", .rolledBack, at: 6, "as web: ")
        }
        timeline("the time goes on meanwhile") {
            service("web") { $0.ready = .notify }
            world("web", "r--0---0r--")
            orch("web", "L-TL--TL---")
            daemon("---✝==-----")
            change("web", at: 2, newPort)
            promise(within: .seconds(3), at: 2)
            told("s", .rolledBack, at: 6, "not everything was ready within 3s")
        }
    }

    @Test func aDaemonThatDiesWhileItGoesBackHasDecidedOnce() {
        for fate in ["b", "a"] {
            timeline("it is durable before anything is done, and what failed is forgiven by it: \(fate)") {
                service("web", noRestart)
                service("db")
                add(task("slow"), at: 2)
                orch("db", "L------")
                world("web", "----x--")
                orch("web", "L----L-")
                daemon("----\(fate)--")
                promise(at: 2)
                world("slow", "-----0-")
            }
        }
    }
}

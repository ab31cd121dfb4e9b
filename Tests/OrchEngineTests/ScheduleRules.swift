// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// Tasks that run by themselves. It is 22:13:20 when a timeline begins.
@Suite struct ScheduleRules {
    @Test func everyRunsAtItsPaceOnly() {
        timeline("a schedule is armed by apply, which does not run it; each instant has one run") {
            task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(3))) }
            orch("tick", "---L--L--L")
            phases("tick", "iiiddddddd")
            reason("tick", at: 1, "next run at 2023-11-14 22:13:23 +00:00")
            verdict(on: .settled, at: 0, is: .reached)
            told("tick", .launching, at: 3, "due at")
        }
    }

    @Test func cronGoesByTheClockOnTheWall() {
        timeline("a cron expression is due at whole minutes", column: .seconds(20)) {
            task("tick") { $0.schedule = schedule("*/2 * * * *") }
            orch("tick", "--L-----L-----L")
            reason("tick", at: 3, "ended with exit 0; next run at 2023-11-14 22:16 +00:00")
        }
    }

    @Test func anUnknownZoneFailsTheApply() {
        timeline("a time zone that this host does not have is a failure with a reason, never another zone") {
            task("tick") {
                $0.schedule = schedule("@daily")
                $0.schedule?.timeZone = "Nowhere"
            }
            phases("tick", "ff")
            orch("tick", "--")
            reason("tick", at: 0, "this host has no time zone Nowhere")
            verdict(on: .settled, at: 1, is: .failed("tick: this host has no time zone Nowhere"))
        }
    }

    @Test func whatIsNotOverIsNotDoubled() {
        timeline("overlap skip: an instant during a run is left out") {
            task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(3))) }
            world("tick", "-------0------")
            orch("tick", "---L-----L----")
            phases("tick", "iiiuuuudduuuuu")
            told("tick", .skipped, at: 6, "overlap: skip")
        }
    }

    @Test func oneWaitsInTheQueue() {
        timeline("overlap queue: one run waits, no more than one, and begins at the end of the one before") {
            task("tick") { $0.schedule = overlapping(.every(.seconds(2)), .queue) }
            world("tick", "-------0-0-----")
            orch("tick", "--L----L-L-----")
            told("tick", .waiting, at: 4, "waits for the end")
            told("tick", .skipped, at: 6, "one run waits already")
        }
    }

    @Test func theNewestReplacesTheOneBefore() {
        timeline("overlap replace: the run before is stopped by its ladder") {
            task("tick") { $0.schedule = overlapping(.every(.seconds(4)), .replace) }
            world("tick", "---------0--")
            orch("tick", "----L---TL--")
            phases("tick", "iiiiuuuupuuu")
            told("tick", .stopping, at: 8, "replaced by the run due at")
        }
    }

    @Test func runsMayOverlap() {
        timeline("overlap allow: each run has a place of its own, which leaves with it") {
            task("tick") { $0.schedule = overlapping(.every(.seconds(3)), .allow) }
            world("tick", "-----------------")
            world("tick.2", "---------0----")
            orch("tick", "---L-----------")
            orch("tick.2", "------L--L-----")
            phases("tick", "iiiuuuuuuuuuuuuuu")
        }
    }

    @Test func aFailedRunIsTriedAgain() {
        timeline("retries: a run that failed is tried again after retry_delay, then given up until the next instant") {
            task("tick") {
                $0.schedule = ScheduleSpec(.every(.seconds(10)))
                $0.schedule?.retries = 1
                $0.schedule?.retryDelay = .seconds(2)
            }
            world("tick", "----------x--x------0-")
            orch("tick", "----------L-L-------L-")
            phases("tick", "iiiiiiiiiibbufffffffdd")
            reason("tick", at: 10, "retry 1 of 1 after exit 1")
            reason("tick", at: 14, "exit 1; next run at")
        }
    }

    @Test func startRunsItNow() {
        timeline("start of a task by its name runs it now, beside its schedule") {
            task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(6))) }
            orch("tick", "--L---L---")
            command(.start([target("tick")]), at: 2)
        }
    }

    @Test func startOfTheStackOnlyArms() {
        timeline("start of a whole stack runs no schedule") {
            task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(6))) }
            orch("tick", "------L---")
            command(.start([target()]), at: 2)
        }
    }

    @Test func aStopDisarms() {
        timeline("what was stopped by hand is not due, and what passed meanwhile is not missed") {
            task("tick") {
                $0.schedule = ScheduleSpec(.every(.seconds(4)))
                $0.schedule?.missed = .runOnce
            }
            orch("tick", "----L------------L---")
            phases("tick", "iiiidiiiiiiiiiiiidddd")
            command(.stop([target("tick")], timeout: nil), at: 5)
            command(.start([target()]), at: 13)
            reason("tick", at: 6, "stopped by hand")
        }
    }

    @Test func aStopVoidsWhatWaits() {
        timeline("a stop by hand makes void what was queued before it") {
            task("tick") { $0.schedule = overlapping(.every(.seconds(3)), .queue) }
            world("tick", "--------0------")
            orch("tick", "---L---T-------")
            phases("tick", "iiiuuuupiiiiiii")
            command(.stop([target("tick")], timeout: nil), at: 7)
        }
    }

    @Test func applyLeavesARunAlone() {
        timeline("a run under way ends as it began; the next one has the new definition") {
            task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(4))) }
            world("tick", "------0-----")
            orch("tick", "----L---L---")
            change("tick", at: 5) { $0.environment = [EnvironmentEntry("A", "1")] }
        }
    }

    @Test func whatItNeedsComesFirst() {
        timeline("an instant waits for what the task needs") {
            service("db") { $0.ready = .notify }
            task("tick", needs: ["db"]) { $0.schedule = ScheduleSpec(.every(.seconds(2))) }
            world("db", "-----r---")
            orch("db", "L--------")
            orch("tick", "-----LL-L-")
            phases("tick", "iiwwwddddd")
            reason("tick", at: 3, "waiting for db to be ready")
        }
    }

    private func schedule(_ cron: String) -> ScheduleSpec? {
        (try? CronExpression(cron)).map { ScheduleSpec(.cron($0)) }
    }
}

/// Nobody was there: no daemon, asleep, a clock that was wrong.
@Suite struct MissedRunRules {
    @Test func aShortAbsenceOnlyDelays() {
        timeline("an instant that passes while the daemon is replaced runs late") {
            task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(5))) }
            orch("tick", "-------L--L--")
            daemon("----✝==------")
        }
    }

    @Test func theSleepOfTheMachineCounts() {
        timeline("every goes by time that passes: what was due while the machine slept is missed, once") {
            task("a") { $0.schedule = ScheduleSpec(.every(.seconds(600))) }
            task("b") {
                $0.schedule = ScheduleSpec(.every(.seconds(600)))
                $0.schedule?.missed = .runOnce
            }
            orch("a", "------")
            orch("b", "---L--")
            machineSleeps(for: .seconds(2_000), at: 3)
            told("a", .skipped, at: 3, "missed 2023-11-14 22:43:20 +00:00 by 3m23s; missed: skip")
            told("b", .launching, at: 3, "3m23s late")
            reason("a", at: 4, "next run at 2023-11-14 22:53:20 +00:00")
        }
    }

    @Test func aClockSetForwardMisses() {
        timeline("cron goes by the clock on the wall: instants that it was set over are missed, once") {
            task("a") { $0.schedule = daily() }
            task("b") {
                $0.schedule = daily()
                $0.schedule?.missed = .runOnce
            }
            orch("a", "------")
            orch("b", "--L---")
            clockIsSet(by: .seconds(10 * 86_400), at: 2)
        }
    }

    @Test func aClockSetBackDoesNotDouble() {
        timeline("an instant that had its run has none when the clock shows it again", column: .seconds(60)) {
            task("tick") { $0.schedule = (try? CronExpression("15 22 * * *")).map { ScheduleSpec(.cron($0)) } }
            orch("tick", "-L--------")
            clockIsSet(by: .seconds(-180), at: 3)
        }
    }

    @Test func aClockThatWasFarAheadIsNotBelieved() {
        timeline("a clock set back by years does not silence a schedule for years", column: .seconds(60)) {
            task("tick") { $0.schedule = (try? CronExpression("*/2 * * * *")).map { ScheduleSpec(.cron($0)) } }
            orch("tick", "L-L-L-L-L-")
            clockIsSet(by: .seconds(-365 * 86_400), at: 3)
        }
    }

    @Test func aBootCatchesUpOnce() {
        timeline("over a boot the disk knows how far a schedule had come; one run makes up for all that was missed") {
            task("a") { $0.schedule = daily() }
            task("b") {
                $0.schedule = daily()
                $0.schedule?.missed = .runOnce
            }
            orch("a", "------")
            orch("b", "---L--")
            daemon("--B----")
            clockIsSet(by: .seconds(3 * 86_400), at: 3)
        }
    }

    @Test func aDecisionIsNotForgotten() {
        timeline("who dies between the decision and the launch has decided: the next daemon launches, once") {
            task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(3))) }
            orch("tick", "----L-L--")
            daemon("---b-----")
        }
    }

    @Test func aLaunchIsNotDoubled() {
        timeline("who dies after the launch has launched: the next daemon waits for its end") {
            task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(3))) }
            world("tick", "-----0---")
            orch("tick", "---L--L--")
            daemon("---a-----")
        }
    }

    @Test func aRunThatEndedMeanwhileIsKnown() {
        timeline("a run that ends while no daemon is there counts, its retries as well") {
            task("tick") {
                $0.schedule = ScheduleSpec(.every(.seconds(10)))
                $0.schedule?.retries = 1
                $0.schedule?.retryDelay = .seconds(2)
            }
            world("tick", "------------x---x--")
            orch("tick", "----------L----L---")
            daemon("-----------✝=------")
            phases("tick", "iiiiiiiiiiu==bbufff")
        }
    }

    @Test func aClockThatWasSetIsNotBelievedByTheNextDaemonEither() {
        for span in [Duration.seconds(3_000), .seconds(-3_000)] {
            timeline("every goes by time that passes, over the death of a daemon too: the clock is set by \(span)") {
                task("tick") {
                    $0.schedule = ScheduleSpec(.every(.seconds(4)))
                    $0.schedule?.missed = .runOnce
                }
                orch("tick", "----L---L----L--L")
                daemon("------✝=---✝=----")
                clockIsSet(by: span, at: 5)
            }
        }
    }

    @Test func aDecisionDiesWithItsBoot() {
        timeline(
            "what was decided before a boot is not begun after it, whichever daemon of the new boot reads of it",
            column: .seconds(60)
        ) {
            task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(300))) }
            world("tick", "-----------")
            orch("tick", "-----L----L")
            daemon("------B✝---")
        }
    }

    @Test func aRunWhoseTaskWasRemovedIsOver() {
        timeline("it ended while its task was not there; a later daemon that finds the task again begins it no more") {
            let tick = task("tick") { $0.schedule = ScheduleSpec(.every(.seconds(6))) }
            service("db")
            add(tick, at: 0)
            world("tick", "--------0-----")
            orch("db", "L-------------")
            orch("tick", "------L-T------L")
            daemon("-------b-✝-----")
            remove("tick", at: 7)
            add(tick, at: 9)
        }
    }

    private func daily() -> ScheduleSpec? { (try? CronExpression("@daily")).map { ScheduleSpec(.cron($0)) } }
}

private func overlapping(_ trigger: ScheduleSpec.Trigger, _ overlap: ScheduleSpec.Overlap) -> ScheduleSpec {
    var spec = ScheduleSpec(trigger)
    spec.overlap = overlap
    return spec
}

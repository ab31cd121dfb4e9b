// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchSimulator
import Testing

/// Situations in which two daemons, or two boots, once did not know the same: what is used up stays used up.
@Suite struct DurabilityStories {
    private func ask(_ question: Question, after span: Duration = .zero, client: Int = 1) -> Act {
        Act(after: span, .ask(client: client, question, pieces: 1))
    }

    private func death(after deeds: Int, _ span: Duration = .zero) -> Act {
        Act(after: span, .killDaemon(after: deeds, tears: false, again: nil))
    }

    private func job(_ trigger: ScheduleSpec.Trigger) -> ServiceSpec {
        var spec = ServiceSpec(name: "a", kind: .task, command: .exec(["/bin/a"]), workingDirectory: "/")
        spec.schedule = ScheduleSpec(trigger)
        spec.schedule?.missed = .runOnce
        return spec
    }

    private var web: ServiceSpec { ServiceSpec(name: "a", command: .exec(["/bin/a"]), workingDirectory: "/") }

    private func violations(_ stacks: [[ServiceSpec]], _ acts: [Act], _ quirks: [Quirk] = []) -> [String] {
        let revisions = stacks.map { Stack(name: "s", services: $0) }
        return Scenario(seed: 1, revisions: revisions, acts: acts, quirks: quirks).run().violations
    }

    @Test(arguments: 0..<8) func aRunWhoseTaskWasRemovedIsNotBegunAgainWhenItComesBack(deeds: Int) {
        let acts = [
            ask(.apply(revision: 0)), ask(.apply(revision: 1), after: .milliseconds(3_415)), death(after: 1),
            ask(.apply(revision: 0), after: .milliseconds(80)), death(after: deeds),
            death(after: 0, .milliseconds(100)), death(after: 0, .milliseconds(100)),
        ]
        #expect(violations([[job(.every(.seconds(3)))], []], acts) == [])
    }

    @Test(arguments: 0..<6) func aRunOfAnEarlierBootIsNotBegunAgain(deeds: Int) throws {
        let minute = try CronExpression("* * * * *")
        let acts = [
            ask(.apply(revision: 0)), Act(after: .seconds(41), .reboot), death(after: deeds, .milliseconds(10)),
        ]
        #expect(violations([[job(.cron(minute))]], acts) == [])
    }

    @Test(arguments: 0..<6) func aRunThatHadItsTimeHasItOnceWhenTheClockIsSet(deeds: Int) {
        let acts = [
            ask(.apply(revision: 0)), Act(after: .seconds(10), .step(by: .seconds(2_925))), death(after: deeds),
            death(after: 0, .seconds(1)),
        ]
        #expect(violations([[job(.every(.seconds(9)))]], acts) == [])
    }

    @Test func aFullDiskDoesNotForgetWhichNumbersAreUsedUp() {
        let acts = [
            ask(.apply(revision: 0)), Act(after: .milliseconds(17), .fillDisk(.milliseconds(12_500))),
            Act(after: .zero, .terminate), Act(after: .milliseconds(2_250), .terminate),
            Act(after: .zero, .lose(.file("/run/up"), for: .seconds(20))), death(after: 0, .milliseconds(60)),
        ]
        var patient = web
        patient.dependsOn = [Dependency(on: "file:/run/up")]
        #expect(violations([[patient]], acts) == [])
    }

    @Test func aStopThatWasTakenBackAtOnceGivesNoLimit() {
        let target = Target(stack: "s")
        let acts = [
            ask(.apply(revision: 0)), ask(.command(.stop([target], timeout: .zero)), client: 2),
            ask(.command(.restart([target]))), ask(.command(.down(stack: "s", timeout: nil)), after: .milliseconds(68)),
        ]
        #expect(violations([[web]], acts) == [])
    }

    @Test func aStopThatOnlyARevisionBeginsIsNotThatOfTheCommandBefore() {
        var deaf = SimulatedLife()
        deaf.stopsWithin = nil
        var dependant = ServiceSpec(name: "c", command: .exec(["/bin/c"]), workingDirectory: "/")
        dependant.dependsOn = [Dependency(on: "a")]
        var disabled = web
        disabled.enabled = false
        let acts = [
            ask(.apply(revision: 0)),
            ask(.command(.stop([Target(stack: "s")], timeout: .milliseconds(1_483))), after: .milliseconds(909)),
            ask(.apply(revision: 1)),
            ask(.command(.stop([Target(stack: "s", service: "a")], timeout: .seconds(2))), after: .milliseconds(1_490)),
        ]
        let first = InstanceID(service: ServiceID(stack: "s", service: "a"), replica: 1)
        let found = violations(
            [[web, dependant], [disabled, dependant]], acts, [Quirk(first, nth: 1, deaf)])
        #expect(found == [])
    }
}

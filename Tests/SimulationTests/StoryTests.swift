// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchSimulator
import Testing

/// Situations that once broke a rule, as scenarios of their own.
@Suite struct StoryTests {
    private func service(_ name: String, replicas: Int = 1) -> ServiceSpec {
        var spec = ServiceSpec(name: name, command: .exec(["/bin/\(name)"]), workingDirectory: "/")
        spec.replicas = replicas
        return spec
    }

    private func id(_ name: String, _ replica: Int = 1) -> InstanceID {
        InstanceID(service: ServiceID(stack: "s", service: name), replica: replica)
    }

    private func ask(_ question: Question, after span: Duration = .zero) -> Act {
        Act(after: span, .ask(client: 1, question, pieces: 1))
    }

    private func death(after deeds: Int, _ span: Duration = .zero) -> Act {
        Act(after: span, .killDaemon(after: deeds, tears: false, again: nil))
    }

    private var scaled: [Stack] {
        [Stack(name: "s", services: [service("a", replicas: 2)]), Stack(name: "s", services: [service("a")])]
    }

    @Test(arguments: 0..<8) func aReplicaScaledDownAsTheDaemonDiedIsNotDoubledByTheNextApply(deeds: Int) {
        var deaf = SimulatedLife()
        deaf.stopsWithin = nil
        let acts = [
            ask(.apply(revision: 0)), death(after: deeds, .seconds(1)), ask(.apply(revision: 1)),
            ask(.apply(revision: 0), after: .milliseconds(200)),
        ]
        let scenario = Scenario(seed: 1, revisions: scaled, acts: acts, quirks: [Quirk(id("a", 2), nth: 1, deaf)])
        #expect(scenario.run().violations == [])
    }

    @Test(arguments: 0..<8) func aStopByHandIsNotUndoneByTheMemoryOfAnEarlierEnd(deeds: Int) {
        var brief = SimulatedLife()
        brief.endsAfter = .milliseconds(100)
        let stop = Question.command(.stop([Target(stack: "s")], timeout: nil))
        let acts = [
            ask(.apply(revision: 1)), death(after: deeds, .seconds(1)), ask(stop), death(after: 0, .seconds(2)),
            ask(.command(.start([Target(stack: "s")])), after: .milliseconds(100)),
        ]
        let scenario = Scenario(seed: 1, revisions: scaled, acts: acts, quirks: [Quirk(id("a"), nth: 1, brief)])
        #expect(scenario.run().violations == [])
    }

    @Test(arguments: 0..<8) func aLaunchThatFailsAfterItsPlaceIsGoneIsNotChasedForEver(deeds: Int) {
        var late = SimulatedLife()
        late.execution = .seconds(3)
        late.fault = Fault(step: "execute", subject: "a", reason: "no such file (ENOENT)")
        let acts = [
            ask(.apply(revision: 0)), death(after: deeds, .seconds(1)), ask(.apply(revision: 1)),
            death(after: 0, .seconds(1)),
        ]
        let scenario = Scenario(seed: 1, revisions: scaled, acts: acts, quirks: [Quirk(id("a", 2), nth: 1, late)])
        #expect(scenario.run().violations == [])
    }

    @Test(arguments: 0..<12) func anEndThatADeadDaemonHadToldIsNotToldAgain(deeds: Int) {
        var parent = SimulatedLife()
        parent.endsAfter = .milliseconds(100)
        parent.exit = .code(1)
        parent.childOutlives = .seconds(2)
        parent.stopsWithin = nil
        let acts = [ask(.apply(revision: 1)), death(after: deeds, .milliseconds(2_105)), death(after: 0, .seconds(5))]
        let scenario = Scenario(seed: 1, revisions: scaled, acts: acts, quirks: [Quirk(id("a"), nth: 1, parent)])
        #expect(scenario.run().violations == [])
    }

    /// `b` at `parallelism`; its `N` tells definitions apart.
    private func updated(_ version: Int, _ order: UpdatePolicy.Order, parallelism: Int) -> Stack {
        var b = service("b", replicas: 2)
        b.environment = [EnvironmentEntry("N", "\(version)")]
        b.update.order = order
        b.update.parallelism = parallelism
        return Stack(name: "s", services: [b])
    }

    /// Both had a successor beside them that must go itself: they are not stopped together because of that.
    @Test func whatServedWhileItsSuccessorWasTakenBackGoesInItsTurn() {
        let revisions = [
            updated(1, .startFirst, parallelism: 2), updated(2, .startFirst, parallelism: 2),
            updated(3, .stopFirst, parallelism: 1),
        ]
        let acts = [
            ask(.apply(revision: 0)), ask(.apply(revision: 1), after: .seconds(1)), ask(.apply(revision: 2)),
        ]
        #expect(Scenario(seed: 1, revisions: revisions, acts: acts).run().violations == [])
    }

    /// One that counts as up without a process does not go before what it needs: its service starts successors first.
    @Test func aStandInOfAServiceThatStartsFirstHoldsNobodyUp() {
        func stack(_ version: Int) -> Stack {
            var b = service("b")
            b.environment = [EnvironmentEntry("N", "\(version)")]
            var c = service("c", replicas: 2)
            c.environment = b.environment
            c.dependsOn = [Dependency(on: "b")]
            c.onExit = ExitActions(fallback: .ignore)
            c.update.order = .startFirst
            return Stack(name: "s", services: [b, c])
        }
        var brief = SimulatedLife()
        brief.endsAfter = .milliseconds(100)
        brief.exit = .code(1)
        let acts = [ask(.apply(revision: 0)), ask(.apply(revision: 1), after: .seconds(1))]
        let scenario = Scenario(
            seed: 1, revisions: [stack(1), stack(2)], acts: acts, quirks: [Quirk(id("c", 2), nth: 1, brief)])
        #expect(scenario.run().violations == [])
    }

    /// What was removed is told to end by one daemon and found again by the next one, whose manifest names it: its end is no success.
    @Test(arguments: 0..<12) func anEndThatWasAskedForIsNoSuccessOfATaskThatCameBack(deeds: Int) {
        var task = service("a")
        task.kind = .task
        let other = Stack(name: "s", services: [service("b")])
        var deaf = SimulatedLife()
        deaf.endsAfter = .seconds(4)
        deaf.stopsWithin = nil
        var dependant = service("c")
        dependant.dependsOn = [Dependency(on: "a", condition: .succeeded)]
        let acts = [
            ask(.apply(revision: 0)), death(after: 2, .seconds(1)), ask(.apply(revision: 1)),
            death(after: deeds, .seconds(1)), ask(.apply(revision: 0)), death(after: 0, .milliseconds(500)),
        ]
        let scenario = Scenario(
            seed: 1, revisions: [Stack(name: "s", services: [task, dependant]), other], acts: acts,
            quirks: [Quirk(id("a"), nth: 1, deaf)])
        #expect(scenario.run().violations == [])
    }

    @Test func aStepThatWaitsForNothingIsFollowedByTheNext() {
        var spec = service("a")
        spec.stop = StopSpec(
            scope: .tree,
            steps: [
                .init(.signal(.terminate, to: .main), wait: .zero), .init(.signal(.interrupt, to: .main), wait: .zero),
            ])
        var deaf = SimulatedLife()
        deaf.stopsWithin = nil
        let scenario = Scenario(
            seed: 1, revisions: [Stack(name: "s", services: [spec])], acts: [ask(.apply(revision: 0))],
            quirks: [Quirk(id("a"), nth: 1, deaf)])
        #expect(scenario.run().violations == [])
    }

    @Test func theEndOfALaunchWhosePlaceIsGoneBelongsToTheHistory() {
        let acts = [ask(.apply(revision: 0)), death(after: 2, .seconds(2)), ask(.apply(revision: 1))]
        #expect(Scenario(seed: 1, revisions: scaled, acts: acts).run().violations == [])
    }
}

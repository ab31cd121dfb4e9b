// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// `orch signal`.
@Suite struct SignalRules {
    @Test func itGoesToTheMainProcessAndChangesNothingElse() {
        timeline("a signal by hand is told, and the service stands as it stood") {
            service("web")
            world("web", "r-----")
            orch("web", "L-H-T-")
            heard("web", "--m-m-")
            phases("web", "rrrrrr")
            command(.signal([target("web")], .hangup), at: 2)
            command(.signal([target("web")], .terminate), at: 4)
            told("web", .signalled, at: 2, "SIGHUP sent by hand")
            verdict(on: .settled, at: 5, is: .reached)
            asleep
        }
    }

    @Test func anEndByItIsAnEndLikeAnyOther() {
        timeline("a service that ends by the signal is started again, as its policy says") {
            service("web") { $0.restart.delay = .seconds(2) }
            orch("web", "L-T-L-")
            phases("web", "rrbbrr")
            command(.signal([target("web")], .terminate), at: 2)
        }
    }

    @Test func ofReplicasTheOneThatIsNamed() {
        timeline("all of a service, or one") {
            service("web") { $0.replicas = 2 }
            world("web.1", "r-----")
            world("web.2", "r-----")
            orch("web.1", "L-H---")
            orch("web.2", "L-H-U-")
            command(.signal([target("web")], .hangup), at: 2)
            command(.signal([Target(stack: "s", service: "web", replica: 2)], Signal(number: 10)), at: 4)
        }
    }

    @Test func duringAStopItIsHeard() {
        timeline("what is being stopped may be asked for a stack dump") {
            service("web") { $0.stop.steps[0].wait = .seconds(3) }
            world("web", "r-----")
            orch("web", "L-T-QK")
            command(.stop([target("web")], timeout: nil), at: 2)
            command(.signal([target("web")], Signal(number: 3)), at: 4)
        }
    }

    @Test func whereNothingRunsItIsRefusedWithTheReasonAndTheRemedy() throws {
        var world = FleetWorld { _, _ in SimulatedLife() }
        try world.apply(request([service("web"), service("db") { $0.enabled = false }]))
        world.run(for: .seconds(1))
        try world.fleet.admit(.signal([target()], .hangup))
        #expect(
            throws: refusal("db has no process: it is idle (disabled in the manifest)", "`orch start db` starts it")
        ) {
            try world.fleet.admit(.signal([target("db")], .hangup))
        }
        world.command(.stop([target("web")], timeout: nil))
        world.run(for: .seconds(1))
        #expect(throws: refusal("web has no process: it is idle (stopped by hand)", "`orch start web` starts it")) {
            try world.fleet.admit(.signal([target("web")], .hangup))
        }
        #expect(throws: Refusal.self) { try world.fleet.admit(.signal([target("wbe")], .hangup)) }
    }

    private func refusal(_ message: String, _ remedy: String) -> Refusal {
        Refusal(.conflict, message, remedy: remedy)
    }
}

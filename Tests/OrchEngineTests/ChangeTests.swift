// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

@Suite struct ChangeTests {
    private func running(_ services: [ServiceSpec]) throws -> FleetWorld {
        var world = FleetWorld()
        try world.apply(request(services))
        world.run(for: .seconds(1))
        return world
    }

    @Test func applyingTheSameAgainDoesNothing() throws {
        var world = try running([service("db"), service("web", needs: ["db"])])
        let again = request([service("db"), service("web", needs: ["db"])])
        #expect(try world.fleet.plan(for: again).isInSync)
        try world.apply(again)
        world.run(for: .seconds(1))
        #expect(world.launchCount("db") == 1)
        #expect(world.launchCount("web") == 1)
    }

    @Test func onlyWhatChangedMoves() throws {
        var world = try running([service("db"), service("web", needs: ["db"])])
        let next = request([
            service("db"), service("web", needs: ["db"]) { $0.environment = [EnvironmentEntry("PORT", "81")] },
        ])
        let plan = try world.fleet.plan(for: next)
        #expect(plan.changes.map(\.action) == [.restart])
        #expect(plan.changes.first?.fields.map(\.path) == ["environment.PORT"])
        try world.apply(next)
        world.run(for: .seconds(1))
        #expect(world.launchCount("db") == 1)
        #expect(world.launchCount("web") == 2)
        #expect(world.violations == [])
    }

    @Test func liveFieldsTouchNoProcess() throws {
        var world = try running([service("web")])
        let next = request([
            service("web") {
                $0.restart.delay = .seconds(9)
                $0.stop = StopSpec(steps: [.init(.signal(.interrupt, to: .main), wait: .seconds(1))])
                $0.logging.rotate.keep = 9
                $0.health.readiness = Probe(.tcp("localhost:1"))
            }
        ])
        let plan = try world.fleet.plan(for: next)
        #expect(plan.changes.map(\.action) == [.live])
        #expect(plan.changes.first?.fields.allSatisfy { $0.fate == .live } == true)
        try world.apply(next)
        world.run(for: .seconds(1))
        #expect(world.launchCount("web") == 1)
        #expect(world.phase("web") == .ready)
        #expect(try world.fleet.plan(for: next).isInSync)
    }

    @Test func whatTheManifestLacksIsRemoved() throws {
        var world = try running([service("db"), service("web", needs: ["db"])])
        let next = request([service("db")])
        #expect(try world.fleet.plan(for: next).changes.map(\.action) == [.remove])
        try world.apply(next)
        world.run(for: .seconds(1))
        #expect(world.row("web") == nil)
        #expect(world.phase("db") == .ready)
        #expect(world.launchCount("db") == 1)
    }

    @Test func applyWhileStoppingStartsTheNewestOnly() throws {
        var world = FleetWorld { _, _ in
            var life = SimulatedLife()
            life.stopsWithin = .seconds(3)
            return life
        }
        func revision(_ port: String) -> ApplyRequest {
            request([service("web") { $0.environment = [EnvironmentEntry("PORT", port)] }])
        }
        try world.apply(revision("1"))
        world.run(for: .seconds(1))
        try world.apply(revision("2"))
        world.run(for: .seconds(1))
        try world.apply(revision("3"))
        world.run(for: .seconds(10))
        #expect(world.launchCount("web") == 2)
        #expect(world.phase("web") == .ready)
        #expect(world.violations == [])
    }

    @Test func aStackBelongsToItsManifest() throws {
        let world = try running([service("web")])
        var other = request([service("web")])
        other.manifestPath = "/elsewhere/orch.yaml"
        #expect(throws: Refusal.self) { try world.fleet.plan(for: other) }
        other.adopt = true
        #expect(try world.fleet.plan(for: other).isInSync)
    }

    @Test func stoppedByHandStaysStoppedUntilApplyMendsIt() throws {
        var world = try running([service("web")])
        let order = Order.stop([target("web")], timeout: nil)
        #expect(world.fleet.departures(after: order).first?.departures.map(\.kind) == [.stopped])
        world.command(order)
        world.run(for: .seconds(60))
        #expect(world.phase("web") == .idle)
        let same = request([service("web")])
        let plan = try world.fleet.plan(for: same)
        #expect(plan.changes.map(\.action) == [.start])
        #expect(plan.changes.first?.because == ["stopped by hand"])
        try world.apply(same)
        world.run(for: .seconds(1))
        #expect(world.phase("web") == .ready)
    }

    @Test func replicasAreReplacedOneByOne() throws {
        func revision(_ port: String) -> ApplyRequest {
            request([
                service("web") {
                    $0.replicas = 3
                    $0.ready = .notify
                    $0.environment = [EnvironmentEntry("X", port)]
                }
            ])
        }
        var world = FleetWorld { _, _ in
            var life = SimulatedLife()
            life.readyAfter = .seconds(1)
            return life
        }
        try world.apply(revision("1"))
        world.run(for: .seconds(5))
        try world.apply(revision("2"))
        var fewest = 3
        for _ in 0..<100 {
            world.run(for: .milliseconds(100))
            fewest = min(fewest, (1...3).count { world.phase("web", $0) == .ready })
        }
        #expect(fewest == 2)
        #expect((1...3).allSatisfy { world.launchCount("web", $0) == 2 })
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == .reached)
    }

    @Test func restartMovesOnlyWhatItNames() throws {
        var world = try running([service("db"), service("web", needs: ["db"])])
        world.command(.restart([target("db")]))
        world.run(for: .seconds(1))
        #expect(world.launchCount("db") == 2)
        #expect(world.launchCount("web") == 1)
    }

    @Test func aReplacementDoesNotWaitForWhatWaitsForIt() throws {
        func revision(_ port: String) -> ApplyRequest {
            request([
                service("db"),
                service("web", needs: ["db"]) {
                    $0.replicas = 2
                    $0.environment = [EnvironmentEntry("X", port)]
                },
            ])
        }
        var world = FleetWorld { _, _ in
            var life = SimulatedLife()
            life.stopsWithin = .seconds(1)
            return life
        }
        try world.apply(revision("1"))
        world.run(for: .seconds(1))
        try world.apply(revision("2"))
        world.command(.restart([target("db")]))
        // web.1 goes and can't return before db does; db goes once web.2 has gone; web.2 must not wait for web.1.
        world.run(for: .seconds(10))
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == .reached)
        #expect(world.launchCount("db") == 2)
        #expect(world.launchCount("web", 2) == 2)
        #expect(world.violations == [])
    }

    @Test(arguments: [(Dependency.Reaction.ignore, 1, Phase.ready), (.restart, 2, .ready), (.stop, 1, .done)])
    func aRestartOfANeedIsPassedOn(reaction: Dependency.Reaction, launches: Int, phase: Phase) throws {
        var web = service("web", needs: ["db"])
        web.dependsOn[0].onRestart = reaction
        var world = try running([service("db"), web])
        world.strike("db")
        world.run(for: .seconds(2))
        #expect(world.launchCount("db") == 2)
        #expect(world.launchCount("web") == launches)
        #expect(world.phase("web") == phase)
        #expect(world.violations == [])
    }

    @Test func aFailureOfANeedIsPassedOn() throws {
        var web = service("web", needs: ["db"])
        web.dependsOn[0].onFailure = .stop
        var world = try running([service("db") { $0.restart.policy = .no }, web])
        world.strike("db")
        world.run(for: .seconds(2))
        #expect(world.phase("db") == .failed)
        #expect(world.phase("web") == .done)
        #expect(world.row("web")?.reason == "db failed (on_failure)")
    }
}

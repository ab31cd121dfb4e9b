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

}

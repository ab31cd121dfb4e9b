// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// No more launches are under way at a time than a limit says.
@Suite struct StartTurnTests {
    private func world(_ limit: Int, slow: String? = nil, by span: Duration = .seconds(50)) -> FleetWorld {
        FleetWorld(startsAtOnce: limit) { id, _ in
            var life = SimulatedLife()
            life.execution = id.service.service == slow ? span : .milliseconds(10)
            return life
        }
    }

    @Test func theRestGoesAsTheseComeBack() throws {
        var world = world(2)
        try world.apply(request((0..<7).map { service("s\($0)") }))
        #expect((0..<7).map { world.launchCount("s\($0)") } == [1, 1, 0, 0, 0, 0, 0])
        #expect(world.row("s4")?.reason == "waiting for its turn: 2 starts are under way")
        #expect(world.phase("s4") == .waiting)
        world.run(for: .milliseconds(10))
        #expect((0..<7).map { world.launchCount("s\($0)") } == [1, 1, 1, 1, 0, 0, 0])
        world.run(for: .milliseconds(30))
        #expect((0..<7).allSatisfy { world.phase("s\($0)") == .ready })
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == .reached)
        #expect(world.violations == [])
    }

    @Test func oneThatHangsHasOnlyItsOwnPlace() throws {
        var world = world(2, slow: "s0")
        try world.apply(request((0..<5).map { service("s\($0)") }))
        world.run(for: .seconds(1))
        #expect((1..<5).allSatisfy { world.phase("s\($0)") == .ready })
        #expect(world.phase("s0") == .starting)
    }

    @Test func whoIsNotWantedAnyMoreGivesItsTurnAway() throws {
        var world = world(1)
        try world.apply(request((0..<4).map { service("s\($0)") }))
        world.command(.stop([target("s1")], timeout: nil))
        world.run(for: .seconds(1))
        #expect((0..<4).map { world.launchCount("s\($0)") } == [1, 0, 1, 1])
    }

    @Test func theNextDaemonCountsWhatIsUnderWay() throws {
        var world = world(2, slow: "s0")
        try world.apply(request((0..<5).map { service("s\($0)") }))
        world.killDaemonNow()
        world.run(for: .seconds(100))
        #expect((0..<5).allSatisfy { world.phase("s\($0)") == .ready })
        #expect(world.violations == [])
    }

    @Test func whatWasSeenBeforeALongTurnIsAskedAgain() throws {
        var world = world(1, slow: "s0", by: .seconds(8))
        world.outside = { $0.text.hasPrefix("tcp") }
        let needs = [Dependency(on: "file:/x"), Dependency(on: "tcp://db:5432")]
        try world.apply(request([service("s0"), service("s1") { $0.dependsOn = needs }]))
        world.run(for: .seconds(3))
        world.outside = { _ in true }
        world.run(for: .seconds(2))
        #expect(world.row("s1")?.reason == "waiting for its turn: 1 starts are under way")
        world.outside = { $0.text.hasPrefix("file") }
        world.run(for: .seconds(4))
        #expect(world.phase("s0") == .ready)
        #expect(world.launchCount("s1") == 0, "tcp://db:5432 was there eight seconds ago")
        #expect(world.violations == [])
    }

    @Test func aThousandServicesAreUpWithTheStandingLimit() throws {
        var world = FleetWorld(keepsScore: false)
        try world.apply(request((0..<1_000).map { service("s\($0)") }))
        #expect(world.aliveCount == Limits.startsAtOnce)
        world.run(for: .milliseconds(5))
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == .reached)
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// `on_exit`: asked before `restart`.
@Suite struct ExitActionTests {
    /// A world in which every first launch ends so after a second, and later ones live.
    private func world(_ exit: Exit, leaving child: Duration? = nil) -> FleetWorld {
        FleetWorld { id, nth in
            var life = SimulatedLife()
            life.stopsWithin = .seconds(1)
            if nth == 1, id.service.service == "web" {
                life.endsAfter = .seconds(1)
                life.exit = exit
                life.childOutlives = child
            }
            return life
        }
    }

    private func web(_ rules: ExitActions.Rule..., fallback: ExitActions.Action? = nil) -> ServiceSpec {
        service("web") { $0.onExit = ExitActions(rules, fallback: fallback) }
    }

    @Test(arguments: [RestartPolicy.Policy.no, .onFailure]) func restartRestartsWhateverThePolicySays(
        policy: RestartPolicy.Policy
    ) throws {
        var world = world(.code(0))
        var web = web(.init(.code(0), .restart))
        web.restart.policy = policy
        try world.apply(request([web]))
        world.run(for: .milliseconds(1_100))
        #expect(world.phase("web") == .backoff)
        #expect(world.row("web")?.reason == "restart 1 after exit 0 (on_exit: restart)")
        world.run(for: .seconds(1))
        #expect(world.phase("web") == .ready)
        #expect(world.launchCount("web") == 2)
        #expect(world.violations == [])
    }

    @Test func stopMakesAFailureAnEnd() throws {
        var world = world(.code(3))
        try world.apply(request([web(.init(.code(3), .stop))]))
        world.run(for: .seconds(10))
        #expect(world.phase("web") == .done)
        #expect(world.row("web")?.reason == "exit 3; on_exit: stop")
        #expect(world.launchCount("web") == 1)
    }

    @Test func whatIsNotListedFollowsTheDefaultOrElseThePolicy() throws {
        var crashed = world(.signal(.kill, coreDumped: false))
        try crashed.apply(request([web(.init(.code(0), .stop))]))
        crashed.run(for: .seconds(3))
        #expect(crashed.launchCount("web") == 2, "on-failure restarts it")
        var stopped = world(.signal(.kill, coreDumped: false))
        try stopped.apply(request([web(.init(.code(0), .restart), fallback: .stop)]))
        stopped.run(for: .seconds(3))
        #expect(stopped.phase("web") == .done)
    }

    @Test func whatSomebodyAskedForIsNobodysOwnEnd() throws {
        var world = world(.code(0))
        try world.apply(request([web(fallback: .stopStack), service("db")]))
        world.run(for: .milliseconds(500))
        world.command(.restart([target("web")]))
        world.run(for: .seconds(3))
        #expect(world.phase("web") == .ready)
        #expect(world.phase("db") == .ready)
    }

    @Test func ignoredItCountsAsUpWithoutAProcess() throws {
        var world = world(.code(0), leaving: .seconds(100))
        let api = service("api", needs: ["web"])
        try world.apply(request([web(.init(.code(0), .ignore)) { $0.ready = .notify }, api]))
        world.run(for: .seconds(5))
        let row = try #require(world.row("web"))
        #expect(row.phase == .ready && row.pid == nil)
        #expect(row.reason == "exit 0; on_exit: ignore, so it counts as up without a process")
        #expect(world.phase("api") == .ready)
        #expect(world.launchCount("web") == 1)
        #expect(world.aliveCount == 1, "what it left behind is cleared")
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == .reached)
        #expect(
            try world.fleet.plan(for: request([web(.init(.code(0), .ignore)) { $0.ready = .notify }, api])).isInSync)
        world.command(.start([target("web")]))
        #expect(world.launchCount("web") == 1, "it is up")
        world.command(.restart([target("web")]))
        world.run(for: .seconds(1))
        #expect(world.launchCount("web") == 2)
        #expect(world.violations == [])
    }

    @Test func whatCountsAsUpGoesInItsTurnToo() throws {
        var world = world(.code(0))
        try world.apply(request([web(.init(.code(0), .ignore)), service("api", needs: ["web"])]))
        world.run(for: .seconds(2))
        world.command(.down(stack: "s", timeout: nil))
        #expect(world.phase("api") == .stopping)
        #expect(world.row("web") != nil)
        world.run(for: .seconds(2))
        #expect(world.row("web") == nil)
        #expect(!world.fleet.hasStack("s"))
        #expect(world.violations == [])
    }

    @Test func aNewDefinitionStartsWhatCountsAsUp() throws {
        var world = world(.code(0))
        var spec = web(.init(.code(0), .ignore))
        try world.apply(request([spec]))
        world.run(for: .seconds(2))
        spec.environment = [EnvironmentEntry("X", "1")]
        let next = request([spec])
        #expect(try world.fleet.plan(for: next).changes.map(\.action) == [.restart])
        try world.apply(next)
        world.run(for: .seconds(1))
        #expect(world.launchCount("web") == 2)
    }

    @Test(arguments: [false, true]) func whatIsNotIgnoredAnyMoreDoesNotCountAsUp(dies: Bool) throws {
        var world = world(.code(0))
        try world.apply(request([web(.init(.code(0), .ignore)), service("api", needs: ["web"])]))
        world.run(for: .seconds(2))
        let next = request([web(.init(.code(3), .ignore)), service("api", needs: ["web"])])
        let change = try #require(try world.fleet.plan(for: next).changes.first)
        #expect(change.action == .start)
        #expect(change.because == ["it ended (exit 0), and on_exit does not ignore that any more"])
        try world.apply(next)
        if dies { world.killDaemonNow() }
        world.run(for: .seconds(1))
        #expect(world.launchCount("web") == 2)
        #expect(world.launchCount("api") == 1, "on_exit is live")
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == .reached)
        #expect(world.violations == [])
    }

    @Test(arguments: [(ExitActions.Action.ignore, Phase.ready), (.stop, .done)])
    func theNextDaemonKnowsOfIt(action: ExitActions.Action, phase: Phase) throws {
        var world = world(.code(3))
        try world.apply(request([web(.init(.code(3), action))]))
        world.run(for: .seconds(2))
        let reason = world.row("web")?.reason
        world.killDaemonNow()
        world.run(for: .seconds(60))
        #expect(world.phase("web") == phase)
        #expect(world.row("web")?.reason == reason)
        #expect(world.launchCount("web") == 1)
    }

    private func web(_ rule: ExitActions.Rule, _ adjust: (inout ServiceSpec) -> Void) -> ServiceSpec {
        var spec = web(rule)
        adjust(&spec)
        return spec
    }
}

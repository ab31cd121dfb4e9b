// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// `essential`, and `on_exit: stop-stack`.
@Suite struct HaltTests {
    /// `job` ends its first life after two seconds; everything takes a second to stop.
    private func world(_ exit: Exit) -> FleetWorld {
        FleetWorld { id, nth in
            var life = SimulatedLife()
            life.stopsWithin = .seconds(1)
            if nth == 1, id.service.service == "job" {
                life.endsAfter = .seconds(2)
                life.exit = exit
            }
            if id.service.service == "migrate" { life.endsAfter = .milliseconds(100) }
            return life
        }
    }

    private var stack: [ServiceSpec] {
        [
            service("db"), service("web", needs: ["db"]), task("migrate", needs: ["db"]),
            service("job", needs: ["db"]) {
                $0.essential = true
                $0.restart.policy = .no
            },
        ]
    }

    @Test(arguments: [(Exit.code(0), Phase.done), (.code(3), .failed)])
    func theEndOfAnEssentialServiceStopsTheStackInOrder(exit: Exit, phase: Phase) throws {
        var world = world(exit)
        try world.apply(request(stack))
        world.run(for: .milliseconds(2_100))
        #expect(world.phase("job") == phase)
        #expect(world.phase("web") == .stopping)
        #expect(world.phase("db") == .ready, "web still needs it")
        world.run(for: .milliseconds(1_000))
        #expect(world.phase("db") == .stopping)
        world.run(for: .seconds(60))
        #expect(world.aliveCount == 0)
        #expect(world.phase("web") == .idle)
        #expect(world.phase("migrate") == .done)
        let how = phase == .done ? "job is done: ended with exit 0" : "job failed: exit 3; restart: no"
        #expect(world.row("db")?.reason == "the stack stopped: \(how)")
        let stop = try #require(world.fleet.status(of: nil).first?.stoppedBy)
        #expect(stop.instance.service.service == "job" && stop.exit == exit)
        #expect(world.fleet.status(of: nil).first?.phase == (phase == .done ? .stopped : .failed))
        let verdict: Verdict = phase == .done ? .reached : .failed("db: the stack stopped: \(how)")
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == verdict)
        #expect(world.fleet.deadline == nil)
        #expect(world.violations == [])
    }

    @Test func whatLeavesAnywayHoldsNobodyUpWhoStartsItAgain() throws {
        var world = world(.code(3))
        try world.apply(request([service("db") { $0.replicas = 2 }] + stack.dropFirst()))
        world.run(for: .milliseconds(1_900))
        try world.apply(request(stack))
        world.run(for: .milliseconds(200))
        #expect(world.phase("job") == .failed)
        #expect(world.phase("db", 2) == .stopping)
        world.command(.start([target()]))
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == .pending)
        #expect(world.fleet.status(of: nil).first?.stoppedBy == nil)
        world.run(for: .seconds(60))
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == .reached)
        #expect(world.violations == [])
    }

    @Test func whyNamesTheServiceWhoseEndItWas() throws {
        var world = world(.code(3))
        try world.apply(request(stack))
        world.run(for: .seconds(10))
        let chain = try #require(world.fleet.why(target("db")).first?.chain)
        #expect(
            chain.contains { $0.kind == .stopping && $0.cause == "the stack stops: job failed: exit 3; restart: no" })
    }

    /// Whoever waits for it to settle is told, as with a need that has failed.
    @Test func whoWaitsForWhatIsDoneWaitsInVain() throws {
        var brief = SimulatedLife()
        brief.readyAfter = .seconds(5)
        brief.endsAfter = .seconds(2)
        let life = brief
        var world = FleetWorld { id, _ in id.service.service == "job" ? life : SimulatedLife() }
        try world.apply(request([service("job") { $0.ready = .notify }, service("web", needs: ["job"])]))
        world.run(for: .seconds(3))
        #expect(world.phase("job") == .done)
        #expect(world.fleet.verdict(on: .settled, for: [target("job")]) == .reached)
        #expect(
            world.fleet.verdict(on: .settled, for: [target("web")])
                == .failed("web: waiting for job to be ready, and job is done: ended with exit 0"))
    }

    /// What reacts to the failure goes after what needs it, like everything else.
    @Test func onFailureDoesNotGoBeforeTheOrder() throws {
        var world = world(.code(3))
        let stack = [
            service("job") {
                $0.essential = true
                $0.restart.policy = .no
            },
            service("web", needs: ["job"]), service("top", needs: ["web"]),
        ]
        try world.apply(request(stack))
        world.run(for: .milliseconds(2_100))
        #expect(world.phase("top") == .stopping)
        #expect(world.phase("web") == .ready, "top still needs it")
        world.run(for: .seconds(60))
        #expect(world.aliveCount == 0)
        #expect(world.violations == [])
    }

    @Test func applyBringsTheStackBack() throws {
        var world = world(.code(0))
        try world.apply(request(stack))
        world.run(for: .seconds(10))
        let plan = try world.fleet.plan(for: request(stack))
        #expect(plan.changes.map(\.service) == ["db", "job", "web"])
        #expect(plan.changes.allSatisfy { $0.action == .start })
        #expect(plan.changes.first?.because == ["the stack stopped: job is done: ended with exit 0"])
        try world.apply(request(stack))
        world.run(for: .seconds(5))
        #expect(["db", "job", "web"].allSatisfy { world.phase($0) == .ready })
        #expect(world.launchCount("migrate") == 1, "a finished task stays finished")
        #expect(world.fleet.status(of: nil).first?.stoppedBy == nil)
        #expect(try world.fleet.plan(for: request(stack)).isInSync)
        #expect(world.violations == [])
    }

    @Test func startBringsBackWhatItNamesAndNeeds() throws {
        var world = world(.code(0))
        try world.apply(request(stack))
        world.run(for: .seconds(10))
        world.command(.start([target("web")]))
        world.run(for: .seconds(5))
        #expect(world.phase("web") == .ready && world.phase("db") == .ready)
        #expect(world.phase("job") == .done)
        #expect(world.fleet.status(of: nil).first?.stoppedBy != nil)
        world.killDaemonNow()
        world.run(for: .seconds(5))
        #expect(world.phase("web") == .ready && world.launchCount("web") == 2)
        world.command(.start([target()]))
        world.run(for: .seconds(5))
        #expect(world.phase("job") == .ready)
        #expect(world.fleet.status(of: nil).first?.stoppedBy == nil)
    }

    @Test func anApplyWhileItStopsWins() throws {
        var world = world(.code(3))
        try world.apply(request(stack))
        world.run(for: .milliseconds(2_500))
        #expect(world.phase("web") == .stopping)
        try world.apply(request(stack))
        world.run(for: .seconds(5))
        #expect(["db", "job", "web"].allSatisfy { world.phase($0) == .ready })
        #expect(world.launchCount("db") == 1, "its turn to stop had not come")
        #expect(world.violations == [])
    }

    /// Whatever of it was written down when the daemon died.
    @Test func theNextDaemonGoesOnWithIt() throws {
        for effects in 0..<40 {
            var world = world(.code(3))
            try world.apply(request(stack))
            world.run(for: .milliseconds(1_900))
            world.killDaemon(after: effects)
            world.run(for: .seconds(60))
            #expect(world.aliveCount == 0, "after \(effects) effects")
            #expect(world.phase("job") == .failed, "after \(effects) effects")
            #expect(world.phase("db") == .idle, "after \(effects) effects")
            world.killDaemonNow()
            world.run(for: .seconds(60))
            #expect(world.aliveCount == 0)
            #expect(world.fleet.status(of: nil).first?.stoppedBy?.exit == .code(3))
            try world.apply(request(stack))
            world.killDaemonNow()
            world.run(for: .seconds(60))
            #expect(world.phase("web") == .ready, "applied anew it is not held back by what was")
            #expect(world.violations == [])
        }
    }

    @Test func givingUpAndWaitingInVainAreEndsToo() throws {
        var world = FleetWorld { _, _ in
            var life = SimulatedLife()
            life.endsAfter = .milliseconds(10)
            life.exit = .code(1)
            return life
        }
        try world.apply(
            request([
                service("web") {
                    $0.essential = true
                    $0.restart.maxAttempts = 2
                    $0.restart.retryAfter = .seconds(5)
                }, service("db") { $0.restart.maxDelay = .seconds(1) },
            ]))
        world.run(for: .seconds(60))
        #expect(world.launchCount("web") == 3, "retry_after waits for a command as all the others do")
        #expect(world.phase("db") == .idle)
    }

    @Test func stopStackIsAnEssentialEndByItsCode() throws {
        var world = world(.code(7))
        let job = service("job") { $0.onExit = ExitActions([.init(.code(7), .stopStack)]) }
        try world.apply(request([job, service("db")]))
        world.run(for: .seconds(10))
        #expect(world.phase("job") == .failed)
        #expect(world.row("job")?.reason == "exit 7; on_exit: stop-stack")
        #expect(world.phase("db") == .idle)
        #expect(world.row("db")?.reason == "the stack stopped: job failed: exit 7; on_exit: stop-stack")
    }

    @Test func otherStacksGoOn() throws {
        var world = world(.code(3))
        try world.apply(request(stack))
        try world.apply(request([service("other")], name: "t"))
        world.run(for: .seconds(10))
        #expect(world.phase("other", stack: "t") == .ready)
    }
}

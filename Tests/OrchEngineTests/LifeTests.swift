// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

@Suite struct LifeTests {
    @Test func aCrashIsFollowedByACappedExponentialBackOff() throws {
        var world = FleetWorld { _, _ in
            var life = SimulatedLife()
            life.endsAfter = .milliseconds(10)
            life.exit = .code(1)
            return life
        }
        try world.apply(
            request([
                service("web") {
                    $0.restart.delay = .seconds(1)
                    $0.restart.maxDelay = .seconds(4)
                    $0.restart.maxAttempts = 5
                }
            ]))
        // 1 + 2 + 4 + 4 + 4 seconds between the six launches.
        world.run(for: .milliseconds(1_100))
        #expect(world.launchCount("web") == 2)
        #expect(world.phase("web") == .backoff)
        world.run(for: .seconds(2))
        #expect(world.launchCount("web") == 3)
        world.run(for: .seconds(4))
        #expect(world.launchCount("web") == 4)
        world.run(for: .seconds(60))
        #expect(world.launchCount("web") == 6)
        #expect(world.phase("web") == .failed)
        #expect(world.row("web")?.reason.contains("gave up after 6 failures within 10m; the last: exit 1") == true)
        #expect(world.fleet.deadline == nil)
        world.command(.start([target("web")]))
        #expect(world.launchCount("web") == 7, "a command clears the ledger and starts at once")
        #expect(world.violations == [])
    }

    @Test func failuresAreForgottenAfterAQuietTime() throws {
        var world = FleetWorld { _, nth in
            var life = SimulatedLife()
            life.endsAfter = nth == 3 ? .seconds(120) : .milliseconds(10)
            life.exit = .code(1)
            return life
        }
        try world.apply(request([service("web") { $0.restart.delay = .seconds(1) }]))
        world.run(for: .seconds(124))
        #expect(world.launchCount("web") == 3)
        #expect(world.phase("web") == .backoff)
        world.run(for: .milliseconds(1_100))
        #expect(world.launchCount("web") == 4, "the first retry after a quiet time comes after the first delay")
    }

    @Test func aDeafServiceIsKilledExactlyAtTheEndOfItsWait() throws {
        var world = FleetWorld { _, _ in
            var life = SimulatedLife()
            life.stopsWithin = nil
            life.childOutlives = .seconds(1_000)
            return life
        }
        try world.apply(
            request([
                service("web") {
                    $0.stop = StopSpec(steps: [
                        .init(.signal(.interrupt, to: .main), wait: .seconds(5)),
                        .init(.signal(.terminate, to: .tree), wait: .seconds(3)),
                    ])
                }
            ]))
        world.run(for: .seconds(1))
        world.command(.stop([target("web")], timeout: nil))
        world.run(for: .milliseconds(7_990))
        #expect(world.phase("web") == .stopping)
        #expect(world.aliveCount == 1)
        world.run(for: .milliseconds(20))
        #expect(world.phase("web") == .idle)
        #expect(world.row("web")?.reason == "stopped by hand")
        #expect(world.fleet.verdict(on: .stopped, for: [target("web")]) == .reached)
        #expect(world.violations == [])
    }

    @Test func whatAnEndLeavesBehindIsClearedBeforeTheRestart() throws {
        var world = FleetWorld { _, nth in
            var life = SimulatedLife()
            if nth == 1 {
                life.endsAfter = .seconds(1)
                life.exit = .code(3)
                life.childOutlives = .seconds(1_000)
            }
            return life
        }
        try world.apply(request([service("web")]))
        world.run(for: .milliseconds(1_050))
        #expect(world.phase("web") == .stopping)
        #expect(world.launchCount("web") == 1)
        world.run(for: .seconds(1))
        #expect(world.phase("web") == .ready)
        #expect(world.launchCount("web") == 2)
        #expect(world.violations == [])
    }

    @Test func livenessRestartsAfterItsThreshold() throws {
        var world = FleetWorld { _, nth in
            var life = SimulatedLife()
            if nth == 1 { life.sickensAfter = .seconds(5) }
            return life
        }
        try world.apply(
            request([
                service("web") {
                    var probe = Probe(.tcp("localhost:1"))
                    probe.interval = .seconds(1)
                    $0.health.liveness = probe
                }
            ]))
        world.run(for: .milliseconds(6_500))
        #expect(world.phase("web") == .ready)
        world.run(for: .seconds(2))
        #expect(world.launchCount("web") == 2)
        world.run(for: .seconds(5))
        #expect(world.phase("web") == .ready)
        #expect(world.row("web")?.health == .healthy)
        #expect(world.violations == [])
    }

    @Test func neverReadyByItsDeadlineIsAFailure() throws {
        var world = FleetWorld { _, _ in
            var life = SimulatedLife()
            life.readyAfter = .seconds(1_000)
            return life
        }
        try world.apply(
            request([
                service("web") {
                    $0.ready = .notify
                    $0.startTimeout = .seconds(5)
                    $0.restart.maxAttempts = 0
                }
            ]))
        world.run(for: .seconds(6))
        #expect(world.phase("web") == .failed)
        #expect(world.row("web")?.reason.contains("not ready within 5s") == true)
        guard case .failed(let reason) = world.fleet.verdict(on: .settled, for: [target()]) else {
            Issue.record("apply must fail at once")
            return
        }
        #expect(reason.hasPrefix("web: "))
    }

    @Test func aStartDuringTheEndWins() throws {
        var world = FleetWorld { _, nth in
            var life = SimulatedLife()
            if nth == 1 {
                life.endsAfter = .seconds(1)
                life.childOutlives = .seconds(5)
            }
            return life
        }
        try world.apply(request([service("web")]))
        world.run(for: .milliseconds(1_020))
        world.command(.start([target("web")]))
        world.run(for: .seconds(1))
        #expect(world.launchCount("web") == 2, "its exit 0 would have left it done")
        #expect(world.phase("web") == .ready)
    }
}

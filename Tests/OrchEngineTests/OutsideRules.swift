// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// Starts wait for what is no service, too.
@Suite struct OutsideRules {
    private let tcp = "tcp://db:5432"

    private func need(_ name: String, required: Bool = true, timeout: Duration? = nil) -> Dependency {
        var need = Dependency(on: name)
        need.required = required
        need.timeout = timeout
        return need
    }

    @Test func aStartWaitsUntilItIsThere() {
        timeline("asked again after 0.25, 0.5, 1, 2, 4, 5 … seconds while somebody waits, and then no more") {
            service("web") { $0.dependsOn = [need(tcp)] }
            world(tcp, "------g---")
            asked(tcp, "AA-A---A--")
            asked(tcp, "A---------")
            asked(tcp, "A---------")
            orch("web", "-------L--")
            phases("web", "wwwwwwwrrr")
            reason("web", at: 0, "waiting for tcp://db:5432 (connection refused)")
            told("web", .waiting, at: 0, "waiting for tcp://db:5432 (asked just now)")
            asleep
        }
    }

    @Test func atItsTimeoutTheStartFails() {
        timeline("and what fails for want of it was no failure of its own: nothing is counted") {
            service("web") {
                $0.dependsOn = [need(tcp, timeout: .seconds(3))]
                $0.restart.maxAttempts = 0
            }
            world(tcp, "p-----g--")
            phases("web", "wwwfffrrr")
            reason("web", at: 3, "waited 3s for tcp://db:5432 (connection refused)")
            command(.start([target("web")]), at: 6)
        }
    }

    @Test func whatIsNotRequiredIsWaitedForAndThenDoneWithout() {
        timeline("required: false and a timeout: so long and no longer") {
            service("web") { $0.dependsOn = [need(tcp, required: false, timeout: .seconds(3))] }
            world(tcp, "d-----")
            orch("web", "---L--")
            reason("web", at: 0, "waiting for tcp://db:5432 (it can't be asked: no prober)")
            told("web", .warning, at: 3, "goes on without tcp://db:5432 (it can't be asked: no prober)")
        }
    }

    @Test func itIsAskedWhenTheServicesAreThere() {
        timeline("services first; then all the rest at once") {
            service("db") { $0.ready = .notify }
            service("web") { $0.dependsOn = [Dependency(on: "db"), need("file:/x"), need(tcp)] }
            world("db", "--r---")
            world(tcp, "p---g-")
            world("file:/x", "g-----")
            asked("file:/x", "--A---")
            orch("web", "-----L")
        }
    }

    @Test func itGatesStartsOnly() {
        timeline("a running service does not care; a restart asks again") {
            service("web") {
                $0.dependsOn = [need(tcp)]
                $0.restart.delay = .seconds(1)
            }
            world(tcp, "g-p-----g---")
            world("web", "-----x------")
            phases("web", "rrrrrbwwwrrr")
        }
    }

    @Test func theNextDaemonAsksAnew() {
        timeline("whoever waits goes on waiting over a daemon's death") {
            service("web") { $0.dependsOn = [need(tcp)] }
            world(tcp, "p----g---")
            phases("web", "ww==wrrrr")
            daemon("--✝=-----")
        }
    }

    @Test func oneQuestionForAllWhoWait() throws {
        var world = FleetWorld()
        world.outside = { _ in false }
        try world.apply(request((0..<100).map { index in service("s\(index)") { $0.dependsOn = [need(tcp)] } }))
        world.run(for: .milliseconds(900))
        #expect(world.askCount == 3, "at once, after 0.25 and after 0.75 seconds")
        world.command(.stop([target()], timeout: nil))
        world.run(for: .seconds(100))
        #expect(world.askCount == 3, "nobody waits")
        #expect(world.fleet.deadline == nil)
        world.outside = { _ in true }
        world.command(.start([target()]))
        world.run(for: .seconds(1))
        #expect(world.askCount == 4)
        #expect(world.aliveCount == 100)
        #expect(world.violations == [])
    }
}

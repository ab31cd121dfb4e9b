// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// `locks`: one launch has a name at a time.
@Suite struct LockRules {
    private func job(_ name: String, _ locks: String...) -> ServiceSpec { task(name) { $0.locks = locks } }

    @Test func whoWaitsLongestGoesFirst() {
        timeline("one after the other, in the order in which they began to wait") {
            job("a", "gpu")
            job("b", "gpu")
            job("c", "gpu")
            world("a", "--0------")
            world("b", "----0----")
            world("c", "------0--")
            orch("a", "L--------")
            orch("b", "--L------")
            orch("c", "----L----")
            phases("c", "wwwwuuddd")
            reason("b", at: 0, "waiting for lock gpu, which a has (launch 1)")
            reason("c", at: 2, "waiting for lock gpu, which b has (launch 2)")
            told("b", .waiting, at: 0, "waiting for lock gpu, which a has")
            asleep
        }
    }

    @Test func aLockIsFreeOnlyWhenNothingIsLeft() {
        timeline("what the main process left behind still has the lock") {
            job("a", "gpu")
            job("b", "gpu")
            world("a", "-Ou--e---")
            orch("b", "-----L---")
        }
    }

    @Test func allAtOnceOrNone() {
        timeline("who waits for one of two takes neither, and is not overtaken by who waits less long") {
            job("a", "x")
            job("b", "x", "y")
            job("c", "y")
            world("a", "--0------")
            world("b", "----0----")
            world("c", "------0--")
            orch("b", "--L------")
            orch("c", "----L----")
            reason("c", at: 0, "waiting for lock y, which is kept for b, as it has waited longer")
            reason("c", at: 2, "waiting for lock y, which b has")
        }
    }

    @Test func behindAServiceThatIsKeptUpOthersPass() {
        timeline("nobody knows how long b waits for a, so c does not wait for b") {
            service("a") { $0.locks = ["x"] }
            job("b", "x", "y")
            job("c", "y")
            world("b", "------0--")
            world("c", "--0------")
            orch("b", "----L----")
            orch("c", "L--------")
            command(.stop([target("a")], timeout: nil), at: 4)
        }
    }

    @Test func aStandbyTakesOver() {
        timeline("the second replica starts when the first has gone, and the first waits then") {
            service("web") {
                $0.replicas = 2
                $0.locks = ["leader"]
            }
            world("web", "---x-----")
            orch("web", "L--------")
            orch("web.2", "---L-----")
            phases("web", "rrrwwwwww")
            phases("web.2", "wwwrrrrrr")
        }
    }

    @Test func whoIsNotWantedAnyMoreStandsInNobodysWay() {
        timeline("b is stopped while it waits; c goes next") {
            job("a", "x")
            job("b", "x")
            job("c", "x")
            world("a", "---0-----")
            orch("b", "---------")
            orch("c", "---L-----")
            command(.stop([target("b")], timeout: nil), at: 1)
        }
    }

    @Test func theNextDaemonKnowsWhoHasIt() {
        timeline("a lock is kept over a daemon's death") {
            job("a", "gpu")
            job("b", "gpu")
            world("a", "------0--")
            orch("b", "------L--")
            reason("b", at: 4, "waiting for lock gpu, which a has")
            daemon("--✝=-----")
        }
    }

    @Test func locksAreSharedByAllStacks() throws {
        var world = FleetWorld { _, _ in
            var life = SimulatedLife()
            life.endsAfter = .seconds(1)
            return life
        }
        try world.apply(request([job("a", "gpu")]))
        try world.apply(request([job("a", "gpu")], name: "t"))
        world.run(for: .milliseconds(500))
        #expect(world.row("a", stack: "t")?.reason == "waiting for lock gpu, which s/a has (launch 1)")
        world.run(for: .seconds(5))
        #expect(world.phase("a", stack: "t") == .done)
        #expect(world.violations == [])
    }

    @Test func aLockThatIsAFileIsAskedOfTheMachine() throws {
        var world = FleetWorld()
        world.outside = { _ in false }
        try world.apply(
            request([service("a") { $0.locks = ["/run/x.lock"] }, service("b") { $0.locks = ["/run/x.lock"] }]))
        world.run(for: .seconds(60))
        #expect(world.aliveCount == 0)
        #expect(world.row("a")?.reason == "waiting for lock /run/x.lock (not there)")
        #expect(world.row("a")?.phase == .waiting)
        world.outside = { _ in true }
        world.run(for: .seconds(6))
        #expect(world.aliveCount == 1)
        #expect(world.row("b")?.reason == "waiting for lock /run/x.lock, which a has (launch 1)")
        let asked = world.askCount
        world.run(for: .seconds(60))
        #expect(world.askCount == asked, "what one of ours has is not asked of the machine")
        #expect(world.violations == [])
    }
}

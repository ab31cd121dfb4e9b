// SPDX-License-Identifier: Apache-2.0
import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// What a follower need not look at again.
@Suite struct PendingTests {
    private func id(_ name: String) -> InstanceID { InstanceID(service: ServiceID(stack: "s", service: name)) }

    private func world() throws -> FleetWorld {
        var world = FleetWorld { id, _ in
            var life = SimulatedLife()
            life.execution = id.service.service == "slow" ? .seconds(50) : .milliseconds(10)
            if id.service.service == "bad" { life.endsAfter = .milliseconds(10) }
            life.exit = .code(1)
            return life
        }
        try world.apply(request([service("slow"), service("web"), service("bad") { $0.restart.policy = .no }]))
        return world
    }

    @Test func theWitnessIsWhoIsStillMissing() throws {
        var world = try world()
        var witness: InstanceID?
        #expect(world.fleet.verdict(on: .settled, for: [target()], &witness) == .pending)
        #expect(world.fleet.isPending(.settled, by: witness, though: [id("web")]))
        world.run(for: .milliseconds(15))
        #expect(world.phase("web") == .ready)
        #expect(world.fleet.isPending(.settled, by: id("slow"), though: [id("web")]))
        #expect(!world.fleet.isPending(.settled, by: id("web"), though: []), "it is there")
        #expect(!world.fleet.isPending(.settled, by: nil, though: []))
        #expect(!world.fleet.isPending(.settled, by: id("slow"), though: [id("gone")]))
        #expect(!world.fleet.isPending(.stopped, by: id("slow"), though: [id("web")]), "it is wanted")
    }

    @Test func aFailureIsNotOverlooked() throws {
        var world = try world()
        world.run(for: .seconds(1))
        #expect(world.phase("bad") == .failed)
        #expect(!world.fleet.isPending(.settled, by: id("slow"), though: [id("bad")]))
        guard case .failed = world.fleet.verdict(on: .settled, for: [target()]) else {
            Issue.record("the failure of one is the verdict on all")
            return
        }
    }
}

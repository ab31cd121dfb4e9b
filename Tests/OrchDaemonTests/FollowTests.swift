// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import OrchWire
import Testing

@Suite struct FollowTests {
    /// A chain, in which one after the other gets ready, a millisecond apart.
    private func chain(of count: Int) -> ApplyRequest {
        let services = (0..<count).map { number in
            var service = ServiceSpec(name: "s\(number)", command: .exec(["s"]), workingDirectory: "/")
            if number > 0 { service.dependsOn = [Dependency(on: "s\(number - 1)")] }
            return service
        }
        return ApplyRequest(stack: Stack(name: "shop", services: services), manifestPath: "/shop.yaml")
    }

    @Test(arguments: [Limits.followedAtOnce - 1, Limits.followedAtOnce])
    func whoFollowsManyIsToldOfChangesTogether(count: Int) {
        let rig = Rig()
        let client = rig.connect()
        rig.ask(client, .apply(chain(of: count)))
        let follow = rig.ask(client, .follow([Target(stack: "shop")], goal: .settled))
        rig.run()
        let answer = rig.answer(client, follow)
        #expect(answer.last == .verdict(.reached))
        var phases: [InstanceID: Phase] = [:]
        for case .instance(let status) in answer { phases[status.id] = status.phase }
        #expect(phases.count == count)
        #expect(phases.allSatisfy { $0.value == .ready })
        let pieces = rig.host.outputs.count { if case .send(client, _) = $0 { true } else { false } }
        if count < Limits.followedAtOnce { #expect(pieces >= count) } else { #expect(pieces < 10) }
    }
}

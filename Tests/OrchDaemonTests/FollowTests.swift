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

    /// Who is told that it failed shows at once what it wrote last.
    @Test(arguments: [Duration.milliseconds(1), .milliseconds(100), nil])
    func aFailureIsToldOnceItsLastWordsCanBeRead(_ draining: Duration?) throws {
        let rig = Rig()
        rig.host.drainingTakes = draining
        let client = rig.connect()
        var web = ServiceSpec(name: "web", command: .exec(["web"]), workingDirectory: "/")
        web.restart.policy = .no
        web.ready = .notify
        rig.ask(client, .apply(ApplyRequest(stack: Stack(name: "shop", services: [web]), manifestPath: "/shop.yaml")))
        let follow = rig.ask(client, .follow([Target(stack: "shop")], goal: .settled))
        rig.run { rig.conductor.status.first?.instances.first?.phase == .starting }
        let launch = try #require(rig.conductor.status.first?.instances.first?.launch)
        rig.host.end(launch, .code(3))
        let endedAt = rig.host.now.instant
        var releasedAt: Instant?
        rig.run {
            if rig.host.outputs.contains(.effect(.release(launch))) { releasedAt = releasedAt ?? rig.host.now.instant }
            return rig.answer(client, follow).contains { if case .verdict = $0 { true } else { false } }
        }
        guard case .verdict(.failed)? = rig.answer(client, follow).last else { throw Refusal(.failed, "no verdict") }
        let released = try #require(releasedAt)
        #expect(released - endedAt < .milliseconds(10), "nobody waits for history's next batch")
        let waited = rig.host.now.instant - released
        #expect(
            waited >= draining ?? Limits.lastWordsWait
                && waited <= (draining ?? Limits.lastWordsWait) + .milliseconds(5))
    }
}

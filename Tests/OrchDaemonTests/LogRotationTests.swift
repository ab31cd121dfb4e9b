// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchModel
import OrchWire
import Testing

/// Rotation of logs on demand, as far as the daemon goes.
@Suite struct LogRotationTests {
    private func ready() -> (Rig, ClientID) {
        let rig = Rig()
        let client = rig.connect()
        rig.ask(client, .apply(sampleRequest()))
        rig.run()
        return (rig, client)
    }

    @Test func theAnswerWaitsForTheHostAndNamesEachFile() {
        let (rig, client) = ready()
        rig.host.rotationTakes = .milliseconds(50)
        let first = rig.ask(client, .rotateLogs([Target(stack: "shop", service: "web")]))
        let second = rig.ask(client, .rotateLogs([]))
        rig.run()
        let web = InstanceID(service: ServiceID(stack: "shop", service: "web"))
        guard case .rotated(let files)? = rig.answer(client, first).last,
            case .rotated(let all)? = rig.answer(client, second).last
        else {
            Issue.record("no answer: \(rig.replies(client))")
            return
        }
        #expect(files.map(\.instance) == [web, web] && files.map(\.output) == [.stdout, .stderr])
        #expect(all.count == 4)
        #expect(rig.answer(client, first).count == 1 && rig.answer(client, second).count == 1)
    }

    @Test func whoLeavesBeforeTheAnswerIsNoHarm() {
        let (rig, client) = ready()
        rig.host.rotationTakes = .milliseconds(50)
        rig.ask(client, .rotateLogs([Target(stack: "shop")]))
        rig.host.send(.disconnected(client), after: .milliseconds(10))
        rig.run()
        let next = rig.connect()
        let id = rig.ask(next, .rotateLogs([Target(stack: "shop")]))
        rig.run()
        #expect(rig.answer(next, id).count == 1)
    }

    @Test func whatIsNotThereIsRefused() {
        let (rig, client) = ready()
        let id = rig.ask(client, .rotateLogs([Target(stack: "shop", service: "wbe")]))
        rig.run()
        #expect(rig.refusal(client, id)?.kind == .unknown)
    }
}

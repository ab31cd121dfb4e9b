// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchModel
import OrchWire
import Testing

@Suite struct SessionTests {
    private let rig = Rig()

    @Test func aForeignUserIsTurnedAwayAndRootIsNot() {
        let stranger = rig.connect(uid: 1001)
        let root = rig.connect(uid: 0)
        let id = rig.ask(root, .daemonStatus)
        rig.run()
        #expect(rig.refusal(stranger, 0)?.kind == .permission)
        #expect(rig.host.closed == [stranger])
        #expect(rig.answer(root, id).count == 1)
    }

    @Test func anotherVersionMayLookButNotTouch() {
        let client = rig.connect(hello: Hello(version: "9.9.9"))
        let read = rig.ask(client, .status(nil))
        let change = rig.ask(client, .apply(sampleRequest()))
        rig.run()
        #expect(rig.answer(client, read) == [.status([])])
        #expect(rig.refusal(client, change)?.kind == .version)
        #expect(rig.refusal(client, change)?.remedy?.contains("orch daemon upgrade") == true)
        #expect(rig.store.stored.stacks.isEmpty)
    }

    @Test func malformedRequestsAreRefusedByNumber() {
        let client = rig.connect()
        rig.host.send(.received(client, Frame.encode(["id": 5, "command": "dance"])))
        rig.host.send(.received(client, Frame.encode(["id": 6, "command": "stop", "targets": 3])))
        let id = rig.ask(client, .why(Target(stack: "none")))
        rig.run()
        #expect(rig.refusal(client, 5)?.kind == .malformed)
        #expect(rig.refusal(client, 6)?.kind == .malformed)
        #expect(rig.refusal(client, id)?.kind == .unknown)
        #expect(rig.host.closed.isEmpty)
    }

    @Test(
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [0, 0, 0, 3, 1, 2, 3], Frame.encode(["no": "hello"]), [0, 1, 0, 0],
        ] as [[UInt8]])
    func garbageEndsTheConnection(bytes: [UInt8]) {
        let client = rig.connect(hello: nil)
        rig.host.send(.received(client, bytes))
        rig.run()
        #expect(rig.refusal(client, 0)?.kind == .malformed)
        #expect(rig.host.closed == [client])
        #expect(rig.conductor.clientCount == 0)
    }

    @Test func aClientThatLeavesAtAnyByteChangesNothingAndLeaksNothing() {
        let whole = Frame.encode(Hello()) + Frame.encode(Request(id: 1, command: .apply(sampleRequest())))
        for cut in 0..<whole.count {
            let client = rig.connect(hello: nil)
            rig.host.send(.received(client, Array(whole[..<cut])))
            rig.host.send(.disconnected(client))
            rig.run()
            #expect(rig.conductor.clientCount == 0)
        }
        #expect(rig.store.stored.stacks.isEmpty)
        #expect(rig.conductor.status.isEmpty)
    }

    @Test func requestsMayComeByteByByte() {
        let client = rig.connect()
        for byte in Frame.encode(Request(id: 3, command: .daemonStatus)) { rig.host.send(.received(client, [byte])) }
        rig.run()
        #expect(rig.answer(client, 3).count == 1)
    }

    @Test func clientsAndStreamsAreLimited() {
        for _ in 0..<Limits.clients { _ = rig.connect() }
        let late = rig.connect()
        let first = ClientID(1)
        let ids = (0...Limits.streamsPerClient).map { _ in rig.ask(first, .follow([], goal: .forever)) }
        rig.run()
        #expect(rig.refusal(late, 0)?.kind == .limit)
        #expect(rig.refusal(first, ids[ids.count - 1])?.kind == .limit)
        #expect(rig.answer(first, ids[0]).isEmpty)
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import OrchWire

/// A whole daemon over a machine and a disk in memory.
final class Rig {
    let host: ScriptedHost
    let store: ScriptedStore
    var conductor: Conductor<ScriptedHost, ScriptedStore>
    var ending: Ending?
    private var clients: UInt64 = 0
    private var requests: UInt64 = 0

    init(
        store: ScriptedStore = ScriptedStore(), survivors: [Survivor] = [], notes: [LaunchNote] = [],
        closed: [ClosedLaunch] = [], at moment: Moment? = nil
    ) {
        host = moment.map { ScriptedHost(at: $0) } ?? ScriptedHost()
        self.store = store
        var recovery = Recovery.assembled(
            from: (try? store.load()) ?? store.stored, notes: notes, isNewBoot: notes.isEmpty, survivors: survivors,
            closed: closed, seed: 1)
        var history = store
        recovery.recall(from: &history)
        let identity = DaemonIdentity(pid: 42, uid: 1000, startedAt: host.now.wall) { id, _ in
            ("/logs/\(id.name).log", nil)
        }
        conductor = Conductor(host: host, store: store, recovery: recovery, identity: identity)
        conductor.start()
    }

    /// Turns until the daemon sleeps, ends, or it is done.
    func run(turns: Int = 500, until isDone: () -> Bool = { false }) {
        for _ in 0..<turns {
            if isDone() { return }
            ending = conductor.turn()
            if ending != nil || host.isAsleep { return }
        }
    }

    func connect(uid: UInt32 = 1000, hello: Hello? = Hello()) -> ClientID {
        clients += 1
        let client = ClientID(clients)
        host.send(.connected(client, Peer(uid: uid, pid: 7)))
        if let hello { host.send(.received(client, Frame.encode(hello))) }
        return client
    }

    @discardableResult
    func ask(_ client: ClientID, _ command: Command) -> UInt64 {
        requests += 1
        host.send(.received(client, Frame.encode(Request(id: requests, command: command))))
        return requests
    }

    /// What a client got after the greeting.
    func replies(_ client: ClientID) -> [Reply] {
        var buffer = FrameBuffer()
        buffer.append(host.received[client] ?? [])
        var values: [Value] = []
        while let value = try? buffer.next() { values.append(value) }
        return values.dropFirst().compactMap { try? Reply($0) }
    }

    func answer(_ client: ClientID, _ id: UInt64) -> [Reply.Body] { replies(client).filter { $0.id == id }.map(\.body) }
    func refusal(_ client: ClientID, _ id: UInt64) -> Refusal? {
        if case .refusal(let refusal)? = answer(client, id).last { refusal } else { nil }
    }
}

func sampleRequest(_ name: String = "shop", delay: Duration = .milliseconds(200)) -> ApplyRequest {
    let db = ServiceSpec(name: "db", command: .exec(["db"]), workingDirectory: "/")
    var web = ServiceSpec(name: "web", command: .exec(["web"]), workingDirectory: "/")
    web.dependsOn = [Dependency(on: "db")]
    web.restart.delay = delay
    return ApplyRequest(stack: Stack(name: name, services: [db, web]), manifestPath: "/\(name).yaml")
}

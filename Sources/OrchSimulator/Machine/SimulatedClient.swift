// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchModel
import OrchWire

/// Somebody at the control socket.
struct SimulatedClient {
    /// Chosen by the scenario; a new connection takes its place when it is gone.
    let name: Int
    let id: ClientID
    var isConnected = true
    /// Its first frame is no greeting, or it may not speak: it is to be turned away.
    var isUnwelcome = false
    var isOtherVersion = false
    /// All that makes it unwelcome has been said.
    var isHeard = false
    var buffer = FrameBuffer()
    var isGreeted = false
    var nextRequest: UInt64 = 1
    /// Bytes go out in order: nothing of it arrives before this instant.
    var busyUntil = Instant.zero
    var pending: [PendingRequest] = []
    /// What it was sent, when it is one that does not understand it; nil when it does.
    var raw: [UInt8]?
}

struct PendingRequest {
    var id: UInt64
    var question: Question
    /// All of it has reached the daemon.
    var isComplete = false
    /// The how manyth that was complete: the daemon takes them up in this order, and answers each client by itself.
    var order = 0
    /// Its answer goes on.
    var isStream: Bool
}

/// Clients come, ask, and go.
extension Machine {
    /// The name that the judge of the second act has.
    static let judge = -1
    /// The name that a rehearsal has.
    static let audience = -2

    func ask(_ name: Int, _ question: Question, pieces: Int) {
        let place = connected(name, Hello())
        var client = clients[place]
        let id = client.nextRequest
        client.nextRequest += 1
        let command = command(for: question)
        client.pending.append(PendingRequest(id: id, question: question, isStream: command.goesOn))
        let bytes = Request.frame(id: id, commandText: text(of: question, command))
        note("» client \(name) #\(id): \(question.summary(scenario))")
        var sent = 0
        for piece in 0..<max(1, pieces) {
            let end =
                piece == pieces - 1 || pieces < 2
                ? bytes.count : min(bytes.count, sent + 1 + dice.below(bytes.count - sent))
            client.busyUntil = max(client.busyUntil, clock) + .milliseconds(piece == 0 ? 0 : Int64(dice.below(40)))
            let isLast = end == bytes.count
            agenda.add(.bytes(client.id, Array(bytes[sent..<end]), completes: isLast ? id : nil), at: client.busyUntil)
            sent = end
            if isLast { break }
        }
        clients[place] = client
    }

    /// A manifest that is asked about again is not written out again.
    private func text(of question: Question, _ command: Command) -> [UInt8] {
        guard case .apply(let place) = question, rehearsedRequest == nil else { return JSON.bytes(of: command.value) }
        let text = written[place] ?? JSON.bytes(of: command.value)
        written[place] = text
        return text
    }

    private func command(for question: Question) -> Command {
        switch question {
        case .apply(let place): .apply(request(place))
        case .tryOut(let place, let within): .apply(request(place, within: within))
        case .diff(let place): .diff(request(place))
        case .command(let command): command
        }
    }

    func request(_ place: Int, within: Duration? = nil) -> ApplyRequest {
        if let rehearsedRequest { return rehearsedRequest }
        let stack = scenario.revisions[place]
        var request = ApplyRequest(stack: stack, manifestPath: "/\(stack.name)/orch.yaml")
        request.rollbackWithin = within
        return request
    }

    /// The place of the client of this name, connected.
    private func connected(_ name: Int, _ hello: Hello, uid: UInt32 = 1000) -> Int {
        if let place = clients.firstIndex(where: { $0.name == name && $0.isConnected }) { return place }
        clients.removeAll { !$0.isConnected }
        nextClient += 1
        let id = ClientID(nextClient)
        clients.append(SimulatedClient(name: name, id: id))
        clientPlaces = Dictionary(uniqueKeysWithValues: clients.enumerated().map { ($1.id, $0) })
        inbox.append(.connected(id, Peer(uid: uid, pid: 7)))
        agenda.add(.bytes(id, Frame.encode(hello), completes: nil), at: clock)
        return clients.count - 1
    }

    func arrive(_ bytes: [UInt8], from id: ClientID, _ completes: UInt64?) {
        guard isDaemonAlive, let place = clientPlaces[id], clients[place].isConnected else { return }
        digest.mix(bytes)
        if clients[place].isUnwelcome, bytes.first == 255 { clients[place].isHeard = true }
        inbox.append(.received(id, bytes))
        watch.clients.append(id)
        guard let completes, let request = clients[place].pending.firstIndex(where: { $0.id == completes }) else {
            return
        }
        clients[place].pending[request].isComplete = true
        watch.arrived += 1
        clients[place].pending[request].order = watch.arrived
        isAskedWithin = true
        hurry(by: clients[place].pending[request].question)
    }

    func vanish(_ name: Int, isRude: Bool) {
        guard let place = clients.firstIndex(where: { $0.name == name && $0.isConnected }) else { return }
        note("» client \(name) leaves\(isRude ? " in the middle of a frame" : "")")
        if isRude {
            inbox.append(.received(clients[place].id, [0, 0, 1, 0, 123]))
            // After half of another frame these bytes are none.
            clients[place].isUnwelcome = true
        }
        inbox.append(.disconnected(clients[place].id))
        clients[place].isConnected = false
        clients[place].pending = []
    }

    func intrude(_ intruder: Intruder) {
        let place: Int
        note("» an intruder: \(intruder)")
        switch intruder {
        case .stranger:
            place = connected(-100 - Int(nextClient), Hello(), uid: 1001)
            clients[place].isUnwelcome = true
            clients[place].isHeard = true
        case .otherVersion:
            place = connected(-100 - Int(nextClient), Hello(version: "9.9.9"))
            clients[place].isOtherVersion = true
            let name = clients[place].name
            if !scenario.revisions.isEmpty { ask(name, .apply(revision: 0), pieces: 1) }
            ask(name, .command(.daemonStatus), pieces: 1)
        case .noise:
            place = connected(-100 - Int(nextClient), Hello())
            clients[place].isUnwelcome = true
            let noise = (0..<(4 + dice.below(30))).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
            agenda.add(.bytes(clients[place].id, [255] + noise, completes: nil), at: clock)
        }
        watch.clients.append(clients[place].id)
    }

    /// Something that was asked is still on its way.
    var isBeingAsked: Bool {
        clients.contains { $0.isConnected && $0.pending.contains { !$0.isComplete } }
    }

    // MARK: What the daemon says

    func send(_ bytes: [UInt8], to id: ClientID) {
        digest.mix(bytes)
        guard let place = clientPlaces[id], clients[place].isConnected else { return }
        guard clients[place].raw == nil else {
            clients[place].raw?.append(contentsOf: bytes)
            return
        }
        clients[place].buffer.append(bytes)
        while true {
            do {
                guard let body = try clients[place].buffer.nextBody() else { return }
                hear(body, place)
            } catch {
                return violate("the daemon sent client \(clients[place].name) no frame: \(error.reason)")
            }
        }
    }

    private func hear(_ body: [UInt8], _ place: Int) {
        guard clients[place].isGreeted else {
            clients[place].isGreeted = true
            return
        }
        if !keepsScore, !isRehearsed, let id = Self.rowID(body),
            clients[place].pending.contains(where: { $0.id == id && $0.isStream })
        {
            return
        }
        guard let value = try? JSON.parse(body), let reply = try? Reply(value) else {
            return violate(
                "client \(clients[place].name) does not understand \(String(decoding: body.prefix(200), as: UTF8.self))"
            )
        }
        note("    « client \(clients[place].name) #\(reply.id): \(reply.body.word)")
        if clients[place].name == Self.audience { heardByAudience.append(reply.body) }
        heard(reply, place)
    }

    /// The number of the request that a row of a stream belongs to, read from `{"id":7,"reply":"instance"` without the rest; nil for what
    /// is no row.
    private static func rowID(_ body: [UInt8]) -> UInt64? {
        guard body.starts(with: rowStart) else { return nil }
        var id: UInt64 = 0
        var at = rowStart.count
        while at < body.count, (48...57).contains(body[at]) {
            id = id &* 10 &+ UInt64(body[at] - 48)
            at += 1
        }
        guard body[at...].starts(with: rowMiddle), at + rowMiddle.count < body.count else { return nil }
        // `instance`, `gone` or `occurrence`.
        return [UInt8(ascii: "i"), UInt8(ascii: "g"), UInt8(ascii: "o")].contains(body[at + rowMiddle.count]) ? id : nil
    }

    private static let rowStart = Array(#"{"id":"#.utf8)
    private static let rowMiddle = Array(#","reply":""#.utf8)

    /// The daemon closes the connection.
    func close(_ id: ClientID) {
        guard let place = clientPlaces[id] else { return }
        note("    « client \(clients[place].name) is turned away")
        if !clients[place].isUnwelcome, clients[place].raw == nil {
            violate("client \(clients[place].name) was cut off")
        }
        clients[place].isConnected = false
    }

    /// With a daemon all its connections go.
    func cutClients() {
        for place in clients.indices where clients[place].isConnected {
            clients[place].isConnected = false
            clients[place].pending = []
        }
    }
}

extension Command {
    /// Its answer is not there at once.
    var goesOn: Bool {
        if case .follow = self { return true }
        if case .events(_, _, let follows) = self { return follows }
        return false
    }
}

extension Question {
    func summary(_ scenario: Scenario) -> String {
        switch self {
        case .apply(let place): "apply \(scenario.revisions[place].name) (revision \(place))"
        case .tryOut(let place, let within):
            "apply \(scenario.revisions[place].name) (revision \(place)) on trial within \(within.brief)"
        case .diff(let place): "diff \(scenario.revisions[place].name) (revision \(place))"
        case .command(let command): command.summary
        }
    }
}

extension Reply.Body {
    var word: String {
        switch self {
        case .accepted: "accepted"
        case .status: "status"
        case .processes: "processes"
        case .plan: "plan"
        case .recalled(let found): found == nil ? "recalls nothing" : "recalled"
        case .there(let count): "\(count) are there"
        case .instance(let status):
            "\(status.label) \(status.phase.rawValue)\(status.reason.isEmpty ? "" : ": \(status.reason)")"
        case .gone(let id): "\(id.name) gone"
        case .occurrence(let occurrence): "\(occurrence.kind.rawValue) \(occurrence.instance?.name ?? "")"
        case .verdict(let verdict): "\(verdict)"
        case .why: "why"
        case .history: "history"
        case .rotated(let files): "\(files.count) files rotated"
        case .daemon: "daemon"
        case .refusal(let refusal): "refused, \(refusal.kind.rawValue): \(refusal.message)"
        case .end: "end"
        }
    }
}

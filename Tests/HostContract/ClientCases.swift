// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// Connections.
extension Contract {
    static let clients = [
        Case("a client is told with who it is, and its bytes in order", speech),
        Case("what was sent is delivered before the end of a connection", farewell),
        Case("a client that hangs up is told once, after its bytes", departure),
        Case("two clients are two numbers, and each gets its own") { play in
            let (first, one) = try arrival(play, 1)
            let (second, other) = try arrival(play, 2)
            try play.check(one != other, "both are \(one.number)")
            play.stage.perform(.send(one, [1, 2, 3]))
            play.stage.perform(.send(other, [4]))
            try play.watch("what was sent") { first.received == [1, 2, 3] && second.received == [4] }
        },
        Case("a rotation of logs is answered once, for each file once, whether its service runs or not") { play in
            var logging = LoggingSpec()
            logging.stderr = .discard
            let web = LogRotation.Subject(InstanceID(service: ServiceID(stack: "s", service: "web")), logging)
            play.stage.perform(.rotate(7, [web, web]))
            play.stage.perform(.rotate(8, []))
            var answers: [UInt64: [[LogRotation]]] = [:]
            try play.until("both answers") {
                answers = [:]
                for case .rotated(let number, let files) in play.heard { answers[number, default: []].append(files) }
                return answers.count == 2
            }
            try play.check(answers[8] == [[]], "of nothing is said \(answers[8] ?? [])")
            try play.check(answers[7]?.count == 1, "answered \(answers[7]?.count ?? 0) times")
            try play.check(answers[7]?.first?.map(\.outcome) == [.empty], "it says \(answers[7] ?? [])")
        },
        Case("a connection that nobody knows is not written to") { play in
            play.stage.perform(.send(ClientID(77), [1]))
            play.stage.perform(.close(ClientID(77)))
            let (caller, client) = try arrival(play, 1)
            play.stage.perform(.close(client))
            play.stage.perform(.close(client))
            play.stage.perform(.send(client, [1]))
            try play.watch("the end of the connection") { caller.isCutOff }
            try play.check(caller.received.isEmpty, "it received \(caller.received)")
            try play.check(departures(play).isEmpty, "told that it left, which the host did itself")
        },
    ]

    private static func arrival(_ play: Play, _ count: Int) throws -> (any Caller, ClientID) {
        let caller = try play.stage.connect()
        var clients: [ClientID] = []
        try play.until("client \(count)") {
            clients = play.heard.compactMap { if case .connected(let client, _) = $0 { client } else { nil } }
            return clients.count == count
        }
        guard let client = clients.last else { throw Breach("no client") }
        return (caller, client)
    }

    private static func bytes(_ play: Play, of client: ClientID) -> [UInt8] {
        play.heard.flatMap { input -> [UInt8] in if case .received(client, let bytes) = input { bytes } else { [] } }
    }

    private static func departures(_ play: Play) -> [ClientID] {
        play.heard.compactMap { if case .disconnected(let client) = $0 { client } else { nil } }
    }

    private static func speech(_ play: Play) throws {
        let (caller, client) = try arrival(play, 1)
        for case .connected(_, let peer) in play.heard {
            try play.check(peer.pid > 0 && !peer.name.isEmpty, "\(peer) is nobody")
        }
        let text = (0..<200).map { UInt8($0) }
        for piece in 0..<4 { try caller.send(Array(text[(piece * 50)..<(piece * 50 + 50)])) }
        try play.until("its bytes") { bytes(play, of: client).count >= text.count }
        try play.check(bytes(play, of: client) == text, "it is heard to say \(bytes(play, of: client))")
        try play.check(departures(play).isEmpty, "told that it left")
    }

    private static func farewell(_ play: Play) throws {
        let (caller, client) = try arrival(play, 1)
        // More than a socket takes at once.
        let answer = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        play.stage.perform(.send(client, answer))
        play.stage.perform(.send(client, [7]))
        play.stage.perform(.close(client))
        play.stage.perform(.send(client, [8]))
        try play.watch("the end of the connection") { caller.isCutOff }
        try play.check(caller.received == answer + [7], "\(caller.received.count) bytes came")
        try play.check(departures(play).isEmpty, "told that it left, which the host did itself")
    }

    private static func departure(_ play: Play) throws {
        let (caller, client) = try arrival(play, 1)
        try caller.send([1, 2, 3])
        caller.hangUp()
        try play.until("its departure") { !departures(play).isEmpty }
        try play.check(bytes(play, of: client) == [1, 2, 3], "it is heard to say \(bytes(play, of: client))")
        play.stage.perform(.send(client, [1]))
        play.stage.perform(.close(client))
        _ = try arrival(play, 2)
        try play.check(departures(play) == [client], "who left: \(departures(play))")
        guard case .disconnected(client) = play.heard.last(where: { $0.isOf(client) }) else {
            throw Breach("something came of it after it left")
        }
    }
}

extension Input {
    fileprivate func isOf(_ client: ClientID) -> Bool {
        switch self {
        case .connected(let other, _), .received(let other, _), .disconnected(let other): other == client
        case .event, .terminationRequested, .remarked, .renewed, .rotated: false
        }
    }
}

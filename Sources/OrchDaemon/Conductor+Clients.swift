// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire

/// Connections: who may speak, what is a request.
extension Conductor {
    mutating func connect(_ client: ClientID, _ peer: Peer) {
        if !identity.admits(peer) {
            turnAway(
                client, Refusal(.permission, "user \(peer.uid) may not speak to the daemon of user \(identity.uid)"))
        } else if sessions.count >= Limits.clients {
            turnAway(
                client, Refusal(.limit, "\(Limits.clients) clients are connected already", remedy: "close some of them")
            )
        } else {
            host.perform(.send(client, Frame.encode(Hello())))
            sessions.append((client, Session(peer: peer)))
        }
    }

    private mutating func turnAway(_ client: ClientID, _ refusal: Refusal) {
        host.perform(.send(client, Frame.encode(Hello()) + Frame.encode(Reply(id: 0, .refusal(refusal)))))
        host.perform(.close(client))
    }

    mutating func receive(_ bytes: [UInt8], from client: ClientID, at now: Moment) {
        guard let place = sessions.firstIndex(where: { $0.id == client }) else { return }
        sessions[place].session.buffer.append(bytes)
        do {
            while let frame = try sessions[place].session.buffer.next() { try accept(frame, from: place, at: now) }
        } catch {
            sessions[place].session.say(0, .refusal(Refusal(.malformed, error.reason)))
            sendAll()
            sessions.remove(at: place)
            host.perform(.close(client))
        }
    }

    private mutating func accept(_ frame: Value, from place: Int, at now: Moment) throws(FrameError) {
        guard sessions[place].session.hello != nil else {
            do { sessions[place].session.hello = try Hello(frame) } catch {
                throw FrameError(
                    reason: "the first frame says no version (\(error.path): \(error.expected) is missing)")
            }
            sessions[place].session.buffer.limit = Limits.frameBytes
            return
        }
        let id: UInt64
        do { id = try Request.id(of: frame) } catch { throw FrameError(reason: "a request without a number") }
        do throws(Refusal) {
            let command: Command
            do { command = try Command(frame) } catch {
                throw Refusal(
                    .malformed, "the request does not have the right shape: \(error.path) is not \(error.expected)")
            }
            if let body = try answer(command, id, from: place, at: now) { sessions[place].session.say(id, body) }
        } catch {
            sessions[place].session.say(id, .refusal(error))
        }
    }

    /// Hands over what was said in this turn, one piece a client.
    mutating func sendAll() {
        for place in sessions.indices where !sessions[place].session.outgoing.isEmpty {
            host.perform(.send(sessions[place].id, sessions[place].session.outgoing))
            sessions[place].session.outgoing = []
        }
    }
}

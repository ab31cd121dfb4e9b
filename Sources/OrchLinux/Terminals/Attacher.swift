// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import OrchWire

/// One who is attached, or wants to be. Never blocks.
final class Attacher {
    enum Heard {
        case nothing
        /// Nil: it can't be understood.
        case packet(AttachPacket?)
        case end
    }

    let number: UInt64
    let socket: HeldDescriptor
    /// Nil until they have said it.
    var launch: LaunchID?
    /// Typed, and not taken yet.
    var waiting: [UInt8] = []
    /// They are not listened to until that is taken.
    var isHeld = false

    init(_ number: UInt64, _ socket: HeldDescriptor) {
        self.number = number
        self.socket = socket
    }

    func receive() -> Heard {
        var packet = [UInt8](repeating: 0, count: AttachPacket.longest)
        let room = packet.count
        let count = unsafe recv(socket.number, &packet, room, Int32(MSG_DONTWAIT))
        if count > 0 { return .packet(AttachPacket(packet[..<count])) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .end
    }

    /// Few and short: one who does not read them is not waited for.
    func send(_ packet: AttachPacket) {
        let bytes = packet.bytes
        _ = unsafe corch_send(socket.number, bytes, bytes.count, nil, 0, nil, 0, Int32(MSG_DONTWAIT))
    }

    /// As much as is taken there; what nobody can read any more is gone.
    func pass(to input: Int32) {
        while !waiting.isEmpty {
            let count = unsafe write(input, waiting, waiting.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 || errno != EAGAIN else { return }
            waiting.removeFirst(count < 0 ? waiting.count : count)
        }
    }
}

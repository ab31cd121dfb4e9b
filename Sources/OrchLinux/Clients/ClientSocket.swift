// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchModel

/// One connection, and what waits to be sent through it. Never blocks.
final class ClientSocket {
    let client: ClientID
    let descriptor: Descriptor
    private var waiting: [[UInt8]] = []
    /// Bytes of the first piece that are sent already.
    private var sent = 0
    private(set) var waitingBytes = 0
    /// Nothing more is read; it goes once all is delivered.
    var isClosing = false

    init(_ client: ClientID, _ descriptor: consuming Descriptor) {
        self.client = client
        self.descriptor = descriptor
    }

    /// Nil when the peer can't be told. `name` knows users.
    func peer(named name: (UInt32) -> String?) -> Peer? {
        var (pid, uid, gid): (Int32, UInt32, UInt32) = (0, 0, 0)
        guard unsafe corch_peer_credentials(descriptor.number, &pid, &uid, &gid) == 0 else { return nil }
        return Peer(uid: uid, pid: pid, name: name(uid))
    }

    /// False when it is over the limit: the client does not read, and is to be cut off.
    func enqueue(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty else { return true }
        waiting.append(bytes)
        waitingBytes += bytes.count
        return waitingBytes <= Limits.clientBacklogBytes
    }

    /// Sends what the socket takes. False when the other side is gone.
    func flush() -> Bool {
        var finished = 0
        defer { waiting.removeFirst(finished) }
        while finished < waiting.count {
            let piece = waiting[finished]
            let count = unsafe piece.withUnsafeBytes {
                unsafe send(
                    descriptor.number, $0.baseAddress?.advanced(by: sent), piece.count - sent,
                    Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            }
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            waitingBytes -= count
            sent += count
            guard sent == piece.count else { continue }
            sent = 0
            finished += 1
        }
        return true
    }

    /// What came, at most one block; empty when nothing did; nil at the end.
    func receive() -> [UInt8]? {
        var block = [UInt8](repeating: 0, count: 65536)
        let count = unsafe recv(descriptor.number, &block, block.count, Int32(MSG_DONTWAIT))
        if count > 0 { return Array(block[..<count]) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? [] : nil
    }
}

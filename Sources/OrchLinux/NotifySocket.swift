// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchEngine

/// Where services say that they are ready: the datagram socket of sd_notify(3), one for the daemon. Who speaks is known by
/// the kernel's word, never by the message.
final class NotifySocket {
    /// What goes into `NOTIFY_SOCKET`.
    let path: String
    let descriptor: Descriptor

    /// One datagram. Its descriptors stay open until it is dropped: a sender that asked for a barrier waits for that.
    struct Message: ~Copyable {
        var pid: Int32
        var uid: UInt32
        var notices: [Notice]
        let barrier: Descriptor?
    }
    /// Longest name that a unix address holds, unix(7).
    private static let longestPath = 107

    /// Binds `path`, again after a restart, so that services go on using it. Where the path is too long for an address it is a name in the
    /// abstract space, made of `digest`.
    init(path: String, digest: String) throws(SystemError) {
        self.path = Self.address(path, digest)
        descriptor = try Descriptor("bind", unsafe corch_notify_bind(self.path))
    }

    /// The one that the keeper holds, and has bound there: what was said while no daemon lived waits in it.
    init(_ held: consuming Descriptor, path: String, digest: String) {
        self.path = Self.address(path, digest)
        descriptor = held
    }

    static func address(_ path: String, _ digest: String) -> String {
        path.utf8.count <= longestPath ? path : "@orch-notify-\(getuid())-\(digest)"
    }

    /// Nil when there is none left.
    func receive() -> Message? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var fds = [Int32](repeating: -1, count: 1)
        var count: Int32 = 1
        var (pid, uid): (Int32, UInt32) = (0, 0)
        let length = unsafe corch_notify_receive(descriptor.number, &bytes, bytes.count, &fds, &count, &pid, &uid)
        guard length >= 0 else { return nil }
        let notices = Self.notices(in: bytes[..<Int(length)])
        return Message(pid: pid, uid: uid, notices: notices, barrier: count > 0 ? Descriptor(owning: fds[0]) : nil)
    }

    /// The assignments that mean something here, in order.
    static func notices(in bytes: ArraySlice<UInt8>) -> [Notice] {
        bytes.split(separator: 10).compactMap { line in
            let text = String(decoding: line, as: UTF8.self)
            switch text {
            case "READY=1": return .ready
            case "RELOADING=1": return .reloading
            case "STOPPING=1": return .stopping
            default: break
            }
            if text.hasPrefix("STATUS=") { return .status(Text.printable(line.dropFirst(7), limit: 512)) }
            if text.hasPrefix("MAINPID="), let pid = Int32(text.dropFirst(8)), pid > 1 { return .mainPID(pid) }
            return nil
        }
    }
}

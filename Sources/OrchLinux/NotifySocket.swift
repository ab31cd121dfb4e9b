// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchEngine
internal import OrchModel

/// Where services say that they are ready: the datagram socket of sd_notify(3), one for the daemon. Who speaks is known by
/// the kernel's word, never by the message.
final class NotifySocket {
    /// What goes into `NOTIFY_SOCKET`.
    let path: String
    let descriptor: Descriptor

    /// One datagram. Its descriptors stay open until it is dropped: a sender that asked for a barrier waits for that.
    struct Message {
        var pid: Int32
        var uid: UInt32
        var notices: [Notice]
        let descriptors: [HeldDescriptor]
        /// What is to become of descriptors that are held for the sender.
        var storing: Storing?
    }

    /// `FDSTORE=1` and `FDSTOREREMOVE=1` of sd_pid_notify_with_fds(3), with their `FDNAME=`.
    enum Storing: Equatable {
        case keep(name: String)
        case remove(name: String)
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
        var fds = [Int32](repeating: -1, count: Limits.inheritedPerService)
        var count = Int32(fds.count)
        var (pid, uid): (Int32, UInt32) = (0, 0)
        let length = unsafe corch_notify_receive(descriptor.number, &bytes, bytes.count, &fds, &count, &pid, &uid)
        guard length >= 0 else { return nil }
        let held = fds.prefix(Int(count)).map { HeldDescriptor(Descriptor(owning: $0)) }
        let text = bytes[..<Int(length)]
        return Message(
            pid: pid, uid: uid, notices: Self.notices(in: text), descriptors: held, storing: Self.storing(in: text))
    }

    static func storing(in bytes: ArraySlice<UInt8>) -> Storing? {
        let lines = bytes.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
        let name = lines.last { $0.hasPrefix("FDNAME=") }.map { String($0.dropFirst(7)) }
        if lines.contains("FDSTOREREMOVE=1") { return name.map { .remove(name: $0) } }
        guard lines.contains("FDSTORE=1") else { return nil }
        return .keep(name: name.flatMap { isStoredName($0) ? $0 : nil } ?? "stored")
    }

    /// Printable ASCII but the colon, which is between names in LISTEN_FDNAMES.
    private static func isStoredName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= Limits.storedNameBytes
            && name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ":") }
    }

    /// The assignments that mean something here, in order.
    static func notices(in bytes: ArraySlice<UInt8>) -> [Notice] {
        bytes.split(separator: 10).compactMap { line in
            let text = String(decoding: line, as: UTF8.self)
            switch text {
            case "READY=1": return .ready
            case "RELOADING=1": return .reloading
            case "STOPPING=1": return .stopping
            case "WATCHDOG=1": return .watchdog
            case "WATCHDOG=trigger": return .watchdogTrigger
            default: break
            }
            if text.hasPrefix("STATUS=") { return .status(Text.printable(line.dropFirst(7), limit: 512)) }
            if text.hasPrefix("MAINPID="), let pid = Int32(text.dropFirst(8)), pid > 1 { return .mainPID(pid) }
            if text.hasPrefix("WATCHDOG_USEC=") { return span(text.dropFirst(14)).map { .watchdogTime($0) } }
            if text.hasPrefix("EXTEND_TIMEOUT_USEC=") { return span(text.dropFirst(20)).map { .extend($0) } }
            return nil
        }
    }

    /// Microseconds, as far as a service may go.
    private static func span(_ text: Substring) -> Duration? {
        guard let count = UInt64(text) else { return nil }
        return min(.microseconds(Int64(clamping: min(count, 1 << 52))), Limits.longestExtension)
    }
}

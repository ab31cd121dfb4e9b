// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import OrchWire

/// A socket that is open for a service. The keeper holds it, too, under a number of its own, so that it outlives this daemon.
struct HeldSocket {
    let number: UInt64
    var service: ServiceID
    var spec: SocketSpec
    let descriptor: HeldDescriptor
    /// The socket's own, in sockfs: what its other holders are known by.
    let inode: UInt64
    /// Of a socket's file: what is removed at the end is this one and no other.
    let file: FileIdentity?
}

/// A file, whatever its name: stat(2).
struct FileIdentity: Equatable {
    var device: UInt64
    var inode: UInt64

    /// Of a socket's file; nil for anything else, and for nothing.
    init?(socketAt path: String) {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFSOCK else { return nil }
        self.init(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
    }

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// What is on record of them, one file for each in the run directory, by its number at the keeper: written before the keeper holds it.
enum SocketRecord {
    static func save(_ socket: HeldSocket, in folder: String) throws(SystemError) {
        var w = ObjectWriter()
        w.set("stack", socket.service.stack)
        w.set("service", socket.service.service)
        w.set("socket", socket.spec.value)
        w.set("open", Value.string("\(socket.inode)"))
        w.set("device", socket.file.map { Value.string("\($0.device)") })
        w.set("inode", socket.file.map { Value.string("\($0.inode)") })
        let path = "\(folder)/\(socket.number)"
        let file = try SmallFile.open("\(path).new", O_WRONLY | O_CREAT | O_TRUNC)
        try SmallFile.write(Array(JSON.text(of: w.value).utf8), to: file.number)
        try Syscall.libc("rename") { unsafe rename("\(path).new", path) }
    }

    /// Nil for anything that `save` did not write. Without a descriptor it is a look from outside.
    static func load(
        _ number: UInt64, _ descriptor: HeldDescriptor = HeldDescriptor(Descriptor(owning: -1)), from folder: String
    ) -> HeldSocket? {
        guard let text = SmallFile.text("\(folder)/\(number)", limit: 64 << 10), let value = try? JSON.parse(text),
            let r = try? ObjectReader(value), let stack = try? r.string("stack"),
            let service = try? r.string("service"), let found = r.value("socket"), let spec = try? SocketSpec(found),
            let own = r.value("open")?.string.flatMap({ UInt64($0) })
        else { return nil }
        var file: FileIdentity?
        if let device = r.value("device")?.string.flatMap({ UInt64($0) }),
            let inode = r.value("inode")?.string.flatMap({ UInt64($0) })
        {
            file = FileIdentity(device: device, inode: inode)
        }
        return HeldSocket(
            number: number, service: ServiceID(stack: stack, service: service), spec: spec, descriptor: descriptor,
            inode: own, file: file)
    }

    static func numbers(in folder: String) -> [UInt64] {
        SmallFile.names(in: folder).compactMap { UInt64($0) }.sorted()
    }

    static func remove(_ number: UInt64, from folder: String) { _ = unsafe unlink("\(folder)/\(number)") }
}

/// How a socket comes to listen.
enum ListeningSocket {
    /// Connections that wait to be accepted; the kernel takes no more than net.core.somaxconn.
    private static let backlog: Int32 = 4096

    /// A file that nobody listens at any more is replaced; what is no socket, or is somebody's, is EADDRINUSE.
    static func open(_ address: SocketSpec.Address) throws(SystemError) -> Descriptor {
        switch address {
        case .tcp(let host, let port):
            return try Descriptor("bind", unsafe corch_tcp_listen(host, UInt16(port), backlog))
        case .abstract(let name):
            return try Descriptor("bind", unsafe corch_unix_stream_listen("@\(name)", backlog))
        case .file(let path):
            do { return try Descriptor("bind", unsafe corch_unix_stream_listen(path, backlog)) } catch {
                guard error.code == EADDRINUSE, isStale(path), unsafe unlink(path) == 0 else { throw error }
            }
            return try Descriptor("bind", unsafe corch_unix_stream_listen(path, backlog))
        }
    }

    /// The errno that `open` would meet at that path, as far as that can be seen without trying; nil when it would meet none.
    static func obstacle(at path: String) -> Int32? {
        var facts = stat()
        if unsafe lstat(path, &facts) == 0 { return isStale(path) ? nil : EADDRINUSE }
        guard errno == ENOENT else { return errno }
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        return unsafe stat(folder.isEmpty ? "/" : folder, &facts) == 0 ? nil : errno
    }

    /// Its file, `known` or just made, is given its mode and to whom the service runs as, where this process may give.
    static func dress(_ path: String, _ known: FileIdentity?, mode: UInt32, owner: Account?) throws(SystemError) {
        let isRoot = getuid() == 0
        let answer = unsafe corch_unix_file_set(
            path, known?.inode ?? 0, mode, isRoot ? owner?.uid ?? getuid() : .max,
            isRoot ? owner?.gid ?? getgid() : .max)
        try Syscall.check("chmod", answer)
    }

    /// A copy out of the hands of a process that has it; nil when there is none, or none that may be had.
    static func copy(of inode: UInt64) -> Descriptor? {
        let name = "socket:[\(inode)]"
        guard let pid = PortOwner.process(holding: name) else { return nil }
        for number in SmallFile.names(in: "/proc/\(pid)/fd").compactMap({ Int32($0) })
        where SmallFile.link("/proc/\(pid)/fd/\(number)") == name {
            guard let process = try? Descriptor("pidfd_open", corch_pidfd_open(pid)),
                let copy = try? Descriptor("pidfd_getfd", corch_pidfd_getfd(process.number, number))
            else { return nil }
            // The number may have become another's meanwhile.
            if Self.inode(of: copy.number) == inode { return copy }
        }
        return nil
    }

    static func inode(of socket: Int32) -> UInt64 {
        var facts = stat()
        return unsafe fstat(socket, &facts) == 0 ? UInt64(facts.st_ino) : 0
    }

    // MARK: Why not

    static func fault(_ code: Int32, at address: SocketSpec.Address, service: (Int32) -> String? = { _ in nil })
        -> Fault
    {
        guard code == EADDRINUSE else {
            return SystemError("bind", code: code).fault(
                step: step, subject: address.text, remedy: remedy(for: code, address))
        }
        var owner: PortOwner?
        switch address {
        case .tcp(let host, let port): owner = PortOwner.find(port: port, address: host, transport: .tcp)
        case .file(let path) where FileIdentity(socketAt: path) == nil:
            return Fault(
                step: step, subject: path, reason: "something is there that is no socket",
                remedy: "move it away, or give another path")
        case .file, .abstract: owner = PortOwner.find(unix: address.text)
        }
        let who = owner?.text(service: service) ?? "somebody who is not listed in /proc/net"
        return taken(address, "\(Reason.text(code)) by \(who)")
    }

    static func taken(_ address: SocketSpec.Address, byService service: ServiceID) -> Fault {
        taken(address, "it is a socket of service \(service)")
    }

    private static let step = "listen at"

    private static func taken(_ address: SocketSpec.Address, _ reason: String) -> Fault {
        Fault(
            step: step, subject: address.text, reason: reason, remedy: "stop that process, or give another address")
    }

    private static func remedy(for code: Int32, _ address: SocketSpec.Address) -> String? {
        switch address {
        case .tcp:
            return [
                EACCES: "ports below net.ipv4.ip_unprivileged_port_start take root's daemon, or lower that with sysctl",
                EADDRNOTAVAIL: "give an address of this host, or 0.0.0.0 for all",
                EAFNOSUPPORT: "this host has no IPv6: give an IPv4 address",
            ][code]
        case .file:
            if code == ENOENT || code == ENOTDIR { return "make the folder that it is to be in" }
            return [EACCES, EPERM, EROFS].contains(code)
                ? "give a path that \(Account.nameOf(getuid())) may write to" : nil
        case .abstract: return nil
        }
    }

    /// A socket's file that nobody is bound to. A datagram socket asks, so that no listener gets a connection: EPROTOTYPE is one (unix(7)).
    static func isStale(_ path: String) -> Bool {
        guard FileIdentity(socketAt: path) != nil else { return false }
        let answer = unsafe corch_datagram_connect(path)
        if answer >= 0 { _ = Descriptor(owning: answer) }
        return answer == -ECONNREFUSED
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// The daemon's end of the pair that joins it to orch-keeper (keeper_protocol.h). It never blocks: what the socket
/// can't take waits here, in order. Poll `number` for reading, and for writing while `wantsWrite`.
public final class KeeperLink {
    private let descriptor: Descriptor
    private var waiting: [Outgoing] = []
    private var nextWaiting = 0
    private var isOpen = true
    /// The keeper waits to see that what it told is read.
    private var isExpected = false
    /// Of services; asked for by this daemon.
    private(set) var highestLaunch: UInt64 = 0
    /// Messages that came without their descriptors, as this process has no room for them (EMFILE): so many so far.
    public private(set) var cutMessages = 0
    /// What the keeper speaks, when it is another version than ours; then it is not listened to.
    private(set) var foreignProtocol: Int?

    /// Takes over the descriptor that the keeper gave with `--keeper-fd`, and greets the keeper unless that is to come. The hand-over
    /// arrives at once: `.state` for every launch, then `.stateEnd`.
    public init(descriptor: consuming Descriptor, greets: Bool = true) throws(SystemError) {
        let flags = try Syscall.check("fcntl", fcntl(descriptor.number, F_GETFL))
        try Syscall.check("fcntl", fcntl(descriptor.number, F_SETFL, flags | O_NONBLOCK))
        // It must not leak into whatever the daemon itself might execute.
        try Syscall.check("fcntl", fcntl(descriptor.number, F_SETFD, FD_CLOEXEC))
        self.descriptor = descriptor
        if greets { try greet() }
    }

    /// This daemon can begin. Of a first daemon that never says so the keeper starts no second one.
    func greet() throws(SystemError) { try note(KEEPER_HELLO) }

    /// Which keepers this program understands (keeper_protocol.h).
    public static let protocolNumber = Int(KEEPER_PROTOCOL_VERSION)

    /// KEEPER_LAUNCH_OWN: the daemon's own launches have numbers apart.
    static let ownBit: UInt64 = 1 << 63

    deinit {
        for outgoing in waiting[nextWaiting...] { outgoing.close() }
    }

    /// The socket, for an epoll set. It stays the link's.
    public var number: Int32 { descriptor.number }

    /// Whether something waits until the socket is writable; then call `flush`.
    public var wantsWrite: Bool { nextWaiting < waiting.count }

    /// Asks for one process. Asking again with the same identifier never makes a second one: the keeper repeats what
    /// it knows. Errors: `EINVAL` for a string with NUL in it or a count over its limit; those of `memfd_create`.
    public func spawn(_ launch: Launch) throws(SystemError) {
        guard let spec = launch.encoded() else { throw SystemError("spawn", code: EINVAL) }
        let memory = try sealed(spec)
        guard let request = Request(launch, spec: memory.number, length: spec.count) else {
            throw SystemError("spawn", code: EINVAL)
        }
        if launch.identifier & Self.ownBit == 0 { highestLaunch = max(highestLaunch, launch.identifier) }
        try send(Outgoing(head: request.head, descriptors: request.descriptors))
    }

    /// A process of a launch that another keeper had started: this one tells its end, as far as anybody can, and holds the read ends.
    /// Descriptors are borrowed for the call.
    func adopt(_ launch: UInt64, pid: Int32, startTicks: UInt64, pidfd: Int32, readEnds: [Int32]) throws(SystemError) {
        var adopt = keeper_event()
        adopt.state = UInt8(KEEPER_RUNNING)
        adopt.version = UInt8(KEEPER_PROTOCOL_VERSION)
        adopt.type = UInt8(KEEPER_ADOPT)
        adopt.pid = pid
        adopt.launch = launch
        adopt.start_ticks = startTicks
        let head = unsafe withUnsafeBytes(of: adopt) { unsafe [UInt8]($0) }
        try send(Outgoing(head: head, descriptors: [pidfd] + readEnds.prefix(2)))
    }

    /// The keeper holds this descriptor under a number of the daemon's own, and hands it over to the next daemon as `.ended` with one end
    /// held, until it is acknowledged. Borrowed for the call.
    func hold(_ number: UInt64, _ descriptor: Int32) throws(SystemError) {
        var adopt = keeper_event()
        adopt.state = UInt8(KEEPER_ENDED)
        adopt.version = UInt8(KEEPER_PROTOCOL_VERSION)
        adopt.type = UInt8(KEEPER_ADOPT)
        adopt.launch = number
        let head = unsafe withUnsafeBytes(of: adopt) { unsafe [UInt8]($0) }
        try send(Outgoing(head: head, descriptors: [descriptor, descriptor]))
    }

    /// This daemon serves: `program`, its file, is what the keeper goes back to when a later one can't begin. Borrowed for the call.
    public func serves(program: Int32) throws(SystemError) {
        var note = keeper_note()
        note.version = UInt8(KEEPER_PROTOCOL_VERSION)
        note.type = UInt8(KEEPER_SOUND)
        try send(Outgoing(head: unsafe withUnsafeBytes(of: note) { unsafe [UInt8]($0) }, descriptors: [program]))
    }

    /// Who made the socket: the keeper's pid.
    var keeperPid: Int32 {
        var (pid, uid, gid): (Int32, UInt32, UInt32) = (0, 0, 0)
        return unsafe corch_peer_credentials(descriptor.number, &pid, &uid, &gid) < 0 ? 0 : pid
    }

    /// The keeper's pidfd; nil when it is gone, or there is no descriptor for it.
    func keeperProcess() -> HeldDescriptor? {
        guard let process = try? Descriptor("pidfd_open", corch_pidfd_open(keeperPid)) else { return nil }
        return HeldDescriptor(process)
    }

    /// The launch's end is recorded and its pipes are drained: the keeper forgets it. A queued launch is cancelled;
    /// a running one is not affected.
    public func acknowledge(_ launch: UInt64) throws(SystemError) {
        try note(KEEPER_ACKNOWLEDGE, launch)
    }

    /// When this daemon has ended and every launch is acknowledged, the keeper ends too. With a launch left it starts
    /// a new daemon instead.
    public func shutdown() throws(SystemError) {
        try note(KEEPER_SHUTDOWN)
    }

    /// This daemon is about to exit by itself, and is started again at once: an upgrade.
    public func restart() throws(SystemError) {
        try note(KEEPER_RESTART)
    }

    /// The keeper is to become the program at `keeper`, and to start daemons from the one at `daemon`; both absolute. `.renewed` answers.
    public func renew(_ keeper: String, daemon: String) throws(SystemError) {
        let words = try sealed(Array(keeper.utf8) + [0] + Array(daemon.utf8) + [0])
        var note = keeper_note()
        note.version = UInt8(KEEPER_PROTOCOL_VERSION)
        note.type = UInt8(KEEPER_RENEW)
        try send(
            Outgoing(head: unsafe withUnsafeBytes(of: note) { unsafe [UInt8]($0) }, descriptors: [words.number]))
    }

    /// Sends what waits, as far as the socket takes it.
    public func flush() throws(SystemError) {
        while isOpen, nextWaiting < waiting.count {
            guard try transmit(waiting[nextWaiting]) else { return }
            waiting[nextWaiting].close()
            nextWaiting += 1
        }
        waiting.removeAll(keepingCapacity: true)
        nextWaiting = 0
    }

    /// Everything that has arrived, at most `limit` messages; fewer than `limit` means that the socket is empty.
    /// Answers the keeper's question whether this loop still turns.
    public func receive(limit: Int = 256) throws(SystemError) -> [KeeperMessage] {
        var messages: [KeeperMessage] = []
        while isOpen, messages.count < limit {
            var buffer = KeeperBuffer()
            let length = buffer.receive(from: descriptor.number)
            if length == -Int64(EAGAIN) { break }
            if length == -Int64(ECONNRESET) { continue }  // told once; what was sent before comes after it
            guard length > 0, buffer.version == KEEPER_PROTOCOL_VERSION else {
                if length > 0 { foreignProtocol = Int(buffer.version) }
                isOpen = false
                messages.append(.closed)
                break
            }
            if buffer.isCut { cutMessages += 1 }
            isExpected = true
            if buffer.type == KEEPER_PING {
                try note(KEEPER_PONG, buffer.event.launch)
            } else if let message = buffer.message(length: Int(length)) {
                if case .stateEnd(let end) = message { highestLaunch = max(highestLaunch, end.highestLaunch) }
                messages.append(message)
            }
        }
        return messages
    }

    /// All is read, and nothing will be for long: the keeper need not wake up to look.
    func rest() {
        guard isExpected else { return }
        isExpected = false
        try? note(KEEPER_PONG)
    }

    private func note(_ type: Int32, _ launch: UInt64 = 0) throws(SystemError) {
        var note = keeper_note()
        note.version = UInt8(KEEPER_PROTOCOL_VERSION)
        note.type = UInt8(type)
        note.launch = launch
        let head = unsafe withUnsafeBytes(of: note) { unsafe [UInt8]($0) }
        try send(Outgoing(head: head, descriptors: []))
    }

    private func send(_ outgoing: Outgoing) throws(SystemError) {
        try flush()
        guard isOpen else { throw SystemError("sendmsg", code: EPIPE) }
        if !wantsWrite, try transmit(outgoing) { return }
        guard waiting.count - nextWaiting < Limits.keeperBacklog else {
            throw SystemError("sendmsg", code: ENOBUFS)
        }
        waiting.append(try outgoing.keeping())
    }

    /// False: not now.
    private func transmit(_ outgoing: Outgoing) throws(SystemError) -> Bool {
        let sent = outgoing.send(to: descriptor.number)
        if sent >= 0 { return true }
        if [EAGAIN, ENOBUFS, ETOOMANYREFS].contains(Int32(-sent)) { return false }
        if [EPIPE, ECONNRESET].contains(Int32(-sent)) { return true }  // `receive` tells it
        throw SystemError("sendmsg", code: Int32(-sent))
    }

    private func sealed(_ bytes: [UInt8]) throws(SystemError) -> Descriptor {
        let memory = try Descriptor("memfd_create", unsafe corch_memfd("orch-spec"))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe write(memory.number, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            guard count > 0 else { throw SystemError("write", code: errno) }
            done += count
        }
        try Syscall.check("fcntl F_ADD_SEALS", corch_memfd_seal(memory.number))
        return memory
    }
}

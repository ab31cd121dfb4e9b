// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchCLI
internal import OrchModel
internal import OrchWire

extension LinuxPlatform {
    func attach(_ attachment: Attachment) throws(Fault) -> Attachment.End {
        let path = "\(paths.run)/attach"
        let socket = unsafe corch_packet_connect(path)
        guard socket >= 0 else {
            let code = -socket
            if code == ENOENT || code == ECONNREFUSED || code == ENOTDIR { return .unreachable }
            throw Fault(step: "connect to", subject: path, reason: Errno.text(code))
        }
        defer { Glibc.close(socket) }
        catchInterrupts(also: SIGQUIT)
        let line = AttachLine(self, socket, attachment, typed: unsent)
        defer {
            releaseKeys()
            unsent = line.typed
        }
        return try line.run()
    }

    /// Every key comes as it is, those that would be signals included (cfmakeraw(3)). Nothing where it is no terminal.
    fileprivate func catchAllKeys() {
        var settings = termios()
        guard terminalBefore == nil, unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
        terminalBefore = settings
        unsafe cfmakeraw(&settings)
        _ = unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }
}

/// One connection to a launch, until it ends.
private final class AttachLine {
    private let platform: LinuxPlatform
    private let socket: Int32
    private let attachment: Attachment
    private var places: [Attachment.Place] = []
    /// Bytes of an output that were seen before the daemon was replaced, and come again.
    private var repeated: [LogStreamKind?: Int64] = [:]
    private var keys: DetachKeys?
    private var isAccepted = false
    /// Typed, and not sent.
    private(set) var typed: [UInt8]
    /// Nothing more is typed.
    private var isSpent = false
    private static let typedLimit = 65_536
    private static let backlogBytes: Int64 = 65_536

    init(_ platform: LinuxPlatform, _ socket: Int32, _ attachment: Attachment, typed: [UInt8]) {
        self.typed = typed
        self.platform = platform
        self.socket = socket
        self.attachment = attachment
    }

    func run() throws(Fault) -> Attachment.End {
        let size = attachment.saysSize ? platform.terminal(of: .output) : nil
        _ = send(.hello(attachment.launch, size))
        while true {
            let reads = isAccepted && !isSpent && typed.count < Self.typedLimit
            var polls = [
                pollfd(fd: socket, events: Int16(POLLIN | (typed.isEmpty ? 0 : POLLOUT)), revents: 0),
                pollfd(fd: reads ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: platform.signals ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            _ = unsafe poll(&polls, nfds_t(polls.count), -1)
            if polls[2].revents != 0, hearSignals() { return .interrupted }
            if polls[0].revents & Int16(POLLOUT) != 0 { flush() }
            if polls[0].revents & ~Int16(POLLOUT) != 0, let end = try hear() { return end }
            if polls[1].revents != 0, let end = readKeys() { return end }
        }
    }

    // MARK: What is typed

    private func readKeys() -> Attachment.End? {
        var chunk = [UInt8](repeating: 0, count: AttachPacket.pieceBytes)
        let length = chunk.count
        let count = unsafe Glibc.read(STDIN_FILENO, &chunk, length)
        if count < 0, errno == EINTR || errno == EAGAIN { return nil }
        // A terminal that is gone is no end of what was to be said.
        if count < 0, isatty(STDIN_FILENO) == 1 || errno == EIO { return .interrupted }
        guard count > 0 else {
            isSpent = true
            flush()
            return nil
        }
        guard var keys else {
            typed += chunk[..<count]
            flush()
            return nil
        }
        let (passed, isDetached) = keys.take(Array(chunk[..<count]))
        self.keys = keys
        typed += passed
        flush()
        return isDetached ? .detached : nil
    }

    /// The daemon hangs up once it has passed on what it got.
    private func flush() {
        while !typed.isEmpty {
            let piece = Array(typed.prefix(AttachPacket.pieceBytes))
            guard send(.input(piece)) else { return }
            typed.removeFirst(piece.count)
        }
        if isSpent { _ = shutdown(socket, Int32(SHUT_WR)) }
    }

    /// False: it does not take it now, or is gone.
    private func send(_ packet: AttachPacket) -> Bool {
        let bytes = packet.bytes
        let sent = unsafe corch_send(socket, bytes, bytes.count, nil, 0, nil, 0, Int32(MSG_DONTWAIT))
        return sent >= 0
    }

    /// True: it is to end.
    private func hearSignals() -> Bool {
        for signal in platform.takeSignals() {
            guard signal == SIGWINCH else { return true }
            if let size = platform.terminal(of: .output) { _ = send(.resized(size)) }
        }
        return false
    }

    // MARK: What comes

    private func hear() throws(Fault) -> Attachment.End? {
        var packet = [UInt8](repeating: 0, count: AttachPacket.longest)
        let length = packet.count
        let count = unsafe recv(socket, &packet, length, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        guard count > 0 else { return isSpent ? .detached : .hungUp(places) }
        switch AttachPacket(packet[..<count]) {
        case .accepted(let hasTerminal):
            isAccepted = true
            if hasTerminal {
                keys = DetachKeys()
                platform.catchAllKeys()
            }
        case .refused(let reason, let remedy): return .refused(reason: reason, remedy: remedy)
        case .begin(let stream, let isRaw, let path, let offset): begin(stream, isRaw, path, offset)
        case .output(let stream, let bytes): return show(bytes, stream) ? nil : .detached
        case .missed(let stream, let count):
            advance(stream, by: count)
            note("\r\n[orch: \(count) bytes were left out, as they were not read in time; `orch logs` has them]\r\n")
        case .hello, .input, .resized, nil:
            throw Fault(
                step: "attach to", subject: "the service",
                reason: "the daemon says what this `orch` does not understand",
                remedy: "`orch daemon upgrade` puts this version in its place; services run on")
        }
        return nil
    }

    private func note(_ text: String) { _ = try? platform.write(Array(text.utf8), to: .errors) }

    private func advance(_ stream: LogStreamKind?, by count: Int) {
        for place in places.indices where places[place].stream == stream { places[place].offset += Int64(count) }
    }

    /// False: nobody reads it.
    private func show(_ bytes: [UInt8], _ stream: LogStreamKind?) -> Bool {
        let known = min(Int64(bytes.count), repeated[stream] ?? 0)
        if known > 0 { repeated[stream, default: 0] -= known }
        advance(stream, by: bytes.count)
        return print(Array(bytes.dropFirst(Int(known))), stream)
    }

    private func print(_ bytes: [UInt8], _ stream: LogStreamKind?) -> Bool {
        guard !bytes.isEmpty else { return true }
        return (try? platform.write(bytes, to: stream == .stderr ? .errors : .output)) ?? false
    }

    /// What came before is in its log: the last lines of it; or, where another daemon's word was cut off, what was not seen.
    private func begin(_ stream: LogStreamKind?, _ isRaw: Bool, _ path: String, _ offset: Int64) {
        guard !path.isEmpty else { return }
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard file >= 0 else { return }
        defer { Glibc.close(file) }
        var facts = stat()
        _ = unsafe fstat(file, &facts)
        places.append(.init(stream, path: path, inode: UInt64(facts.st_ino), offset: offset))
        guard let seen = attachment.seen else {
            let bytes = Self.read(file, from: max(0, offset - Self.backlogBytes), to: offset)
            _ = print(Self.lastLines(attachment.lines, of: bytes), stream)
            return
        }
        guard isRaw, let former = seen.first(where: { $0.stream == stream && $0.path == path }) else { return }
        if former.inode == UInt64(facts.st_ino), former.offset > offset {
            repeated[stream] = former.offset - offset
        } else {
            // Of a file that was begun meanwhile, all is new.
            let from = former.inode == UInt64(facts.st_ino) ? former.offset : 0
            _ = print(Self.read(file, from: max(from, offset - Self.backlogBytes), to: offset), stream)
        }
    }

    private static func read(_ file: Int32, from start: Int64, to end: Int64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(max(0, end - start)))
        let count = unsafe pread(file, &bytes, bytes.count, off_t(start))
        return Array(bytes.prefix(max(0, count)))
    }

    static func lastLines(_ count: Int, of bytes: [UInt8]) -> [UInt8] {
        guard count > 0 else { return [] }
        var left = count
        for place in bytes.indices.dropLast().reversed() where bytes[place] == 10 {
            left -= 1
            if left == 0 { return Array(bytes[(place + 1)...]) }
        }
        return bytes
    }
}

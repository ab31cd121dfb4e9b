// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchCLI
internal import OrchModel

extension LinuxPlatform {
    /// While a daemon begins or ends, its keeper holds the state directory and nobody listens: that is waited out.
    func connect() throws(Fault) -> ConnectionID? {
        let deadline = now.instant + Self.changeOver
        while true {
            if let connection = try connectNow() { return connection }
            guard let keeper = StateLock.holder(of: paths.lock) else { return nil }
            guard now.instant < deadline else { throw unreachable(keeper) }
            _ = poll(nil, 0, 10)
        }
    }

    /// How long a state directory may be held without a socket.
    private static let changeOver = Duration.seconds(3)

    /// It runs, and what it listens at was removed from under it.
    private func unreachable(_ keeper: Int32) -> Fault {
        Fault(
            step: "connect to", subject: paths.socket,
            reason:
                "a daemon owns \(paths.state) (its keeper is pid \(keeper)) but doesn't listen there; its services run on",
            remedy:
                "with the ORCH_HOME and the run folder that it was started with it answers; if somebody removed its socket,"
                + " `kill \(keeper)` stops everything in order and `orch daemon start` starts it again")
    }

    private func connectNow() throws(Fault) -> ConnectionID? {
        let descriptor = unsafe corch_unix_connect(paths.socket)
        guard descriptor >= 0 else {
            let code = -descriptor
            // No socket, or one that nobody listens on any more: no daemon.
            if code == ENOENT || code == ECONNREFUSED || code == ENOTDIR { return nil }
            throw Fault(
                step: "connect to", subject: paths.socket, reason: Errno.text(code),
                remedy: code == EACCES ? "it belongs to another user's daemon; ORCH_HOME names one of yours" : nil)
        }
        lastConnection += 1
        let connection = ConnectionID(lastConnection)
        sockets.append((connection, descriptor))
        return connection
    }

    func send(_ bytes: [UInt8], to connection: ConnectionID) throws(Fault) {
        guard let socket = sockets.first(where: { $0.connection == connection }) else { return }
        let code = Self.writeAll(bytes, to: socket.descriptor)
        // A daemon that refuses and hangs up has said why: that is still to be read.
        guard code != 0, code != EPIPE else { return }
        throw Fault(step: "send to", subject: "the daemon", reason: Errno.text(code))
    }

    func close(_ connection: ConnectionID) {
        guard let place = sockets.firstIndex(where: { $0.connection == connection }) else { return }
        Glibc.close(sockets[place].descriptor)
        sockets.remove(at: place)
    }

    func catchInterrupts() { catchInterrupts(also: SIGINT) }

    /// Once.
    func catchInterrupts(also other: Int32) {
        guard signals == nil else { return }
        var set: UInt64 = 0
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGWINCH, other] { set |= 1 << UInt64(signal - 1) }
        _ = corch_block_signals(set)
        let descriptor = corch_signalfd(set)
        if descriptor >= 0 { signals = descriptor }
    }

    /// Neither gathered to lines nor shown (termios(3)); Ctrl-C stays a signal.
    func catchKeys() {
        var settings = termios()
        guard terminalBefore == nil, unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
        terminalBefore = settings
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    func releaseKeys() {
        guard var settings = terminalBefore else { return }
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        terminalBefore = nil
    }

    func wait(until deadline: Instant?) -> [Wakeup] {
        var waiting = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        let keys = terminalBefore == nil ? nil : waiting.count
        if keys != nil { waiting.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
        if let signals { waiting.append(pollfd(fd: signals, events: Int16(POLLIN), revents: 0)) }
        let count = unsafe poll(&waiting, nfds_t(waiting.count), milliseconds(until: deadline))
        guard count > 0 else { return [] }
        var result: [Wakeup] = []
        for (index, socket) in sockets.enumerated() where waiting[index].revents != 0 {
            result.append(receive(from: socket))
        }
        if let keys, waiting[keys].revents != 0 { result.append(readKeys()) }
        if signals != nil, waiting[waiting.count - 1].revents != 0 { result += readSignals() }
        return result
    }

    /// Rounded up: waking before the deadline would mean waking again.
    private func milliseconds(until deadline: Instant?) -> Int32 {
        guard let deadline else { return -1 }
        let left = max(0, (deadline - now.instant).nanoseconds)
        return Int32(clamping: (left + 999_999) / 1_000_000)
    }

    private func receive(from socket: (connection: ConnectionID, descriptor: Int32)) -> Wakeup {
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        let length = chunk.count
        let count = unsafe recv(socket.descriptor, &chunk, length, 0)
        guard count > 0 else {
            if count < 0, errno == EINTR || errno == EAGAIN { return .received(socket.connection, []) }
            return .closed(socket.connection)
        }
        chunk.removeLast(length - count)
        return .received(socket.connection, chunk)
    }

    /// A terminal that has gone would be readable for ever: it counts as one that is to be left.
    private func readKeys() -> Wakeup {
        var chunk = [UInt8](repeating: 0, count: 256)
        let length = chunk.count
        let count = unsafe Glibc.read(STDIN_FILENO, &chunk, length)
        guard count > 0 else { return count < 0 && errno == EINTR ? .typed([]) : .interrupted }
        return .typed(Array(chunk[..<count]))
    }

    private func readSignals() -> [Wakeup] { takeSignals().map { $0 == SIGWINCH ? .resized : .interrupted } }

    /// Those that came, by their numbers.
    func takeSignals() -> [Int32] {
        guard let signals else { return [] }
        var result: [Int32] = []
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while unsafe Glibc.read(signals, &information, size) == size {
            result.append(Int32(information.ssi_signo))
        }
        return result
    }
}

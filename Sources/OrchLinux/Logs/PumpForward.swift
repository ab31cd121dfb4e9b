// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Lines that are copied to the machine's own log.
extension PumpLoop {
    /// Nil when nothing is forwarded.
    func forwarder(of pipe: LogPipe, _ sink: LogSink) -> LineForwarder? {
        guard let instance = sink.instance, sink.forward != .none else { return nil }
        return LineForwarder(pipe, instance, sink.forward, socket(for: sink.forward), strips: sink.stripANSI)
    }

    private func socket(for kind: LoggingSpec.Forward) -> ForwardSocket {
        if let known = sockets.first(where: { $0.kind == kind }) { return known.socket }
        let path = kind == .syslog ? paths.syslog : paths.journald
        let made = ForwardSocket(kind, path: path) { [mailbox] text in mailbox.post(.remark(text)) }
        sockets.append((kind, made))
        return made
    }

    /// The process of a launch is known.
    func name(_ launch: LaunchID, pid: Int32) {
        for pipe in pipes(of: launch) {
            pipe.pid = pid
            pipe.tap?.forwarder?.pid = pid
        }
    }

    func flushSockets() {
        for (_, socket) in sockets { socket.flush(now) }
    }
}

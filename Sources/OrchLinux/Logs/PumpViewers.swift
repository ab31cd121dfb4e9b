// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import OrchWire

/// One who is attached to a launch, as one of its pipes sees them.
struct LogViewer {
    let socket: HeldDescriptor
    /// Bytes at the head of the pipe that they have got.
    var shown = 0
    /// Since when their socket takes nothing.
    var stuckSince: Instant?
    /// Bytes that they have not got as they did not read; nil while they do.
    var missed: Int?
}

/// Output is shown while it is in its pipe, before it goes on: its file gets all of it whoever looks, and one who begins to look gets exactly what
/// is not in the file yet.
extension PumpLoop {
    func show(_ pipe: LogPipe, to socket: HeldDescriptor) {
        pipe.viewers.removeAll { !Self.isThere($0.socket) }
        var path = ""
        var offset: Int64 = 0
        if let file = pipe.file {
            touch(file.path)
            // A file that can't be opened now has nothing to show.
            do throws(LogTrouble) { try file.prepare(now) } catch { wait(for: file, error) }
            (path, offset) = (file.path, file.offset)
        }
        let begin = AttachPacket.begin(pipe.stream, isRaw: pipe.converter == nil, path: path, offset: offset)
        guard send(begin, to: socket) == .done else { return Self.hangUp(socket) }
        pipe.viewers.append(LogViewer(socket: socket))
        enqueue(pipe)
    }

    /// How many bytes at the head of the pipe have been shown to all who keep up, and may go on.
    func show(_ pipe: LogPipe, _ available: Int) throws(LogTrouble) -> Int {
        let count = try LogTrouble.asking { () throws(SystemError) in
            try scratch.peek(pipe.descriptor.number, limit: min(available, Limits.logTurnBytes))
        }
        let window = scratch.bytes
        var passed = count
        for place in pipe.viewers.indices.reversed() {
            guard advance(&pipe.viewers[place], pipe.stream, window[..<count]) else {
                Self.hangUp(pipe.viewers.remove(at: place).socket)
                continue
            }
            passed = min(passed, pipe.viewers[place].shown)
        }
        return passed
    }

    /// They are to ask again.
    func sendAway(_ pipe: LogPipe) {
        for viewer in pipe.viewers { Self.hangUp(viewer.socket) }
        pipe.viewers = []
    }

    /// False: they are gone.
    private func advance(_ viewer: inout LogViewer, _ stream: LogStreamKind?, _ bytes: ArraySlice<UInt8>) -> Bool {
        if let missed = viewer.missed {
            switch send(.missed(stream, bytes: missed), to: viewer.socket) {
            case .done: viewer.missed = nil
            case .full:
                viewer.missed = missed + bytes.count - viewer.shown
                viewer.shown = bytes.count
                return true
            case .gone: return false
            }
        }
        while viewer.shown < bytes.count {
            let piece = bytes.dropFirst(viewer.shown).prefix(AttachPacket.pieceBytes)
            switch send(.output(stream, Array(piece)), to: viewer.socket) {
            case .done:
                viewer.shown += piece.count
                viewer.stuckSince = nil
            case .gone: return false
            case .full:
                let since = viewer.stuckSince ?? now
                viewer.stuckSince = since
                guard now - since >= Limits.attachPatience else { return true }
                viewer.stuckSince = nil
                viewer.missed = bytes.count - viewer.shown
                viewer.shown = bytes.count
            }
        }
        return true
    }

    private enum Sending { case done, full, gone }

    private func send(_ packet: AttachPacket, to socket: HeldDescriptor) -> Sending {
        let bytes = packet.bytes
        let sent = unsafe corch_send(socket.number, bytes, bytes.count, nil, 0, nil, 0, Int32(MSG_DONTWAIT))
        if sent >= 0 { return .done }
        return sent == Int64(-EAGAIN) || sent == Int64(-ENOBUFS) ? .full : .gone
    }

    private static func isThere(_ socket: HeldDescriptor) -> Bool {
        var poll = pollfd(fd: socket.number, events: 0, revents: 0)
        return unsafe Glibc.poll(&poll, 1, 0) == 0
    }

    private static func hangUp(_ socket: HeldDescriptor) { _ = shutdown(socket.number, Int32(SHUT_RDWR)) }
}

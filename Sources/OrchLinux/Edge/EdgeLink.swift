// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import OrchEngine
public import OrchModel
internal import OrchWire

/// The daemon's end of the socket to orch-edge: sends questions, brings back answers, and never blocks.
///
/// Every question gets exactly one answer through `receive`. When the edge ends, or hangs, the questions that are open are
/// answered `unasked`, `isAlive` turns false, and the owner drops this link and starts another edge.
public struct EdgeLink: ~Copyable {
    /// A question whose answer has not come.
    private struct Open {
        var id: UInt64
        /// A working edge has answered by then.
        var overdue: Instant
    }

    private let socket: Descriptor
    private var frames = FrameBuffer(limit: Limits.edgeFrameBytes)
    private var backlog: [UInt8] = []
    private var sent = 0
    /// In the order of asking; what is answered leaves `waiting` first and this when it reaches the front.
    private var asked: ArraySlice<Open> = []
    /// An index only.
    private var waiting: Set<UInt64> = []
    /// Answers that were made here.
    private var refused: [(UInt64, ProbeResult)] = []
    /// Why it ended; nil while it lives.
    private var end: String?

    /// How much longer than a question's own timeout the edge may take before it counts as hung.
    public static let patience = Duration.seconds(10)

    /// Takes over a connected stream socket whose other end is descriptor 3 of an `orch-edge`.
    public init(descriptor: consuming Descriptor) {
        socket = descriptor
        let flags = fcntl(socket.number, F_GETFL)
        _ = fcntl(socket.number, F_SETFL, flags | O_NONBLOCK)
    }

    /// A new pair, `socketpair(2)`, both ends close-on-exec: one for this link, one for the edge's descriptor 3.
    public static func pair() throws(SystemError) -> EdgeSockets {
        var ends: [Int32] = [-1, -1]
        try Syscall.libc("socketpair") {
            unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        return EdgeSockets(daemon: Descriptor(owning: ends[0]), edge: Descriptor(owning: ends[1]))
    }

    /// What to poll: for reading always, for writing while `wantsToWrite`. After an event, call `receive`.
    public var descriptor: Int32 { socket.number }

    /// Questions wait for room in the socket.
    public var wantsToWrite: Bool { sent < backlog.count && end == nil }

    /// False once the edge is gone; what was open is answered by the next `receive`.
    public var isAlive: Bool { end == nil }

    /// There are answers that no event will announce: call `receive`.
    public var hasAnswers: Bool { !refused.isEmpty }

    /// When to call `expire`, though nothing happened; nil never.
    public var deadline: Instant? { end == nil ? asked.first?.overdue : nil }

    /// Asks once. `id` must not be in use; launch variables in the request are resolved.
    public mutating func ask(id: UInt64, request: HTTPProbe, timeout: Duration, now: Instant) {
        if let end { return refused.append((id, .unasked(end))) }
        let frame = Frame.encode(EdgeAsk(id: id, probe: request, timeout: timeout))
        guard frame.count <= Limits.edgeFrameBytes else {
            return refused.append((id, .unasked("the request is longer than \(Limits.edgeFrameBytes >> 20) MiB")))
        }
        guard backlog.count - sent + frame.count <= Limits.edgeBacklogBytes else {
            return refused.append(
                (id, .unasked("orch-edge is behind by \(Limits.edgeBacklogBytes >> 20) MiB of questions")))
        }
        backlog += frame
        waiting.insert(id)
        asked.append(Open(id: id, overdue: now + timeout + EdgeLink.patience))
        flush()
    }

    /// Everything that is answered by now, in the order in which the answers came.
    public mutating func receive() -> [(UInt64, ProbeResult)] {
        flush()
        var answers = read()
        while let first = asked.first, !waiting.contains(first.id) { asked.removeFirst() }
        if let end {
            answers += asked.filter { waiting.contains($0.id) }.map { ($0.id, .unasked(end)) }
            asked = []
            waiting = []
        }
        answers += refused
        refused = []
        return answers
    }

    /// Gives an edge up that owes an answer for too long; then `receive`.
    public mutating func expire(at now: Instant) {
        if let deadline, deadline <= now { end = "orch-edge hangs: it owes an answer since \(EdgeLink.patience.text)" }
    }

    private mutating func flush() {
        while wantsToWrite {
            // MSG_NOSIGNAL: an edge that died is a fact, not a SIGPIPE.
            let count = unsafe backlog.withUnsafeBytes { bytes in
                unsafe send(
                    socket.number, bytes.baseAddress.map { unsafe $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                if code != EAGAIN { end = "orch-edge ended: \(SystemError.sentence(code))" }
                return
            }
            sent += count
        }
        if sent == backlog.count {
            backlog.removeAll(keepingCapacity: backlog.capacity <= 64 << 10)
            sent = 0
        }
    }

    private mutating func read() -> [(UInt64, ProbeResult)] {
        var answers: [(UInt64, ProbeResult)] = []
        var block = [UInt8](repeating: 0, count: 16 << 10)
        while end == nil {
            let count = unsafe recv(socket.number, &block, block.count, 0)
            if count > 0 {
                frames.append(Array(block[..<count]))
                take(into: &answers)
                continue
            }
            let code = errno
            if count < 0, code == EINTR { continue }
            if count < 0, code == EAGAIN { break }
            // A socket pair says ECONNRESET when the other end closed with something unread (unix(7)).
            end = "orch-edge ended before it answered"
        }
        return answers
    }

    private mutating func take(into answers: inout [(UInt64, ProbeResult)]) {
        do {
            while let frame = try frames.next() {
                let answer = try EdgeAnswer(frame)
                guard waiting.remove(answer.id) != nil else { continue }
                switch answer.verdict {
                case .success: answers.append((answer.id, .success))
                case .failure(let words): answers.append((answer.id, .failure(words)))
                case .unasked(let words): answers.append((answer.id, .unasked(words)))
                }
            }
        } catch {
            end = "orch-edge answered what this version can't read: is it another version than orchd?"
        }
    }
}

/// Both ends of the socket between the daemon and its edge.
@frozen
public struct EdgeSockets: ~Copyable {
    /// For `EdgeLink`.
    public var daemon: Descriptor
    /// To become descriptor 3 of `orch-edge`.
    public var edge: Descriptor
}

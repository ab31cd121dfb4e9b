// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// The machine's own log, to which lines are copied: journald's or syslog's datagram socket, one for all services. Lives on the pump's thread.
///
/// It is never waited for. While it takes nothing for a moment, `Limits.forwardBacklogBytes` wait here; what is beyond that, and all that
/// comes while nobody listens, is not forwarded, counted and said. The files have every line.
final class ForwardSocket {
    private enum Attempt {
        case sent
        /// Its queue is full.
        case full
        case failed(String)
    }

    private let name: String
    private let path: String
    private let remark: (String) -> Void
    private var descriptor: Descriptor?
    /// Nobody listened: the next attempt is not before.
    private var retryAt = Instant.zero
    private var reason = ""
    private var backlog: [[UInt8]] = []
    private var done = 0
    private var backlogBytes = 0
    /// When the backlog is tried again; nil while there is none.
    private(set) var flushAt: Instant?
    private var lost = 0
    /// When the present trouble was told; nil while there is none.
    private var toldAt: Instant?

    init(_ kind: LoggingSpec.Forward, path: String, remark: @escaping (String) -> Void) {
        name = kind.rawValue
        self.path = path
        self.remark = remark
    }

    func send(_ message: [UInt8], _ now: Instant) {
        guard backlog.isEmpty else { return keep(message, now) }
        switch attempt(message, now) {
        case .sent: recover(now)
        case .full: keep(message, now)
        case .failed(let reason): lose(1, reason, now)
        }
    }

    /// Sends what waits, as far as it is taken.
    func flush(_ now: Instant) {
        guard let due = flushAt, due <= now else { return }
        flushAt = nil
        while done < backlog.count {
            switch attempt(backlog[done], now) {
            case .sent:
                done += 1
                recover(now)
            case .full:
                flushAt = now + Limits.forwardLook
                return
            case .failed(let reason):
                lose(backlog.count - done, reason, now)
                done = backlog.count
            }
        }
        backlog = []
        done = 0
        backlogBytes = 0
    }

    private func keep(_ message: [UInt8], _ now: Instant) {
        guard backlogBytes + message.count <= Limits.forwardBacklogBytes else {
            return lose(1, "it takes lines too slowly", now)
        }
        backlogBytes += message.count
        backlog.append(message)
        flushAt = flushAt ?? now + Limits.forwardLook
    }

    private func attempt(_ message: [UInt8], _ now: Instant) -> Attempt {
        // Whoever listened may have been replaced: then there is a new one at once, or none for a while.
        for _ in 0..<3 {
            guard let number = descriptor?.number else {
                guard now >= retryAt else { return .failed(reason) }
                let made = unsafe corch_datagram_connect(path)
                guard made >= 0 else {
                    retryAt = now + Limits.logRetryWait
                    reason = "cannot connect to \(path): \(SystemError.sentence(-made))"
                    return .failed(reason)
                }
                descriptor = Descriptor(owning: made)
                continue
            }
            if unsafe Glibc.send(number, message, message.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)) >= 0 {
                return .sent
            }
            switch errno {
            case EAGAIN, ENOBUFS, ENOMEM, EINTR: return .full
            case EMSGSIZE: return .failed("a line is too long for it")
            default:
                reason = "send to \(path): \(SystemError.sentence(errno))"
                descriptor = nil
            }
        }
        retryAt = now + Limits.logRetryWait
        return .failed(reason)
    }

    private func lose(_ count: Int, _ reason: String, _ now: Instant) {
        lost += count
        guard toldAt == nil else { return }
        toldAt = now
        remark(
            "\(name) does not get all lines: \(reason); the log files have them. See that it runs, or take logging.forward out; what is not"
                + " forwarded is counted")
    }

    /// Trouble that comes and goes is told of once in a while only.
    private func recover(_ now: Instant) {
        guard let told = toldAt, now - told >= Limits.forwardTold else { return }
        remark("\(name) gets lines again; \(lost) line\(lost == 1 ? " was" : "s were") not forwarded")
        toldAt = nil
        lost = 0
    }
}

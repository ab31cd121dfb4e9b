// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import Synchronization

/// What the pump's threads have to tell, in one queue.
final class LogNotices: Sendable {
    enum Word {
        case said(LogNotice)
        /// An output that another thread is to have, and its read end, which the word owns; negative: it was at its end already.
        case handedOver(LaunchID, LogStreamKind?, descriptor: Int32)
    }

    private let queue = Mutex<[(lane: Int?, word: Word)]>([])
    private let signal: Descriptor
    private let watched: Descriptor

    init() throws(SystemError) {
        signal = try Descriptor("eventfd", corch_eventfd(0))
        watched = try Descriptor("epoll_create1", corch_epoll_create())
        try watch(signal)
    }

    deinit {
        for case (_, .handedOver(_, _, let descriptor)) in take() where descriptor >= 0 {
            _ = Descriptor(owning: descriptor)
        }
    }

    /// Readable while there is something to hear, or an alarm to look after.
    var number: Int32 { watched.number }

    func watch(_ descriptor: borrowing Descriptor) throws(SystemError) {
        try Syscall.check(
            "epoll_ctl", corch_epoll_ctl(watched.number, EPOLL_CTL_ADD, descriptor.number, EPOLLIN.rawValue, 0))
    }

    /// - Parameter lane: whose word it is; nil for the pump's own.
    func post(_ word: Word, from lane: Int?) {
        queue.withLock { $0.append((lane, word)) }
        LogMailbox.raise(signal.number)
    }

    func take() -> [(lane: Int?, word: Word)] {
        LogMailbox.clear(signal.number)
        return queue.withLock { queue in
            defer { queue.removeAll() }
            return queue
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import Synchronization

/// Watches files for the services whose rules name them, on a thread of its own: a file system that does not answer holds up nothing else.
/// Where nothing is watched there is no thread.
final class FileWatch: Sendable {
    enum Notice: Equatable {
        /// Files that a rule of the service, by its place, is about: their names, absolute and sorted.
        case changed(ServiceID, rule: Int, [String])
        case remark(String)
    }
    struct Order {
        var service: ServiceID
        /// Empty: no more.
        var rules: [WatchRule]
    }
    private struct Post {
        var orders: [Order] = []
        var notices: [Notice] = []
        var hasThread = false
        var isOver = false
    }

    private let post = Mutex(Post())
    private let orderSignal: Descriptor
    private let noticeSignal: Descriptor

    init() throws(SystemError) {
        orderSignal = try Descriptor("eventfd", corch_eventfd(0))
        noticeSignal = try Descriptor("eventfd", corch_eventfd(0))
    }

    /// Readable while there are notices: for the daemon's epoll.
    var noticeDescriptor: Int32 { noticeSignal.number }
    /// Readable while there are orders: for the thread.
    var orderDescriptor: Int32 { orderSignal.number }

    // MARK: The daemon's side

    /// What is watched for a service from now on, instead of what was.
    func watch(_ service: ServiceID, _ rules: [WatchRule]) throws(SystemError) {
        let needsThread = post.withLock { post in
            post.orders.append(Order(service: service, rules: rules))
            defer { post.hasThread = true }
            return !post.hasThread
        }
        LogMailbox.raise(orderSignal.number)
        guard needsThread else { return }
        do {
            pthread_detach(
                try PosixThread.start { [self] in
                    WatchLoop(self).run()
                })
        } catch {
            // The orders wait for the next one.
            post.withLock { $0.hasThread = false }
            throw error
        }
    }

    func take() -> [Notice] {
        LogMailbox.clear(noticeSignal.number)
        return post.withLock { post in
            defer { post.notices = [] }
            return post.notices
        }
    }

    /// The thread ends at its next turn.
    func stop() {
        post.withLock { $0.isOver = true }
        LogMailbox.raise(orderSignal.number)
    }

    // MARK: The thread's side

    /// Nil when it is to end.
    func takeOrders() -> [Order]? {
        LogMailbox.clear(orderSignal.number)
        return post.withLock { post in
            defer { post.orders = [] }
            return post.isOver ? nil : post.orders
        }
    }

    func tell(_ notices: [Notice]) {
        guard !notices.isEmpty else { return }
        post.withLock { $0.notices += notices }
        LogMailbox.raise(noticeSignal.number)
    }
}

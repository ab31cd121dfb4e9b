// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import Synchronization

/// Terminals of services, and those who are attached to services, on a thread of its own: where there are none, there is no thread.
///
/// What a service shows on its terminal is moved into a log pipe by splice(2), of which the keeper holds the other end, as it holds the
/// terminal: a daemon that is killed between any two instructions leaves each byte in one of the two.
final class Terminals: Sendable {
    /// One launch that may be attached to.
    struct Seat: Sendable {
        /// Of its terminal: the side that holds it. Nil: it has none.
        var terminal: HeldDescriptor?
        /// Where what it shows goes: of a log pipe, non-blocking.
        var log: HeldDescriptor?
        /// Of a pipe that it reads, non-blocking. Nil: of a launch without a terminal, that it does not read orch's pipe any more.
        var input: HeldDescriptor?
    }
    enum Order: Sendable {
        case add(LaunchID, Seat)
        /// It is over: what is left of it is shown, then the pump is told to finish.
        case finish(LaunchID)
    }
    private struct Post {
        var orders: [Order] = []
        var hasThread = false
        var isOver = false
    }

    private let post = Mutex(Post())
    private let orderSignal: Descriptor
    let pump: LogPump
    /// Where those who attach connect.
    let path: String

    init(path: String, pump: LogPump) throws(SystemError) {
        orderSignal = try Descriptor("eventfd", corch_eventfd(0))
        self.pump = pump
        self.path = path
    }

    /// Readable while there are orders: for the thread.
    var orderDescriptor: Int32 { orderSignal.number }

    // MARK: The daemon's side

    func send(_ order: Order) throws(SystemError) {
        let needsThread = post.withLock { post in
            post.orders.append(order)
            defer { post.hasThread = true }
            return !post.hasThread
        }
        LogMailbox.raise(orderSignal.number)
        guard needsThread else { return }
        do {
            let means = try TerminalLoop.Means(self)
            pthread_detach(try PosixThread.start { [self] in TerminalLoop(self, means).run() })
        } catch {
            // The orders wait for the next one.
            post.withLock { $0.hasThread = false }
            throw error
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
}

/// Both sides of a new terminal.
struct TerminalEnds {
    /// Non-blocking. The terminal hangs up with its last holder.
    let holder: HeldDescriptor
    let terminal: HeldDescriptor

    /// `owner`: whose it is; nil leaves it the daemon's user's.
    init(owner: UInt32?) throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        let answer = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe corch_terminal_open(bytes.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        try Syscall.check("open /dev/ptmx", answer)
        holder = HeldDescriptor(Descriptor(owning: ends.0))
        terminal = HeldDescriptor(Descriptor(owning: ends.1))
        // What most programs take for a terminal whose size they can't know.
        try Syscall.check("ioctl TIOCSWINSZ", corch_terminal_resize(ends.0, 24, 80))
        if let owner {
            let number = terminal.number
            try Syscall.libc("fchown") { fchown(number, owner, gid_t.max) }
        }
    }
}

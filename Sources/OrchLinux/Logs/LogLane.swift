// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// One thread of the pump, and the way to it. All that it does may hang in a file system; whoever speaks to it never waits.
final class LogLane: Sendable {
    let mailbox: LogMailbox
    private let thread: pthread_t

    /// Starts the thread, which inherits the caller's signal mask.
    /// - Parameter number: in the pump; comes with everything that the thread says.
    init(_ number: Int, _ notices: LogNotices, _ paths: ForwardPaths) throws(SystemError) {
        let mailbox = try LogMailbox(number, notices)
        let loop = try PumpSeed(mailbox, paths)
        var thread = pthread_t()
        let seed = unsafe Unmanaged.passRetained(loop)
        let failed = unsafe pthread_create(
            &thread, nil,
            { seed in
                if let seed = unsafe seed { unsafe Unmanaged<PumpSeed>.fromOpaque(seed).takeRetainedValue().run() }
                return nil
            }, seed.toOpaque())
        guard failed == 0 else {
            unsafe seed.release()
            throw SystemError("pthread_create", code: failed)
        }
        self.mailbox = mailbox
        self.thread = thread
    }

    /// It was told to stop. False: it has not by then, and is left behind.
    func ends(by deadline: Instant) -> Bool {
        let left = max(.zero, deadline - Clock.now.instant)
        var poll = pollfd(fd: mailbox.endSignal.number, events: Int16(POLLIN), revents: 0)
        let ended = unsafe Glibc.poll(&poll, 1, Int32(clamping: left.nanoseconds / 1_000_000)) > 0
        if ended { pthread_join(thread, nil) } else { pthread_detach(thread) }
        return ended
    }
}

/// What the new thread is born with: everything that can fail is done before it exists.
private final class PumpSeed {
    private let mailbox: LogMailbox
    private let loop: PumpLoop

    init(_ mailbox: LogMailbox, _ paths: ForwardPaths) throws(SystemError) {
        self.mailbox = mailbox
        loop = try PumpLoop(mailbox, paths)
    }

    func run() {
        loop.run()
        LogMailbox.raise(mailbox.endSignal.number)
    }
}

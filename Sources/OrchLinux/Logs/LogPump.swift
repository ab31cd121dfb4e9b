// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
public import OrchModel
internal import Synchronization

/// Moves log bytes from pipes to files, on a thread of its own.
///
/// `raw` logs are moved by splice(2), so at every instant a byte is either in its pipe, of which the keeper holds another copy, or in
/// its file: a daemon that is killed between any two instructions loses, doubles and tears nothing. Other formats, files that are
/// appended to, and file systems without splice are written from a copy (tee(2)) that is taken out of the pipe afterwards: a kill may
/// repeat the last block and never loses one. An idle pump wakes for nothing.
///
/// One thread serves all files: a file system that hangs holds up all logs (their writers wait once their pipes are full), and
/// nothing else of the daemon.
public final class LogPump: Sendable {
    private let mailbox: LogMailbox
    private let thread: pthread_t
    private let isOver = Mutex(false)

    /// Starts the thread. It inherits the caller's signal mask; block first what must not hit it.
    /// - Parameter forwarding: where journald and syslog listen.
    public init(forwarding paths: ForwardPaths = ForwardPaths()) throws(SystemError) {
        let mailbox = try LogMailbox()
        let loop = try PumpSeed(mailbox, paths)
        self.mailbox = mailbox
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
        self.thread = thread
    }

    /// Readable while there are notices: for the daemon's epoll.
    public var noticeDescriptor: Int32 { mailbox.noticeSignal.number }

    /// All notices so far, oldest first.
    public func takeNotices() -> [LogNotice] { mailbox.takeNotices() }

    /// Begins to move what comes out of `readEnd`, which the pump owns from now on.
    ///
    /// An output that is discarded needs no pipe: give the process `/dev/null`. One pipe for both outputs (`stderr: merge`) is
    /// attached once, with `stream` nil. When a launch replaces another, attach after the old one's `finish`: what is left in the
    /// old pipe is written first. After a restart attach what the keeper holds, in order of launches; files are continued at their end.
    /// - Parameter awaiting: the pattern of a line that is looked for in what comes through it; `LogNotice.readyLine` tells of it, and the
    ///   line and what follows wait for `letGo`.
    public func attach(
        _ launch: LaunchID, _ stream: LogStreamKind?, readEnd: consuming Descriptor, sink: LogSink,
        awaiting pattern: String? = nil
    ) {
        mailbox.send(.attach(launch, stream, descriptor: readEnd.release(), sink, awaiting: pattern))
    }

    /// That the awaited line came is noted: it goes on, and no other one is looked for.
    public func letGo(_ launch: LaunchID) { mailbox.send(.letGo(launch)) }

    /// How a running launch logs from now on. When it gets another file, what waits in the pipe still goes to the
    /// old one.
    public func reconfigure(_ launch: LaunchID, _ stream: LogStreamKind?, sink: LogSink) {
        mailbox.send(.reconfigure(launch, stream, sink))
    }

    /// Rotates the files of these instances, each at the end of the line that is being written; those that are empty are left alone.
    /// `LogNotice.rotated` with the same number answers, at the latest after `Limits.logRotateWait`.
    public func rotate(_ number: UInt64, _ subjects: [LogRotation.Subject], state: String) {
        let orders = subjects.flatMap { subject in
            subject.files(in: state).map {
                LogRotationOrder(instance: subject.instance, output: $0.output, sink: $0.sink)
            }
        }
        mailbox.send(.rotate(number, orders))
    }

    /// The main process of a launch, for whoever its lines are forwarded to.
    public func name(_ launch: LaunchID, pid: Int32) { mailbox.send(.name(launch, pid: pid)) }

    /// The launch is over: its pipes are read to their end, or for `Limits.logDrainWait` when somebody else keeps them open; then
    /// comes `LogNotice.drained`. At once for a launch that has no pipe.
    public func finish(_ launch: LaunchID) { mailbox.send(.finish(launch)) }

    /// Writes what waits in the pipes and ends the thread. What can't be written stays in the pipes. Returns false when the
    /// thread is stuck in a file system after `deadline`; it is then left behind.
    @discardableResult
    public func stop(deadline: Duration = .seconds(3)) -> Bool {
        let wasOver = isOver.withLock { over in
            defer { over = true }
            return over
        }
        guard !wasOver else { return true }
        mailbox.send(.stop)
        var poll = pollfd(fd: mailbox.endSignal.number, events: Int16(POLLIN), revents: 0)
        let ended = unsafe Glibc.poll(&poll, 1, Int32(clamping: deadline.nanoseconds / 1_000_000)) > 0
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

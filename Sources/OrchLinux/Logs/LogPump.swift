// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import OrchModel
internal import Synchronization

/// Moves log bytes from pipes to files, on threads of its own: one for the file system that the daemon lives on, and one for each other that
/// log files are on. A file system that does not answer holds up the logs that are on it; which one it is and since when is told.
///
/// `raw` logs are moved by splice(2), so at every instant a byte is either in its pipe, of which the keeper holds another copy, or in
/// its file: a daemon that is killed between any two instructions loses, doubles and tears nothing. Other formats, files that are
/// appended to, and file systems without splice are written from a copy (tee(2)) that is taken out of the pipe afterwards: a kill may
/// repeat the last block and never loses one. An idle pump wakes for nothing.
///
/// Nothing here waits for a file system, or for a thread that may; only `stop` waits, and not for long.
public final class LogPump: Sendable {
    /// A file whose file system does not answer.
    public struct Hang: Equatable, Sendable {
        public var file: String
        /// By the monotonic clock.
        public var since: Instant
        /// Whose lines wait in their pipes, in order.
        public var launches: [LaunchID]
    }

    private let notices: LogNotices
    private let routing: Mutex<LogRouting>
    private let isOver = Mutex(false)

    /// Starts the first thread. Threads inherit their maker's signal mask; block first what must not hit them.
    /// - Parameters:
    ///   - home: where the daemon keeps its own files. Without it one thread serves all logs, wherever they are.
    ///   - forwarding: where journald and syslog listen.
    public init(home: String? = nil, forwarding paths: ForwardPaths = ForwardPaths()) throws(SystemError) {
        notices = try LogNotices()
        routing = Mutex(LogRouting(notices, try LogLanes(notices, paths, home: home)))
    }

    /// Readable while there are notices: for the daemon's epoll.
    public var noticeDescriptor: Int32 { notices.number }

    /// All notices so far, oldest first.
    public func takeNotices() -> [LogNotice] {
        routing.withLock { routing in
            let hangs = routing.lanes.lanes.indices.compactMap { lane in
                routing.lanes.lanes[lane].mailbox.pulse.look().map { LogNotice.hangs(routing.hang($0, in: lane)) }
            }
            return hangs + notices.take().flatMap { routing.hear($0.word, from: $0.lane) }
        }
    }

    /// For who moves bytes beside it: what it has to say is heard with the rest.
    func remark(_ text: String) { notices.post(.said(.remark(text)), from: nil) }

    /// What hangs at this moment.
    public var hangs: [Hang] {
        routing.withLock { routing in
            routing.lanes.lanes.indices.compactMap { lane in
                routing.lanes.lanes[lane].mailbox.pulse.stall.map { routing.hang($0, in: lane) }
            }
        }
    }

    /// Begins to move what comes out of `readEnd`, which the pump owns from now on.
    ///
    /// An output that is discarded needs no pipe: give the process `/dev/null`. One pipe for both outputs (`stderr: merge`) is
    /// attached once, with `stream` nil. When a launch replaces another, attach after the old one's `finish`: what is left in the
    /// old pipe is written first. After a restart attach what the keeper holds, in order of launches; files are continued at their end.
    /// - Parameter awaiting: the pattern of a line that is looked for in what comes through it; `LogNotice.readyLine` tells of it, and the
    ///   line and what follows wait for `letGo`.
    /// - Parameter listening: what probes are going to ask for, see `listen`.
    public func attach(
        _ launch: LaunchID, _ stream: LogStreamKind?, readEnd: consuming Descriptor, sink: LogSink,
        awaiting pattern: String? = nil, listening patterns: [ProbeKind: String] = [:]
    ) {
        let descriptor = readEnd.release()
        routing.withLock { $0.attach(launch, stream, descriptor, sink, awaiting: pattern, listening: patterns) }
    }

    /// A probe asks for a line that matches, one that came since it asked before or the next one: `LogNotice.sign` tells of it, once.
    func listen(_ sign: LineSign, for pattern: String) { routing.withLock { $0.listen(sign, for: pattern) } }

    /// That the awaited line came is noted: it goes on, and no other one is looked for.
    public func letGo(_ launch: LaunchID) { routing.withLock { $0.letGo(launch) } }

    /// Whoever is at the other end of `socket` sees what comes out of the launch from here on, as `AttachPacket`s; first of all where in which
    /// file what came before it is. One who does not read it is left out for as long, and is told how much that was.
    func show(_ launch: LaunchID, to socket: HeldDescriptor) { routing.withLock { $0.show(launch, to: socket) } }

    /// What is asked for from here on is begun with `begin`: a daemon that takes over has thousands of pipes to attach, and to answer first.
    /// Their bytes wait in them.
    func hold() { routing.withLock { for lane in $0.lanes.lanes { lane.mailbox.hold() } } }
    func begin() { routing.withLock { for lane in $0.lanes.lanes { lane.mailbox.begin() } } }

    /// How a running launch logs from now on. When it gets another file, what waits in the pipe still goes to the
    /// old one.
    public func reconfigure(_ launch: LaunchID, _ stream: LogStreamKind?, sink: LogSink) {
        routing.withLock { $0.reconfigure(launch, stream, sink) }
    }

    /// Rotates the files of these instances, each at the end of the line that is being written; those that are empty are left alone.
    /// `LogNotice.rotated` with the same number answers, after `Limits.logRotateWait` where file systems answer; `giveUpRotation` asks for
    /// the answer where they don't.
    public func rotate(_ number: UInt64, _ subjects: [LogRotation.Subject], state: String) {
        let orders = subjects.flatMap { subject in
            subject.files(in: state).map {
                LogRotationOrder(instance: subject.instance, output: $0.output, sink: $0.sink)
            }
        }
        routing.withLock { $0.rotate(number, orders) }
    }

    /// What is to be told of a rotation that has not been answered in time: once, and nothing if it has been.
    public func giveUpRotation(_ number: UInt64) -> [LogNotice] { routing.withLock { $0.giveUpRotation(number) } }

    /// The main process of a launch, for whoever its lines are forwarded to.
    public func name(_ launch: LaunchID, pid: Int32) { routing.withLock { $0.name(launch, pid: pid) } }

    /// The launch is over: its pipes are read to their end, or for `Limits.logDrainWait` when somebody else keeps them open; then
    /// comes `LogNotice.drained`. At once for a launch that has no pipe.
    public func finish(_ launch: LaunchID) { routing.withLock { $0.finish(launch) } }

    /// Writes what waits in the pipes and ends the threads. What can't be written stays in the pipes. Returns false when a
    /// thread is stuck in a file system after `deadline`; it is then left behind.
    @discardableResult
    public func stop(deadline: Duration = .seconds(3)) -> Bool {
        let wasOver = isOver.withLock { over in
            defer { over = true }
            return over
        }
        guard !wasOver else { return true }
        let lanes = routing.withLock { $0.lanes.lanes }
        for lane in lanes {
            lane.mailbox.send(.stop)
            lane.mailbox.begin()
        }
        let end = Clock.now.instant + deadline
        return lanes.map { $0.ends(by: end) }.allSatisfy { $0 }
    }
}

extension LogRouting {
    fileprivate func hang(_ stall: PumpPulse.Stall, in lane: Int) -> LogPump.Hang {
        LogPump.Hang(file: stall.file, since: stall.since, launches: launches(in: lane))
    }
}

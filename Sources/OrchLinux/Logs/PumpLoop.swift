// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// The pump's thread: waits for bytes, serves pipes in turn, keeps its deadlines. Created before the thread, then used by it alone.
///
/// Pipes are registered edge-triggered, so what stays in a pipe on purpose wakes nobody. But a write(2) larger than the pipe wakes
/// its reader in the middle only if it found the pipe empty (pipe_write, fs/pipe.c of Linux 5.5 and later), so only a pipe that was
/// seen empty is left to epoll alone. One that keeps an unfinished line is looked at again, soon and then ever more rarely.
final class PumpLoop {
    let mailbox: LogMailbox
    var scratch: ScratchPipe
    var widePipes = WidePipes()
    var output: [UInt8] = []
    var now = Instant.zero
    var wall = WallTime(nanoseconds: 0)
    /// Files whose writing failed and is to be tried again.
    var waitingFiles: [LogFile] = []

    let work: SegmentWork
    let paths: ForwardPaths
    /// Those that were asked for.
    var sockets: [(kind: LoggingSpec.Forward, socket: ForwardSocket)] = []
    /// Those that somebody waits for, in order.
    var rotations: [AskedRotation] = []
    /// One of them may be done.
    var answersAreReady = false
    /// When segments are looked at for their age.
    private var agesAt: Instant?
    /// Files that were opened or given another rotation since segments were last looked at, and when they are.
    private var toPrune: [LogFile] = []
    private var pruneAt: Instant?
    let epoll: Descriptor
    private static let firstLook = Duration.microseconds(250)
    var pipes: [UInt64: LogPipe] = [:]
    var launches: [LaunchID: [LogPipe]] = [:]
    var files: [String: LogFile] = [:]
    var lastNumber: UInt64 = 0
    private var queue: [LogPipe] = []
    private var heldPipes: [LogPipe] = []
    var draining: [LogPipe] = []
    var finishing: Set<LaunchID> = []
    private var reported: Set<LaunchID> = []
    private var formattedStamp: (milliseconds: Int64, bytes: [UInt8]) = (.min, [])

    init(_ mailbox: LogMailbox, _ paths: ForwardPaths) throws(SystemError) {
        self.mailbox = mailbox
        self.paths = paths
        work = SegmentWork { mailbox.post(.remark($0)) }
        scratch = try ScratchPipe()
        epoll = try Descriptor("epoll_create1", corch_epoll_create())
        try Syscall.check(
            "epoll_ctl", corch_epoll_ctl(epoll.number, EPOLL_CTL_ADD, mailbox.requestSignal.number, EPOLLIN.rawValue, 0)
        )
        readClocks()
    }

    func run() {
        while true {
            var asked = false
            for (number, mask) in wait() {
                if number == 0 { asked = true }
                guard let pipe = pipes[number] else { continue }
                if mask & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { pipe.hasHungUp = true }
                enqueue(pipe)
            }
            let requests = asked ? mailbox.takeRequests() : []
            // After they were taken: nothing that a new pipe brings is dated before the pipe.
            readClocks()
            for request in requests {
                if case .stop = request { return leave() }
                take(request)
            }
            expire()
            let turn = queue
            queue.removeAll(keepingCapacity: true)
            for pipe in turn where pipe.isQueued {
                pipe.isQueued = false
                serve(pipe)
            }
            if answersAreReady { answerRotations() }
        }
    }

    /// RFC 3339 of this moment, formatted once for all lines that are read in it.
    var stamp: [UInt8] {
        let milliseconds = wall.nanoseconds / 1_000_000
        if formattedStamp.milliseconds != milliseconds { formattedStamp = (milliseconds, Array(wall.rfc3339.utf8)) }
        return formattedStamp.bytes
    }

    func remark(_ text: String) { mailbox.post(.remark(text)) }

    /// What follows may hang in that file's file system. Says that another one answers again, if it was said that it does not.
    func touch(_ path: String) {
        if let over = mailbox.pulse.begin(path) { mailbox.post(.answers(file: over.file, after: over.waited)) }
    }

    func readClocks() {
        now = Instant(nanoseconds: corch_clock(CLOCK_MONOTONIC))
        wall = WallTime(nanoseconds: corch_clock(CLOCK_REALTIME))
    }

    private func wait() -> [(UInt64, UInt32)] {
        let deadline = queue.isEmpty ? nextDeadline : now
        if let over = mailbox.pulse.rest() {
            mailbox.post(.answers(file: over.file, after: over.waited))
        }
        let timeout = deadline.map { max(0, ($0 - now).nanoseconds) } ?? -1
        return unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { room in
            let count = unsafe corch_epoll_wait_ns(epoll.number, room.baseAddress, Int32(room.count), timeout)
            return unsafe room.prefix(Int(max(0, count))).map { unsafe ($0.data.u64, $0.events) }
        }
    }

    private var nextDeadline: Instant? {
        var next: Instant?
        func consider(_ deadline: Instant?) {
            if let deadline { next = min(deadline, next ?? deadline) }
        }
        for pipe in heldPipes { consider(pipe.lookAt) }
        for pipe in draining { consider(pipe.drainUntil) }
        for file in waitingFiles { consider(file.waiting?.until) }
        for asked in rotations { consider(asked.until) }
        for (_, socket) in sockets { consider(socket.flushAt) }
        consider(agesAt)
        consider(pruneAt)
        return next
    }

    private func expire() {
        if !rotations.isEmpty { answerRotations() }
        if !sockets.isEmpty { flushSockets() }
        if !heldPipes.isEmpty {
            for pipe in heldPipes where pipe.lookAt.map({ $0 <= now }) ?? false { enqueue(pipe) }
            heldPipes.removeAll { $0.lookAt.map { $0 <= now } ?? true }
        }
        if !draining.isEmpty {
            for pipe in draining where pipe.drainUntil.map({ $0 <= now }) ?? false {
                pipe.drainUntil = nil
                pipe.hasHungUp = true
                pipe.farewellBytes = pipe.waitingBytes
                enqueue(pipe)
            }
            draining.removeAll { $0.drainUntil == nil }
        }
        if !waitingFiles.isEmpty {
            let due = waitingFiles.filter { $0.waiting.map { $0.until <= now } ?? true }
            waitingFiles.removeAll { file in due.contains { $0 === file } }
            for file in due {
                for pipe in file.feeders { enqueue(pipe) }
                tellDropped(file)
            }
        }
        if let due = agesAt, due <= now {
            agesAt = nil
            prune(files.values.filter { $0.rotate.maxAge != nil })
        }
        if let due = pruneAt, due <= now {
            pruneAt = nil
            let files = toPrune
            toPrune = []
            prune(files)
        }
    }

    /// What came to be before this daemon looks at a file is forgotten a moment later, with that of all files that are opened meanwhile: a
    /// daemon that takes over opens thousands, and to read their folder costs as much for one as for all.
    func pruneSoon(_ file: LogFile) {
        toPrune.append(file)
        pruneAt = pruneAt ?? now + Limits.logPruneDelay
    }

    private func prune(_ files: [LogFile]) {
        var folders: [String: [String: [Int]]] = [:]
        for file in files {
            touch(file.path)
            file.prune(at: wall, &folders)
            watchAge(of: file)
        }
    }

    /// Wakes when the oldest segment of `file` is too old; before that now and then, as the clock may be set.
    func watchAge(of file: LogFile) {
        guard let expiry = file.expiry else { return }
        let due = now + min(max(.zero, expiry - wall), Limits.logAgeLook)
        agesAt = min(due, agesAt ?? due)
    }

    func enqueue(_ pipe: LogPipe) {
        guard !pipe.isQueued else { return }
        pipe.isQueued = true
        queue.append(pipe)
    }

    private func serve(_ pipe: LogPipe) {
        if let others = pipe.file?.pipes, others.count > 1 {
            // Its predecessor may have had to wait for the file.
            for older in others where older.hasHungUp && older.comes(before: pipe) { exhaust(older) }
        }
        let result = turn(pipe)
        if let file = pipe.file { rotateIfAwaited(file) }
        if result != .held, result != .yielding, let others = pipe.file?.pipes, others.count > 1 {
            // They may wait for the end of this pipe's line.
            for other in others where other !== pipe && other.heldUntil != nil { enqueue(other) }
        }
        switch result {
        case .again: enqueue(pipe)
        case .empty:
            pipe.heldUntil = nil
            pipe.lookAt = nil
        case .held: hold(pipe, quietly: true)
        case .yielding: hold(pipe, quietly: false)
        case .waiting: reportLeft(pipe)
        case .ended: detach(pipe)
        }
    }

    /// - Parameter quietly: the time counts from the last byte that came.
    private func hold(_ pipe: LogPipe, quietly: Bool) {
        let waiting = pipe.waitingBytes
        if pipe.heldUntil == nil || (quietly && pipe.heldBytes != waiting) {
            pipe.heldUntil = now + Limits.logPartialLineWait
            pipe.lookStep = Self.firstLook
        } else {
            pipe.lookStep = min(pipe.lookStep * 2, Limits.logRetryWait)
        }
        pipe.heldBytes = waiting
        pipe.lookAt = now + pipe.lookStep
        if let until = pipe.heldUntil, until > now { pipe.lookAt = min(until, now + pipe.lookStep) }
        if !heldPipes.contains(where: { $0 === pipe }) { heldPipes.append(pipe) }
    }

    @discardableResult
    func rotate(_ file: LogFile, cutsLine: Bool = false) throws(LogTrouble) -> LogRotation.Outcome {
        let outcome = try file.rotateNow(now, at: wall, cutsLine: cutsLine)
        settle(file, outcome)
        watchAge(of: file)
        return outcome
    }

    /// The file of that path, whatever its spelling, if it is being written.
    func openFile(_ path: String) -> LogFile? {
        if let known = files[path] { return known }
        touch(path)
        let (folder, name) = LogLayout.split(path)
        guard let found = try? LogFolder(reading: folder).status(of: name) else { return nil }
        return files.values.first { $0.status?.isSameFile(as: found) ?? false }
    }

    /// Says once of a launch whose time is over that its file can't be written yet.
    private func reportLeft(_ pipe: LogPipe) {
        guard pipe.farewellBytes != nil, reported.insert(pipe.launch).inserted else { return }
        let left = (launches[pipe.launch] ?? []).reduce(0) { $0 + $1.waitingBytes }
        mailbox.post(.drained(pipe.launch, bytesLeft: left))
    }

    func detach(_ pipe: LogPipe) {
        _ = corch_epoll_ctl(epoll.number, EPOLL_CTL_DEL, pipe.descriptor.number, 0, 0)
        pipes[pipe.number] = nil
        widePipes.remove(pipe)
        heldPipes.removeAll { $0 === pipe }
        draining.removeAll { $0 === pipe }
        pipe.file?.pipes.removeAll { $0 === pipe }
        closeIfUnused(pipe.file)
        pipe.tap?.errors?.taps.removeAll { $0 === pipe }
        closeIfUnused(pipe.tap?.errors)
        launches[pipe.launch]?.removeAll { $0 === pipe }
        guard launches[pipe.launch]?.isEmpty ?? true else { return }
        launches[pipe.launch] = nil
        reported.remove(pipe.launch)
        if finishing.remove(pipe.launch) != nil { mailbox.post(.drained(pipe.launch, bytesLeft: 0)) }
    }

    func closeIfUnused(_ file: LogFile?) {
        guard let file, file.feeders.isEmpty else { return }
        touch(file.path)
        rotateUnfinished(file)
        tellDropped(file)
        if file.dropped.bytes > 0 {
            remark("log \(file.path): \(file.dropped.sentence) were dropped and no note of it could be written")
        }
        waitingFiles.removeAll { $0 === file }
        if files[file.path] === file { files[file.path] = nil }
    }

    func pipes(of launch: LaunchID) -> [LogPipe] { launches[launch] ?? [] }

    /// Serves one pipe until it has nothing more to give at the moment.
    func exhaust(_ pipe: LogPipe) {
        for _ in 0..<16 {
            guard case .again = turn(pipe) else { return }
        }
    }

    private func leave() {
        for pipe in pipes.values.sorted(by: { $0.number < $1.number }) { exhaust(pipe) }
    }
}

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

    let compressor: LogCompressor
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
    private let epoll: Descriptor
    private static let firstLook = Duration.microseconds(250)
    private var pipes: [UInt64: LogPipe] = [:]
    private var launches: [LaunchID: [LogPipe]] = [:]
    private var files: [String: LogFile] = [:]
    private var lastNumber: UInt64 = 0
    private var queue: [LogPipe] = []
    private var heldPipes: [LogPipe] = []
    private var draining: [LogPipe] = []
    private var finishing: Set<LaunchID> = []
    private var reported: Set<LaunchID> = []
    private var formattedStamp: (milliseconds: Int64, bytes: [UInt8]) = (.min, [])

    init(_ mailbox: LogMailbox, _ paths: ForwardPaths) throws(SystemError) {
        self.mailbox = mailbox
        self.paths = paths
        compressor = LogCompressor { mailbox.post(.remark($0)) }
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

    func readClocks() {
        now = Instant(nanoseconds: corch_clock(CLOCK_MONOTONIC))
        wall = WallTime(nanoseconds: corch_clock(CLOCK_REALTIME))
    }

    private func wait() -> [(UInt64, UInt32)] {
        let deadline = queue.isEmpty ? nextDeadline : now
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
    private func pruneSoon(_ file: LogFile) {
        toPrune.append(file)
        pruneAt = pruneAt ?? now + Limits.logPruneDelay
    }

    private func prune(_ files: [LogFile]) {
        var folders: [String: [String: [Int]]] = [:]
        for file in files {
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

    // MARK: Requests

    private func take(_ request: LogRequest) {
        switch request {
        case .attach(let launch, let stream, let descriptor, let sink, let pattern):
            let end = Descriptor(owning: descriptor)
            let pipe = LogPipe(number: lastNumber + 1, launch: launch, stream: stream, descriptor: end)
            if let pattern { expect(pattern, in: pipe) }
            attach(pipe, sink)
        case .reconfigure(let launch, let stream, let sink):
            for pipe in launches[launch] ?? [] where pipe.stream == stream {
                if pipe.file?.path != sink.destination.path { exhaust(pipe) }
                direct(pipe, to: sink)
                enqueue(pipe)
            }
        case .rotate(let number, let orders): rotate(number, orders)
        case .name(let launch, let pid): name(launch, pid: pid)
        case .letGo(let launch): letGo(launch)
        case .finish(let launch): finish(launch)
        case .stop: break
        }
    }

    private func attach(_ pipe: LogPipe, _ sink: LogSink) {
        lastNumber = pipe.number
        direct(pipe, to: sink)
        // What a launch that is over left in its pipe comes before what its successor says.
        for older in pipe.file?.pipes ?? [] where older.comes(before: pipe) { exhaust(older) }
        let events = EPOLLIN.rawValue | EPOLLET.rawValue
        let added = corch_epoll_ctl(epoll.number, EPOLL_CTL_ADD, pipe.descriptor.number, events, pipe.number)
        guard added == 0 else {
            remark(
                "log pipe of launch \(pipe.launch.number): epoll_ctl: \(SystemError.sentence(-added)); its output is not read"
            )
            return
        }
        pipes[pipe.number] = pipe
        widePipes.add(pipe)
        launches[pipe.launch, default: []].append(pipe)
    }

    /// Lets `pipe` lead to `sink`.
    private func direct(_ pipe: LogPipe, to sink: LogSink) {
        let before = pipe.file
        pipe.convert(for: sink)
        if pipe.converter != nil { pipe.makeRoomForLines() }
        switch sink.destination {
        case .discard: pipe.file = nil
        case .file(let path): pipe.file = file(path, appends: false, sink)
        case .append(let path): pipe.file = file(path, appends: true, sink)
        }
        tap(pipe, for: sink)
        guard pipe.file !== before else { return }
        before?.pipes.removeAll { $0 === pipe }
        pipe.file?.pipes.append(pipe)
        closeIfUnused(before)
    }

    func file(_ path: String, appends: Bool, _ sink: LogSink) -> LogFile {
        if let known = files[path] {
            if known.appends != appends {
                remark(
                    "log \(path): one service appends to it and another one rotates it; it is \(known.appends ? "not rotated" : "rotated")"
                )
            }
            known.rotate = sink.rotate
            known.whenFull = sink.whenFull
            pruneSoon(known)
            return known
        }
        let made = LogFile(path: path, appends: appends, sink: sink, compressor: compressor)
        do throws(LogTrouble) {
            try made.prepare(now)
        } catch {
            wait(for: made, error)
        }
        // Another spelling of a path that is open already.
        if let status = made.status,
            let alias = files.values.first(where: { $0.status?.isSameFile(as: status) ?? false })
        {
            return alias
        }
        files[path] = made
        pruneSoon(made)
        return made
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
        let (folder, name) = LogLayout.split(path)
        guard let found = try? LogFolder(reading: folder).status(of: name) else { return nil }
        return files.values.first { $0.status?.isSameFile(as: found) ?? false }
    }

    private func finish(_ launch: LaunchID) {
        letGo(launch)
        guard let open = launches[launch] else { return mailbox.post(.drained(launch, bytesLeft: 0)) }
        guard finishing.insert(launch).inserted else { return }
        for pipe in open {
            pipe.drainUntil = now + Limits.logDrainWait
            draining.append(pipe)
            enqueue(pipe)
        }
    }

    /// Says once of a launch whose time is over that its file can't be written yet.
    private func reportLeft(_ pipe: LogPipe) {
        guard pipe.farewellBytes != nil, reported.insert(pipe.launch).inserted else { return }
        let left = (launches[pipe.launch] ?? []).reduce(0) { $0 + $1.waitingBytes }
        mailbox.post(.drained(pipe.launch, bytesLeft: left))
    }

    private func detach(_ pipe: LogPipe) {
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
    private func exhaust(_ pipe: LogPipe) {
        for _ in 0..<16 {
            guard case .again = turn(pipe) else { return }
        }
    }

    private func leave() {
        for pipe in pipes.values.sorted(by: { $0.number < $1.number }) { exhaust(pipe) }
    }
}

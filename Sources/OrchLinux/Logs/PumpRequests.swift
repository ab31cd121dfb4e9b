// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// What the daemon asks of one of the pump's threads.
extension PumpLoop {
    func take(_ request: LogRequest) {
        switch request {
        case .attach(let launch, let stream, let descriptor, let sink, let pattern, let patterns):
            // A pipe that somebody is just emptying into a file that hangs does not even tell its size.
            if let path = sink.destination.path { touch(path) }
            let end = Descriptor(owning: descriptor)
            let pipe = LogPipe(number: lastNumber + 1, launch: launch, stream: stream, descriptor: end)
            if let pattern { expect(pattern, in: pipe) }
            watch(pipe, for: patterns)
            attach(pipe, sink)
        case .listen(let sign, let pattern): listen(sign, for: pattern)
        case .reconfigure(let launch, let stream, let sink):
            for pipe in launches[launch] ?? [] where pipe.stream == stream {
                if pipe.file?.path != sink.destination.path { exhaust(pipe) }
                direct(pipe, to: sink)
                enqueue(pipe)
            }
        case .handOver(let launch, let stream): handOver(launch, stream)
        case .letGo(let launch): letGo(launch)
        case .show(let launch, let socket): for pipe in pipes(of: launch) { show(pipe, to: socket) }
        case .rotate(let number, let orders): rotate(number, orders)
        case .name(let launch, let pid): name(launch, pid: pid)
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
        let made = LogFile(path: path, appends: appends, sink: sink, work: work)
        touch(path)
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

    private func finish(_ launch: LaunchID) {
        letGo(launch)
        guard let open = launches[launch] else { return mailbox.post(.drained(launch, bytesLeft: 0)) }
        finishing.insert(launch)
        for pipe in open where pipe.drainUntil == nil && pipe.farewellBytes == nil {
            pipe.drainUntil = now + Limits.logDrainWait
            draining.append(pipe)
            enqueue(pipe)
        }
    }

    /// Another thread is to go on with that output. What waits in its pipe still goes to the file that it had.
    private func handOver(_ launch: LaunchID, _ stream: LogStreamKind?) {
        guard let pipe = pipes(of: launch).first(where: { $0.stream == stream }) else {
            return mailbox.handOver(launch, stream, descriptor: -1)
        }
        exhaust(pipe)
        sendAway(pipe)
        pipe.isQueued = false
        // Before it is said that the launch has no pipe here any more.
        let number = pipe.descriptor.number
        _ = corch_epoll_ctl(epoll.number, EPOLL_CTL_DEL, number, 0, 0)
        mailbox.handOver(launch, stream, descriptor: pipe.release())
        detach(pipe)
    }
}

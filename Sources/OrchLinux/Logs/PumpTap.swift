// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Lines that are looked at before they go on. Only pipes of services that ask for it come here.
extension PumpLoop {
    /// Lets the lines of `pipe` be looked at as `sink` says.
    func tap(_ pipe: LogPipe, for sink: LogSink) {
        let former = pipe.tap
        pipe.tap = nil
        former?.errors?.taps.removeAll { $0 === pipe }
        let forwarder = forwarder(of: pipe, sink)
        if sink.destination != .discard, sink.errorFile != nil || forwarder != nil {
            let errors = sink.errorFile.map { file($0, appends: false, sink) }
            do throws(Fault) {
                let made = try LineTap(
                    sink.levels, errors: errors, converter: pipe.converter, forwarder: forwarder)
                if let former { made.takeOver(from: former) }
                errors?.taps.append(pipe)
                pipe.tap = made
                // An unfinished line waits in it, as with formats that need whole lines.
                pipe.makeRoomForLines()
            } catch {
                remark("the lines of launch \(pipe.launch.number) go to its log alone: \(error.text)")
                closeIfUnused(errors)
            }
        }
        closeIfUnused(former?.errors)
    }

    /// How many bytes at the head of the pipe may go on: whole lines that were looked at, whose bad ones are in their file. Zero when the
    /// line has no end yet; nil when the errors can't be written and the writers wait.
    func look(_ pipe: LogPipe, _ tap: LineTap, _ available: Int) throws(LogTrouble) -> Int? {
        if tap.seen == 0 {
            let whole = try wholeLines(pipe, available)
            guard whole > 0 else { return 0 }
            let window = scratch.bytes
            tap.look(at: window.span.extracting(0..<whole), stamp: stamp, at: wall, now)
        }
        return writeErrors(pipe, tap) ? tap.seen : nil
    }

    /// How many bytes of whole lines wait at the head of the pipe, of those that may go on. They are in `scratch` then.
    func wholeLines(_ pipe: LogPipe, _ available: Int) throws(LogTrouble) -> Int {
        // Small steps: what a killed daemon looked at in vain is not much.
        let limit = min(available, Limits.logLineBytes)
        let count = try LogTrouble.asking { () throws(SystemError) in
            try scratch.peek(pipe.descriptor.number, limit: limit)
        }
        let window = scratch.bytes
        // Nobody will end the last line, or it was cut here before.
        let isCut =
            pipe.ready.map { $0.passed >= available } ?? false || pipe.signs.map { $0.seen >= available } ?? false
        if count >= available, pipe.hasHungUp || isCut { return count }
        if let newline = LineCut.lastNewline(in: window.span, before: count) { return newline + 1 }
        return count >= pipe.longestPart ? LineConverter.scalarBoundary(window.span, before: count) : 0
    }

    /// False: they can't be written, and the writers wait.
    private func writeErrors(_ pipe: LogPipe, _ tap: LineTap) -> Bool {
        guard !tap.pending.isEmpty, let file = tap.errors else { return true }
        if let waiting = file.waiting, now < waiting.until { return dropErrors(tap, file) }
        touch(file.path)
        defer { if let log = pipe.file { touch(log.path) } }
        while true {
            do throws(LogTrouble) {
                try file.prepare(now)
                if file.isOld(at: wall), file.endsLine() { try rotate(file) }
                try writeNote(file, for: pipe)
                try append(tap, to: file, for: pipe)
                recover(file)
                return true
            } catch {
                if error.isFull, file.whenFull == .block, file.removeOldestSegment() { continue }
                wait(for: file, error)
                return dropErrors(tap, file)
            }
        }
    }

    /// Counts them where they may be dropped; false where they may not.
    private func dropErrors(_ tap: LineTap, _ file: LogFile) -> Bool {
        switch file.whenFull {
        case .block: return false
        case .drop:
            file.dropped.bytes += tap.pending.count
            file.dropped.lines += tap.pending.count { $0 == 10 }
            tap.pending = []
            return true
        }
    }

    /// Writes what is pending, rotating between lines; what is written is not pending any more.
    private func append(_ tap: LineTap, to file: LogFile, for pipe: LogPipe) throws(LogTrouble) {
        // A kill in the middle of a block tore its last line; the block comes again.
        if !file.endsLine() { tap.pending.insert(10, at: 0) }
        let lines = tap.pending
        var done = 0
        defer { tap.pending = Array(lines[done...]) }
        while done < lines.count {
            let rest = lines.span.extracting(done..<lines.count)
            let room = file.rotationSize.map { Int(clamping: max(0, $0 - file.offset)) } ?? .max
            var count = rest.count
            if count > room {
                if let last = LineCut.lastNewline(in: rest, before: room) {
                    count = last + 1
                } else if file.offset > 0 {
                    try rotate(file)
                    continue
                } else {
                    count = LineCut.firstNewline(in: rest).map { $0 + 1 } ?? count
                }
            }
            try file.write(rest.extracting(0..<count), from: pipe, at: wall)
            done += count
        }
    }
}

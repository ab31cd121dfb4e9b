// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// What one turn of one pipe came to.
enum PumpTurn {
    /// There may be more.
    case again
    /// Nothing waits.
    case empty
    /// An unfinished line waits in the pipe for its end, but not for ever.
    case held
    /// Another pipe is in the middle of a line of the same file; it is waited for, but not for ever.
    case yielding
    /// The file can't be written; the bytes stay in the pipe.
    case waiting
    /// Nothing waits and nobody can write any more.
    case ended
}

extension PumpLoop {
    /// Moves what waits in one pipe to its file, at most a wide pipe of it; of what has to be looked at, at most `Limits.logTurnBytes`.
    func turn(_ pipe: LogPipe) -> PumpTurn {
        var available = pipe.waitingBytes
        guard available > 0, pipe.farewellBytes.map({ $0 > 0 }) ?? true else { return pipe.hasHungUp ? .ended : .empty }
        if !pipe.viewers.isEmpty {
            do throws(LogTrouble) { available = try show(pipe, available) } catch { return .held }
            if available == 0 { return .held }
        }
        if let ready = pipe.ready {
            do throws(LogTrouble) { available = try look(pipe, ready, available) } catch { return .held }
            if available == 0 { return .held }
        }
        if let signs = pipe.signs {
            do throws(LogTrouble) { available = try look(pipe, signs, available) } catch { return .held }
            if available == 0 { return .held }
        }
        guard let file = pipe.file else { return drop(pipe, from: nil) }
        if let waiting = file.waiting, now < waiting.until { return refuse(pipe, file) }
        touch(file.path)
        do throws(LogTrouble) {
            try file.prepare(now)
            if file.isOld(at: wall) {
                if file.endsLine() { try rotate(file) } else { file.rotationAsked = file.rotationAsked ?? file.offset }
            }
            if pipe.skipsLine { return try skip(pipe, file) }
            try writeNote(file, for: pipe)
            if available > pipe.capacity / 2 { widePipes.widen(pipe, at: now) }
            if let tap = pipe.tap {
                guard let seen = try look(pipe, tap, available) else { return .waiting }
                if seen == 0 { return .held }
                available = seen
            }
            let result =
                pipe.converter == nil ? try moveRaw(pipe, file, available) : try moveConverted(pipe, file, available)
            recover(file)
            return result
        } catch {
            return fail(pipe, file, error)
        }
    }

    // MARK: Raw

    private func moveRaw(_ pipe: LogPipe, _ file: LogFile, _ available: Int) throws(LogTrouble) -> PumpTurn {
        let isShared = file.pipes.count > 1
        if file.canSplice, !isShared {
            // What is far from the end of the file needs no look at its lines.
            let room = file.rotationSize.map { Int(clamping: max(0, $0 - file.offset)) } ?? .max
            let unseen = available <= room ? available : room - Limits.logLineBytes
            if unseen > 0 { return try move(pipe, file, min(unseen, Limits.logWidePipeBytes), isWindow: false) }
        }

        if isShared, mustYield(pipe, file) { return .yielding }
        let seen = try LogTrouble.asking { () throws(SystemError) in
            try scratch.peek(pipe.descriptor.number, limit: min(available, Limits.logTurnBytes))
        }
        let window = scratch.bytes
        var whole = seen
        if isShared, !(pipe.hasHungUp && seen >= available) {
            if let end = LineCut.lastNewline(in: window.span, before: seen) {
                whole = end + 1
            } else if seen < pipe.longestPart, !isOverdue(pipe) {
                return .held
            }
        }
        guard let size = file.rotationSize else { return try move(pipe, file, whole, isWindow: true) }
        let plan = LineCut.plan(
            window.span.extracting(0..<whole), offset: file.offset, size: size, endsLine: file.endsLine(),
            lineLimit: Limits.logLineBytes)
        if plan.rotateFirst {
            try rotate(file, cutsLine: plan.cutsLine)
            return .again
        }
        let before = file.offset
        let result = try move(pipe, file, plan.take, isWindow: true)
        if plan.rotateAfter, file.offset - before == Int64(plan.take) {
            try rotate(file, cutsLine: plan.cutsLine)
        }
        return result
    }

    /// Moves `length` bytes by splice, or through the window where the file can't take them so.
    private func move(
        _ pipe: LogPipe, _ file: LogFile, _ length: Int, isWindow: Bool
    ) throws(LogTrouble) -> PumpTurn {
        var moved = 0
        if file.canSplice {
            do throws(LogTrouble) {
                moved = try file.splice(from: pipe, length: length, at: wall)
            } catch .system(let error) where error.code == EINVAL {
                file.canSplice = false
                remark(
                    "log \(file.path): its file system can't splice; after a kill of the daemon its last block may be repeated"
                )
                return .again
            }
        } else if isWindow {
            let window = scratch.bytes
            try file.write(window.span.extracting(0..<length), from: pipe, at: wall)
            try LogTrouble.asking { () throws(SystemError) in
                try scratch.consume(pipe.descriptor.number, length: length)
            }
            moved = length
        }
        return gave(pipe, moved)
    }

    private func gave(_ pipe: LogPipe, _ count: Int) -> PumpTurn {
        if count > 0 { pipe.heldUntil = nil }
        pipe.gave(count)
        // Only a pipe that was seen empty may be left to epoll, see PumpLoop.
        return .again
    }

    /// Another pipe is in the middle of a line of the file that both write to.
    private func mustYield(_ pipe: LogPipe, _ file: LogFile) -> Bool {
        guard let last = file.lastWriter, last !== pipe, !last.hasHungUp, !file.endsLine() else { return false }
        return !isOverdue(pipe)
    }

    /// Those who looked at its lines have cut a long one there.
    private func isCut(_ pipe: LogPipe, _ seen: Int) -> Bool {
        (pipe.tap?.seen ?? pipe.passedBytes).map { $0 > 0 && $0 <= seen } ?? false
    }

    private func isOverdue(_ pipe: LogPipe) -> Bool { pipe.heldUntil.map { $0 <= now } ?? false }

    // MARK: Converted

    private func moveConverted(_ pipe: LogPipe, _ file: LogFile, _ available: Int) throws(LogTrouble) -> PumpTurn {
        let limit = min(available, Limits.logLineBytes)
        let seen = try LogTrouble.asking { () throws(SystemError) in
            try scratch.peek(pipe.descriptor.number, limit: limit)
        }
        let canContinue = pipe.converter?.canContinueLine ?? false
        let remainder: LineConverter.Remainder =
            pipe.hasHungUp && seen >= available ? .close : isOverdue(pipe) && canContinue ? .open : .wait
        let window = scratch.bytes
        let isLong =
            (seen >= pipe.longestPart || isCut(pipe, seen))
            && LineCut.firstNewline(in: window.span.extracting(0..<seen)) == nil
        var done = 0
        while done < seen {
            let count = try convertBlock(pipe, file, window, done..<seen, isLong ? .close : remainder)
            if count == 0 { break }
            done += count
        }
        guard done > 0 else { return seen > 0 ? .held : .empty }
        return gave(pipe, done)
    }

    /// Converts, writes and consumes what of `range` goes into the current file: at least a line, whose file is rotated first when
    /// it would not fit. Returns how many bytes; zero when there is no whole line.
    private func convertBlock(
        _ pipe: LogPipe, _ file: LogFile, _ window: [UInt8], _ range: Range<Int>, _ remainder: LineConverter.Remainder
    ) throws(LogTrouble) -> Int {
        let input = window.span.extracting(range)
        guard remainder != .wait || LineCut.firstNewline(in: input) != nil else { return 0 }
        let endsLine = file.endsLine()
        // Not after a restart: the unfinished line may be a block that was torn by a kill and comes again now.
        let continuing = !endsLine && file.lastWriter === pipe && (pipe.converter?.canContinueLine ?? false)
        let room = file.rotationSize.map { Int(clamping: max(0, $0 - file.offset)) } ?? .max
        let stamp = stamp
        var block = output
        output = []
        defer { output = block }
        block.removeAll(keepingCapacity: true)
        if !endsLine, !continuing { block.append(10) }
        var count =
            pipe.converter?.convert(
                input, stamp: stamp, remainder: remainder, continuing: continuing, room: room, into: &block) ?? 0
        if count == 0, file.offset > 0, endsLine {
            try rotate(file)
            return try convertBlock(pipe, file, window, range, remainder)
        }
        if count == 0 {
            count =
                pipe.converter?.convert(
                    input, stamp: stamp, remainder: remainder, continuing: continuing, room: .max, oneLine: true,
                    into: &block) ?? 0
        }
        try file.write(block.span, from: pipe, at: wall)
        try LogTrouble.asking { () throws(SystemError) in try scratch.consume(pipe.descriptor.number, length: count) }
        return count
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// What the pump does when a file can't be written: bytes wait in their pipe, or are dropped and counted, as the manifest says.
extension PumpLoop {
    func fail(_ pipe: LogPipe, _ file: LogFile, _ trouble: LogTrouble) -> PumpTurn {
        if trouble.isFull, file.whenFull == .block, file.removeOldestSegment() { return .again }
        wait(for: file, trouble)
        return refuse(pipe, file)
    }

    /// Tries the file again later, and says so the first time.
    func wait(for file: LogFile, _ trouble: LogTrouble) {
        if file.waiting?.trouble != trouble {
            let consequence =
                switch file.whenFull {
                case .block: "its writers wait"
                case .drop: "lines are dropped and counted"
                }
            remark("log \(file.path) can't be written: \(trouble.reason); \(consequence)")
        }
        file.waiting = (trouble, now + Limits.logRetryWait)
        if !waitingFiles.contains(where: { $0 === file }) { waitingFiles.append(file) }
    }

    func recover(_ file: LogFile) {
        guard file.waiting != nil else { return }
        file.waiting = nil
        waitingFiles.removeAll { $0 === file }
        remark("log \(file.path) is written again")
        for pipe in file.feeders { enqueue(pipe) }
    }

    func refuse(_ pipe: LogPipe, _ file: LogFile) -> PumpTurn {
        switch file.whenFull {
        case .block: .waiting
        case .drop: drop(pipe, from: file)
        }
    }

    /// Takes a turn's bytes out of the pipe and forgets them; counted when they were meant for a file.
    func drop(_ pipe: LogPipe, from file: LogFile?) -> PumpTurn {
        let limit = min(pipe.passedBytes ?? pipe.waitingBytes, Limits.logTurnBytes)
        guard let count = try? scratch.take(pipe.descriptor.number, limit: limit),
            count > 0
        else {
            return pipe.hasHungUp ? .ended : .empty
        }
        pipe.gave(count)
        if let file {
            file.dropped.bytes += count
            file.dropped.lines += scratch.bytes[0..<count].count { $0 == 10 }
            pipe.skipsLine = scratch.bytes[count - 1] != 10
        }
        return .again
    }

    /// Drops the rest of a line whose beginning is gone.
    func skip(_ pipe: LogPipe, _ file: LogFile) throws(LogTrouble) -> PumpTurn {
        let limit = min(pipe.passedBytes ?? pipe.waitingBytes, Limits.logTurnBytes)
        let seen = try LogTrouble.asking { () throws(SystemError) in
            try scratch.peek(pipe.descriptor.number, limit: limit)
        }
        let window = scratch.bytes
        let end = LineCut.firstNewline(in: window.span.extracting(0..<seen))
        let count = end.map { $0 + 1 } ?? seen
        try LogTrouble.asking { () throws(SystemError) in try scratch.consume(pipe.descriptor.number, length: count) }
        file.dropped.bytes += count
        if end != nil { file.dropped.lines += 1 }
        pipe.gave(count)
        pipe.skipsLine = end == nil
        return .again
    }

    /// Says in the file itself what is missing from it.
    func writeNote(_ file: LogFile, for pipe: LogPipe) throws(LogTrouble) {
        guard file.dropped.bytes > 0 else { return }
        let reason = file.waiting?.trouble.reason ?? "it could not be written"
        let text = Array("orch: dropped \(file.dropped.sentence) of this log: \(reason)\n".utf8)
        var note: [UInt8] = file.endsLine() ? [] : [10]
        if var converter = pipe.converter {
            _ = converter.convert(
                text.span, stamp: stamp, remainder: .close, continuing: false, room: .max, into: &note)
        } else {
            note += text
        }
        try file.write(note.span, from: pipe, at: wall)
        file.dropped = LogFile.Dropped()
    }

    /// As soon as there is room, even when nothing more comes.
    func tellDropped(_ file: LogFile) {
        guard file.dropped.bytes > 0, let pipe = file.feeders.first else { return }
        touch(file.path)
        do throws(LogTrouble) {
            try file.prepare(now)
            try writeNote(file, for: pipe)
            recover(file)
        } catch {
            wait(for: file, error)
        }
    }
}

extension LogFile.Dropped {
    /// `3 lines (120 bytes)`.
    var sentence: String { "\(lines) line\(lines == 1 ? "" : "s") (\(bytes) byte\(bytes == 1 ? "" : "s"))" }
}

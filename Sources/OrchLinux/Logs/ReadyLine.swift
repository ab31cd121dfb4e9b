// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Waits for the line by which a service says that it is ready (`ready.log`). Lives on the pump's thread, until the line was found and
/// the daemon has noted it; then the pipe is as any other.
///
/// Lines are looked at while they are in the pipe, and the one that matches stays there until its finding is noted. So a daemon that is
/// killed before leaves it to the next one, wherever the lines go: nothing has to be searched.
final class ReadyLine {
    private let pattern: RegularExpression
    /// Bytes at the head of the pipe that were looked at and may go on.
    private(set) var passed = 0
    /// The line at the head of the pipe, or behind what has passed, is the one. Nothing more goes on.
    private(set) var isFound = false
    /// The beginning of the line at the head of the pipe has gone on.
    private var isWithinLine = false

    init(_ pattern: String) throws(Fault) { self.pattern = try RegularExpression(pattern) }

    func gave(_ count: Int) { passed = max(0, passed - count) }

    /// Looks at lines of which all but the last one have their end; the last one has it, or is cut here. O(bytes).
    func look(at lines: Span<UInt8>) {
        var start = 0
        while start < lines.count {
            let newline = LineCut.firstNewline(in: lines, from: start)
            let end = newline ?? lines.count
            if !isWithinLine, pattern.firstMatch(in: lines.extracting(LineCut.content(of: lines, start..<end))) != nil {
                isFound = true
                break
            }
            isWithinLine = newline == nil
            start = end + 1
        }
        passed = min(start, lines.count)
    }
}

extension PumpLoop {
    /// Looks for a line in what comes out of `pipe`.
    func expect(_ pattern: String, in pipe: LogPipe) {
        do throws(Fault) {
            pipe.ready = try ReadyLine(pattern)
            pipe.makeRoomForLines()
        } catch {
            remark("launch \(pipe.launch.number) can't become ready by a line that it writes: \(error.text)")
        }
    }

    /// How many bytes at the head of the pipe may go on; zero when the line that waits there has no end yet, or is the awaited one.
    func look(_ pipe: LogPipe, _ ready: ReadyLine, _ available: Int) throws(LogTrouble) -> Int {
        if ready.passed == 0, !ready.isFound {
            let whole = try wholeLines(pipe, available)
            guard whole > 0 else { return 0 }
            let window = scratch.bytes
            ready.look(at: window.span.extracting(0..<whole))
            if ready.isFound { mailbox.post(.readyLine(pipe.launch)) }
        }
        return min(ready.passed, available)
    }

    /// It was found, and that is noted: the launch's lines go on as any other's.
    func letGo(_ launch: LaunchID) {
        for pipe in pipes(of: launch) where pipe.ready != nil {
            pipe.ready = nil
            enqueue(pipe)
        }
    }
}

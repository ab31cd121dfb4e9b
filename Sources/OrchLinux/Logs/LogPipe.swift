// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import OrchModel

/// The read end of one output of one launch, and what is going on with it. Lives on the pump's thread.
final class LogPipe {
    /// Counts attachments; the event loop's name for it.
    let number: UInt64
    let launch: LaunchID
    /// Nil when both outputs come through it.
    let stream: LogStreamKind?
    private(set) var descriptor: Descriptor
    /// Bytes it holds at most.
    private(set) var capacity: Int
    /// When it was last found half full or more.
    var busyAt = Instant.zero
    /// Nil: read and thrown away.
    var file: LogFile?
    /// Nil: bytes as they are.
    var converter: LineConverter?
    /// Of the process that it was made for; 0 until it is known, and where nobody asks.
    var pid: Int32 = 0
    /// Nil: nobody looks at its lines.
    var tap: LineTap?
    /// Nil: it says nothing that is waited for.
    var ready: ReadyLine?
    /// Those who are attached, in the order in which they came.
    var viewers: [LogViewer] = []
    /// Nil: no probe asks for a line of it.
    var signs: LineSigns?
    /// No writer is left (EPOLLHUP), or the rest of it was given up.
    var hasHungUp = false
    /// It is in the pump's list of pipes with something to do.
    var isQueued = false
    /// An unfinished line is written when this comes.
    var heldUntil: Instant?
    /// When it is looked at again although nothing was heard of it, and after how long the last time.
    var lookAt: Instant?
    var lookStep = Duration.zero
    /// How many bytes waited at the last look, when they were an unfinished line.
    var heldBytes = 0
    /// Its launch is being closed; then it is given up.
    var drainUntil: Instant?
    /// Bytes to move until a pipe that others keep open is let go.
    var farewellBytes: Int?
    /// The rest of a line whose beginning was dropped is dropped too.
    var skipsLine = false

    init(number: UInt64, launch: LaunchID, stream: LogStreamKind?, descriptor: consuming Descriptor) {
        self.number = number
        self.launch = launch
        self.stream = stream
        capacity = max(4096, Int(corch_pipe_get_size(descriptor.number)))
        self.descriptor = descriptor
    }

    /// Gives the read end away; nothing can be done with the pipe any more.
    func release() -> Int32 {
        var given = Descriptor(owning: -1)
        swap(&given, &descriptor)
        return given.release()
    }

    /// What is left in it is older than what comes out of `other`.
    func comes(before other: LogPipe) -> Bool { launch < other.launch && stream == other.stream }

    /// How many bytes at its head were looked at by all who look before they go on; nil where nobody does.
    var passedBytes: Int? {
        let passed = [ready?.passed, signs?.seen].compactMap(\.self)
        return passed.min()
    }

    /// Bytes that wait in it; 0 when that can't be said.
    var waitingBytes: Int { max(0, Int(corch_bytes_readable(descriptor.number))) }

    /// An unfinished line is written at this length: its writer must never find the pipe full because of it.
    var longestPart: Int { min(Limits.logLineBytes, capacity / 2) }

    /// So many bytes of it have gone on, or are lost.
    func gave(_ count: Int) {
        if let left = farewellBytes { farewellBytes = left - count }
        ready?.gave(count)
        signs?.gave(count)
        if let tap { tap.seen = max(0, tap.seen - count) }
        for place in viewers.indices { viewers[place].shown = max(0, viewers[place].shown - count) }
    }

    /// Asks the kernel for a pipe of `bytes` (F_SETPIPE_SZ, fcntl(2)). False where it refuses: more waits in it, or its user has too many
    /// pages in pipes (fs.pipe-user-pages-soft, pipe(7)).
    func resize(to bytes: Int) -> Bool {
        let size = corch_pipe_set_size(descriptor.number, Int32(clamping: bytes))
        if size > 0 { capacity = Int(size) }
        return size > 0
    }

    /// What it has to hold: a line that waits in it for its end must not keep its writer from writing the rest.
    var leastBytes: Int {
        converter == nil && tap == nil && ready == nil && signs == nil ? Limits.logPipeBytes : Limits.logLineBytes * 2
    }

    func makeRoomForLines() {
        if capacity < leastBytes { _ = resize(to: leastBytes) }
    }

    func convert(for sink: LogSink) {
        converter =
            sink.format == .raw && !sink.stripANSI
            ? nil
            : LineConverter(
                format: sink.format, stripsANSI: sink.stripANSI, stream: stream, isTerminal: sink.isTerminal)
    }
}

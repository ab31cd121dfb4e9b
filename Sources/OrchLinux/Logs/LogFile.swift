// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// One log file that is being written, by one pipe or by several. Lives on the pump's thread.
///
/// What it knows of the file it learns anew from the file at each turn, so a daemon that comes after a killed one, a person who
/// truncates or deletes, and the pump itself all find the same truth: bytes go to the end of what is there.
final class LogFile {
    /// Lines and bytes that are lost, by policy.
    struct Dropped: Equatable {
        var lines = 0
        var bytes = 0
    }

    let path: String
    let folder: String
    let name: String
    /// Others write to it too: append mode, no rotation, no splice.
    let appends: Bool
    var rotate: LoggingSpec.Rotation
    var whenFull: LoggingSpec.WhenFull
    /// The pipes that lead here, in order of attachment.
    var pipes: [LogPipe] = []
    /// The pipes whose bad lines are copied here.
    var taps: [LogPipe] = []
    /// All that waits when it can't be written.
    var feeders: [LogPipe] { taps.isEmpty ? pipes : pipes + taps }
    /// Why nothing can be written at the moment, and when it is tried again.
    var waiting: (trouble: LogTrouble, until: Instant)?
    /// What `when_full: drop` threw away since the last note in the file said so.
    var dropped = Dropped()
    /// False after splice(2) has answered EINVAL.
    var canSplice: Bool
    /// Somebody asked for a rotation when the file was so long.
    var rotationAsked: Int64?
    /// Who waits for the next rotation, and where in their answers it belongs.
    var rotationsAwaited: [(asked: AskedRotation, place: Int)] = []
    /// The pipe that wrote last.
    weak var lastWriter: LogPipe?

    /// Bytes of the file, since the last `prepare`.
    private(set) var offset: Int64 = 0
    private(set) var status: FileStatus?
    /// When the next segment is too old, if any will be.
    var expiry: WallTime?
    let work: SegmentWork
    private var descriptor: Descriptor?
    private var index = LogIndexWriter()
    private var knownLineEnd: Bool?
    /// The file before was cut within a line that this one goes on with.
    var continuesLine = false
    private var checkedName = Instant.zero

    init(path: String, appends: Bool, sink: LogSink, work: SegmentWork) {
        self.path = path
        self.work = work
        self.appends = appends
        (folder, name) = LogLayout.split(path)
        rotate = sink.rotate
        whenFull = sink.whenFull
        canSplice = !appends
    }

    /// Where the file is to be rotated; nil when it isn't.
    var rotationSize: Int64? {
        guard !appends else { return nil }
        guard let asked = rotationAsked else { return rotate.size }
        return min(asked, rotate.size ?? asked)
    }

    /// Whether its first line is older than it may be. An index that could not be written tells no age.
    func isOld(at time: WallTime) -> Bool {
        guard !appends, offset > 0, let every = rotate.every, let began = index.began else { return false }
        return time - began >= every
    }

    /// Opens the file unless it is open and still the one its name means; learns its size.
    func prepare(_ now: Instant) throws(LogTrouble) {
        guard let number = descriptor?.number else { return try open(now) }
        let found = try LogTrouble.asking { () throws(SystemError) in try FileStatus(of: number) }
        var isOurs = found.links > 0
        if isOurs, now - checkedName >= Limits.logRetryWait {
            checkedName = now
            isOurs = try LogFolder.opened(folder).status(of: name)?.isSameFile(as: found) ?? false
        }
        guard isOurs else {
            close()
            return try open(now)
        }
        if found.size < offset {
            // Somebody truncated it: what the index says of it is no longer true.
            index = LogIndexWriter(name, of: found, in: try LogFolder.opened(folder))
        }
        if found.size != offset {
            offset = found.size
            knownLineEnd = nil
        }
    }

    func open(_ now: Instant) throws(LogTrouble) {
        let place = try LogFolder.opened(folder)
        let mode = appends ? O_APPEND : 0
        let opened = try LogTrouble.asking { () throws(SystemError) in
            try place.open(name, flags: O_RDWR | O_CREAT | mode)
        }
        let found = try LogTrouble.asking { () throws(SystemError) in try FileStatus(of: opened.number) }
        guard found.isRegular else { throw .notAFile }
        guard found.links == 1 else { throw .hardLink }
        guard appends || found.owner == geteuid() else { throw .foreign(found.owner) }
        if found.size == 0 { Failpoint.segmentFollowed.reach() }
        settleIndex(of: found, in: place)
        index = LogIndexWriter(name, of: found, in: place)
        status = found
        offset = found.size
        knownLineEnd = nil
        lastWriter = nil
        checkedName = now
        descriptor = consume opened
    }

    /// Forgets the open file; the next `prepare` opens what its name means then.
    func close() {
        descriptor = nil
        index = LogIndexWriter()
        status = nil
        rotationAsked = nil
    }

    /// Whether the file is empty or ends with a newline.
    func endsLine() -> Bool {
        if offset == 0 { return true }
        if let known = knownLineEnd { return known }
        guard let number = descriptor?.number else { return true }
        var byte: UInt8 = 10
        _ = unsafe pread(number, &byte, 1, off_t(offset - 1))
        knownLineEnd = byte == 10
        return byte == 10
    }

    /// Moves up to `length` bytes from the head of `pipe` to the end of the file, so that at every instant each byte is in exactly
    /// one of the two. Returns how many; zero when none waits.
    func splice(from pipe: LogPipe, length: Int, at time: WallTime) throws(LogTrouble) -> Int {
        guard let number = descriptor?.number else { return 0 }
        var end = offset
        // Before the bytes, so that a reader never finds a line whose time is still to come.
        let isNoted = waiting == nil
        if isNoted { note(pipe, time) }
        Failpoint.indexNoted.reach()
        let moved = unsafe corch_splice_at(
            pipe.descriptor.number, number, &end, length, CORCH_SPLICE_MOVE | CORCH_SPLICE_NONBLOCK)
        if moved == -Int64(EAGAIN) { return 0 }
        Failpoint.bytesSpliced.reach()
        let count = Int(try LogTrouble.asking { () throws(SystemError) in try Syscall.check("splice", moved) })
        if !isNoted, count > 0 { note(pipe, time) }
        wrote(count, by: pipe, endsLine: nil)
        return count
    }

    /// Writes all of `bytes` at the end of the file, or nothing (to a file of its own).
    func write(_ bytes: Span<UInt8>, from pipe: LogPipe, at time: WallTime) throws(LogTrouble) {
        guard let number = descriptor?.number else { return }
        guard bytes.count > 0 else { return }
        let isNoted = waiting == nil
        if isNoted { note(pipe, time) }
        var done = 0
        do throws(SystemError) {
            while done < bytes.count {
                let rest = bytes.extracting(done..<bytes.count)
                done += try unsafe rest.withUnsafeBytes { rest throws(SystemError) -> Int in
                    try Syscall.libc("write") {
                        unsafe appends
                            ? Glibc.write(number, rest.baseAddress, rest.count)
                            : pwrite(number, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
                    }
                }
            }
        } catch {
            if !appends, done > 0 { _ = ftruncate(number, off_t(offset)) }
            throw .system(error)
        }
        if !isNoted { note(pipe, time) }
        wrote(bytes.count, by: pipe, endsLine: bytes[bytes.count - 1] == 10)
        Failpoint.blockWritten.reach()
    }

    private func note(_ pipe: LogPipe, _ time: WallTime) {
        index.note(
            LogIndex.Entry(
                offset: offset, time: time, launch: pipe.launch, stream: pipe.stream,
                continuesLine: continuesLine && offset == 0))
    }

    private func wrote(_ count: Int, by pipe: LogPipe, endsLine: Bool?) {
        guard count > 0 else { return }
        continuesLine = false
        offset += Int64(count)
        knownLineEnd = endsLine
        lastWriter = pipe
    }

    /// Gives an index that still has the name of the active file to the segment that it belongs to: a rotation renames the file
    /// first, and may be killed before the index.
    private func settleIndex(of active: FileStatus, in place: borrowing LogFolder) {
        let own = LogLayout.index(of: name)
        guard let inode = LogIndexWriter.inode(of: own, in: place), inode != active.inode,
            let names = try? place.names(), let newest = LogLayout.segments(of: name, among: names).last
        else { return }
        let segment = LogLayout.segment(name, newest)
        guard place.status(of: segment)?.inode == inode else { return }
        _ = try? place.rename(own, to: LogLayout.index(of: segment))
    }
}

extension LogFolder {
    /// As `init`, with its failure told as trouble.
    static func opened(_ path: String) throws(LogTrouble) -> LogFolder {
        do { return try LogFolder(path) } catch { throw .system(error) }
    }
}

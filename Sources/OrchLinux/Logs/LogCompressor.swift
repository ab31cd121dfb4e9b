// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// Compresses rotated segments one after the other, on a thread that yields to everything else.
///
/// At every instant a segment is whole under one of its two names, or both: the compressed one is complete, on the disk and has its
/// name before the plain one goes. What a kill leaves behind is done anew at the next rotation.
final class LogCompressor: Sendable {
    private struct Job {
        var segment: String
        var folder: String
    }

    private let thread = JobThread(yields: true)
    private let remark: @Sendable (String) -> Void

    /// - Parameter remark: takes, on any thread, why a segment stays as it is.
    init(remark: @escaping @Sendable (String) -> Void) { self.remark = remark }

    /// Where a compressed segment grows until it gets its name. Hidden, so that nobody takes it for one.
    static func unfinished(_ segment: String) -> String { ".\(LogLayout.compressed(segment)).part" }

    /// Has `segment` compressed, unless it waits for that already.
    func compress(_ segment: String, in folder: String) {
        let path = LogLayout.join(folder, segment)
        _ = thread.add(path) { [remark] in
            do throws(SystemError) {
                try LogCompressor.compress(Job(segment: segment, folder: folder))
            } catch { remark("log segment \(path) stays uncompressed: \(error.reason) (\(error.call))") }
        }
    }

    private static func compress(_ job: Job) throws(SystemError) {
        let place = try LogFolder(reading: job.folder)
        // Gone: somebody removed it before its turn came.
        guard let status = place.status(of: job.segment), status.isRegular else { return }
        let plain = try place.open(job.segment, flags: O_RDONLY)
        let part = unfinished(job.segment)
        let name = LogLayout.compressed(job.segment)
        do throws(SystemError) {
            let packed = try place.open(part, flags: O_RDWR | O_CREAT | O_TRUNC)
            try Gzip.pack(plain.number, into: packed.number)
            // Its age is its last line's.
            let time = timespec(
                tv_sec: Int(status.modified.nanoseconds / 1_000_000_000),
                tv_nsec: Int(status.modified.nanoseconds % 1_000_000_000))
            _ = unsafe futimens(packed.number, [time, time])
            try Syscall.libc("fsync") { fsync(packed.number) }
            Failpoint.segmentPacked.reach()
            try copyIndex(of: job.segment, to: name, inode: FileStatus(of: packed.number).inode, in: place)
        } catch {
            place.remove(part)
            throw error
        }
        place.remove(name)
        _ = try place.rename(part, to: name)
        Failpoint.segmentDoubled.reach()
        guard place.remove(job.segment) else {
            // It was removed meanwhile, and so goes its copy.
            place.remove(name)
            place.remove(LogLayout.index(of: name))
            return
        }
        Failpoint.segmentReplaced.reach()
        place.remove(LogLayout.index(of: job.segment))
    }

    /// The entries stay as they are: they count the bytes of the log, not those of the file.
    private static func copyIndex(
        of segment: String, to name: String, inode: UInt64, in place: borrowing LogFolder
    ) throws(SystemError) {
        guard let entries = try? place.open(LogLayout.index(of: segment), flags: O_RDONLY) else { return }
        let copy = try place.open(LogLayout.index(of: name), flags: O_WRONLY | O_CREAT | O_TRUNC)
        var block = LogIndex.header(inode: inode)
        var offset = Int64(LogIndex.headerBytes)
        while !block.isEmpty {
            let written = try Syscall.libc("write") { unsafe write(copy.number, block, block.count) }
            guard written == block.count else { throw SystemError("write", code: ENOSPC) }
            block = LogIndexWriter.read(entries.number, at: offset, count: 64 << 10)
            offset += Int64(block.count)
        }
    }
}

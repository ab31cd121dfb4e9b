// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
public import OrchWire

/// The machine's files, to read logs from. For one thread.
public final class LinuxLogFiles: LogFiles {
    public init() {}

    public func names(in folder: String) -> [String] { (try? LogFolder(reading: folder).names()) ?? [] }

    public func inode(of path: String) -> UInt64? {
        var found = stat()
        guard unsafe stat(path, &found) == 0 else { return nil }
        return UInt64(found.st_ino)
    }

    /// Only regular files: opening a FIFO that took a log's name must not wait for a writer. A segment that is compressed is unpacked
    /// into a file without a name, which lives as long as it is open.
    public func open(_ path: String) -> OpenLog? {
        if let plain = plain(path) { return plain }
        guard errno == ENOENT, let packed = plain(LogLayout.compressed(path)) else { return nil }
        defer { close(packed) }
        let handle = Self.unnamedFile()
        guard handle >= 0 else { return nil }
        do {
            try Gzip.unpack(packed.handle, into: handle)
            return OpenLog(handle: handle, inode: packed.inode)
        } catch {
            Glibc.close(handle)
            return nil
        }
    }

    private func plain(_ path: String) -> OpenLog? {
        let handle = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard handle >= 0 else { return nil }
        guard let status = try? FileStatus(of: handle), status.isRegular else {
            Glibc.close(handle)
            errno = EINVAL
            return nil
        }
        return OpenLog(handle: handle, inode: status.inode)
    }

    /// On a disk, as a segment may be larger than memory; in memory where that is not to be had.
    private static func unnamedFile() -> Int32 {
        let handle = unsafe Glibc.open("/var/tmp", corch_O_TMPFILE | O_RDWR | O_CLOEXEC, 0o600)
        return handle >= 0 ? handle : unsafe corch_memfd("log")
    }

    public func size(of file: OpenLog) -> Int64 { (try? FileStatus(of: file.handle).size) ?? 0 }

    public func read(_ file: OpenLog, at offset: Int64, count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            length = unsafe max(0, pread(file.handle, buffer.baseAddress, count, off_t(offset)))
        }
    }

    public func close(_ file: OpenLog) { Glibc.close(file.handle) }
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// Writes the time index of one log file. Nothing that goes wrong here stops the log: without an index its lines only have no time.
struct LogIndexWriter: ~Copyable {
    private let descriptor: Descriptor?
    private let number: Int32?
    private var last: LogIndex.Entry?
    /// When the first byte of the file was written; nil while there is none.
    private(set) var began: WallTime?

    /// Opens the index of `name`, whose file is `status`; begins a new one when what is there belongs to another file.
    init(_ name: String, of status: FileStatus, in folder: borrowing LogFolder) {
        let own = LogLayout.index(of: name)
        guard let opened = try? folder.open(own, flags: O_RDWR | O_CREAT | O_APPEND),
            let found = try? FileStatus(of: opened.number),
            found.isRegular, found.links == 1
        else {
            descriptor = nil
            number = nil
            return
        }
        var length = found.size
        let header = Self.read(opened.number, at: 0, count: LogIndex.headerBytes)
        if LogIndex.inode(ofHeader: header) == status.inode {
            // A torn last entry can only come from a full disk; the file goes on before it.
            let whole = length - (length - Int64(LogIndex.headerBytes)) % Int64(LogIndex.entryBytes)
            if whole != length { _ = ftruncate(opened.number, off_t(whole)) }
            length = whole
            if length > LogIndex.headerBytes {
                last = Self.entry(in: opened.number, at: length - Int64(LogIndex.entryBytes))
                began = Self.entry(in: opened.number, at: Int64(LogIndex.headerBytes))?.time
            }
            // Entries beyond the end: the log was truncated by somebody.
            if let entry = last, entry.offset > status.size { length = 0 }
        } else {
            length = 0
        }
        if length == 0 {
            last = nil
            began = nil
            _ = ftruncate(opened.number, 0)
            Self.write(opened.number, LogIndex.header(inode: status.inode))
        }
        number = opened.number
        descriptor = consume opened
    }

    /// An index that is written nowhere.
    init() {
        descriptor = nil
        number = nil
    }

    /// Says that bytes from `entry.offset` on were just written, unless the last entry says it well enough.
    mutating func note(_ entry: LogIndex.Entry) {
        if began == nil { began = entry.time }
        guard let number, LogIndex.needsEntry(entry, after: last) else { return }
        if Self.write(number, LogIndex.encode(entry)) { last = entry }
    }

    /// The inode that the index file `name` says it belongs to.
    static func inode(of name: String, in folder: borrowing LogFolder) -> UInt64? {
        guard let opened = try? folder.open(name, flags: O_RDONLY) else { return nil }
        return LogIndex.inode(ofHeader: read(opened.number, at: 0, count: LogIndex.headerBytes))
    }

    private static func entry(in descriptor: Int32, at offset: Int64) -> LogIndex.Entry? {
        LogIndex.decode(read(descriptor, at: offset, count: LogIndex.entryBytes))
    }

    /// Fewer bytes at the end, none when they can't be read.
    static func read(_ descriptor: Int32, at offset: Int64, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = unsafe pread(descriptor, &bytes, count, off_t(offset))
        return Array(bytes.prefix(max(0, got)))
    }

    /// All of it or nothing; false for nothing.
    @discardableResult
    private static func write(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        let written = unsafe Glibc.write(descriptor, bytes, bytes.count)
        if written > 0, written < bytes.count, let status = try? FileStatus(of: descriptor) {
            _ = ftruncate(descriptor, off_t(status.size - Int64(written)))
        }
        return written == bytes.count
    }
}

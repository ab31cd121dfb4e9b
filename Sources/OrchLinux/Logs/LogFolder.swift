// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// The folder of a log file, held open while something in it changes, so that names mean the same from the first call to the last.
struct LogFolder: ~Copyable {
    private let descriptor: Descriptor

    /// Opens `path`, making what is missing of it with mode 0700.
    init(_ path: String) throws(SystemError) {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        var opened = unsafe Glibc.open(path, flags)
        if opened < 0, errno == ENOENT {
            try Self.make(path)
            opened = unsafe Glibc.open(path, flags)
        }
        guard opened >= 0 else { throw SystemError("open", code: errno) }
        descriptor = Descriptor(owning: opened)
    }

    /// Opens `path` if it is there.
    init(reading path: String) throws(SystemError) {
        descriptor = Descriptor(
            owning: try Syscall.libc("open") { unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    private static func make(_ path: String) throws(SystemError) {
        var at = ""
        for part in path.split(separator: "/") {
            at += "/" + part
            if unsafe mkdir(at, 0o700) < 0, errno != EEXIST, errno != EISDIR, errno != EROFS {
                throw SystemError("mkdir", code: errno)
            }
        }
    }

    /// openat(2), never through a symbolic link in the last place, never waiting for a FIFO's other end; close-on-exec, mode 0600.
    func open(_ name: String, flags: Int32) throws(SystemError) -> Descriptor {
        let number = try Syscall.libc("open") {
            unsafe openat(descriptor.number, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o600)
        }
        return Descriptor(owning: number)
    }

    /// What `name` is, itself even if it is a link; nil when it isn't there.
    func status(of name: String) -> FileStatus? {
        var found = stat()
        guard unsafe fstatat(descriptor.number, name, &found, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        return FileStatus(found)
    }

    /// Renames within the folder; false when `to` exists, which is left alone.
    func rename(_ from: String, to: String) throws(SystemError) -> Bool {
        let answer = unsafe corch_renameat2(descriptor.number, from, descriptor.number, to, CORCH_RENAME_NOREPLACE)
        if answer == -EEXIST { return false }
        // A file system without the flag (NFS): nobody but the pump names segments here.
        if answer == -EINVAL, status(of: to) == nil {
            try Syscall.check("rename", unsafe corch_renameat2(descriptor.number, from, descriptor.number, to, 0))
        } else {
            try Syscall.check("rename", answer)
        }
        return true
    }

    /// Whether it was there and is gone.
    @discardableResult
    func remove(_ name: String) -> Bool { unsafe unlinkat(descriptor.number, name, 0) == 0 }

    /// The names in it, in no order. What can't be read is not empty: the next segment's number would be one that was.
    func names() throws(SystemError) -> [String] {
        let copy = try Syscall.libc("open") {
            unsafe openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard let stream = unsafe fdopendir(copy) else {
            let code = errno
            close(copy)
            throw SystemError("fdopendir", code: code)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

/// What stat(2) says of a file, as far as a log cares.
struct FileStatus: Equatable {
    var device: UInt64
    var inode: UInt64
    var links: UInt64
    var owner: UInt32
    var size: Int64
    /// When its content last changed.
    var modified: WallTime
    var isRegular: Bool

    init(_ found: stat) {
        device = UInt64(found.st_dev)
        inode = UInt64(found.st_ino)
        links = UInt64(found.st_nlink)
        owner = found.st_uid
        size = Int64(found.st_size)
        modified = WallTime(
            nanoseconds: Int64(found.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(found.st_mtim.tv_nsec))
        isRegular = found.st_mode & S_IFMT == S_IFREG
    }

    init(of descriptor: Int32) throws(SystemError) {
        var found = stat()
        try Syscall.libc("fstat") { unsafe fstat(descriptor, &found) }
        self.init(found)
    }

    func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}

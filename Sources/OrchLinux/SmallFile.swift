// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Files that are read or written whole: the kernel's own, and the daemon's small records.
enum SmallFile {
    /// `open(2)`, close-on-exec, never a controlling terminal.
    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemError) -> Descriptor {
        Descriptor(owning: try Syscall.libc("open") { unsafe Glibc.open(path, flags | O_CLOEXEC | O_NOCTTY, mode) })
    }

    /// The first `limit` bytes.
    static func read(_ path: String, limit: Int = 1 << 20) throws(SystemError) -> [UInt8] {
        let number = try Syscall.libc("open") {
            SpareDescriptor.lend { unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) }
        }
        let file = Descriptor(owning: number)
        return try read(from: file.number, limit: limit)
    }

    /// A file of our own that nobody writes to: its size says how much there is of it. The first `limit` bytes.
    static func record(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let number = try Syscall.libc("open") {
            SpareDescriptor.lend { unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) }
        }
        let file = Descriptor(owning: number)
        var facts = stat()
        try Syscall.libc("fstat") { unsafe fstat(file.number, &facts) }
        let size = min(limit, Int(facts.st_size))
        var code: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < buffer.count {
                let came = unsafe Glibc.read(file.number, buffer.baseAddress?.advanced(by: count), buffer.count - count)
                if came == 0 { break }
                if came > 0 { count += came }
                if came > 0 || errno == EINTR { continue }
                code = errno
                break
            }
        }
        guard code == 0 else { throw SystemError("read", code: code) }
        return bytes
    }

    /// From where the descriptor stands to the end, at most `limit` bytes.
    static func read(from fd: Int32, limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: min(limit, 4096))
        while bytes.count < limit {
            let count = try Syscall.libc("read") {
                unsafe Glibc.read(fd, &block, min(block.count, limit - bytes.count))
            }
            if count == 0 { break }
            bytes.append(contentsOf: block[..<count])
            if count == block.count, block.count < 65536 { block = [UInt8](repeating: 0, count: block.count * 4) }
        }
        return bytes
    }

    /// As text, nil when it can't be read.
    static func text(_ path: String, limit: Int = 1 << 20) -> String? {
        do { return String(decoding: try read(path, limit: limit), as: UTF8.self) } catch { return nil }
    }

    /// All bytes; interrupted and short writes go on.
    static func write(_ bytes: [UInt8], to fd: Int32) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            done += try Syscall.libc("write") {
                unsafe bytes.withUnsafeBytes {
                    unsafe Glibc.write(fd, $0.baseAddress?.advanced(by: done), bytes.count - done)
                }
            }
        }
    }

    /// One write into a file of the kernel's, which takes effect at once.
    static func poke(_ text: String, into path: String) throws(SystemError) {
        let file = try open(path, O_WRONLY)
        try write(Array(text.utf8), to: file.number)
    }

    /// Names in a directory but `.` and `..`, in no order; empty when it can't be read.
    static func names(in path: String) -> [String] { entries(of: path) ?? [] }

    /// The same; nil when it can't be read.
    static func entries(of path: String) -> [String]? {
        let number = SpareDescriptor.lend { unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard number >= 0 else { return nil }
        guard let directory = unsafe fdopendir(number) else {
            close(number)
            return nil
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            // In place: the field is 256 bytes, and nearly all names are short.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The inode of an open pipe; nil for anything else.
    static func pipe(_ fd: Int32) -> UInt64? {
        var facts = stat()
        guard unsafe fstat(fd, &facts) == 0, facts.st_mode & S_IFMT == S_IFIFO else { return nil }
        return UInt64(facts.st_ino)
    }

    /// Where a symbolic link points; nil when there is none.
    static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 512)
        let count = unsafe readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

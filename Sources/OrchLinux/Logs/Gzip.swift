// SPDX-License-Identifier: Apache-2.0
internal import CZlib
internal import Glibc

/// RFC 1952 from descriptor to descriptor. Neither is closed.
enum Gzip {
    private static let blockBytes = 256 << 10

    /// Compresses all of `source`, which is a regular file, to the end of `target`.
    static func pack(_ source: Int32, into target: Int32) throws(SystemError) {
        let copy = try Syscall.libc("dup") { fcntl(target, F_DUPFD_CLOEXEC, 3) }
        guard let file = unsafe gzdopen(copy, "wb6") else {
            close(copy)
            throw SystemError("gzdopen", code: ENOMEM)
        }
        var failure: SystemError?
        var offset: off_t = 0
        var block = [UInt8](repeating: 0, count: blockBytes)
        while failure == nil {
            let count = unsafe pread(source, &block, block.count, offset)
            if count < 0 { failure = SystemError("pread", code: errno) }
            guard count > 0 else { break }
            offset += off_t(count)
            if unsafe gzwrite(file, block, UInt32(count)) != Int32(count) {
                failure = SystemError("gzwrite", code: errno)
            }
        }
        if unsafe gzclose_w(file) != Z_OK, failure == nil { failure = SystemError("gzclose", code: errno) }
        if let failure { throw failure }
    }

    /// Writes what `source` holds to `target`, as far as it is whole.
    static func unpack(_ source: Int32, into target: Int32) throws(SystemError) {
        let copy = try Syscall.libc("dup") { fcntl(source, F_DUPFD_CLOEXEC, 3) }
        guard let file = unsafe gzdopen(copy, "rb") else {
            close(copy)
            throw SystemError("gzdopen", code: ENOMEM)
        }
        defer { unsafe gzclose_r(file) }
        var block = [UInt8](repeating: 0, count: blockBytes)
        while true {
            let count = unsafe gzread(file, &block, UInt32(block.count))
            guard count > 0 else { return }
            let written = try Syscall.libc("write") { unsafe write(target, block, Int(count)) }
            guard written == Int(count) else { throw SystemError("write", code: ENOSPC) }
        }
    }
}

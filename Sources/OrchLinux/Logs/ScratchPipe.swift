// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// A pipe of the pump's own into which tee(2) copies what waits in another, so that it can be looked at and still be there.
struct ScratchPipe: ~Copyable {
    private let read: Descriptor
    private let write: Descriptor
    /// What was seen: the first `count` bytes.
    private(set) var bytes: [UInt8]
    private(set) var count = 0
    private var waste: [UInt8] = []

    /// Holds `Limits.logTurnBytes` where the kernel allows it (fs.pipe-user-pages-soft, pipe(7)), else what it gives.
    init() throws(SystemError) {
        let ends = try Descriptor.pipe(flags: O_NONBLOCK)
        _ = corch_pipe_set_size(ends.write.number, Int32(Limits.logTurnBytes))
        let capacity = try Syscall.check("fcntl F_GETPIPE_SZ", corch_pipe_get_size(ends.write.number))
        bytes = [UInt8](repeating: 0, count: Int(capacity))
        read = ends.read
        write = ends.write
    }

    /// Copies up to `limit` bytes from the head of `pipe` into `bytes`, consuming nothing; returns how many. Fewer than wait there
    /// when the kernel's buffers are many and small.
    mutating func peek(_ pipe: Int32, limit: Int) throws(SystemError) -> Int {
        count = 0
        let copied = corch_tee(pipe, write.number, min(limit, bytes.count), CORCH_SPLICE_NONBLOCK)
        guard copied != Int64(-EAGAIN) else { return 0 }
        let expected = Int(try Syscall.check("tee", copied))
        while count < expected {
            let got = try Self.fill(&bytes, from: read.number, range: count..<expected)
            guard got > 0 else { break }
            count += got
        }
        return count
    }

    /// Takes `length` bytes that wait in `pipe` out of it; `bytes` stay as they are.
    mutating func consume(_ pipe: Int32, length: Int) throws(SystemError) {
        if waste.isEmpty { waste = [UInt8](repeating: 0, count: Limits.logLineBytes) }
        var left = length
        while left > 0 {
            let got = try Self.fill(&waste, from: pipe, range: 0..<min(left, waste.count))
            guard got > 0 else { return }
            left -= got
        }
    }

    /// Takes up to `limit` bytes out of `pipe`, into `bytes`.
    mutating func take(_ pipe: Int32, limit: Int) throws(SystemError) -> Int {
        count = try Self.fill(&bytes, from: pipe, range: 0..<min(limit, bytes.count))
        return count
    }

    private static func fill(_ bytes: inout [UInt8], from descriptor: Int32, range: Range<Int>) throws(SystemError)
        -> Int
    {
        var whole = bytes.mutableSpan
        return try unsafe whole.withUnsafeMutableBytes { buffer throws(SystemError) -> Int in
            let place = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[range])
            return try Syscall.libc("read") { unsafe Glibc.read(descriptor, place.baseAddress, place.count) }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc

/// The one owner of a file descriptor: closes it when its life ends, and can't be copied by accident.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, for calls that borrow it. It must not outlive this value.
    public let number: Int32

    /// Takes over `number`, which the caller must own and not close.
    public init(owning number: Int32) {
        self.number = number
    }

    /// Takes over the answer of a `corch_*` call that makes a descriptor; throws when it is `-errno`.
    public init(_ call: String, _ answer: Int32) throws(SystemError) {
        self.number = try Syscall.check(call, answer)
    }

    /// Gives the number away: whoever takes it closes it.
    public consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    /// A second, close-on-exec descriptor of the same open file, at the lowest number from `minimum` up.
    public func duplicate(from minimum: Int32 = 3) throws(SystemError) -> Descriptor {
        try Descriptor("fcntl F_DUPFD_CLOEXEC", corch_dup_above(number, minimum))
    }

    /// `pipe2(2)`, close-on-exec. `flags`: `O_NONBLOCK`, on both ends.
    public static func pipe(flags: Int32 = 0) throws(SystemError) -> PipeEnds {
        var ends: (Int32, Int32) = (-1, -1)
        let answer = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe corch_pipe(bytes.assumingMemoryBound(to: Int32.self).baseAddress, flags)
        }
        try Syscall.check("pipe2", answer)
        return PipeEnds(read: Descriptor(owning: ends.0), write: Descriptor(owning: ends.1))
    }

    deinit {
        // Not retried on EINTR: Linux has released the number by then (close(2)).
        _ = close(number)
    }
}

/// Both ends of a new pipe; take them out one by one.
@frozen
public struct PipeEnds: ~Copyable, Sendable {
    /// Where bytes come out.
    public var read: Descriptor
    /// Where bytes go in.
    public var write: Descriptor

    public init(read: consuming Descriptor, write: consuming Descriptor) {
        self.read = read
        self.write = write
    }
}

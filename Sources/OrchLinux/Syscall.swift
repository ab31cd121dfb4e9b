// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// What the kernel refused: the call and its errno. The thing it was about belongs to whoever reports it.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The manual page's name of the call, e.g. `openat2`.
    public let call: String
    /// A positive errno, e.g. `ENOENT`.
    public let code: Int32

    public init(_ call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The C library's sentence for the code, e.g. `No such file or directory`.
    public var reason: String { SystemError.sentence(code) }

    public var description: String { "\(call): \(reason) (errno \(code))" }

    /// `strerror_r(3)`: safe on any thread.
    public static func sentence(_ code: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        let failed = unsafe strerror_r(code, &text, 128)
        guard failed == 0 else { return "error \(code)" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// How a system call's answer becomes a value or an error.
public enum Syscall {
    /// For `corch_*`: the value, or the error when it is `-errno`.
    @inlinable
    @discardableResult
    public static func check<Value: FixedWidthInteger & SignedInteger>(
        _ call: @autoclosure () -> String, _ value: Value
    ) throws(SystemError) -> Value {
        guard value < 0 else { return value }
        throw SystemError(call(), code: Int32(truncatingIfNeeded: 0 - value))
    }

    /// For plain libc calls: runs `body` again on `EINTR`, takes `errno` when it returns -1.
    @discardableResult
    public static func libc<Value: FixedWidthInteger & SignedInteger>(
        _ call: @autoclosure () -> String, _ body: () -> Value
    ) throws(SystemError) -> Value {
        while true {
            let value = body()
            guard value < 0 else { return value }
            let code = errno
            guard code == EINTR else { throw SystemError(call(), code: code) }
        }
    }
}

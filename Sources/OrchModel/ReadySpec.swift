// SPDX-License-Identifier: Apache-2.0

/// How readiness is announced, if it is not simply having been started.
public enum ReadySpec: Equatable, Sendable {
    /// sd_notify(3): a datagram with `READY=1`.
    case notify
    /// A whole line of standard output or error that this POSIX extended regular expression (regex(7)) matches, in the first
    /// `Limits.logLineBytes` of the line. At most `Limits.patternBytes`.
    case log(String)
    /// A newline on this descriptor, which is opened for it (s6's notification-fd); in `numbers`.
    case fd(Int)

    /// Above standard error, below where path locks are inherited.
    public static let numbers = 3...50

    /// Its key in the manifest.
    public var key: String {
        switch self {
        case .notify: "ready.notify"
        case .log: "ready.log"
        case .fd: "ready.fd"
        }
    }
}

extension ReadySpec: ValueCodable {
    public var value: Value {
        switch self {
        case .notify: ["notify": true]
        case .log(let pattern): ["log": .string(pattern)]
        case .fd(let number): ["fd": .int(Int64(number))]
        }
    }
    public init(_ value: Value) throws(ShapeError) {
        if let pattern = value["log"]?.string {
            self = .log(pattern)
        } else if let number = value["fd"]?.int {
            guard let number = Int(exactly: number), Self.numbers.contains(number) else {
                throw ShapeError(
                    path: "fd", expected: "a number from \(Self.numbers.lowerBound) to \(Self.numbers.upperBound)")
            }
            self = .fd(number)
        } else if value["notify"]?.bool == true {
            self = .notify
        } else {
            throw ShapeError(path: "notify", expected: "true, or another way to be ready")
        }
    }
}

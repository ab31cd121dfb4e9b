// SPDX-License-Identifier: Apache-2.0

/// How readiness is announced, if it is not simply having been started.
public enum ReadySpec: Equatable, Sendable {
    /// sd_notify(3): a datagram with `READY=1`.
    case notify
    /// A whole line of standard output or error that this POSIX extended regular expression (regex(7)) matches, in the first
    /// `Limits.logLineBytes` of the line. At most `Limits.patternBytes`.
    case log(String)

    /// Its key in the manifest.
    public var key: String {
        switch self {
        case .notify: "ready.notify"
        case .log: "ready.log"
        }
    }
}

extension ReadySpec: ValueCodable {
    public var value: Value {
        switch self {
        case .notify: ["notify": true]
        case .log(let pattern): ["log": .string(pattern)]
        }
    }
    public init(_ value: Value) throws(ShapeError) {
        if let pattern = value["log"]?.string {
            self = .log(pattern)
        } else if value["notify"]?.bool == true {
            self = .notify
        } else {
            throw ShapeError(path: "notify", expected: "true, or another way to be ready")
        }
    }
}

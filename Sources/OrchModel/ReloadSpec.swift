// SPDX-License-Identifier: Apache-2.0

/// How a service that runs takes up what has changed, without being started anew.
public enum ReloadSpec: Equatable, Sendable {
    /// To the main process. Nobody can tell when it is done.
    case signal(Signal)
    /// Runs in the service's surroundings; exit status 0 within the time is a reload.
    case command(CommandLine, timeout: Duration)
    /// SIGHUP to the main process, which then says RELOADING=1 and, when it is done, READY=1: `Type=notify-reload` of systemd.service(5).
    case notify(timeout: Duration)

    public static let standardTimeout = Duration.seconds(30)
}

/// `{signal: SIGHUP}`, `{command, timeout}` or `{notify: true, timeout}`.
extension ReloadSpec: ValueCodable {
    public var value: Value { written(complete: false) }

    func written(complete: Bool) -> Value {
        var w = ObjectWriter(complete: complete)
        switch self {
        case .signal(let signal): w.set("signal", signal.name)
        case .command(let command, let timeout):
            w.set(command: command)
            w.set("timeout", timeout, unless: Self.standardTimeout)
        case .notify(let timeout):
            w.set("notify", .bool(true))
            w.set("timeout", timeout, unless: Self.standardTimeout)
        }
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        let timeout = try r.duration("timeout", or: Self.standardTimeout)
        if r.has("signal") {
            self = .signal(try r.signal("signal"))
        } else if r.has("command") {
            self = .command(try r.command(), timeout: timeout)
        } else if try r.bool("notify", or: false) {
            self = .notify(timeout: timeout)
        } else {
            throw ShapeError(path: "", expected: "a signal, a command or notify")
        }
    }
}

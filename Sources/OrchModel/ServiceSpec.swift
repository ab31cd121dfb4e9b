// SPDX-License-Identifier: Apache-2.0

/// What a manifest says of one service, with every default filled in and every name resolved: the noun that is compared.
public struct ServiceSpec: Equatable, Sendable {
    /// `task` runs to completion; `service` is kept up.
    public enum Kind: String, Sendable, CaseIterable { case service, task }

    /// Exactly one: a copy of a spec costs one reference, whatever it is made of, and it is written to in place.
    @usableFromInline var facts: [ServiceFacts]

    public init(name: String, kind: Kind = .service, command: CommandLine, workingDirectory: String) {
        facts = [
            ServiceFacts(
                name: name, kind: kind, command: command, workingDirectory: workingDirectory,
                startTimeout: kind == .service ? .seconds(60) : nil,
                restart: RestartPolicy(kind == .service ? .onFailure : .no), stop: .standard(for: command))
        ]
    }
}

extension ServiceSpec {
    /// That it is outside of its profiles, in words; nil when it is not.
    public var outside: String? {
        profiles.isEmpty
            ? nil : "outside of its profile\(profiles.count == 1 ? "" : "s") \(profiles.joined(separator: ", "))"
    }
    /// Why it is not enabled, for when it is not.
    public var disabledBecause: String {
        outside.map { "\($0); --profile \(profiles[0]) enables it" } ?? "disabled in the manifest"
    }
}

/// A name and its value.
public struct EnvironmentEntry: Hashable, Sendable, ValueCodable {
    public var name: String
    public var text: String
    public init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }
    public var value: Value { .array([.string(name), .string(text)]) }
    public init(_ value: Value) throws(ShapeError) {
        guard let parts = value.array, parts.count == 2, let name = parts[0].string, let text = parts[1].string
        else { throw ShapeError(path: "", expected: "a name and a value") }
        self.init(name, text)
    }
}

/// What is executed.
public enum CommandLine: Equatable, Sendable {
    /// A string handed to `shell`, which ends with the option that takes it: `[/bin/sh, -c]`.
    case shell(String, shell: [String])
    /// Executed as it is; the first word is searched along PATH when it has no slash. Words in the form of a `LaunchTemplate`.
    case exec([String])

    public static let standardShell = ["/bin/sh", "-c"]

    /// The words that execve(2) gets.
    public var arguments: [String] {
        switch self {
        case .shell(let text, let shell): shell + [text]
        case .exec(let words): words
        }
    }
    public var isShell: Bool { if case .shell = self { true } else { false } }
}

/// What a service needs before it may start.
public struct Dependency: Equatable, Sendable {
    /// When a dependency counts as met.
    public enum Condition: String, Sendable, CaseIterable { case started, ready, healthy, completed, succeeded }
    /// What a later restart or failure of the dependency does to the dependant.
    public enum Reaction: String, Sendable, CaseIterable { case ignore, restart, stop }

    /// A service of the same stack.
    public var on: String
    public var condition: Condition
    /// False: gates only while it is there and enabled.
    public var required = true
    /// How long a start may wait; then the dependant is `failed`. Nil waits for ever.
    public var timeout: Duration?
    public var onRestart = Reaction.ignore
    public var onFailure = Reaction.ignore

    public init(on: String, condition: Condition = .ready) {
        self.on = on
        self.condition = condition
    }
}

/// Kubernetes' three probes.
public struct HealthSpec: Equatable, Sendable {
    public var startup: Probe?
    public var readiness: Probe?
    public var liveness: Probe?
    public init() {}

    public subscript(kind: ProbeKind) -> Probe? {
        get {
            switch kind {
            case .startup: startup
            case .readiness: readiness
            case .liveness: liveness
            }
        }
        set {
            switch kind {
            case .startup: startup = newValue
            case .readiness: readiness = newValue
            case .liveness: liveness = newValue
            }
        }
    }
}

/// Which of the three a probe is.
public enum ProbeKind: String, Sendable, CaseIterable {
    case startup, readiness, liveness

    public static let allCases: [ProbeKind] = [.startup, .readiness, .liveness]
}

/// A question asked again and again.
public struct Probe: Equatable, Sendable {
    public indirect enum Action: Equatable, Sendable {
        case http(HTTPProbe)
        /// `host:port`, with launch variables still in it.
        case tcp(String)
        /// Exit status 0 is a success.
        case command(CommandLine)
        /// A line of standard output or error that this POSIX extended regular expression (regex(7)) matches: each question waits for one
        /// that was written since the one before was answered, for as long as its timeout.
        case log(String)
        /// A path that must exist, absolute, with launch variables still in it.
        case file(String)
        /// What the service says by sd_notify(3): `READY=1` for startup and readiness, `WATCHDOG=1` for liveness.
        case notify
    }
    /// What a failing liveness probe does.
    public enum Reaction: Equatable, Sendable { case restart, stop, report, signal(Signal) }

    public var action: Action
    public var initialDelay = Duration.zero
    public var interval = Duration.seconds(10)
    public var timeout = Duration.seconds(1)
    public var successThreshold = 1
    public var failureThreshold = 3
    public var onFailure = Reaction.restart
    public init(_ action: Action) { self.action = action }

    /// As a watchdog: how long the service may be silent, `WatchdogSec=` of systemd.service(5).
    public var silence: Duration { interval * failureThreshold }
}

/// An HTTP request and what its answer must be.
public struct HTTPProbe: Equatable, Sendable {
    /// Absolute, `http://` or `https://`; launch variables (`${PORT}`, `${ORCH_…}`) are still in it.
    public var url: String
    public var method = "GET"
    /// Values in the form of a `LaunchTemplate`.
    public var headers: [EnvironmentEntry] = []
    /// In the form of a `LaunchTemplate`.
    public var body: String?
    /// Inclusive ranges of status codes.
    public var status: [ClosedRange<Int>] = [200...399]
    /// POSIX extended regular expression that one line of the body must match.
    public var bodyPattern: String?
    /// Dotted paths into the JSON body and what must be there.
    public var json: [JSONExpectation] = []
    public init(url: String) { self.url = url }
}

/// A dotted path into a JSON body and the scalar expected there.
public struct JSONExpectation: Equatable, Sendable {
    public var path: String
    public var expected: Value
    public init(path: String, expected: Value) {
        self.path = path
        self.expected = expected
    }
}

/// Whether and when an ended process is started again.
public struct RestartPolicy: Equatable, Sendable {
    public enum Policy: String, Sendable, CaseIterable {
        case no
        case onFailure = "on-failure"
        case always
        case unlessStopped = "unless-stopped"
    }
    public var policy: Policy
    public var delay = Duration.milliseconds(200)
    /// At least 1.
    public var factor = 2.0
    public var maxDelay = Duration.seconds(60)
    /// 0...1: the delay is varied by up to this part of it.
    public var jitter = 0.1
    /// Up for so long, failures are forgotten.
    public var resetAfter = Duration.seconds(60)
    /// More failures than this within `window` is `failed`; nil never gives up.
    public var maxAttempts: Int?
    public var window = Duration.seconds(600)
    /// From `failed`, try again after so long; nil never.
    public var retryAfter: Duration?
    public init(_ policy: Policy) { self.policy = policy }
}

/// A way to have ended.
public enum ExitPattern: Hashable, Sendable {
    case code(Int32)
    case signal(Signal)
}

/// How a service is stopped: steps, each tried until what is in scope is gone or its wait is over; the last one kills the tree.
public struct StopSpec: Equatable, Sendable {
    public enum Scope: String, Sendable, CaseIterable { case tree, group, main }
    public enum Recipient: String, Sendable, CaseIterable { case main, group, tree }
    public enum Action: Equatable, Sendable {
        case signal(Signal, to: Recipient)
        case http(HTTPProbe)
        case command(CommandLine)
        case stdin(String)
        /// Everything that belongs to the service, by SIGKILL.
        case kill
    }
    public struct Step: Equatable, Sendable {
        public var action: Action
        public var wait: Duration
        public init(_ action: Action, wait: Duration) {
            self.action = action
            self.wait = wait
        }
        var isKill: Bool { if case .kill = action { true } else { false } }
    }
    public var scope = Scope.tree
    /// Never empty; the last is `kill`.
    public var steps: [Step]
    public init(scope: Scope = .tree, steps: [Step]) {
        self.scope = scope
        self.steps = steps.last?.action == .kill ? steps : steps + [Step(.kill, wait: .zero)]
    }

    /// `stop_signal` and `stop_grace_period`, to the group of a shell command and to the main process of another.
    public static func standard(
        for command: CommandLine, signal: Signal = .terminate, grace: Duration = .seconds(10)
    ) -> StopSpec {
        StopSpec(steps: [Step(.signal(signal, to: command.isShell ? .group : .main), wait: grace)])
    }

    /// Equal to `standard(for: command)`.
    func isStandard(for command: CommandLine) -> Bool {
        guard scope == .tree, steps.count == 2, steps[1] == Step(.kill, wait: .zero), steps[0].wait == .seconds(10),
            case .signal(.terminate, let recipient) = steps[0].action
        else { return false }
        return recipient == (command.isShell ? .group : .main)
    }
}

/// Where output goes and how its files are kept small.
public struct LoggingSpec: Equatable, Sendable {
    public enum Sink: Equatable, Sendable {
        /// `<state>/logs/<stack>/<service>/<stream>.log`.
        case standard
        /// Absolute; launch variables may be in it.
        case file(String)
        /// As `file`, without rotation: others may write to it too.
        case append(String)
        case discard
        /// Standard error into standard output's file.
        case merge
    }
    public enum Format: String, Sendable, CaseIterable { case raw, timestamped, json }
    public enum WhenFull: String, Sendable, CaseIterable { case block, drop }
    /// The machine's own log, which gets a copy of each line; the files stay what counts.
    public enum Forward: String, Sendable, CaseIterable { case none, journald, syslog }
    public struct Rotation: Equatable, Sendable {
        /// Bytes; nil does not rotate by size.
        public var size: Int64? = 10_000_000
        /// Rotated files that are kept.
        public var keep = 5
        /// How long after its first line a file is rotated, at the latest; nil does not rotate by time. At least a second.
        public var every: Duration?
        /// How long after its last line a rotated file is removed; nil never does by age. At least a second.
        public var maxAge: Duration?
        /// Bytes that a log has at most on disk, the file that is being written included; more than `size`, which it needs.
        public var total: Int64?
        public var compress = Compression.none
        public init() {}
    }
    /// What becomes of a rotated file. `gzip` is RFC 1952; `orch logs` reads it like the others.
    public enum Compression: String, Sendable, CaseIterable { case none, gzip }
    public var stdout = Sink.standard
    public var stderr = Sink.standard
    public var format = Format.raw
    public var rotate = Rotation()
    public var whenFull = WhenFull.block
    public var stripANSI = false
    /// POSIX extended regular expressions (regex(7)): what they match is masked wherever log lines are shown, never in the files. At most
    /// `Limits.redactions`, each of at most `Limits.patternBytes`.
    public var redact: [String] = []
    /// How the level of a line is told, and where the bad ones are copied; nil looks at no line.
    public struct Levels: Equatable, Sendable {
        public enum Source: Equatable, Sendable {
            /// One JSON object a line (`LevelReader.json`).
            case json
            /// What a line begins with (`LevelReader.prefix`).
            case prefix
            /// A POSIX extended regular expression (regex(7)) that errors match; it tells nothing of other lines.
            case pattern(String)
        }
        public var from: Source
        /// Absolute; launch variables may be in it. Nil copies nowhere: the level is for `forward`.
        public var errorFile: String?
        public init(from: Source, errorFile: String?) {
            self.from = from
            self.errorFile = errorFile
        }
    }
    public var levels: Levels?
    public var forward = Forward.none
    public init() {}
}

/// A port that must be free before the start and that the process is told.
public struct PortSpec: Equatable, Sendable {
    public enum Transport: String, Sendable, CaseIterable { case tcp, udp }
    public enum OnConflict: String, Sendable, CaseIterable { case fail, wait, next }
    public var name: String?
    /// 1...65535; 0 is `auto`: any free one.
    public var port: Int
    public var transport = Transport.tcp
    /// `any` or an address.
    public var host = "any"
    public var onConflict = OnConflict.fail
    public init(port: Int) { self.port = port }
}

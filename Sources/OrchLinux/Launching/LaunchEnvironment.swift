// SPDX-License-Identifier: Apache-2.0
internal import OrchEngine
internal import OrchModel

/// The environment of one launch, built from nothing: what is inherited, what is declared, what the launch itself adds.
struct LaunchEnvironment: Equatable {
    private enum Form {
        case entries([String])
        /// NUL-separated, as it was read: few launches are ever asked for theirs.
        case packed([UInt8])
    }

    private var form: Form

    /// `NAME=text`, each name once, sorted by name.
    private(set) var entries: [String] {
        get {
            switch form {
            case .entries(let entries): entries
            case .packed(let bytes): Text.pieces(bytes, separatedBy: 0)
            }
        }
        set { form = .entries(newValue) }
    }

    static func == (a: LaunchEnvironment, b: LaunchEnvironment) -> Bool { a.entries == b.entries }

    /// What `${PORT}` and `${ORCH_…}` stand for.
    var launchVariables: [String: String] {
        var found: [String: String] = [:]
        for entry in entries where entry.utf8.first == UInt8(ascii: "O") || entry.utf8.first == UInt8(ascii: "P") {
            guard let sign = entry.utf8.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(entry[..<sign])
            if LaunchTemplate.isLaunchName(name) { found[name] = String(entry[entry.utf8.index(after: sign)...]) }
        }
        return found
    }
    /// The directories of PATH, absolute ones only: an empty or relative entry would mean the working directory.
    var searchPath: [String] {
        let own = entries.first { $0.utf8.starts(with: "PATH=".utf8) }.map { Substring($0.utf8.dropFirst(5)) } ?? ""
        let path = own.isEmpty ? Substring(Self.standardPath) : own
        return path.utf8.split(separator: UInt8(ascii: ":")).filter { $0.first == UInt8(ascii: "/") }
            .map { String(Substring($0)) }
    }
    static let watchdogTime = "WATCHDOG_USEC="
    static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// As `entries` were.
    init(_ entries: [String]) { form = .entries(entries) }

    /// As `entries` were, with a NUL between each two; at least one.
    init(packed bytes: [UInt8]) { form = .packed(bytes) }

    /// Appends each entry with a NUL before it.
    func encode(to bytes: inout [UInt8]) {
        switch form {
        case .entries(let entries):
            for entry in entries {
                bytes.append(0)
                bytes.append(contentsOf: entry.utf8)
            }
        case .packed(let packed):
            bytes.append(0)
            bytes.append(contentsOf: packed)
        }
    }

    /// `mark` tells this daemon's processes from another's; `notify` is the path of its notify socket, `secrets` the launch's folder of them.
    /// What secrets hold is not in it: that is added when the process is made.
    init(
        _ order: LaunchOrder, account: Account?, ports: [AssignedPort], mark: String, notify: String?,
        secrets: String? = nil
    ) {
        // By name; later sources replace earlier ones.
        var values: [String: String] = [:]
        for entry in order.inherited { values[entry.name] = entry.text }
        if let account {
            values["HOME"] = account.home
            values["USER"] = account.name
            values["LOGNAME"] = account.name
            values["SHELL"] = account.shell
        }
        // What Docker says, too: nobody knows which terminals will be attached.
        if order.process.hasTerminal { values["TERM"] = "xterm" }
        // Ours, not theirs: a service that is a Swift program keeps its crash reports.
        values["SWIFT_BACKTRACE"] = nil
        var added = Self.launchValues(order, ports: ports, mark: mark)
        if order.spec.speaks, let notify {
            added["NOTIFY_SOCKET"] = notify
            // sd_watchdog_enabled(3); WATCHDOG_PID is added when the process is made.
            added["WATCHDOG_USEC"] = order.spec.watchdog.map { "\($0.nanoseconds / 1_000)" }
        }
        added["ORCH_SECRETS"] = secrets
        for entry in order.hook?.variables ?? [] { added[entry.name] = entry.text }
        let variables = added.filter { LaunchTemplate.isLaunchName($0.key) }
        for entry in order.spec.environment { values[entry.name] = LaunchTemplate.resolve(entry.text, with: variables) }
        for name in order.spec.unset { values[name] = nil }
        for secret in order.spec.secrets { for name in secret.variables { values[name] = nil } }
        values.merge(added) { _, new in new }
        form = .entries(values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
    }

    private static func launchValues(_ order: LaunchOrder, ports: [AssignedPort], mark: String) -> [String: String] {
        var values = [
            "ORCH_STACK": order.instance.service.stack, "ORCH_SERVICE": order.instance.service.service,
            "ORCH_INSTANCE": order.label,
            "ORCH_REPLICA": "\(order.instance.replica)", "ORCH_LAUNCH": "\(order.launch.number)", "ORCH_RUN": mark,
        ]
        if let first = ports.first { values["PORT"] = "\(first.port)" }
        for port in ports {
            guard let name = port.name else { continue }
            values["ORCH_PORT_\(name.uppercased().map { $0 == "-" ? "_" : $0 }.map(String.init).joined())"] =
                "\(port.port)"
        }
        return values
    }

    /// The same for a command that serves the launch (a probe, a stop step), which is a launch of its own.
    func serving(_ runner: LaunchID) -> LaunchEnvironment {
        var copy = self
        copy.entries = entries.compactMap { entry in
            if entry.utf8.starts(with: "NOTIFY_SOCKET=".utf8) { return nil }
            if entry.utf8.starts(with: Self.watchdogTime.utf8) { return nil }
            return entry.utf8.starts(with: "ORCH_LAUNCH=".utf8) ? "ORCH_LAUNCH=\(runner.number)" : entry
        }
        return copy
    }

    /// The words that execve(2) gets: launch variables are filled in, but not in shell text, which has them in its environment.
    func words(of command: CommandLine) -> [String] {
        switch command {
        case .shell(let text, let shell): return shell + [text]
        case .exec(let words):
            guard words.contains(where: { $0.utf8.contains(UInt8(ascii: "$")) }) else { return words }
            let variables = launchVariables
            return words.map { LaunchTemplate.resolve($0, with: variables) }
        }
    }
}

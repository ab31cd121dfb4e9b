// SPDX-License-Identifier: Apache-2.0

/// Files whose change does something to a service.
public struct WatchRule: Equatable, Sendable {
    /// What a change does.
    public enum Action: Equatable, Sendable {
        case restart, reload
        case signal(Signal)
        case command(CommandLine)
    }
    /// Absolute; a file, or a folder with all below it.
    public var path: String
    /// Patterns of names that count, and of those that don't.
    public var include = ["*"]
    public var ignore: [String] = []
    /// So long nothing more must change before anything is done.
    public var debounce = Duration.seconds(2)
    public var action = Action.restart
    /// A restart goes on to the services that need this one.
    public var cascade = false

    public init(path: String) { self.path = path }

    /// Names that nobody means: what version control, package and editor programs keep for themselves. Patterns of fnmatch(3).
    public static let alwaysIgnored = [
        ".git", ".hg", ".svn", ".jj", "node_modules", "__pycache__", ".venv", ".tox", ".mypy_cache", ".pytest_cache",
        ".ruff_cache", ".idea", ".vscode", ".DS_Store", "*~", "*.sw[a-p]", ".#*", "#*#", "4913", "*.pyc",
    ]
}

/// `{path, include, ignore, debounce, action, cascade}`.
extension WatchRule: ValueCodable {
    public var value: Value {
        let standard = WatchRule(path: path)
        var w = ObjectWriter()
        w.set("path", path)
        if include != standard.include { w.set("include", strings: include) }
        if !ignore.isEmpty { w.set("ignore", strings: ignore) }
        w.set("debounce", debounce, unless: standard.debounce)
        if action != standard.action { w.set("action", action.value) }
        w.set("cascade", cascade, unless: false)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(path: try r.string("path"))
        include = try r.strings("include", or: include)
        ignore = try r.strings("ignore", or: [])
        debounce = try r.duration("debounce", or: debounce)
        action = try r.optional("action") ?? action
        cascade = try r.bool("cascade", or: false)
    }
}

extension WatchRule.Action: ValueCodable {
    public var value: Value {
        switch self {
        case .restart: "restart"
        case .reload: "reload"
        case .signal(let signal): ["signal": .string(signal.name)]
        case .command(let command):
            {
                var w = ObjectWriter()
                w.set(command: command)
                return w.value
            }()
        }
    }
    public init(_ value: Value) throws(ShapeError) {
        switch value.string {
        case "restart": self = .restart
        case "reload": self = .reload
        default:
            if let name = value["signal"]?.string, let signal = Signal(text: name) {
                self = .signal(signal)
            } else if value["command"] != nil {
                self = .command(try ObjectReader(value).command())
            } else {
                throw ShapeError(path: "", expected: "restart, reload, a signal or a command")
            }
        }
    }
}

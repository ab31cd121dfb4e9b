// SPDX-License-Identifier: Apache-2.0

/// Which of a process's two outputs.
public enum LogStreamKind: String, Sendable, CaseIterable { case stdout, stderr }

/// Where the bytes of one output of one instance go, with every name resolved.
public struct LogSink: Equatable, Sendable {
    public enum Destination: Equatable, Sendable {
        /// Absolute; orch's own, rotated.
        case file(String)
        /// Absolute; shared with others, never rotated, written in append mode.
        case append(String)
        /// Nowhere. A launch that starts like this gets `/dev/null` and no pipe.
        case discard

        /// Nil when it is discarded.
        public var path: String? {
            switch self {
            case .file(let path), .append(let path): path
            case .discard: nil
            }
        }
    }
    public var destination: Destination
    public var format: LoggingSpec.Format
    public var rotate: LoggingSpec.Rotation
    public var whenFull: LoggingSpec.WhenFull
    public var stripANSI: Bool
    /// Its lines end with a carriage return, too: that goes no further than the terminal, unless bytes are kept as they are.
    public var isTerminal = false
    /// How the level of a line is told, and the file that bad ones are copied to, absolute.
    public var levels: LoggingSpec.Levels.Source?
    public var errorFile: String?
    /// The machine's own log that gets a copy, and of whom it says that the lines are.
    public var forward = LoggingSpec.Forward.none
    public var instance: InstanceID?

    public init(
        _ destination: Destination, format: LoggingSpec.Format = .raw, rotate: LoggingSpec.Rotation = .init(),
        whenFull: LoggingSpec.WhenFull = .block, stripANSI: Bool = false
    ) {
        self.destination = destination
        self.format = format
        self.rotate = rotate
        self.whenFull = whenFull
        self.stripANSI = stripANSI
    }
}

/// The names of log files: what is written, what it becomes by rotation, and where its time index lies.
public enum LogLayout {
    /// The file of one output of one instance; nil when it is discarded.
    ///
    /// By default `<state>/logs/<stack>/<service>/<stream>.log`, `<stream>.2.log` for replica 2. A file that the manifest names gets the
    /// replica's number before its extension (`web.log`, `web.2.log`; `web`, `web-2` without one, as `web.2` would be a rotated `web`),
    /// unless it says `${ORCH_REPLICA}` itself. A file that is appended to is one for all.
    public static func path(
        for stream: LogStreamKind, spec: LoggingSpec, stack: String, service: String, replica: Int, state: String
    ) -> String? {
        destination(for: stream, spec: spec, stack: stack, service: service, replica: replica, state: state).path
    }

    /// Everything the pump has to know about one output of one instance.
    public static func sink(
        for stream: LogStreamKind, spec: LoggingSpec, stack: String, service: String, replica: Int, state: String
    ) -> LogSink {
        var sink = LogSink(
            destination(for: stream, spec: spec, stack: stack, service: service, replica: replica, state: state),
            format: spec.format, rotate: spec.rotate, whenFull: spec.whenFull, stripANSI: spec.stripANSI
        )
        sink.levels = spec.levels?.from
        sink.errorFile = spec.levels?.errorFile.map { named($0, stack, service, replica) }
        sink.forward = spec.forward
        if spec.forward != .none {
            sink.instance = InstanceID(service: ServiceID(stack: stack, service: service), replica: replica)
        }
        return sink
    }

    /// A path of the manifest for one instance.
    private static func named(
        _ path: String, _ stack: String, _ service: String, _ replica: Int, isShared: Bool = false
    ) -> String {
        let resolved = path.replacing("${ORCH_STACK}", with: stack).replacing("${ORCH_SERVICE}", with: service)
            .replacing("${ORCH_REPLICA}", with: String(replica))
        return isShared || path.contains("${ORCH_REPLICA}") ? resolved : numbered(resolved, replica)
    }

    private static func destination(
        for stream: LogStreamKind, spec: LoggingSpec, stack: String, service: String, replica: Int, state: String
    ) -> LogSink.Destination {
        switch stream == .stdout ? spec.stdout : spec.stderr {
        case .standard:
            return .file("\(state)/logs/\(stack)/\(service)/" + numbered("\(stream.rawValue).log", replica))
        case .file(let path): return .file(named(path, stack, service, replica))
        // One for all.
        case .append(let path): return .append(named(path, stack, service, replica, isShared: true))
        case .discard: return .discard
        case .merge:
            // Standard output can't be merged into itself.
            guard stream == .stderr, spec.stdout != .merge else { return .discard }
            return destination(for: .stdout, spec: spec, stack: stack, service: service, replica: replica, state: state)
        }
    }

    /// `path` for one replica of several; replica 1 keeps it.
    static func numbered(_ path: String, _ replica: Int) -> String {
        guard replica > 1 else { return path }
        let (folder, name) = split(path)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else {
            return join(folder, "\(name)-\(replica)")
        }
        return join(folder, "\(name[..<dot]).\(replica)\(name[dot...])")
    }

    /// The folder and the last name of a path. The folder of `/a` is `/`; of a bare name it is empty.
    public static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("", path) }
        let name = String(path[path.index(after: slash)...])
        return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
    }

    /// The path of `name` in `folder`.
    public static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder == "/" ? "/\(name)" : "\(folder)/\(name)"
    }

    /// What file `name` becomes as the rotated segment `number`: `web.log.7`.
    public static func segment(_ name: String, _ number: Int) -> String { "\(name).\(number)" }

    /// What a rotated segment is called once it is compressed: `web.log.7.gz`.
    public static func compressed(_ segment: String) -> String { segment + ".gz" }

    /// The number of `candidate` among the rotated segments of `name`, compressed or not; nil when it is none. Only the spelling that
    /// rotation makes counts: no sign, no leading zero.
    public static func segmentNumber(of candidate: String, in name: String) -> Int? {
        guard candidate.utf8.count > name.utf8.count + 1, candidate.hasPrefix(name + ".") else { return nil }
        var digits = candidate.dropFirst(name.count + 1)
        if digits.hasSuffix(".gz") { digits = digits.dropLast(3) }
        guard digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), digits.utf8.first != 48 else { return nil }
        return Int(digits)
    }

    /// The rotated segments of `name` among the names of its folder, oldest first; one that is being compressed may be there in both
    /// forms and counts once. O(n log n).
    public static func segments(of name: String, among names: [String]) -> [Int] {
        inOrder(names.compactMap { segmentNumber(of: $0, in: name) })
    }

    /// The same for every file of a folder at once, by the name of the active file. O(n log n).
    public static func segments(among names: [String]) -> [String: [Int]] {
        var found: [String: [Int]] = [:]
        for name in names {
            let plain = name.hasSuffix(".gz") ? name.dropLast(3) : Substring(name)
            guard let dot = plain.utf8.lastIndex(of: UInt8(ascii: ".")) else { continue }
            let active = String(plain[..<dot])
            if let number = segmentNumber(of: name, in: active) { found[active, default: []].append(number) }
        }
        return found.mapValues(inOrder)
    }

    /// Each once.
    private static func inOrder(_ numbers: [Int]) -> [Int] {
        var sorted: [Int] = []
        for number in numbers.sorted() where number != sorted.last { sorted.append(number) }
        return sorted
    }

    /// The time index of a file or a segment. Hidden, so that `web.log.*` finds log data only.
    public static func index(of name: String) -> String { ".\(name).index" }
}

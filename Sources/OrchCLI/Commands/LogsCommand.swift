// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct LogsCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what services wrote, merged by time.",
        discussion: """
            Reads across rotated files, with or without a daemon. On a terminal control characters are made visible; into a \
            pipe the bytes of a single service go as they are.
            """,
        subcommands: [LogsRotateCommand.self])

    @Argument(
        help: "The services; default: all of the stack of the manifest here, else of the only one.",
        completion: ServiceCompletion.kind)
    var services: [String] = []
    @Flag(name: .shortAndLong, help: "Go on as more is written.")
    var follow = false
    @Option(
        name: [.customShort("n", allowingJoined: true), .customLong("lines")],
        help: "The newest so many lines; default: 100, or all with --since.")
    var lines: Int?
    @Option(help: ArgumentHelp("From when on: `10m` ago, or RFC 3339.", valueName: "time"))
    var since: TimeArgument?
    @Option(help: ArgumentHelp("Until when.", valueName: "time"))
    var until: TimeArgument?
    @Flag(help: "Standard error only.")
    var stderr = false
    @Flag(help: "Standard output only.")
    var stdout = false
    @Option(help: ArgumentHelp("Only lines that match this POSIX extended regular expression.", valueName: "regex"))
    var grep: String?
    @Flag(help: "What the launch before the current one wrote, or before the last one when none lives.")
    var previous = false
    @Flag(help: "Print one {\"time\",\"stack\",\"service\",\"instance\",\"launch\",\"stream\",\"line\"} a line.")
    var json = false

    func validate() throws {
        if stderr, stdout {
            throw ValidationError("--stderr and --stdout exclude each other; without either both are shown.")
        }
        if previous, follow {
            throw ValidationError("--previous is of a launch that is over; -f would wait for nothing.")
        }
        if let lines, lines < 0 { throw ValidationError("-n takes a count, not \(lines).") }
    }

    /// How often a followed file is looked at.
    static let beat = Duration.milliseconds(100)
    private static let usualLines = 100

    func run(in context: Context) throws(Failure) -> ExitCode {
        let kinds: [LogStreamKind] = stderr ? [.stderr] : stdout ? [.stdout] : [.stdout, .stderr]
        let instances = try instances(in: context)
        let selection = try LogSelection(instances, kinds: kinds, on: context.platform)
        guard !selection.streams.isEmpty else {
            throw Failure(
                .failed, "there is no log to show: what is meant writes none", help: "`orch config` shows its logging")
        }
        let form: LogLineView.Form =
            json ? .json : context.console.isTerminal() ? .terminal(context.console.palette()) : .bytes
        let view = LogLineView(form: form, isNamed: selection.hasSeveralInstances, nameWidth: selection.nameWidth)
        var query = try query(in: context)
        if previous { try select(previousOf: instances, for: &query, in: context) }
        var reader = LogReader(context.platform.logFiles, streams: selection.streams, query: query)
        defer { reader.close() }
        if follow { context.platform.catchInterrupts() }
        while true {
            var bytes: [UInt8] = []
            while let line = reader.next() {
                bytes += view.bytes(of: line, by: selection.voices[line.stream])
                if bytes.count >= Self.blockBytes {
                    try context.console.write(bytes)
                    bytes = []
                }
            }
            try context.console.write(bytes)
            guard follow else { return .success }
            let wakeups = context.platform.wait(until: context.platform.now.instant + Self.beat)
            if wakeups.contains(.interrupted) { return .interrupted }
        }
    }

    private static let blockBytes = 64 << 10

    private func query(in context: Context) throws(Failure) -> LogQuery {
        let now = context.platform.now.wall
        var query = LogQuery()
        query.since = since?.time(at: now)
        query.until = until?.time(at: now)
        query.last = lines ?? (since == nil ? Self.usualLines : nil)
        query.follows = follow
        if let grep {
            do throws(Fault) {
                let find = try context.platform.pattern(grep)
                query.accepts = { find($0.bytes, 0) != nil }
            } catch { throw Failure(.usage, error) }
        }
        return query
    }

    /// Has the query take only what the launches before the current ones wrote.
    private func select(
        previousOf instances: [InstanceStatus], for query: inout LogQuery, in context: Context
    ) throws(Failure) {
        let files = context.platform.logFiles
        let launches = instances.compactMap { instance -> LaunchID? in
            guard let launch = instance.launch else { return nil }
            let paths = [instance.stdoutLog, instance.stderrLog].compactMap { $0 }
            return LogLaunches.last(before: launch, in: paths, files)
        }
        guard !launches.isEmpty else {
            throw Failure(
                .failed, "there is no earlier launch in the logs of what is meant",
                help: "`orch events` shows which launches there were")
        }
        query.accepts = { [accepts = query.accepts] line in
            line.launch.map(launches.contains) ?? false && accepts?(line) ?? true
        }
    }

    /// From the daemon, else from what is stored: logs can be read whoever runs.
    private func instances(in context: Context) throws(Failure) -> [InstanceStatus] {
        let stacks: [StackStatus]
        if let session = try Session.open(context.platform) {
            stacks = try context.stacks(from: session)
        } else {
            stacks = StoredStatus(platform: context.platform).stacks()
            context.console.remark(Line("orch: no daemon runs; these are the logs that it left", .faint))
        }
        let targets = try TargetChoice(stacks: stacks, platform: context.platform).targets(services)
        return stacks.flatMap(\.instances).filter { instance in targets.contains { $0.covers(instance.id) } }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct RunCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a task now, show what it writes, and exit with its code.",
        discussion: """
            Also one that has succeeded already, or whose schedule says later; what it needs is started first. Lines of its standard error go to \
            standard error. Ctrl-C leaves it running: `orch stop` ends it. Refused, with exit code 5, while it runs.

            Exits with 0 when it succeeded, else with its code, 128 and the number of a signal, or 1 when it never ran.
            """)
    @Argument(help: "The task: `migrate`, `stack/migrate`.", completion: ServiceCompletion.kind)
    var task: String

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.startedDaemon()
        let target = try TargetChoice(stacks: try context.stacks(from: session), platform: context.platform).service(
            task)
        guard case .status(let stacks) = try session.ask(.status(target, .instances)),
            let row = stacks.flatMap(\.instances).first
        else { throw Failure.unexpectedReply }
        guard row.kind == .task else {
            throw Failure(
                .usage, "\(row.label) is a service and no task: it is not over by itself",
                help: "`orch start \(row.label)` starts it, `orch exec \(row.label) -- …` runs a command beside it")
        }
        guard !row.phase.hasProcess else {
            throw Failure(
                .refused, "\(row.label) is \(row.phase.rawValue)" + (row.pid.map { " (pid \($0))" } ?? ""),
                help:
                    "`orch logs -f \(row.label)` shows what it writes, `orch wait \(row.label) --for completed` waits for its end"
            )
        }
        context.platform.catchInterrupts()
        var run = TaskRun(context, session, target, before: row)
        _ = try session.ask(.start([target]))
        return try run.follow()
    }
}

/// One run of a task, from the command that asked for it to its end.
private struct TaskRun {
    private let context: Context
    private let session: Session
    private let target: Target
    private let before: InstanceStatus
    private let begin: Moment
    private var logs: (source: [String?], selection: LogSelection, reader: LogReader)?

    init(_ context: Context, _ session: Session, _ target: Target, before: InstanceStatus) {
        self.context = context
        self.session = session
        self.target = target
        self.before = before
        begin = context.platform.now
    }

    mutating func follow() throws(Failure) -> ExitCode {
        defer { logs?.reader.close() }
        var following = try followForever()
        while true {
            for happening in try session.nextOfLasting(until: context.platform.now.instant + LogsCommand.beat) {
                switch happening {
                case .resized, .typed: break
                case .replaced: following = try followForever()
                case .interrupted: throw interrupted
                case .reply(let reply):
                    guard reply.id == following, case .instance(let status) = reply.body else { continue }
                    try listen(to: status)
                    if isOver(status) { return try end(of: status) }
                }
            }
            try drain()
        }
    }

    private var interrupted: Failure {
        Failure(
            .interrupted, "\(before.label) runs on",
            help: "`orch logs -f \(before.label)` shows more of it, `orch stop \(before.label)` ends it")
    }

    /// The daemon says that a task has completed once what it wrote is in its files, or does not come in time.
    private func awaitLastWords() throws(Failure) {
        let request = try session.begin(.follow([target], goal: .reached(.completed)))
        let deadline = context.platform.now.instant + Limits.lastWordsWait + Limits.lastWordsWait
        while context.platform.now.instant < deadline {
            for happening in try session.nextOfLasting(until: deadline) {
                switch happening {
                case .resized, .typed: break
                case .replaced, .interrupted: return
                case .reply(let reply): if reply.id == request, case .verdict = reply.body { return }
                }
            }
        }
    }

    private func followForever() throws(Failure) -> UInt64 {
        try session.begin(.follow([target], goal: .forever))
    }

    /// Whether this is how the run ended that was asked for, and no other one follows by itself.
    private func isOver(_ status: InstanceStatus) -> Bool {
        switch status.phase {
        case .starting, .running, .ready, .unhealthy, .reloading, .stopping, .stuck, .backoff: false
        // One of a schedule waits for the next instant then.
        case .waiting, .idle, .done: status.launch != before.launch
        case .failed: status.launch != before.launch || status.since >= begin.wall
        }
    }

    private mutating func end(of status: InstanceStatus) throws(Failure) -> ExitCode {
        try awaitLastWords()
        try drain()
        if status.phase == .done { return .success }
        let code = ExitCode(status.exit)
        if status.phase != .failed, code == .success { return .success }
        throw Failure(
            code == .success ? .failed : code,
            "\(status.label): " + (status.reason.isEmpty ? status.exit?.text ?? status.phase.rawValue : status.reason),
            help: "`orch why \(status.label)` tells the story")
    }

    private mutating func listen(to status: InstanceStatus) throws(Failure) {
        let source = [status.stdoutLog, status.stderrLog] + status.redactedLog + status.secretFiles
        guard logs?.source != source else { return }
        logs?.reader.close()
        var query = LogQuery()
        // Times in the log are the pump's, and no finer than its turns: whose lines are meant, the launch says.
        query.since = begin.wall + (.zero - Limits.lastWordsWait)
        query.follows = true
        if let former = before.launch { query.accepts = { $0.launch.map { $0 > former } ?? true } }
        let selection = try LogSelection([status], kinds: [.stdout, .stderr], on: context.platform)
        let reader = LogReader(context.platform.logFiles, streams: selection.streams, query: query)
        logs = (source, selection, reader)
    }

    private mutating func drain() throws(Failure) {
        guard let selection = logs?.selection else { return }
        let view = LogLineView(
            form: context.console.isTerminal() ? .terminal(context.console.palette()) : .bytes, isNamed: false,
            nameWidth: 0)
        while let line = logs?.reader.next() {
            let voice = selection.voices[line.stream]
            let bytes = view.bytes(of: line, by: voice)
            if voice.kind == .stderr {
                context.console.writeError(String(decoding: bytes, as: UTF8.self))
            } else {
                try context.console.write(bytes)
            }
        }
    }
}

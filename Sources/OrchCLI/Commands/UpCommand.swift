// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct UpCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Apply in the foreground, with all logs.",
        discussion: """
            Ctrl-C stops the stack in order and exits 130, a second Ctrl-C kills what is left. A stack that runs already is \
            joined; then Ctrl-C only leaves it. When an essential service ends, the stack stops and `up` exits with its code (128 and \
            the number of a signal).
            """)

    @OptionGroup var manifest: ManifestOptions
    @Flag(help: "Take over a stack of this name that another manifest owns.")
    var adopt = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        var request = try manifest.load(in: context, isApplied: true)
        request.adopt = adopt
        let session = try context.startedDaemon()
        let stack = request.stack.name
        let isJoined = try context.stacks(from: session).contains { status in
            status.name == stack && status.instances.contains { $0.phase.hasProcess }
        }
        guard case .plan(let plan) = try session.ask(.diff(request)) else { throw Failure.unexpectedReply }
        try context.console.print(PlanView(plan: plan, width: context.console.width).lines())
        context.platform.catchInterrupts()
        let begin = context.platform.now
        guard case .accepted = try session.ask(.apply(request)) else { throw Failure.unexpectedReply }
        var foreground = Foreground(
            context, session, stack: stack, isJoined: isJoined, services: request.stack.services, begin: begin)
        return try foreground.run()
    }
}

/// A stack in the foreground: its logs and its changes, line by line, until Ctrl-C or its own end.
struct Foreground {
    private enum Stage { case running, stopping, killing }
    private let context: Context
    private let session: Session
    private let stack: String
    private let isJoined: Bool
    private let expected: Int
    private let begin: Moment
    private var progress: Progress
    private var tails: [Tail] = []
    private var view: LogLineView
    private var stage = Stage.running
    /// The request that waits for the end of the stack.
    private var ending: UInt64?

    /// What one instance writes, from now on.
    private struct Tail {
        var voice: LogLineView.Voice
        /// Where its logs are, and what is masked in them.
        var source: [String?]
        var reader: LogReader
    }

    init(_ context: Context, _ session: Session, stack: String, isJoined: Bool, services: [ServiceSpec], begin: Moment)
    {
        self.context = context
        self.session = session
        self.stack = stack
        self.isJoined = isJoined
        expected = services.reduce(0) { $0 + $1.replicas }
        let nameWidth = services.reduce(0) { max($0, DisplayWidth.of($1.name) + ($1.replicas > 1 ? 2 : 0)) }
        self.begin = begin
        progress = Progress(title: stack, aim: .up, startedAt: begin.instant)
        let console = context.console
        view = LogLineView(
            form: console.isTerminal() ? .terminal(console.palette()) : .bytes, isNamed: true,
            nameWidth: min(24, nameWidth))
    }

    mutating func run() throws(Failure) -> ExitCode {
        var following = try followForever()
        while true {
            for happening in try session.nextOfLasting(until: context.platform.now.instant + LogsCommand.beat) {
                switch happening {
                case .resized, .typed: break
                case .replaced:
                    if ending == nil { following = try followForever() } else { ending = try followEnd() }
                case .interrupted: if let exit = try interrupted() { return exit }
                case .reply(let reply):
                    if reply.id == following { try take(reply.body) }
                    if reply.id == ending, case .verdict(let verdict) = reply.body { return try ended(verdict) }
                }
            }
            try drain()
            if let exit = try endedByItself() { return exit }
        }
    }

    private func followForever() throws(Failure) -> UInt64 {
        try session.begin(.follow([Target(stack: stack)], goal: .forever))
    }

    private func followEnd() throws(Failure) -> UInt64 {
        try session.begin(.follow([Target(stack: stack)], goal: .gone))
    }

    private mutating func take(_ body: Reply.Body) throws(Failure) {
        let now = context.platform.now.instant
        switch body {
        case .instance(let status):
            let isNews = progress.update(status, at: now)
            view.nameWidth = max(view.nameWidth, min(24, DisplayWidth.of(status.label)))
            let voice = try listen(to: status)
            guard isNews else { return }
            try drain()
            let reason = status.reason.isEmpty || status.phase == .ready ? "" : ": \(status.reason)"
            try context.console.print(
                view.remark("── \(status.phase.rawValue)\(reason)", style: PhaseText.style(of: status.phase), on: voice)
            )
        case .gone(let id): progress.vanish(id, at: now)
        case .accepted, .status, .processes, .plan, .recalled, .there, .occurrence, .verdict, .why, .history, .rotated,
            .daemon,
            .refusal,
            .end:
            break
        }
    }

    /// Opens the instance's logs where they are now, from the beginning of this command on.
    private mutating func listen(to status: InstanceStatus) throws(Failure) -> LogLineView.Voice {
        let source = [status.stdoutLog, status.stderrLog] + status.redactedLog + status.secretFiles
        if let place = tails.firstIndex(where: { $0.voice.instance == status.id }) {
            guard tails[place].source != source else { return tails[place].voice }
            tails[place].reader.close()
            tails[place].reader = try reader(status)
            tails[place].source = source
            return tails[place].voice
        }
        let sibling = tails.first { $0.voice.instance.service == status.id.service }
        let number = sibling?.voice.number ?? (tails.map(\.voice.number).max() ?? -1) + 1
        let voice = LogLineView.Voice(instance: status.id, label: status.label, kind: .stdout, number: number)
        tails.append(Tail(voice: voice, source: source, reader: try reader(status)))
        return voice
    }

    private func reader(_ status: InstanceStatus) throws(Failure) -> LogReader {
        var query = LogQuery()
        query.since = begin.wall
        query.follows = true
        let selection = try LogSelection([status], kinds: [.stdout, .stderr], on: context.platform)
        return LogReader(context.platform.logFiles, streams: selection.streams, query: query)
    }

    private mutating func drain() throws(Failure) {
        var bytes: [UInt8] = []
        for place in tails.indices {
            while let line = tails[place].reader.next() { bytes += view.bytes(of: line, by: tails[place].voice) }
        }
        try context.console.write(bytes)
    }

    private mutating func interrupted() throws(Failure) -> ExitCode? {
        context.console.coverInterrupt()
        if isJoined {
            context.console.remark(Line("orch: \(stack) runs on; `orch down` stops it"))
            return .interrupted
        }
        switch stage {
        case .running:
            stage = .stopping
            context.console.remark(Line("orch: stopping \(stack) in order; Ctrl-C again kills what is left", .caution))
            try session.begin(.down(stack: stack, timeout: nil))
            ending = try followEnd()
        case .stopping, .killing:
            stage = .killing
            context.console.remark(Line("orch: killing what is left of \(stack)", .bad))
            try session.begin(.down(stack: stack, timeout: .zero))
        }
        return nil
    }

    private mutating func ended(_ verdict: Verdict) throws(Failure) -> ExitCode {
        try drain()
        if case .failed(let reason) = verdict { throw Failure(.failed, "\(stack): \(reason)") }
        context.console.remark(Line("orch: \(stack) is down; logs and history stay"))
        return .interrupted
    }

    private func whatStoppedIt() throws(Failure) -> StackStop? {
        try context.stacks(from: session).first { $0.name == stack }?.stoppedBy
    }

    /// Everything is over and nothing will start again: there is nothing to stay for.
    private mutating func endedByItself() throws(Failure) -> ExitCode? {
        let statuses = progress.entries.map(\.status)
        guard stage == .running, statuses.count >= expected, !statuses.isEmpty else { return nil }
        let isOver = statuses.allSatisfy { status in
            switch status.phase {
            case .done, .failed, .idle: true
            case .waiting, .backoff, .starting, .running, .ready, .unhealthy, .reloading, .stopping, .stuck: false
            }
        }
        guard isOver else { return nil }
        try drain()
        if let stop = try whatStoppedIt() {
            context.console.remark(Line("orch: \(stack) stopped: \(stop.reason)"))
            return ExitCode(stop.exit)
        }
        let failed = statuses.filter { $0.phase == .failed }
        if failed.isEmpty {
            context.console.remark(Line("orch: everything in \(stack) is done"))
            return .success
        }
        let names = failed.map(\.label).joined(separator: ", ")
        throw Failure(
            .failed, "\(stack): \(names) failed and nothing runs any more",
            help: "`orch why \(failed[0].label)` tells the story")
    }
}

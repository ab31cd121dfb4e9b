// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// Watches a goal being reached: a picture redrawn in place on a terminal, one line a change elsewhere.
struct Follower {
    /// How the watching ended.
    enum Outcome: Equatable {
        case reached
        /// With what the daemon says of it.
        case failed(String)
        /// The daemon went back to the revision before.
        case rolledBack(RolledBack)
        case deadline
        /// Ctrl-C; what was begun goes on.
        case interrupted
    }

    let context: Context
    let session: Session
    private(set) var progress: Progress
    private var area: LiveArea
    private let isDrawn: Bool
    private let isQuiet: Bool
    /// Of what came together, to be written together.
    private var lines: [Line] = []
    /// Goes on with the next daemon when this one is replaced.
    var outlivesDaemon = true

    init(
        _ context: Context, _ session: Session, title: String, aim: Progress.Aim, names: [String] = [],
        before: [InstanceStatus] = [], isQuiet: Bool = false
    ) {
        self.context = context
        self.session = session
        self.isQuiet = isQuiet
        progress = Progress(title: title, aim: aim, startedAt: context.platform.now.instant)
        for status in before { progress.update(status, at: progress.startedAt) }
        progress.labelWidth = names.reduce(0) { max($0, DisplayWidth.of($1)) }
        area = LiveArea(palette: context.console.palette())
        isDrawn = context.console.canDraw && !isQuiet
    }

    var elapsed: String { TimeText.elapsed(context.platform.now.instant - progress.startedAt) }

    /// Nil `timeout` waits for ever.
    mutating func follow(_ targets: [Target], goal: Goal, timeout: Duration? = nil) throws(Failure) -> Outcome {
        let deadline = timeout.map { progress.startedAt + $0 }
        // Where no picture is drawn nothing is said of what is there already.
        let opening: Opening = isDrawn || progress.aim == .down ? .all : .missing
        var request = try session.begin(.follow(targets, goal: goal, opening: opening))
        while true {
            let now = context.platform.now.instant
            if let deadline, now >= deadline { return try ended(.deadline) }
            let beat = isDrawn ? now + ProgressFrame.beat : nil
            let until = [deadline, beat].compactMap { $0 }.min()
            let happenings = try outlivesDaemon ? session.nextOfLasting(until: until) : session.next(until: until)
            for happening in happenings {
                switch happening {
                case .interrupted: return try ended(.interrupted)
                case .replaced:
                    progress.resting = 0
                    request = try session.begin(.follow(targets, goal: goal))
                case .resized, .typed: break
                case .reply(let reply):
                    guard reply.id == request else { continue }
                    if let outcome = try take(reply.body) { return try ended(outcome) }
                }
            }
            try draw()
        }
    }

    private mutating func take(_ body: Reply.Body) throws(Failure) -> Outcome? {
        let now = context.platform.now.instant
        switch body {
        case .instance(let status):
            let isNews = progress.update(status, at: now)
            if isNews, !isDrawn, !isQuiet { lines.append(progress.plainLine(of: status, at: now)) }
            return nil
        case .gone(let id):
            progress.vanish(id, at: now)
            return nil
        case .there(let count):
            progress.resting = count
            return nil
        case .verdict(.reached): return .reached
        case .verdict(.failed(let reason)): return .failed(reason)
        case .verdict(.rolledBack(let told)): return .rolledBack(told)
        case .verdict(.pending): return nil
        case .accepted, .status, .processes, .plan, .recalled, .occurrence, .why, .history, .rotated, .daemon,
            .refusal, .end:
            throw .unexpectedReply
        }
    }

    private mutating func draw() throws(Failure) {
        if !lines.isEmpty { try context.console.print(lines) }
        lines.removeAll(keepingCapacity: true)
        guard isDrawn, !progress.entries.isEmpty, let size = context.platform.terminal(of: .output) else { return }
        let frame = ProgressFrame(
            progress: progress, now: context.platform.now.instant, time: context.console.time, columns: size.columns,
            rows: size.rows)
        try context.console.write(area.redraw(frame.lines()))
    }

    /// The last picture stays, unless it could only show a part.
    private mutating func ended(_ outcome: Outcome) throws(Failure) -> Outcome {
        // What was gone before it could be followed is gone too.
        if outcome == .reached, progress.aim == .down {
            for status in progress.entries.map(\.status) where progress.standing(of: status) == .underWay {
                progress.vanish(status.id, at: context.platform.now.instant)
            }
        }
        try draw()
        let rows = context.platform.terminal(of: .output)?.rows ?? 0
        if isDrawn, progress.entries.count > rows - 2 { try context.console.write(area.erase()) }
        return outcome
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct ApplyCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Bring the stack to what the manifest says.",
        discussion: """
            Shows the plan, then drives the host to it and returns when every enabled service is ready and every task has \
            succeeded; at once with 1 when one is failed. Only what the plan names is touched. Ctrl-C leaves it going.
            """)

    @OptionGroup var manifest: ManifestOptions
    @Flag(help: "Return when it is accepted, without waiting.")
    var detach = false
    @Option(help: ArgumentHelp("How long to wait for everything to be ready.", valueName: "duration"))
    var waitTimeout = DurationArgument(.seconds(300))
    @Flag(help: "Take over a stack of this name that another manifest owns.")
    var adopt = false
    @Flag(name: [.customShort("y"), .customLong("yes")], help: "Don't ask before services are removed.")
    var isAgreed = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        var request = try manifest.load(in: context)
        request.adopt = adopt
        let session = try context.startedDaemon()
        guard case .plan(let plan) = try session.ask(.diff(request)) else { throw Failure.unexpectedReply }
        let admission = Admission(
            context: context, session: session, names: request.stack.services.map(\.name), isAgreed: isAgreed,
            isDetached: detach, timeout: waitTimeout.span)
        return try admission.run(plan, .apply(request), refusal: "not applied")
    }
}

/// Waits until a stack has settled and tells how it ended. What `apply`, `start` and `restart` end with.
struct Settling {
    let context: Context
    let session: Session
    let stack: String
    var targets: [Target]?
    /// The services that are known beforehand, for alignment.
    var names: [String] = []
    let timeout: Duration?
    /// When all was there from the beginning there is no progress to show.
    var isQuietWhenReady = false

    func run() throws(Failure) -> ExitCode {
        context.platform.catchInterrupts()
        if context.console.isTerminal() { try context.console.print(Line()) }
        var follower = Follower(
            context, session, title: stack, aim: .up, names: names,
            isQuiet: isQuietWhenReady && !context.console.isTerminal())
        let outcome = try follower.follow(targets ?? [Target(stack: stack)], goal: .settled, timeout: timeout)
        let progress = follower.progress
        switch outcome {
        case .reached:
            try context.console.print(
                Line("\(stack): ") + Line(progress.score, .good) + Line(" in \(follower.elapsed)"))
            return .success
        case .failed(let reason):
            try printFailures(progress.broken)
            throw Failure(
                .failed,
                "\(stack): \(progress.broken.isEmpty ? reason : failedScore(progress)) after \(follower.elapsed)")
        case .deadline:
            let missing = progress.counted.map(\.status).filter { progress.standing(of: $0) != .settled }
            try printFailures(missing)
            throw Failure(
                .deadline, "\(stack): \(progress.score) after \(follower.elapsed); it goes on, but the wait is over",
                help: "`orch status` shows how it goes; --wait-timeout waits longer")
        case .interrupted:
            throw Failure(
                .interrupted, "\(stack): \(progress.score); it goes on",
                help: "`orch status` shows how it goes, `orch down` stops it")
        }
    }

    private func failedScore(_ progress: Progress) -> String {
        "\(progress.broken.count) of \(progress.counted.count) failed"
    }

    private func printFailures(_ statuses: [InstanceStatus]) throws(Failure) {
        for status in statuses.prefix(Self.failuresShown) {
            let log = status.stderrLog ?? status.stdoutLog
            var bytes = log.flatMap { context.platform.readTail(of: $0, limit: FailureView.tailBytes) } ?? []
            // Many programs complain on standard output.
            if bytes.isEmpty, let other = status.stdoutLog {
                bytes = context.platform.readTail(of: other, limit: FailureView.tailBytes) ?? []
            }
            let view = FailureView(
                status: status, lastLines: FailureView.lastLines(of: bytes), time: context.console.time,
                width: context.console.width)
            try context.console.print(view.lines())
        }
        let rest = statuses.count - Self.failuresShown
        if rest > 0 { try context.console.print(Line("  … and \(rest) more; `orch status` shows all", .faint)) }
    }

    private static let failuresShown = 10
}

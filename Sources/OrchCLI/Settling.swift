// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// Waits until a stack has settled and tells how it ended. What `apply`, `start` and `restart` end with.
struct Settling {
    let context: Context
    let session: Session
    let stack: String
    var targets: [Target]?
    /// The services that are known beforehand, for alignment.
    var names: [String] = []
    let timeout: Duration?
    /// What the daemon takes back by itself if it fails, and when the time is over.
    var proving: Digest?
    /// When all was there from the beginning there is no progress to show.
    var isQuietWhenReady = false

    func run() throws(Failure) -> ExitCode {
        context.platform.catchInterrupts()
        if context.console.isTerminal() { try context.console.print(Line()) }
        var follower = Follower(
            context, session, title: stack, aim: .up, names: names,
            isQuiet: isQuietWhenReady && !context.console.isTerminal())
        let outcome = try follower.follow(
            targets ?? [Target(stack: stack)], goal: proving.map { .proven($0) } ?? .settled,
            timeout: proving == nil ? timeout : nil)
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
        case .rolledBack(let told): throw try goneBack(told, after: follower.elapsed)
        case .deadline:
            let missing = progress.counted.map(\.status).filter { progress.standing(of: $0) != .settled }
            try printFailures(missing)
            throw Failure(
                .deadline, "\(stack): \(progress.score) after \(follower.elapsed); it goes on, but the wait is over",
                help: "`orch status` shows how it goes; --wait-timeout waits longer")
        case .interrupted:
            throw Failure(
                .interrupted,
                "\(stack): \(progress.score); it goes on" + (proving == nil ? "" : ", and back if it fails"),
                help: "`orch status` shows how it goes, `orch down` stops it")
        }
    }

    /// Waits until the revision before is up again, and tells the whole story.
    private func goneBack(_ told: RolledBack, after elapsed: String) throws(Failure) -> Failure {
        if let instance = told.instance { try printFailures([instance]) }
        context.console.remark(
            Line("orch: \(told.reason), after \(elapsed); going back to revision \(told.to.short)", .caution))
        var follower = Follower(context, session, title: stack, aim: .up, names: names)
        let outcome = try follower.follow([Target(stack: stack)], goal: .settled, timeout: timeout)
        let back = "\(stack): revision \(told.from.short) was taken back"
        let help = "`orch history \(stack)` lists the revisions, `orch events \(stack)` tells the story"
        switch outcome {
        case .reached:
            return Failure(
                .failed, "\(back): revision \(told.to.short) is there again, \(follower.progress.score)", help: help)
        case .rolledBack(let again):
            return Failure(
                .failed, "\(back), and then revision \(again.from.short) as well: \(again.reason)", help: help)
        case .failed(let reason):
            try printFailures(follower.progress.broken)
            return Failure(
                .failed, "\(back), and revision \(told.to.short) does not come up either: \(reason)", help: help)
        case .deadline, .interrupted:
            return Failure(
                .failed, "\(back); revision \(told.to.short) is not up yet, \(follower.progress.score); it goes on",
                help: help)
        }
    }

    private func failedScore(_ progress: Progress) -> String {
        "\(progress.broken.count) of \(progress.total) failed"
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
                status: status,
                lastLines: FailureView.lastLines(of: bytes, try Redaction(of: status, on: context.platform)),
                time: context.console.time,
                width: context.console.width)
            try context.console.print(view.lines())
        }
        let rest = statuses.count - Self.failuresShown
        if rest > 0 { try context.console.print(Line("  … and \(rest) more; `orch status` shows all", .faint)) }
    }

    private static let failuresShown = 10
}

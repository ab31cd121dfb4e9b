// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct WaitCommand: OrchCommand {
    /// What may be waited for.
    enum Aim: String, ExpressibleByArgument, CaseIterable {
        case started, ready, healthy, completed, succeeded, stopped
    }
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until services are ready; for scripts.",
        discussion: "Exits 0 when it is so, 1 when it can't become so any more, 124 when the time is over.")
    @OptionGroup var names: ServiceArguments
    @Option(name: .customLong("for"), help: "What to wait for.")
    var aim = Aim.ready
    @Option(help: ArgumentHelp("How long to wait; default: without end.", valueName: "duration"))
    var timeout: DurationArgument?

    private var goal: Goal {
        switch aim {
        case .started: .reached(.started)
        case .ready: .reached(.ready)
        case .healthy: .reached(.healthy)
        case .completed: .reached(.completed)
        case .succeeded: .reached(.succeeded)
        case .stopped: .stopped
        }
    }

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.runningDaemon()
        let targets = try TargetChoice(stacks: try context.stacks(from: session), platform: context.platform).targets(
            names.services)
        context.platform.catchInterrupts()
        var follower = Follower(
            context, session, title: TargetText.of(targets), aim: aim == .stopped ? .down : .up, isQuiet: true)
        let name = TargetText.of(targets)
        switch try follower.follow(targets, goal: goal, timeout: timeout?.span) {
        case .reached: return .success
        case .rolledBack(let told): throw Failure(.failed, told.reason)
        case .failed(let reason):
            // The daemon names the instance.
            throw Failure(.failed, reason, help: "`orch why \(name)` tells the story")
        case .deadline:
            throw Failure(
                .deadline, "\(name): not \(aim.rawValue) after \(follower.elapsed)\(state(follower.progress))")
        case .interrupted: throw Failure.interrupted
        }
    }

    /// `; web is in backoff: exit 1`.
    private func state(_ progress: Progress) -> String {
        guard let status = progress.entries.map(\.status).first(where: { progress.standing(of: $0) != .settled }) else {
            return ""
        }
        return "; \(status.label) is \(status.phase.rawValue)" + (status.reason.isEmpty ? "" : ": \(status.reason)")
    }
}

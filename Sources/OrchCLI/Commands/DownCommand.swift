// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct DownCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Stop a stack in reverse order and forget it.",
        discussion: "Logs and history stay. Ctrl-C leaves it going.")

    @Argument(help: "The stack; default: that of the manifest here, else the only one.")
    var stack: String?
    @Option(help: ArgumentHelp("Kill whatever is left after so long.", valueName: "duration"))
    var timeout: DurationArgument?

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.runningDaemon()
        // Where a picture is drawn it shows also what ends at once; else what is still there when the command is taken up says enough.
        let stacks = try context.stacks(from: session, context.console.canDraw ? .instances : .stacks)
        let chosen = try TargetChoice(stacks: stacks, platform: context.platform).stack(stack)
        _ = try session.ask(.down(stack: chosen.name, timeout: timeout?.span))
        return try Stopping(
            context: context, session: session, title: chosen.name, before: chosen.instances,
            targets: [Target(stack: chosen.name)], goal: .gone
        ).run()
    }
}

/// Waits until nothing of something is left and tells who is waited for. What `down` and `stop` end with.
struct Stopping {
    let context: Context
    let session: Session
    let title: String
    /// How it stood before the command; what ends at once would never be seen otherwise.
    let before: [InstanceStatus]
    let targets: [Target]
    let goal: Goal

    func run() throws(Failure) -> ExitCode {
        context.platform.catchInterrupts()
        var follower = Follower(context, session, title: title, aim: .down, before: before)
        switch try follower.follow(targets, goal: goal) {
        case .reached:
            let end =
                goal == .gone ? "down in \(follower.elapsed); logs and history stay" : "stopped in \(follower.elapsed)"
            try context.console.print(Line("\(title): \(end)"))
            return .success
        case .rolledBack(let told): throw Failure(.failed, "\(title): \(told.reason)")
        case .failed(let reason):
            throw Failure(.failed, "\(title): \(reason)", help: "`orch why` tells what is left and why")
        case .deadline: throw Failure(.deadline, "\(title): \(follower.progress.score)")
        case .interrupted:
            throw Failure(
                .interrupted, "\(title): \(follower.progress.score); it goes on",
                help: "`orch status` shows how it goes")
        }
    }
}

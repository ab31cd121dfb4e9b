// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct ReloadCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Let services take up what has changed, as their `reload` says.",
        discussion: """
            No process is replaced. Done when the command of `reload` has succeeded, or the service has said READY=1 again; of a signal nobody \
            can tell when it is done. Begins once the service is ready. Exits 1 with the reason when it failed: the service runs on as it was.
            """)
    @OptionGroup var names: ServiceArguments
    @Option(help: ArgumentHelp("How long to wait.", valueName: "duration"))
    var waitTimeout = DurationArgument(.seconds(300))

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.runningDaemon()
        let stacks = try context.stacks(from: session)
        let targets = try TargetChoice(stacks: stacks, platform: context.platform).targets(names.services)
        guard case .accepted(_, let text) = try session.ask(.reload(targets)) else { throw Failure.unexpectedReply }
        if let text { try context.console.print(Line(text)) }
        context.platform.catchInterrupts()
        let name = TargetText.of(targets)
        var follower = Follower(context, session, title: name, aim: .up, isQuiet: true)
        switch try follower.follow(targets, goal: .reloaded, timeout: waitTimeout.span) {
        case .reached:
            if text == nil { try context.console.print(Line("\(name): reloaded in \(follower.elapsed)")) }
            return .success
        case .failed(let reason): throw Failure(.failed, reason, help: "`orch why \(name)` tells the story")
        case .rolledBack(let told): throw Failure(.failed, told.reason)
        case .deadline:
            throw Failure(
                .deadline, "\(name): not reloaded after \(follower.elapsed); it goes on, but the wait is over")
        case .interrupted: throw Failure.interrupted
        }
    }
}

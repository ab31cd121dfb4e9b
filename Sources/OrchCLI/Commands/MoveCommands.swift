// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct StartCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start services and what they need.",
        discussion: "What departs from the manifest shows as drift in `orch diff`; the next apply mends it.")
    @OptionGroup var names: ServiceArguments
    @Option(help: ArgumentHelp("How long to wait.", valueName: "duration"))
    var waitTimeout = DurationArgument(.seconds(300))

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.startedDaemon()
        let targets = try TargetChoice(stacks: try context.stacks(from: session), platform: context.platform).targets(
            names.services)
        _ = try session.ask(.start(targets))
        return try Settling(
            context: context, session: session, stack: TargetText.of(targets), targets: targets,
            timeout: waitTimeout.span
        ).run()
    }
}

struct StopCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop services; done when nothing of them is left.",
        discussion: "They stay stopped over a restart of the daemon, until `orch start` or the next apply.")
    @OptionGroup var names: ServiceArguments
    @Option(
        help: ArgumentHelp(
            "Kill whatever is left after so long; it shortens a ladder, never lengthens it.", valueName: "duration"))
    var timeout: DurationArgument?

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.runningDaemon()
        let stacks = try context.stacks(from: session)
        let targets = try TargetChoice(stacks: stacks, platform: context.platform).targets(names.services)
        let before = stacks.flatMap(\.instances).filter { instance in targets.contains { $0.covers(instance.id) } }
        _ = try session.ask(.stop(targets, timeout: timeout?.span))
        return try Stopping(
            context: context, session: session, title: TargetText.of(targets), before: before, targets: targets,
            goal: .stopped
        ).run()
    }
}

struct RestartCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop services and start them again.")
    @OptionGroup var names: ServiceArguments
    @Option(help: ArgumentHelp("How long to wait.", valueName: "duration"))
    var waitTimeout = DurationArgument(.seconds(300))

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.startedDaemon()
        let targets = try TargetChoice(stacks: try context.stacks(from: session), platform: context.platform).targets(
            names.services)
        _ = try session.ask(.restart(targets))
        return try Settling(
            context: context, session: session, stack: TargetText.of(targets), targets: targets,
            timeout: waitTimeout.span
        ).run()
    }
}

/// What a command line named, for people.
enum TargetText {
    static func of(_ target: Target) -> String {
        guard let service = target.service else { return target.stack }
        return target.replica.map { "\(service).\($0)" } ?? service
    }
    static func of(_ targets: [Target]) -> String {
        let texts = targets.map { of($0) }
        return texts.count <= 3 ? texts.joined(separator: ", ") : "\(texts.count) services"
    }
}

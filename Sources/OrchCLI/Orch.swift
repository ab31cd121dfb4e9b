// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

/// The command line: a tree of commands, and how any of them ends.
struct Orch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orch",
        abstract: "Brings a stack of processes to what its manifest says, and keeps it there.",
        discussion: """
            FILE defaults to orch.yaml, then stack.yaml, in this folder or the nearest above; `-` is standard input.
            STACK defaults to that manifest's, else the only one. SERVICE is `web`, `web.2`, `stack/web` or `stack/web.2`.
            ORCH_HOME=DIR keeps everything of orch under DIR. NO_COLOR switches colours off.

            Exit codes: 0 done or in sync, 1 failed, 2 `diff` found changes, 3 the manifest is wrong, 4 no daemon, \
            5 refused, 64 usage, 124 a wait's deadline passed, 130 interrupted.
            """,
        version: "orch \(OrchVersion.text)",
        subcommands: [],
        groupedSubcommands: [
            CommandGroup(
                name: "Bring up and down",
                subcommands: [
                    ApplyCommand.self, DiffCommand.self, UpCommand.self, DownCommand.self, RollbackCommand.self,
                ]),
            CommandGroup(
                name: "Look",
                subcommands: [
                    StatusCommand.self, WhyCommand.self, LogsCommand.self, EventsCommand.self, HistoryCommand.self,
                    TopCommand.self, TreeCommand.self, PortsCommand.self, GraphCommand.self, TimelineCommand.self,
                    WaitCommand.self, DoctorCommand.self,
                ]),
            CommandGroup(
                name: "Move",
                subcommands: [
                    StartCommand.self, StopCommand.self, RestartCommand.self, ReloadCommand.self, ScaleCommand.self,
                    SignalCommand.self,
                    RunCommand.self, ExecCommand.self, AttachCommand.self,
                ]),
            CommandGroup(
                name: "Manifest",
                subcommands: [
                    ValidateCommand.self, RehearseCommand.self, ConfigCommand.self, ExplainCommand.self,
                    SchemaCommand.self, ImportCommand.self, ExportCommand.self,
                ]),
            CommandGroup(name: "Installation", subcommands: [DaemonCommand.self, CompletionCommand.self]),
        ])
}

/// Runs `orch` with the words after its name.
public func runOrch(_ arguments: [String], on platform: any Platform) -> ExitCode {
    let context = Context(platform)
    do {
        var command = try parsed(arguments)
        if let command = command as? any OrchCommand {
            do throws(Failure) { return try command.run(in: context) } catch {
                context.console.report(error)
                return error.exit
            }
        }
        try command.run()
        return .success
    } catch {
        if let failure = unknownCommand(arguments) {
            context.console.report(failure)
            return failure.exit
        }
        return ended(by: error, in: context)
    }
}

/// The parser would take `rotate` for a service of `logs`.
private func parsed(_ arguments: [String]) throws -> any ParsableCommand {
    guard arguments.starts(with: LogsRotateCommand.words) else { return try Orch.parseAsRoot(arguments) }
    return try LogsRotateCommand.parseAsRoot(Array(arguments.dropFirst(LogsRotateCommand.words.count)))
}

/// A first word that is no command deserves better than the parser's answer.
private func unknownCommand(_ arguments: [String]) -> Failure? {
    let names = Orch.configuration.groupedSubcommands.flatMap { $0.subcommands }.flatMap { command in
        [command.configuration.commandName ?? ""] + command.configuration.aliases
    }
    guard let word = arguments.first, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return nil }
    let near = names.min { EditDistance.between(word, $0) < EditDistance.between(word, $1) }
    let isNear = near.map { EditDistance.between(word, $0) <= 2 } ?? false
    let help = isNear ? "did you mean \"\(near ?? "")\"?" : "`orch --help` lists them"
    return Failure(.usage, "there is no command \"\(word)\"", help: help)
}

/// What the parser throws: help and the version are answers, everything else is wrong usage.
private func ended(by error: any Error, in context: Context) -> ExitCode {
    let isAnswer = Orch.exitCode(for: error).isSuccess
    let text = Orch.fullMessage(for: error, columns: context.console.width.map { min($0, 110) })
    let whole = text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
    guard isAnswer else {
        context.console.writeError(whole)
        return .usage
    }
    do throws(Failure) { try context.console.write(whole) } catch {
        context.console.report(error)
        return error.exit
    }
    return .success
}

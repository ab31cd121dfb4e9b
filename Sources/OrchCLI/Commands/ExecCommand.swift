// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct ExecCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a command as a running service does: its environment, user, folder and limits.",
        discussion: """
            For a look from where the service stands: `orch exec web -- env`, `orch exec db -- psql`, `orch exec web -- sh`. The command gets \
            the environment that the main process was started with, secrets included, and the folder, user, groups, umask and limits \
            that it has now. It is yours and no part of the service: `orch stop` does not end it, and it has this terminal. \
            Of several replicas the first that runs is meant, or `web.2` when named so.

            Exits with the command's code; 126 when it can't be executed, 127 when there is no such program, 5 while the service has no process.
            """)
    @Argument(help: "The service: `web`, `web.2`, `stack/web`.", completion: ServiceCompletion.kind)
    var service: String
    @Argument(parsing: .postTerminator, help: ArgumentHelp("The command, behind `--`.", valueName: "command"))
    var words: [String] = []

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard !words.isEmpty else {
            throw Failure(
                .usage, "no command was given", help: "it comes behind two dashes: `orch exec \(service) -- env`")
        }
        let session = try context.runningDaemon()
        let stacks = try context.stacks(from: session)
        let target = try TargetChoice(stacks: stacks, platform: context.platform).service(service)
        guard case .processes(let instances) = try session.ask(.processes(target)) else {
            throw Failure.unexpectedReply
        }
        for instance in instances {
            guard let main = instance.members.first(where: { $0.pid == instance.main }) else { continue }
            throw Self.failure(context.platform.become(words, beside: main))
        }
        let name = instances.first?.label ?? service
        let phase = instances.first.map { ": it is \($0.phase.rawValue)" } ?? ""
        throw Failure(.refused, "\(name) has no process\(phase)", help: "`orch start \(name)` starts it")
    }

    /// As shells and env(1) have it.
    private static func failure(_ fault: Fault) -> Failure {
        guard fault.step == "execute" else { return Failure(.refused, fault) }
        return Failure(ExitCode(rawValue: fault.reason.contains("(ENOENT)") ? 127 : 126), fault)
    }
}

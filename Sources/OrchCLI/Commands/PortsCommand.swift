// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct PortsCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports", abstract: "Show where services listen: TCP, UDP and unix sockets, and who has them open.",
        discussion: """
            A socket that orch has opened (`sockets`) belongs to its service also while no process of it lives. \
            What other programs listen at is not shown.
            """)

    @Argument(help: "A stack or a service; default: everything.", completion: ServiceCompletion.kind)
    var name: String?
    @Flag(help: "Print {\"listeners\":[{\"protocol\",\"address\",\"stack\",\"service\",\"instances\",\"pids\",…}]}.")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else {
            context.remarkNoDaemon()
            if json { try context.console.write("{\"listeners\":[]}\n") }
            return .success
        }
        var target: Target?
        if let name {
            let choice = TargetChoice(stacks: try context.stacks(from: session), platform: context.platform)
            target = try choice.stackOrService(name)
        }
        guard case .processes(let instances) = try session.ask(.processes(target)) else {
            throw Failure.unexpectedReply
        }
        let listeners = context.platform.examiner.listeners(of: instances.flatMap(\.members))
        let view = PortsView(instances: instances, listeners: listeners)
        if json {
            try context.console.write(JSON.bytes(of: view.value) + [10])
        } else {
            try context.console.print(view.lines(width: context.console.width))
        }
        return .success
    }
}

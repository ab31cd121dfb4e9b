// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct TreeCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree", abstract: "Show the processes of services: who started whom, and what each uses.",
        discussion: """
            CPU is what a process has used of a processor since it began, MEM what it has resident, FDS its open descriptors. \
            Marked as outside is what belongs to a service and is no descendant of its main process any more.
            """)

    @Argument(help: "A stack or a service; default: everything.", completion: ServiceCompletion.kind)
    var name: String?
    @Flag(help: "Print {\"instances\":[{\"service\",\"instance\",\"phase\",\"processes\":[{\"pid\",\"parent\",…}]}]}.")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else {
            context.remarkNoDaemon()
            if json { try context.console.write("{\"instances\":[]}\n") }
            return .success
        }
        var target: Target?
        if let name {
            let choice = TargetChoice(stacks: try context.stacks(from: session), platform: context.platform)
            target = try choice.stackOrService(name)
        }
        let forests = try context.forests(of: target, from: session)
        if json {
            try context.console.write(JSON.bytes(of: ["instances": .array(forests.map(\.value))]) + [10])
            return .success
        }
        let view = ProcessTreeView(
            forests: forests, time: context.console.time, user: context.platform.examiner.user,
            width: context.console.width)
        try context.console.print(view.lines())
        return .success
    }
}

extension Context {
    /// The processes of instances, as the daemon tells them apart and the process table describes them.
    func forests(of target: Target?, from session: Session) throws(Failure) -> [ProcessForest] {
        guard case .processes(let instances) = try session.ask(.processes(target)) else {
            throw Failure.unexpectedReply
        }
        let examiner = platform.examiner
        return instances.map { ProcessForest($0) { examiner.process($0) } }
    }
}

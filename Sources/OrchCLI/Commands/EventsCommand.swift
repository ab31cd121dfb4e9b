// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct EventsCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened, oldest first.")

    @Argument(help: "A stack or a service; default: everything.", completion: ServiceCompletion.kind)
    var name: String?
    @Flag(name: .shortAndLong, help: "Go on with what happens next.")
    var follow = false
    @Option(help: ArgumentHelp("From when on: `10m` ago, or RFC 3339.", valueName: "time"))
    var since: TimeArgument?
    @Flag(
        help: "Print one {\"time\",\"stack\",\"service\",\"instance\",\"launch\",\"event\",\"cause\",\"exit\"} a line.")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else {
            context.remarkNoDaemon()
            return .success
        }
        var target: Target?
        if let name {
            target = try TargetChoice(stacks: try context.stacks(from: session), platform: context.platform)
                .stackOrService(name)
        }
        let request = try session.begin(
            .events(target, since: since?.time(at: context.platform.now.wall), follow: follow))
        context.platform.catchInterrupts()
        var view = OccurrenceView(time: context.console.time)
        while true {
            for happening in try session.next() {
                switch happening {
                case .interrupted: return .interrupted
                case .resized, .typed, .replaced: break
                case .reply(let reply):
                    guard reply.id == request else { continue }
                    guard case .occurrence(let occurrence) = reply.body else { return .success }
                    view.time = context.console.time
                    try show(occurrence, &view, in: context)
                }
            }
        }
    }

    private func show(_ occurrence: Occurrence, _ view: inout OccurrenceView, in context: Context) throws(Failure) {
        guard !json else { return try context.console.write(JSON.bytes(of: occurrence.value) + [10]) }
        try context.console.print(view.line(of: occurrence).fitted(to: context.console.width))
    }
}

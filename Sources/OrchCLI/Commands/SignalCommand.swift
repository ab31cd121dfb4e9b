// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct SignalCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "signal", abstract: "Send a signal to the main process of a service.",
        discussion: """
            What the service makes of it is its own affair: one that ends by it has ended unasked, and `restart` says what follows. \
            `orch stop` stops for good, `orch reload` knows when a reload is done. Of several replicas all get it, `web.2` alone when \
            named so. Refused, with exit code 5, while nothing runs.
            """)
    @Argument(help: "The service: `web`, `web.2`, `stack/web`.", completion: ServiceCompletion.kind)
    var service: String
    @Argument(
        help: ArgumentHelp("Its name or number: `SIGHUP`, `hup`, `1`.", valueName: "signal"),
        completion: .list(Signal.allNames))
    var name: String

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let signal = Signal(text: name) else { throw unknown }
        let session = try context.runningDaemon()
        let stacks = try context.stacks(from: session)
        let target = try TargetChoice(stacks: stacks, platform: context.platform).service(service)
        guard case .accepted(_, let text?) = try session.ask(.signal([target], signal)) else {
            throw Failure.unexpectedReply
        }
        try context.console.print(Line(text))
        return .success
    }

    private var unknown: Failure {
        let upper = name.uppercased()
        let whole = upper.hasPrefix("SIG") ? upper : "SIG" + upper
        let near = Signal.allNames.min { EditDistance.between(whole, $0) < EditDistance.between(whole, $1) } ?? ""
        let isNear = EditDistance.between(whole, near) <= 2
        return Failure(
            .usage, "\"\(name)\" is no signal",
            help: isNear ? "did you mean \"\(near)\"?" : "a name such as SIGHUP, or a number from 1 to 64 (signal(7))")
    }
}

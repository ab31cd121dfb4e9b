// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct WhyCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Tell how a service came to where it stands.")

    @Argument(help: "The service: `web`, `web.2`, `stack/web`.", completion: ServiceCompletion.kind)
    var service: String
    @Flag(help: "Print [{\"instance\":{…},\"chain\":[…]}].")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else {
            context.remarkNoDaemon()
            let stacks = StoredStatus(platform: context.platform).stacks()
            let target = try TargetChoice(stacks: stacks, platform: context.platform).service(service)
            if json {
                try context.console.write("[]\n")
            } else {
                try context.console.print(Line("\(TargetText.of(target)) does not run: no daemon does."))
            }
            return .success
        }
        let target = try TargetChoice(stacks: try context.stacks(from: session), platform: context.platform).service(
            service)
        guard case .why(let explanations) = try session.ask(.why(target)) else { throw Failure.unexpectedReply }
        if json {
            try context.console.write(JSON.bytes(of: .array(explanations.map(\.value))) + [10])
            return .success
        }
        for (index, explanation) in explanations.enumerated() {
            if index > 0 { try context.console.print(Line()) }
            let view = WhyView(
                status: explanation.status, chain: explanation.chain, time: context.console.time,
                width: context.console.width)
            try context.console.print(view.lines())
        }
        return .success
    }
}

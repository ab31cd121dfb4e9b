// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

/// What a picture is drawn as.
enum PictureFormat: String, ExpressibleByArgument, CaseIterable { case text, svg }

struct GraphCommand: OrchCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, svg, mermaid, dot }

    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draw who waits for whom, and where each service stands.",
        discussion: """
            Draws the manifest that is named or here, else what is applied. The states are those of the stack of that name while a \
            daemon runs. A line leads from what is waited for to who waits, and says until when.
            """)

    @OptionGroup var manifest: ManifestOptions
    @Option(help: "text, svg, mermaid or dot.")
    var format = Format.text
    @Flag(
        help:
            "Print {\"stack\",\"services\":[{\"name\",\"layer\",\"phase\",…}],\"needs\":[{\"service\",\"on\",\"condition\",…}]}."
    )
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try Session.open(context.platform)
        let stacks = try session.map { session throws(Failure) in try context.stacks(from: session) }
        let stack = try stack(in: context, stacks)
        let instances = stacks?.first { $0.name == stack.name }?.instances ?? []
        let graph = ServiceGraph(stack, instances: instances)
        if json {
            try context.console.write(JSON.bytes(of: graph.value) + [10])
            return .success
        }
        switch format {
        case .text: try context.console.print(GraphText(graph: graph, width: context.console.width).lines())
        case .svg: try context.console.write(GraphPicture(graph: graph).svg())
        case .mermaid: try context.console.write(GraphLanguage.mermaid(graph))
        case .dot: try context.console.write(GraphLanguage.dot(graph))
        }
        return .success
    }

    private func stack(in context: Context, _ applied: [StackStatus]?) throws(Failure) -> Stack {
        if manifest.isMeant(context.platform) { return try manifest.load(in: context).stack }
        let stored = StoredStatus(platform: context.platform)
        let choice = try TargetChoice(stacks: applied ?? stored.stacks(), platform: context.platform).stack(nil)
        if let stack = stored.stack(named: choice.name) { return stack }
        throw Failure(
            .failed, "what is applied as \(choice.name) can't be read from \(context.platform.stateDirectory)",
            help: "name its manifest: `orch graph FILE`")
    }
}

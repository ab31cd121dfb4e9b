// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct TimelineCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "timeline",
        abstract: "Draw how a stack came up the last time: who started when, and waited for whom.",
        discussion: """
            From the last apply, or start of the daemon, that started something, until each instance was first up, or given up.
            """)

    @Argument(help: "The stack; default: that of the manifest here, else the only one.")
    var stack: String?
    @Option(help: "text or svg.")
    var format = PictureFormat.text
    @Flag(
        help:
            "Print {\"stack\",\"because\",\"from\",\"instances\":[{\"instance\",\"end\",\"spans\":[{\"phase\",\"from\",\"to\",\"cause\"}]}]}."
    )
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else {
            context.remarkNoDaemon()
            throw Failure(
                .daemon, "the history is the daemon's to tell, and none runs", help: "`orch daemon start` starts it")
        }
        let stacks = try context.stacks(from: session)
        let chosen = try TargetChoice(stacks: stacks, platform: context.platform).stack(stack)
        let story = StartStory(
            stack: chosen.name, definition: StoredStatus(platform: context.platform).stack(named: chosen.name),
            try Self.occurrences(of: chosen.name, session), instances: chosen.instances,
            now: context.platform.now.wall)
        if json {
            try context.console.write(JSON.bytes(of: story.value) + [10])
            return .success
        }
        switch format {
        case .text:
            let view = StartText(story: story, time: context.console.time, width: context.console.width)
            try context.console.print(view.lines())
        case .svg: try context.console.write(StartPicture(story: story).svg())
        }
        return .success
    }

    /// Of the stack and of the daemon, the oldest first.
    private static func occurrences(of stack: String, _ session: Session) throws(Failure) -> [Occurrence] {
        let request = try session.begin(.events(nil, since: nil, follow: false))
        var result: [Occurrence] = []
        while true {
            for happening in try session.next() {
                guard case .reply(let reply) = happening, reply.id == request else { continue }
                guard case .occurrence(let occurrence) = reply.body else { return result }
                if occurrence.stack == stack || occurrence.stack.isEmpty { result.append(occurrence) }
            }
        }
    }
}

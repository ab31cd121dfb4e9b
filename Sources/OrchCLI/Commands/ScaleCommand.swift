// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct ScaleCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Run so many instances of a service.",
        discussion: """
            The manifest stays as it is: what departs from it shows as drift in `orch diff`, and the next apply mends it. It lasts over a \
            restart of the daemon and a boot. Those that are too many are stopped, the highest first named; the others keep their processes.
            """)
    @Argument(
        help: ArgumentHelp("The service and how many: `web=3`, `stack/web=3`.", valueName: "service=count"),
        completion: ServiceCompletion.kind)
    var wishes: [String]
    @Option(help: ArgumentHelp("How long to wait.", valueName: "duration"))
    var waitTimeout = DurationArgument(.seconds(300))

    func run(in context: Context) throws(Failure) -> ExitCode {
        var parsed: [(service: String, count: Int)] = []
        for wish in wishes { parsed.append(try Self.parse(wish)) }
        let session = try context.runningDaemon()
        let choice = TargetChoice(stacks: try context.stacks(from: session), platform: context.platform)
        var wanted: [(target: Target, count: Int)] = []
        for (service, count) in parsed { wanted.append((try choice.service(service), count)) }
        for (target, count) in wanted { _ = try session.ask(.scale(target, replicas: count)) }
        let targets = wanted.map(\.target)
        return try Settling(
            context: context, session: session, stack: TargetText.of(targets), targets: targets,
            timeout: waitTimeout.span
        ).run()
    }

    private static func parse(_ wish: String) throws(Failure) -> (String, Int) {
        let parts = wish.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let count = Int(parts[1]), count >= 0 else {
            throw Failure(.usage, "\"\(wish)\" does not say how many", help: "such as web=3")
        }
        return (String(parts[0]), count)
    }
}

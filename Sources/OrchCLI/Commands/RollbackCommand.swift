// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct RollbackCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Go back to a revision that was applied before.",
        discussion: """
            Without REVISION to the one before the present one. It is applied exactly as it was resolved then, whatever the files \
            and variables are now: it shows the plan, waits, and exits as `orch apply` does, and is itself an entry of \
            `orch history`. The manifest is left alone: the next apply brings back what it says.
            """)

    @Argument(help: "The stack; default: that of the manifest here, else the only one.")
    var stack: String?
    @Argument(help: "The first digits of a revision, as `orch history` shows them.")
    var revision: String?
    @Flag(help: "Return when it is accepted, without waiting.")
    var detach = false
    @Option(help: ArgumentHelp("How long to wait for everything to be ready.", valueName: "duration"))
    var waitTimeout = DurationArgument(.seconds(300))
    @Flag(name: [.customShort("y"), .customLong("yes")], help: "Don't ask before services are removed.")
    var isAgreed = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.runningDaemon()
        let stacks = try context.stacks(from: session)
        var (name, wanted) = (stack, revision)
        // One word that is no stack's name is a revision's.
        if let word = stack, revision == nil, !stacks.contains(where: { $0.name == word }), Self.isRevision(word) {
            (name, wanted) = (nil, word)
        }
        let chosen = try TargetChoice(stacks: stacks, platform: context.platform).stack(name)
        let request = RollbackRequest(stack: chosen.name, revision: wanted)
        guard case .plan(let plan) = try session.ask(.rollbackPlan(request)) else { throw Failure.unexpectedReply }
        let admission = Admission(
            context: context, session: session, names: chosen.instances.map(\.label), isAgreed: isAgreed,
            isDetached: detach, timeout: waitTimeout.span)
        return try admission.run(
            plan, .rollback(RollbackRequest(stack: chosen.name, revision: plan.revision)), refusal: "not rolled back")
    }

    private static func isRevision(_ word: String) -> Bool {
        word.utf8.count <= 64 && word.lowercased().utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }
    }
}

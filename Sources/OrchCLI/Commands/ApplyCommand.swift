// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct ApplyCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Bring the stack to what the manifest says.",
        discussion: """
            Shows the plan, then drives the host to it and returns when every enabled service is ready and every task has \
            succeeded; at once with 1 when one is failed. Only what the plan names is touched. Ctrl-C leaves it going.
            """)

    @OptionGroup var manifest: ManifestOptions
    @Flag(help: "Return when it is accepted, without waiting.")
    var detach = false
    @Option(help: ArgumentHelp("How long to wait for everything to be ready.", valueName: "duration"))
    var waitTimeout = DurationArgument(.seconds(300))
    @Flag(
        help:
            "Go back to the revision before if something fails before everything is ready, or that takes longer than --wait-timeout; the daemon sees to it, with or without this command."
    )
    var rollbackOnFailure = false
    @Flag(help: "Take over a stack of this name that another manifest owns.")
    var adopt = false
    @Flag(name: [.customShort("y"), .customLong("yes")], help: "Don't ask before services are removed.")
    var isAgreed = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        var request = try manifest.load(in: context)
        request.adopt = adopt
        request.rollbackWithin = rollbackOnFailure ? waitTimeout.span : nil
        let session = try context.startedDaemon()
        guard case .plan(let plan) = try session.ask(.diff(request)) else { throw Failure.unexpectedReply }
        let admission = Admission(
            context: context, session: session, names: request.stack.services.map(\.name), isAgreed: isAgreed,
            isDetached: detach, timeout: waitTimeout.span, isOnTrial: rollbackOnFailure)
        return try admission.run(plan, .apply(request), refusal: "not applied")
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchManifest
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
        let running = try Session.open(context.platform)
        let within = rollbackOnFailure ? waitTimeout.span : nil
        func admission(_ session: Session, _ names: [String]) -> Admission {
            Admission(
                context: context, session: session, names: names, isAgreed: isAgreed, isDetached: detach,
                timeout: waitTimeout.span, isOnTrial: rollbackOnFailure)
        }
        if let running, !adopt, let known = try unchanged(within, running, in: context),
            let code = try admission(running, []).run(known)
        {
            return code
        }
        var request = try manifest.load(in: context, isApplied: true)
        request.adopt = adopt
        request.rollbackWithin = within
        let session: Session
        if let running { session = running } else { session = try context.startedDaemon() }
        guard case .plan(let plan) = try session.ask(.diff(request)) else { throw Failure.unexpectedReply }
        return try admission(session, request.stack.services.map(\.name)).run(
            plan, .apply(request), known: KnownRequest(.planned(revision: plan.revision), rollbackWithin: within),
            refusal: "not applied")
    }

    /// What is applied already, if the manifest need not be read to see that it says the same.
    private func unchanged(
        _ within: Duration?, _ session: Session, in context: Context
    ) throws(Failure) -> KnownRequest? {
        let paths = try manifest.input(context.platform, through: nil).paths
        guard session.isSameVersion, let first = paths.first, !paths.contains("-"),
            case .recalled(let found?) = try session.ask(.recall(manifest: first)),
            try manifest.sight(context.platform).isSame(as: found.origin, paths: paths)
        else { return nil }
        return KnownRequest(.applied(stack: found.stack, origin: found.origin.digest), rollbackWithin: within)
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// From a plan to its end: it is shown, removals are agreed to, it is accepted, and waited for. What `apply` and `rollback` do.
struct Admission {
    let context: Context
    let session: Session
    /// What is known beforehand to appear, for alignment.
    var names: [String] = []
    /// Nobody is asked.
    let isAgreed: Bool
    /// Ends when it is accepted.
    let isDetached: Bool
    let timeout: Duration
    /// The daemon takes it back by itself if it fails.
    var isOnTrial = false

    /// `refusal`: what is said when a person does not agree. `known`: the same as the command in short, if the daemon still has it.
    func run(_ plan: Plan, _ command: Command, known: KnownRequest? = nil, refusal: String) throws(Failure) -> ExitCode
    {
        try show(plan)
        try confirmRemovals(of: plan, refusal)
        if let known, case .accepted(let done, let text) = try session.ask(.applyKnown(known)) {
            return try settle(plan, done, text)
        }
        guard case .accepted(let done, let text) = try session.ask(command) else { throw Failure.unexpectedReply }
        return try settle(plan, done, text)
    }

    /// For what changes nothing. Nil, and nothing is said, when the daemon does not have the request any more, or would do something.
    func run(_ known: KnownRequest) throws(Failure) -> ExitCode? {
        guard case .accepted(let plan?, let text) = try session.ask(.applyKnown(known)) else { return nil }
        try show(plan)
        return try settle(plan, nil, text)
    }

    private func show(_ plan: Plan) throws(Failure) {
        try context.console.print(PlanView(plan: plan, width: context.console.width).lines())
    }

    private func settle(_ plan: Plan, _ done: Plan?, _ text: String?) throws(Failure) -> ExitCode {
        if let done, Self.deeds(of: done) != Self.deeds(of: plan) {
            context.console.remark(Line("orch: the stack changed meanwhile; this is what is done:", .caution))
            try show(done)
        }
        if let text, !text.isEmpty { context.console.remark(Line(text)) }
        let isInSync = (done ?? plan).isInSync
        if isDetached {
            if !isInSync { try context.console.print(Line("Accepted. `orch status` shows how it goes.")) }
            return .success
        }
        return try Settling(
            context: context, session: session, stack: plan.stack, names: names, timeout: timeout,
            proving: isOnTrial ? Digest(hex: (done ?? plan).revision) : nil, isQuietWhenReady: isInSync
        ).run()
    }

    /// What is done to whom; reasons may change from one moment to the next.
    private static func deeds(of plan: Plan) -> [[String]] {
        plan.changes.map { [$0.action.rawValue, $0.service] + $0.fields.map(\.path) }
    }

    private func confirmRemovals(of plan: Plan, _ refusal: String) throws(Failure) {
        let removed = plan.changes.filter { $0.action == .remove }.map(\.service)
        guard !removed.isEmpty, !isAgreed, context.console.isTerminal(), context.platform.canAsk else { return }
        try context.console.write("\nThis removes \(removed.joined(separator: ", ")). Go on? [y/N] ")
        let answer = context.platform.readLine()?.lowercased() ?? ""
        guard answer == "y" || answer == "yes" else {
            throw Failure(.refused, "\(refusal): nothing was changed", help: "-y doesn't ask")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct HistoryCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show the revisions that were applied, newest first.",
        discussion: """
            Of a service: the revisions that touched it, and its launches with their ends. Without a daemon it shows what is \
            stored, says so on standard error and exits 0; launches are then not known. `orch rollback` goes back to a revision.
            """)

    @Argument(
        help: "A stack or a service; default: the stack of the manifest here.", completion: ServiceCompletion.kind)
    var name: String?
    @Flag(help: "Print {\"stack\",\"service\",\"revisions\":[…],\"launches\":[…]}.")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        let history = try history(in: context)
        if json {
            try context.console.write(JSON.bytes(of: history.value) + [10])
        } else {
            let view = HistoryView(history: history, time: context.console.time, width: context.console.width)
            try context.console.print(view.lines())
        }
        return .success
    }

    private func history(in context: Context) throws(Failure) -> StackHistory {
        guard let session = try Session.open(context.platform) else {
            context.remarkNoDaemon()
            let stored = StoredStatus(platform: context.platform)
            return try found(TargetChoice(stacks: stored.stacks(), platform: context.platform)) { target in
                stored.history(of: target)
            }
        }
        let choice = TargetChoice(stacks: try context.stacks(from: session), platform: context.platform)
        return try found(choice) { (target) throws(Failure) in
            guard case .history(let history) = try session.ask(.history(target)) else { throw Failure.unexpectedReply }
            return history
        }
    }

    /// A name that is not applied now may be one that was: it has a history as well.
    private func found(
        _ choice: TargetChoice, _ look: (Target) throws(Failure) -> StackHistory?
    ) throws(Failure) -> StackHistory {
        let target: Target
        do throws(Failure) {
            if let name {
                target = try choice.stackOrService(name)
            } else {
                target = Target(stack: try choice.stack(nil).name)
            }
        } catch {
            guard let name else { throw error }
            let parts = name.split(separator: "/", maxSplits: 1).map { String($0) }
            let former = Target(stack: parts[0], service: parts.count > 1 ? parts[1] : nil)
            guard let history = try? look(former), !history.revisions.isEmpty else { throw error }
            return history
        }
        return try look(target) ?? StackHistory(stack: target.stack, service: target.service, revisions: [])
    }
}

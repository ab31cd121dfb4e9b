// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct DiffCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what apply would do, and do nothing.",
        discussion: "Exits 0 when the stack is in sync and 2 when there are changes.",
        aliases: ["plan"])

    @OptionGroup var manifest: ManifestOptions
    @Flag(help: "Print {\"in_sync\",\"changes\":[…]}.")
    var json = false
    @Flag(help: "Compare also with a stack of this name that another manifest owns.")
    var adopt = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        var request = try manifest.load(in: context)
        request.adopt = adopt
        let plan: Plan
        if let session = try Session.open(context.platform) {
            guard case .plan(let answer) = try session.ask(.diff(request)) else { throw Failure.unexpectedReply }
            plan = answer
        } else {
            plan = try planWithoutDaemon(request, in: context)
        }
        if json {
            try context.console.write(JSON.text(of: plan.value) + "\n")
        } else {
            try context.console.print(PlanView(plan: plan, width: context.console.width).lines())
        }
        return plan.isInSync ? .success : .changes
    }

    /// Nothing runs, so everything that is enabled would be started.
    private func planWithoutDaemon(_ request: ApplyRequest, in context: Context) throws(Failure) -> Plan {
        context.console.remark(Line("orch: no daemon runs; compared with nothing running", .faint))
        let changes = request.stack.services.filter(\.enabled).map { service in
            Change(service.kind == .task ? .run : .create, service.name, because: ["no daemon runs"])
        }
        return Plan(stack: request.stack.name, revision: "", changes: changes)
    }
}

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

    /// Compared with what is stored: that is what a daemon would start.
    private func planWithoutDaemon(_ request: ApplyRequest, in context: Context) throws(Failure) -> Plan {
        context.console.remark(Line("orch: no daemon runs; this compares with what is stored", .faint))
        let stored = StoredStatus(platform: context.platform).stack(named: request.stack.name)
        return Plan(stack: request.stack.name, revision: "", changes: Self.changes(from: stored, to: request.stack))
    }

    /// Sorted by service.
    static func changes(from old: Stack?, to new: Stack) -> [Change] {
        var changes = new.services.compactMap { service -> Change? in
            guard let before = old?.service(service.name) else {
                return Change(.create, service.name, because: ["new in the manifest"])
            }
            let fields = ServiceSpec.changes(from: before, to: service)
            guard !fields.isEmpty else { return nil }
            let isLive = fields.allSatisfy { $0.fate == .live }
            return Change(isLive ? .live : .restart, service.name, fields: fields)
        }
        for service in old?.services ?? [] where new.service(service.name) == nil {
            changes.append(Change(.remove, service.name, because: ["no longer in the manifest"]))
        }
        return changes.sorted { $0.service < $1.service }
    }
}

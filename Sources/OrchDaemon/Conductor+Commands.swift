// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchWire

/// What is asked, and the answers.
extension Conductor {
    /// Nil when the answer comes as a stream.
    mutating func answer(_ command: Command, _ id: UInt64, from place: Int, at now: Moment) throws(Refusal) -> Reply
        .Body?
    {
        if command.needsSameVersion {
            if let hello = sessions[place].session.hello, !hello.isSameVersion {
                throw .otherVersion(client: hello.version, daemon: OrchVersion.text)
            }
            if isShuttingDown {
                throw Refusal(
                    .conflict, "the daemon is stopping everything and ends", remedy: "try again when it has ended")
            }
        }
        switch command {
        case .apply(let request): return try apply(request, by: sessions[place].session.peer, at: now)
        case .applyKnown(let request): return try apply(request, from: place, at: now)
        case .rollback(let request): return try rollBack(request, by: sessions[place].session.peer, at: now)
        case .down(let stack, let timeout): return try takeDown(stack, timeout, at: now)
        case .start(let targets): return try order(.start(targets), at: now)
        case .stop(let targets, let timeout): return try order(.stop(targets, timeout: timeout), at: now)
        case .restart(let targets): return try order(.restart(targets), at: now)
        case .scale(let target, let replicas): return try order(.scale(target, replicas: replicas), at: now)
        case .reload(let targets):
            settle(at: now)
            let order = Order.reload(targets)
            try fleet.admit(order)
            let text = fleet.reloadText(for: targets)
            tell(order, at: now)
            return .accepted(nil, text: text)
        case .signal(let targets, let signal): return try self.signal(targets, signal, at: now)
        case .daemonStop:
            shutDown("a client asked for it", at: now)
            return .accepted(nil, text: "stopping everything, in order")
        case .daemonRestart:
            isReplaced = true
            return .accepted(nil, text: "the daemon is replaced; services run on")
        case .daemonUpgrade(let upgrade): return try self.upgrade(upgrade, id, from: place, at: now)
        case .rotateLogs(let targets): return try rotateLogs(of: targets, id, from: place, at: now)
        case .follow(let targets, let goal, let opening):
            try follow(targets, goal, opening, id, from: place)
            return nil
        case .events(let target, let since, let follows): return try events(target, since, follows, id, from: place)
        case .diff(let request):
            settle(at: now)
            return try plan(of: request, from: place)
        case .recall, .rollbackPlan, .status, .processes, .why, .history, .daemonStatus:
            settle(at: now)
            return try read(command)
        }
    }

    private mutating func read(_ command: Command) throws(Refusal) -> Reply.Body? {
        switch command {
        case .recall(let manifest): return recall(manifest: manifest)
        case .rollbackPlan(let request): return .plan(try fleet.plan(backTo: try kept(request)))
        case .history(let target): return .history(try history(of: target))
        case .status(let target, let detail): return .status(try status(of: target, detail))
        case .processes(let target): return .processes(try processes(of: target))
        case .why(let target): return .why(try why(target))
        case .daemonStatus: return .daemon(daemonStatus)
        case .apply, .applyKnown, .diff, .rollback, .down, .start, .stop, .restart, .reload, .scale, .signal, .follow,
            .events,
            .rotateLogs, .daemonStop, .daemonRestart, .daemonUpgrade:
            return nil
        }
    }

    // MARK: Changes: admitted, durable, then told

    private mutating func apply(_ asked: ApplyRequest, by peer: Peer, at now: Moment) throws(Refusal) -> Reply.Body {
        settle(at: now)
        var request = asked
        let revision = fleet.seal(&request.stack)
        let plan = try fleet.plan(for: request, revision: revision)
        return try apply(request, as: plan, within: asked.rollbackWithin, by: peer, at: now)
    }

    /// Durable, then told.
    mutating func take(up applied: AppliedStack, at now: Moment) throws(Refusal) {
        let order = Order.apply(applied)
        do { try journal.save(applied) } catch { throw Refusal(error) }
        // The revision stands from here on: what else there is to write can't undo the answer.
        journal.saveEventually(fleet.departures(after: order), at: now)
        requests[applied.request.stack.name] = applied.request
        tell(order, at: now)
    }

    private mutating func takeDown(_ stack: String, _ timeout: Duration?, at now: Moment) throws(Refusal) -> Reply.Body
    {
        let order = Order.down(stack: stack, timeout: timeout)
        try fleet.admit(order)
        if let leaving = fleet.leaving(stack: stack) {
            do { try journal.save(leaving) } catch { throw Refusal(error) }
        }
        journal.saveEventually(fleet.departures(after: order), at: now)
        tell(order, at: now)
        return .accepted(nil, text: nil)
    }

    private mutating func order(_ order: Order, at now: Moment) throws(Refusal) -> Reply.Body {
        try fleet.admit(order)
        do { try journal.save(fleet.departures(after: order)) } catch { throw Refusal(error) }
        tell(order, at: now)
        return .accepted(nil, text: nil)
    }

    private mutating func signal(_ targets: [Target], _ signal: Signal, at now: Moment) throws(Refusal) -> Reply.Body {
        settle(at: now)
        let order = Order.signal(targets, signal)
        try fleet.admit(order)
        let reached = fleet.reached(by: targets)
        tell(order, at: now)
        return .accepted(nil, text: "\(signal.name) sent to \(reached.map(\.text).joined(separator: ", "))")
    }

    mutating func tell(_ order: Order, at now: Moment) {
        fleet.observe(.commanded(order), at: now)
        isUnsettled = true
    }

    // MARK: Reading

    private mutating func status(of target: Target?, _ detail: StatusDetail) throws(Refusal) -> [StackStatus] {
        guard detail != .stacks else { return fleet.status(of: target, showingInstances: false) }
        var stacks = fleet.status(of: target)
        if let target, stacks.allSatisfy(\.instances.isEmpty) { try fleet.admit(.stop([target], timeout: nil)) }
        let usage = detail == .usage ? usage(of: stacks) : [:]
        for stack in stacks.indices {
            for row in stacks[stack].instances.indices { complete(&stacks[stack].instances[row], usage) }
        }
        for hang in host.logHangs() { tell(hang, in: &stacks) }
        return stacks
    }

    /// Whose lines wait is shown with the reason.
    private func tell(_ hang: LogHang, in stacks: inout [StackStatus]) {
        let waiting = Set(hang.instances)
        for stack in stacks.indices {
            for row in stacks[stack].instances.indices where waiting.contains(stacks[stack].instances[row].id) {
                stacks[stack].instances[row].logTrouble = hang.text
            }
        }
    }

    private mutating func processes(of target: Target?) throws(Refusal) -> [InstanceProcesses] {
        let rows = try status(of: target, .instances).flatMap(\.instances)
        var members: [LaunchID: [ProcessMark]] = [:]
        for found in host.members(of: rows.compactMap(\.launch).sorted()) { members[found.launch] = found.members }
        return rows.map { row in
            let own = row.launch.flatMap { members[$0] } ?? []
            return InstanceProcesses(
                id: row.id, label: row.label, phase: row.phase, launch: row.launch, main: row.pid,
                tracking: own.isEmpty ? nil : row.tracking, members: own)
        }
    }

    private mutating func usage(of stacks: [StackStatus]) -> [LaunchID: Usage] {
        var launches: [LaunchID] = []
        for stack in stacks {
            for row in stack.instances where row.pid != nil { row.launch.map { launches.append($0) } }
        }
        guard !launches.isEmpty else { return [:] }
        launches.sort()
        var usage: [LaunchID: Usage] = [:]
        usage.reserveCapacity(launches.count)
        for found in host.usage(of: launches) { usage[found.launch] = found }
        return usage
    }

    private func complete(_ row: inout InstanceStatus, _ usage: [LaunchID: Usage]) {
        if row.pid != nil, let found = row.launch.flatMap({ usage[$0] }) {
            row.cpuPercent = found.cpuPercent
            row.memoryBytes = found.memoryBytes
        }
        row = located(row)
    }

    /// With the files that its output goes to.
    func located(_ status: InstanceStatus) -> InstanceStatus { located(status, in: requests[status.id.service.stack]) }

    func located(_ status: InstanceStatus, in request: ApplyRequest?) -> InstanceStatus {
        guard let stack = request?.stack, let spec = stack.service(status.id.service.service) else { return status }
        var row = status
        (row.stdoutLog, row.stderrLog) = identity.logPaths(status.id, spec.logging)
        row.redactedLog = stack.redactions(for: spec)
        row.secretFiles = stack.secretFiles(for: spec)
        return row
    }

    private mutating func why(_ target: Target) throws(Refusal) -> [Explanation] {
        let answers = fleet.why(target)
        if answers.isEmpty { try fleet.admit(.stop([target], timeout: nil)) }
        return answers.map { answer in
            var chain = answer.chain
            if chain.count < Limits.causesPerInstance {
                let id = answer.status.id
                let exactly = Target(stack: id.service.stack, service: id.service.service, replica: id.replica)
                // Without a store there is only what is in memory.
                let stored = (try? journal.occurrences(of: exactly, since: nil, limit: Limits.causesPerInstance)) ?? []
                chain += stored.reversed().filter { !chain.contains($0) }.prefix(Limits.causesPerInstance - chain.count)
            }
            return Explanation(status: answer.status, chain: chain)
        }
    }

    private var daemonStatus: DaemonStatus {
        let size = fleet.size
        return DaemonStatus(
            pid: identity.pid, startedAt: identity.startedAt, stacks: size.stacks, instances: size.instances,
            launches: fleet.openLaunches.count, clients: sessions.count, isShuttingDown: isShuttingDown,
            fallback: identity.fallback, remarks: allRemarks)
    }
}

extension Refusal {
    /// The disk or the machine would not.
    init(_ fault: Fault) {
        var fact = fault
        fact.remedy = nil
        self.init(.failed, "nothing was changed: \(fact.text)", remedy: fault.remedy)
    }
}

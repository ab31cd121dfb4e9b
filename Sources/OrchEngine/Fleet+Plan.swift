// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// The difference between what is applied and what is asked. `diff` shows it and `apply` is admitted by it; nothing here can act.
extension Fleet {
    /// Names what is asked for, before it is planned and admitted. What has not changed becomes what is kept already; the digests of what has
    /// are worked out once.
    public func seal(_ stack: inout Stack) -> Digest {
        guard let place = stackPlace(stack.name) else { return stack.seal() }
        let applied = stacks[place].applied
        // The same manifest once more is the common case, and comparing costs less than digesting.
        if applied.request.stack == stack {
            stack = applied.request.stack
            return applied.revision
        }
        for index in stack.services.indices { share(&stack.services[index], with: place) }
        return stack.seal()
    }

    /// A manifest's names are good already; a client of its own makes may say anything, and files and groups have these names.
    private func checkNames(of stack: Stack) throws(Refusal) {
        guard let bad = ([stack.name] + stack.services.map(\.name)).first(where: { !Name.isValid($0) }) else { return }
        throw Refusal(
            .malformed, "\"\(bad.prefix(80))\" can't name a stack or a service",
            remedy: "names are a-z, 0-9, _ and -, begin with a letter or digit, and have at most 63 characters")
    }

    /// What applying the request would do, or why the daemon will not. `revision`: its name, where it is known.
    public func plan(for request: ApplyRequest, revision: Digest? = nil) throws(Refusal) -> Plan {
        let stack = request.stack
        try checkNames(of: stack)
        guard let place = stackPlace(stack.name), !stacks[place].applied.isLeaving else {
            guard stacks.count < Limits.stacks else {
                throw Refusal(
                    .limit, "this daemon already keeps \(Limits.stacks) stacks",
                    remedy: "take one down first: orch down STACK")
            }
            return Plan(
                stack: stack.name, revision: (revision ?? stack.digest).hex,
                changes: stack.services.map {
                    Change(
                        .create, $0.name,
                        because: [
                            $0.enabled ? "new in the manifest" : "new in the manifest, \($0.outside ?? "disabled")"
                        ])
                })
        }
        let applied = stacks[place].applied
        guard applied.request.manifestPath == request.manifestPath || request.adopt else {
            throw Refusal(
                .conflict,
                "stack \(stack.name) was applied from \(applied.request.manifestPath), not from \(request.manifestPath)",
                remedy: "give this manifest another `name:`, or take the stack over with --adopt")
        }
        try checkRenames(for: stack, place)
        let renames = renames(for: stack, place)
        var changes: [Change] = []
        // One look where both are one copy.
        let isSame = applied.request.stack == stack
        for spec in stack.services {
            let name = renames.first { $0.to == spec.name }?.from ?? spec.name
            guard let old = stacks[place].services[name], !services[old].isRemoved else {
                changes.append(
                    Change(
                        .create, spec.name,
                        because: [
                            spec.enabled ? "new in the manifest" : "new in the manifest, \(spec.outside ?? "disabled")"
                        ]))
                continue
            }
            if let change = change(of: old, to: spec, isSame) { changes.append(change) }
        }
        for spec in isSame ? [] : applied.request.stack.services
        where stack.service(spec.name) == nil && !renames.contains(where: { $0.from == spec.name }) {
            changes.append(Change(.remove, spec.name, because: ["no longer in the manifest"]))
        }
        let revision = revision ?? (isSame ? applied.revision : stack.digest)
        return Plan(stack: stack.name, revision: revision.hex, changes: changes.sorted { $0.service < $1.service })
    }

    /// What becomes of one service; nil when nothing does. `isApplied`: what is applied says the same of it.
    private func change(of place: Int, to spec: ServiceSpec, _ isApplied: Bool) -> Change? {
        let service = services[place]
        let isKnown = isApplied && service.rollout == nil && service.id.service == spec.name
        let isRenamed = service.id.service != spec.name
        var running = service.spec
        if let rollout = service.rollout, rollout.stance != .going { running = rollout.previous.spec }
        var fields = isKnown || running == spec ? [] : ServiceSpec.changes(from: running, to: spec)
        if isRenamed { fields.removeAll { $0.path == "renamed_from" } }
        let live = service.slots.compactMap { slots[$0] }.filter { !$0.isLeaving }
        let drift = drift(in: live, of: service, wanted: spec)
        let scaled = service.scaled.flatMap { $0 == spec.replicas ? nil : $0 }
        guard !fields.isEmpty || !drift.isEmpty || isRenamed || scaled != nil || (!isKnown && service.spec != spec)
        else {
            return nil
        }
        let isUp = live.contains { self.isUp($0) }
        let isRestart = fields.contains { $0.fate == .restart }
        var because: [String] = []
        if isRenamed { because.append("renamed from \(service.id.service)") }
        if isRestart {
            because.append("its definition changed" + (spec.schedule == nil ? "" : "; the next run has it"))
        }
        because += fields.compactMap(\.configText)
        because += drift
        if let scaled { because.append("scaled by hand to \(scaled)") }
        let action: Change.Action
        if isRenamed {
            action = .rename
        } else if service.spec.enabled != spec.enabled || (!spec.enabled && !drift.isEmpty) {
            action = spec.enabled ? .start : .stop
            if service.spec.enabled != spec.enabled {
                because.append(spec.enabled ? "enabled in the manifest" : spec.outside ?? "disabled in the manifest")
            }
        } else if isRestart {
            action =
                spec.schedule != nil
                ? .live : spec.kind == .task && !isUp ? .run : (isUp ? .restart : (spec.enabled ? .start : .live))
        } else if live.contains(where: \.isHeld) {
            action = spec.definitionDigest == service.rollout?.previous.definition ? .live : .restart
        } else if isUp,
            fields.contains(where: { $0.fate == .reload }) || live.contains(where: { refusal(of: $0) != nil })
        {
            action = .reload
        } else if !drift.isEmpty {
            action = spec.kind == .task && spec.schedule == nil ? .run : .start
        } else if scaled != nil || fields.contains(where: { $0.path == "replicas" }) {
            action = .scale
        } else {
            action = .live
        }
        return Change(action, spec.name, because: because, fields: fields)
    }

    /// Where the instances stand against the manifest: what a person stopped or started, and what has failed.
    private func drift(in live: [Slot], of service: Service, wanted spec: ServiceSpec) -> [String] {
        let wanted = spec.enabled
        var found: [String] = []
        for slot in live {
            let label = live.count > 1 ? "\(label(of: slot)) " : ""
            if slot.isHeld, let rollout = service.rollout {
                found.append("\(label)\(rollout.stance.text), \(rollout.reason)")
            }
            if slot.departure == .stopped, wanted { found.append("\(label)stopped by hand") }
            if wanted, let halt = halt(of: slot), slot.outcome == nil || halt.instance == slot.id {
                found.append("\(label)the stack stopped: \(halt.reason)")
            }
            if wanted, let refusal = refusal(of: slot) { found.append("\(label)its reload failed: \(refusal)") }
            if slot.departure == .started, !wanted { found.append("\(label)disabled, but started by hand") }
            if wanted, !slot.isHalted, hasCeasedToStandIn(slot, spec), let exit = slot.lastExit {
                found.append("\(label)it ended (\(exit.text)), and on_exit does not ignore that any more")
            }
            if wanted, !slot.isHalted, service.spec.schedule == nil, let outcome = slot.outcome,
                outcome.phase == .failed,
                outcome.definition == service.definition
            {
                found.append("\(label)failed: \(outcome.reason)")
            }
        }
        return found
    }

    /// The revision as it is to be kept. What a service inherits is refreshed only where the plan starts it anew.
    public func admit(_ request: ApplyRequest, at now: Moment) throws(Refusal) -> AppliedStack {
        admit(request, as: try plan(for: request), inheriting: [], at: now)
    }

    /// The same for a plan that was made in this turn.
    public func admit(_ request: ApplyRequest, as plan: Plan, at now: Moment) -> AppliedStack {
        admit(request, as: plan, inheriting: [], at: now)
    }

    /// `fresh`: what services that are started anew inherit; those that are not among them inherit what the request says.
    func admit(
        _ request: ApplyRequest, as plan: Plan, inheriting fresh: [ServiceInheritance], at now: Moment
    ) -> AppliedStack {
        var refreshed: Set<String> = []
        for change in plan.changes {
            switch change.action {
            case .create, .start, .run, .restart: refreshed.insert(change.service)
            case .rename: if change.fields.contains(where: { $0.fate == .restart }) { refreshed.insert(change.service) }
            case .stop, .reload, .live, .scale, .remove: break
            }
        }
        let old = stackPlace(request.stack.name)
        let own = Dictionary(fresh.map { ($0.service, $0.environment) }, uniquingKeysWith: { first, _ in first })
        let renames = old.map { self.renames(for: request.stack, $0) } ?? []
        let inherited = request.stack.services.map { spec in
            let name = renames.first { $0.to == spec.name }?.from ?? spec.name
            guard !refreshed.contains(spec.name), let old, let place = stacks[old].services[name] else {
                return ServiceInheritance(service: spec.name, environment: own[spec.name] ?? request.inherited)
            }
            return ServiceInheritance(service: spec.name, environment: services[place].inherited)
        }
        var applied = AppliedStack(
            request: request, revision: Digest(hex: plan.revision) ?? request.stack.digest, appliedAt: now.wall,
            inherited: inherited)
        for index in applied.request.stack.services.indices {
            if let old { share(&applied.request.stack.services[index], with: old) }
            applied.request.stack.services[index].seal()
        }
        applied.acceptedAt = now.instant
        applied.request.rollbackWithin = nil
        applied.trial = trial(of: request, applied.revision, at: now)
        applied.entry.take(plan)
        if let old, !stacks[old].applied.isLeaving, stacks[old].applied.revision == applied.revision {
            applied.entry = stacks[old].applied.entry
        }
        applied.renames = renames
        applied.rollouts = rollouts(for: request, renames)
        return applied
    }

    /// What has not changed is kept once.
    private func share(_ spec: inout ServiceSpec, with stack: Int) {
        guard let place = stacks[stack].services[spec.name], services[place].spec == spec else { return }
        spec = services[place].spec
    }
}

extension FieldChange {
    /// A config file as a reason; nil for another field.
    fileprivate var configText: String? {
        guard path.hasPrefix("config_files.") else { return nil }
        let file = path.dropFirst("config_files.".count).filter { $0 != "\"" }
        if from == nil { return "config file \(file) is new" }
        return to == nil ? "\(file) is no config file any more" : "config file \(file) changed"
    }
}

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// What people are told.
extension Fleet {
    /// Sorted by name. Not `showingInstances`: the stacks alone.
    public func status(of target: Target?, showingInstances: Bool = true) -> [StackStatus] {
        var answer: [StackStatus] = []
        for (place, stack) in stacks.enumerated() where target == nil || target?.stack == stack.name {
            var instances: [InstanceStatus] = []
            for service in showingInstances ? placesOfServices(place) : [] {
                for slot in services[service].slots {
                    guard let found = slots[slot], target?.covers(found.id) ?? true else { continue }
                    instances.append(status(of: found))
                }
            }
            answer.append(
                StackStatus(
                    name: stack.name, revision: stack.applied.revision.hex,
                    manifestPath: stack.applied.request.manifestPath,
                    phase: phase(ofStack: place), instances: instances, stoppedBy: stoppedBy(stack), host: stack.host))
        }
        return answer
    }

    /// Stacks and their instances, as many as `status` has. O(services)
    public var size: (stacks: Int, instances: Int) {
        (stacks.count, stacks.indices.reduce(0) { $0 + instanceCount(in: $1) })
    }

    private func instanceCount(in stack: Int) -> Int {
        placesOfServices(stack).reduce(0) { count, service in
            count + services[service].slots.count { slots[$0] != nil }
        }
    }

    /// The status of one instance, nil when there is none.
    public func status(of instance: InstanceID) -> InstanceStatus? {
        guard let place = slotPlace(instance), let slot = slots[place] else { return nil }
        return status(of: slot)
    }

    /// What of the status says whether it runs, and as what; nil when there is no such instance.
    public func process(of instance: InstanceID) -> ProcessStatus? {
        guard let place = slotPlace(instance), let slot = slots[place] else { return nil }
        return process(of: slot, shown(of: slot))
    }

    /// The launch that the status is about: while the new one does not exist, the former.
    private func shown(of slot: Slot) -> Incarnation? {
        slot.current ?? slot.predecessor.flatMap { slots[$0]?.current }
    }

    private func process(of slot: Slot, _ shown: Incarnation?) -> ProcessStatus {
        ProcessStatus(
            phase: slot.phase, launch: shown?.launch ?? slot.lastLaunch,
            pid: shown?.hasEnded == false ? shown?.pid : nil)
    }

    private func status(of slot: Slot) -> InstanceStatus {
        var row = InstanceStatus(
            id: slot.id, label: label(of: slot), kind: services[slot.service].spec.kind, phase: slot.phase,
            since: slot.since)
        row.restarts = slot.restarts
        row.exit = slot.lastExit
        let shown = shown(of: slot)
        let process = process(of: slot, shown)
        row.launch = process.launch
        row.pid = process.pid
        row.startedAt = slot.lastStartedAt
        row.health = health(of: slot)
        row.limits = limits(of: slot)
        // Whoever has a lock may have changed since the slot was looked at.
        row.reason = slot.lockWait == nil ? slot.reason : standing(of: slot, at: clock).1
        if slot.phase == .waiting, let because = whatNeedIsDoing(slot) { row.reason += " (\(because))" }
        if !slot.reason.isEmpty {
            let isHeld = slot.phase == .idle && slot.departure == nil
            let culprit = isHeld ? halt(of: slot)?.instance.service : nil
            row.position = position(of: culprit ?? slot.id.service, key: slot.reasonKey)
        }
        if let next = slot.current?.stopping?.deadline ?? (slot.phase == .backoff ? slot.retryAt : nil), next > clock {
            row.until = wallOfClock + (next - clock)
        }
        if slot.hasSchedule {
            if let next = nextRun(of: slot) { row.until = next }
            row.runs = slot.schedule?.runs ?? []
        }
        if let incarnation = shown {
            row.readyAt = incarnation.readyAt?.wall
            row.ports = incarnation.ports
            row.tracking = incarnation.tracking
            row.said = incarnation.said
        }
        return row
    }

    private func health(of slot: Slot) -> Health {
        let spec = spec(of: slot)
        guard !spec.probes.isEmpty else { return .none }
        guard let incarnation = slot.current, !incarnation.hasEnded else { return .unknown }
        var health = Health.healthy
        for kind in ProbeKind.allCases where spec.has(kind) {
            switch incarnation.verdict(of: kind) ?? .unknown {
            case .failing: return .unhealthy
            case .unknown: health = .unknown
            case .passing: break
            }
        }
        return health
    }

    /// What the first missing dependency is doing instead, and why.
    private func whatNeedIsDoing(_ slot: Slot) -> String? {
        guard let (index, _) = firstMissing(slot), let need = services[slot.service].needs[index] else { return nil }
        let dependency = services[slot.service].spec.dependsOn[index]
        for place in services[need].slots {
            guard let other = slots[place], !hasReached(dependency.condition, other) else { continue }
            return "\(label(of: other)) is \(other.phase.rawValue)"
                + (other.reason.isEmpty || other.phase == .waiting ? "" : ": \(other.reason)")
        }
        return nil
    }

    private func stoppedBy(_ stack: StackRecord) -> StackStop? {
        stack.halt.map { StackStop(instance: $0.instance, reason: $0.reason, exit: $0.exit) }
    }

    private func phase(ofStack place: Int) -> StackPhase {
        var isProgressing = false
        var isDegraded = false
        var isFailed = false
        var isAnyUp = false
        for service in placesOfServices(place) {
            for slotPlace in services[service].slots {
                guard let slot = slots[slotPlace] else { continue }
                if slot.predecessor != nil, slot.outcomePhase == .failed { isFailed = true }
                switch slot.phase {
                case .idle: if isScheduled(slot), isWanted(slot) { isAnyUp = true }
                case .waiting, .backoff, .starting, .running, .reloading, .stopping: isProgressing = true
                case .ready: isAnyUp = true
                case .done: isAnyUp = isAnyUp || !slot.isHalted
                case .unhealthy: isDegraded = true
                case .failed, .stuck: isFailed = true
                }
            }
        }
        if isFailed { return .failed }
        if isDegraded { return .degraded }
        if isProgressing { return .progressing }
        return isAnyUp ? .ready : .stopped
    }

    /// How a goal stands for targets.
    public func verdict(on goal: Goal, for targets: [Target]) -> Verdict {
        var witness: InstanceID?
        return verdict(on: goal, for: targets, &witness)
    }

    /// `witness` becomes one of those that the goal waits for, if there is one.
    public func verdict(on goal: Goal, for targets: [Target], _ witness: inout InstanceID?) -> Verdict {
        if goal == .forever { return .pending }
        if case .proven(let revision) = goal { return verdict(onTrialOf: revision, for: targets) }
        var isPending = false
        for target in targets {
            guard let stack = stackPlace(target.stack) else {
                if goal == .gone || goal == .stopped { continue }
                return .failed("there is no stack \(target.stack) any more")
            }
            if goal == .gone { isPending = true }
            for service in placesOfServices(stack) {
                for place in services[service].slots {
                    guard let slot = slots[place], target.covers(slot.id) else { continue }
                    switch verdict(on: goal, for: slot) {
                    case .pending:
                        isPending = true
                        witness = slot.id
                    case .reached, .rolledBack: break
                    case .failed(let reason): return .failed("\(label(of: slot)): \(reason)")
                    }
                }
            }
        }
        return isPending ? .pending : .reached
    }

    func verdict(on goal: Goal, for slot: Slot) -> Verdict {
        if slot.phase == .stuck, goal == .stopped || goal == .gone { return .failed(slot.reason) }
        switch goal {
        case .forever: return .pending
        case .gone: return .pending
        case .reloaded: return verdictOnReload(of: slot)
        case .stopped:
            if isWanted(slot) { return .failed("it was started again meanwhile") }
            return isUp(slot) || slot.predecessor != nil ? .pending : .reached
        case .settled, .proven:
            if slot.isHalted, services[slot.service].spec.enabled { return verdict(onHalted: slot) }
            if !isWanted(slot) { return isUp(slot) || slot.predecessor != nil ? .pending : .reached }
            if let verdict = scheduleVerdict(of: slot) { return verdict }
            if slot.isDirty || mustGo(slot) { return .pending }
            if let refusal = refusal(of: slot) { return .failed("its reload failed: \(refusal)") }
            if let incarnation = slot.current, owesConfiguration(slot, incarnation) { return .pending }
            if let verdict = verdictOnUpdate(slot) { return verdict }
            if slot.phase == .failed { return .failed(slot.reason) }
            if let reason = vainWait(of: slot) { return .failed(reason) }
            return slot.phase == .ready || slot.phase == .done ? .reached : .pending
        case .reached(let condition):
            if hasReached(condition, slot), !slot.isDirty { return .reached }
            if slot.isDirty { return .pending }
            if slot.phase == .failed { return .failed(slot.reason) }
            if slot.phase == .done { return .failed("it ended: \(slot.reason)") }
            return isWanted(slot) ? .pending : .failed(slot.reason.isEmpty ? "it is not wanted" : slot.reason)
        }
    }

    /// The chain of causes of each instance the target covers.
    public func why(_ target: Target) -> [WhyAnswer] {
        guard let stack = stackPlace(target.stack) else { return [] }
        var answers: [WhyAnswer] = []
        for service in placesOfServices(stack) {
            for place in services[service].slots {
                guard let slot = slots[place], target.covers(slot.id) else { continue }
                let chain = stories[place].suffix(Limits.causesPerInstance)
                answers.append(WhyAnswer(status: status(of: slot), chain: chain.reversed()))
            }
        }
        return answers
    }
}

/// Where an instance stands and how it came there.
public struct WhyAnswer: Equatable, Sendable {
    public var status: InstanceStatus
    /// Newest first.
    public var chain: [Occurrence]
    public init(status: InstanceStatus, chain: [Occurrence]) {
        self.status = status
        self.chain = chain
    }
}

/// Of an `InstanceStatus` that which facts about processes can be held against.
public struct ProcessStatus: Equatable, Sendable {
    public var phase: Phase
    public var launch: LaunchID?
    public var pid: Int32?
}

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// A revision that is on trial (`apply --rollback-on-failure`): the promise is the daemon's, so neither the client's end nor its own
/// undoes it. The trial ends well when everything of the stack has settled. It ends badly when something is `failed` before that, or when
/// its time is over; then the fleet asks for the revision before.
struct TrialRecord: Sendable {
    let stack: String
    let trial: Trial
    /// What is gone back to; nil when there was nothing before, or when it can't be read any more.
    var fallback: AppliedStack?
    /// All services of the stack when the trial began.
    var services: [Int]
    /// Where something was not settled last time: looked at first, so that a trial costs one look for each event.
    var cursor = 0
    /// An instance that was seen to fail.
    var failed: Int?
    /// How it ended badly: the revision before is to be gone back to.
    var refuted: FailedTrial?
    /// Nobody has looked for failures of a former life yet.
    var isUnseen = true
}

/// How a trial ended badly, until the next apply.
struct FailedTrial: Sendable {
    var revision: Digest
    var reason: String
    /// How the instance stood that failed; nil when it was the time that was over.
    var instance: InstanceStatus?
}

extension Fleet {
    /// What a revision that was asked for with `--rollback-on-failure` is promised. What is itself on trial has not proved anything: its
    /// fallback is passed on.
    func trial(of request: ApplyRequest, _ revision: Digest, at now: Moment) -> Trial? {
        guard let within = request.rollbackWithin else { return nil }
        var fallback: Digest?
        if let place = stackPlace(request.stack.name), !stacks[place].applied.isLeaving {
            let present = stacks[place].applied
            fallback = present.trial == nil ? present.revision : present.trial?.fallback
        }
        return Trial(within: within, deadline: now.instant + within, fallback: fallback == revision ? nil : fallback)
    }

    /// Begins the trial of a revision that was just taken up, if it is on one; whatever was tried of its stack before is over.
    mutating func beginTrial(_ stack: Int, after former: AppliedStack?) {
        let applied = stacks[stack].applied
        let earlier = endTrial(stacks[stack].name)
        guard let trial = applied.trial, !applied.isLeaving else { return }
        let fallback = [former, earlier?.fallback].compactMap { $0 }.first { $0.revision == trial.fallback }
        trials.append(
            TrialRecord(
                stack: stacks[stack].name, trial: trial, fallback: fallback, services: placesOfServices(stack)))
    }

    @discardableResult
    mutating func endTrial(_ stack: String) -> TrialRecord? {
        guard let place = trials.firstIndex(where: { $0.stack == stack }) else { return nil }
        return trials.remove(at: place)
    }

    /// What the disk holds of trials. Time that a shutdown or a boot took is not counted: it begins anew.
    mutating func recoverTrials(_ recovery: Recovery, at now: Moment) {
        let isFresh = recovery.isNewBoot || recovery.survivors.isEmpty
        for place in trials.indices {
            let old = trials[place]
            var trial = old.trial
            if isFresh { trial.deadline = now.instant + trial.within }
            var record = TrialRecord(stack: old.stack, trial: trial, services: old.services)
            record.fallback = recovery.fallbacks.first {
                $0.request.stack.name == old.stack && $0.revision == trial.fallback
            }
            trials[place] = record
            if let stack = stackPlace(old.stack) { stacks[stack].applied.trial = trial }
        }
    }

    /// A slot has come to stand at `failed`.
    mutating func noteFailure(_ place: Int) {
        guard let slot = slots[place], let trial = trials.firstIndex(where: { $0.stack == slot.id.service.stack })
        else { return }
        trials[trial].failed = place
    }

    /// When the next trial's time is over.
    var trialDeadline: Instant? {
        guard !trials.isEmpty, !isShuttingDown else { return nil }
        return trials.filter { $0.refuted == nil }.map(\.trial.deadline).min()
    }

    /// Ends the trials that have come to an end. Whether there is something to settle again.
    mutating func judgeTrials(at now: Moment, _ effects: inout [Effect]) -> Bool {
        guard !trials.isEmpty, !isShuttingDown else { return false }
        for trial in trials where trial.refuted != nil && !hasStack(trial.stack) { endTrial(trial.stack) }
        for name in trials.filter({ $0.refuted == nil }).map(\.stack) {
            switch outcome(ofTrial: name, at: now) {
            case .pending: break
            case .reached: prove(name, at: now, &effects)
            case .failed(let reason): refute(name, reason, at: now, &effects)
            case .rolledBack: break
            }
        }
        return !dirty.isEmpty
    }

    private mutating func outcome(ofTrial name: String, at now: Moment) -> Verdict {
        guard let place = trials.firstIndex(where: { $0.stack == name }) else { return .pending }
        if trials[place].isUnseen {
            trials[place].isUnseen = false
            trials[place].failed = trials[place].services.flatMap { services[$0].slots }.first {
                failure(of: $0) != nil
            }
        }
        if let slot = trials[place].failed {
            if let reason = failure(of: slot) { return .failed(reason) }
            trials[place].failed = nil
        }
        guard let (slot, cursor) = unsettled(trials[place]) else { return .reached }
        trials[place].cursor = cursor
        guard trials[place].trial.deadline <= now.instant else { return .pending }
        let row = slots[slot].map {
            "\(label(of: $0)) is \($0.phase.rawValue)" + ($0.reason.isEmpty ? "" : ": \($0.reason)")
        }
        return .failed("not everything was ready within \(trials[place].trial.within.text); \(row ?? "")")
    }

    /// `web: exit 1; restart: no`; nil when the instance has not failed.
    private func failure(of place: Int) -> String? {
        guard let slot = slots[place], case .failed(let reason) = verdict(on: .settled, for: slot) else { return nil }
        return "\(label(of: slot)): \(reason)"
    }

    /// An instance that is not as it shall be, going round from where there was one last time; nil when there is none.
    private func unsettled(_ record: TrialRecord) -> (slot: Int, cursor: Int)? {
        for step in 0..<record.services.count {
            let place = (record.cursor + step) % record.services.count
            let service = services[record.services[place]]
            // A place that was given to somebody else: what had it is gone.
            guard service.id.stack == record.stack else { continue }
            for slot in service.slots {
                guard let found = slots[slot], verdict(on: .settled, for: found) != .reached else { continue }
                return (slot, place)
            }
        }
        return nil
    }

    private mutating func prove(_ name: String, at now: Moment, _ effects: inout [Effect]) {
        endTrial(name)
        guard let stack = stackPlace(name) else { return }
        stacks[stack].applied.trial = nil
        effects.append(.keep(stacks[stack].applied))
    }

    private mutating func refute(_ name: String, _ reason: String, at now: Moment, _ effects: inout [Effect]) {
        guard let stack = stackPlace(name), let trial = trials.firstIndex(where: { $0.stack == name }) else { return }
        let record = trials[trial]
        let revision = stacks[stack].applied.revision
        let failed = FailedTrial(revision: revision, reason: reason, instance: record.failed.flatMap { status(at: $0) })
        guard record.fallback == nil || !hasStack(name) else {
            trials[trial].refuted = failed
            return effects.append(.goBack(stack: name))
        }
        endTrial(name)
        stacks[stack].applied.trial = nil
        stacks[stack].failedTrial = failed
        effects.append(.keep(stacks[stack].applied))
        let lack =
            record.trial.fallback.map { "revision \($0.short) can't be read any more" }
            ?? "nothing was applied before"
        effects.append(
            .record(
                Occurrence(
                    time: now.wall, stack: name, kind: .warning,
                    cause: "revision \(revision.short) is left as it is, as \(lack); it failed: \(reason)")))
    }

    /// The revision that is gone back to as a trial has failed, to be saved and then commanded like any other; nil when there is nothing to
    /// go back from any more.
    public func wayBack(of stack: String, at now: Moment) -> AppliedStack? {
        // The plan of a stack that is there, from the manifest that owns it, is never refused.
        guard let trial = trials.first(where: { $0.stack == stack }), let failed = trial.refuted,
            let fallback = trial.fallback, var applied = try? admit(backTo: fallback, by: "orch", at: now)
        else { return nil }
        applied.entry.origin = .automaticRollback
        applied.entry.because = failed.reason
        return applied
    }

    private func status(at place: Int) -> InstanceStatus? { slots[place].flatMap { status(of: $0.id) } }

    /// How it went with a revision for whoever applied it with `--rollback-on-failure`.
    func verdict(onTrialOf revision: Digest, for targets: [Target]) -> Verdict {
        guard let name = targets.first?.stack, let place = stackPlace(name) else {
            return .failed("there is no stack \(targets.first?.stack ?? "") any more")
        }
        let stack = stacks[place]
        if stack.applied.revision == revision {
            if stack.applied.trial != nil { return .pending }
            if let failed = stack.failedTrial, failed.revision == revision {
                return .failed("\(failed.reason); there is nothing to go back to")
            }
            return verdict(on: .settled, for: targets)
        }
        let entry = stack.applied.entry
        if let failed = stack.failedTrial, failed.revision == revision {
            return .rolledBack(
                RolledBack(from: revision, to: entry.revision, reason: failed.reason, instance: failed.instance))
        }
        if entry.origin == .automaticRollback, entry.left == revision {
            return .rolledBack(RolledBack(from: revision, to: entry.revision, reason: entry.because))
        }
        return .failed("revision \(entry.revision.short) took its place meanwhile, applied by \(entry.author)")
    }
}

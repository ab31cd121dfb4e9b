// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// The stop ladder.
extension Fleet {
    mutating func beginStop(
        _ place: Int, _ motive: StopMotive, _ reason: String, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let slot = slots[place], let incarnation = slot.current, incarnation.stopping == nil else { return }
        let stop = spec(of: slot).value.stop
        let isLate = slot.stopBy.map { $0 <= now.instant } ?? false
        if incarnation.isExecuted, !incarnation.hasEnded, !isLate {
            owe(.preStop, place, about: incarnation, reason, at: now, &effects)
        }
        slots[place]?.current?.stopping = StopProgress(
            motive: motive, reason: reason, scope: stop.scope, steps: stop.steps, deadline: now.instant)
        // That it is to go, and why, must be known before the first signal: an end that comes of it is not its own.
        effects.append(.note(.stopping(incarnation.launch, motive, reason: reason, step: -1, deadline: now.instant)))
        effects.append(.endProbes(incarnation.launch))
        dropReload(place, &effects)
        tell(place, .stopping, reason, at: now, key: "stop", &effects)
        climb(place, at: now, &effects)
    }

    /// Lets time and the facts act on a ladder under way.
    mutating func climb(_ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place], let incarnation = slot.current, let progress = incarnation.stopping else {
            return
        }
        if let complaint = progress.complaint {
            slots[place]?.current?.stopping?.complaint = nil
            tell(place, .warning, "stop step \(progress.step + 1): \(complaint)", at: now, key: "stop", &effects)
        }
        let isLate = slot.stopBy.map { $0 <= now.instant } ?? false
        if progress.isExtended {
            slots[place]?.current?.stopping?.isExtended = false
            effects.append(
                .note(
                    .stopping(
                        incarnation.launch, progress.motive, reason: progress.reason, step: progress.step,
                        deadline: progress.deadline)))
        }
        // Its ladder begins once that is over.
        if progress.step < 0, !isLate, preStop(of: slot) != nil { return }
        let isMainAllThatMatters = progress.scope == .main && incarnation.hasEnded
        if (isLate || isMainAllThatMatters) && !progress.isAtKill {
            take(step: progress.steps.count - 1, place, at: now, &effects)
        } else if progress.deadline <= now.instant {
            take(step: min(progress.step + 1, progress.steps.count - 1), place, at: now, &effects)
        } else if incarnation.hasEnded, !progress.hasToldRest, progress.step >= 0 {
            slots[place]?.current?.stopping?.hasToldRest = true
            if case .signal(let signal, let recipient) = progress.steps[progress.step].action, recipient != .tree {
                effects.append(.signal(incarnation.launch, signal, to: .tree))
            }
        }
    }

    private mutating func take(step: Int, _ place: Int, at now: Moment, _ effects: inout [Effect]) {
        guard let slot = slots[place], let incarnation = slot.current, var progress = incarnation.stopping else {
            return
        }
        let launch = incarnation.launch
        let isRepeat = progress.step == step
        progress.step = step
        progress.hasToldRest = incarnation.hasEnded
        let rung = progress.steps[step]
        progress.deadline = now.instant + max(rung.wait, Patience.step)
        switch rung.action {
        case .signal(let signal, let recipient):
            effects.append(.signal(launch, signal, to: incarnation.hasEnded ? .tree : recipient))
        case .kill:
            let killedAt = progress.killedAt ?? now.instant
            progress.killedAt = killedAt
            progress.deadline = now.instant + Patience.killAgain
            effects.append(.kill(launch))
        case .http, .command, .stdin:
            let runner = takeLaunch()
            effects.append(.runStep(launch, step: step, rung.action, runner: runner, limit: rung.wait))
        }
        if let stopBy = slot.stopBy, stopBy > now.instant { progress.deadline = min(progress.deadline, stopBy) }
        slots[place]?.current?.stopping = progress
        guard !isRepeat else { return }
        effects.append(
            .note(.stopping(launch, progress.motive, reason: progress.reason, step: step, deadline: progress.deadline)))
        tell(place, rung.action == .kill ? .killing : .step, progress.stepText, at: now, key: "stop", &effects)
    }

    /// A step that can't do its work is over at once: nothing is gained by waiting for it.
    mutating func observe(_ launch: LaunchID, _ step: Int, _ fault: Fault?, at now: Moment) {
        guard let fault, let place = launchIndex[launch], let progress = slots[place]?.current?.stopping,
            progress.step == step,
            !progress.isAtKill
        else { return }
        slots[place]?.current?.stopping?.deadline = now.instant
        slots[place]?.current?.stopping?.complaint = fault.text
        touch(place)
    }
}

extension StopProgress {
    /// `step 1 of 3: SIGTERM to main, waiting up to 5s`.
    func text(of step: Int) -> String {
        guard step >= 0 else { return reason }
        let rung = steps[step]
        if rung.action == .kill { return "killing whatever is left of it" }
        return "step \(step + 1) of \(steps.count): \(rung.action.text), waiting up to \(rung.wait.brief)"
    }
}

extension StopSpec.Action {
    /// What the step does, for people.
    var text: String {
        switch self {
        case .signal(let signal, let recipient): "\(signal.name) to \(recipient.rawValue)"
        case .http(let probe): "\(probe.method) \(probe.url)"
        case .command(let command): "command \(command.arguments.joined(separator: " "))"
        case .stdin: "text on standard input"
        case .kill: "kill"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What the oracle counts of one instance's launches, from what happened.
struct WatchedTries {
    /// When its latest launches were ordered.
    var launches: [Instant] = []
    /// Ends by itself in a row that its policy follows with another launch: when each was.
    var failures: [Instant] = []
    /// The restart policy that counted them.
    var policy: RestartPolicy?
}

/// Nothing is tried sooner than its manifest says, more often, or over and over.
extension Machine {
    /// More launches than this within this span are nobody's wish: a policy lets its delay pass, and people are slow.
    private static let launchesAtMost = 40
    private static let launchSpan = Duration.seconds(4)

    /// Before a launch.
    func checkTries(_ order: LaunchOrder) {
        let place = seat(of: order.instance)
        var launches = seats[place].tries.launches.filter { clock - $0 <= Self.launchSpan }
        launches.append(clock)
        seats[place].tries.launches = launches
        if launches.count > Self.launchesAtMost { violate("\(order.instance) is launched over and over") }
        guard let end = seats[place].lastEnd, let policy = counting(end, of: order.instance),
            end.definition == watch.definition ?? order.spec.definitionDigest
        else { return }
        let least = min(policy.delay, policy.maxDelay) * (1 - policy.jitter) - .microseconds(1)
        let soonest = min(least, policy.retryAfter ?? least)
        // What the machine lacked the next daemon may have at once.
        if clock - end.at < soonest, !(end.isScarcity && watch.wokenAt > end.at) {
            violate("\(order.instance) is tried again \((clock - end.at).brief) after \(end.exit?.text ?? "its end")")
        }
        if isOver(policy, policy.retryAfter.map { end.at + $0 <= clock } ?? false, seats[place].tries) {
            violate("\(order.instance) is tried again after \(seats[place].tries.failures.count) failures")
        }
    }

    /// More failures than it may have; some are left out of the count where they are near the edge of the window.
    private func isOver(_ policy: RestartPolicy, _ isTriedAgain: Bool, _ tries: WatchedTries) -> Bool {
        guard let limit = policy.maxAttempts, !isTriedAgain else { return false }
        return tries.failures.count { clock - $0 <= policy.window - .seconds(60) } > limit
    }

    /// A launch has ended as a whole.
    func countEnd(_ place: Int) {
        guard let end = seats[place].lastEnd else { return }
        let policy = counting(end, of: seats[place].id)
        let wasUp = end.executedAt.map { end.at - $0 } ?? .zero
        guard let policy, policy == seats[place].tries.policy ?? policy, wasUp < policy.resetAfter else {
            seats[place].tries.failures = []
            seats[place].tries.policy = policy
            return
        }
        let forgivenAt = max(watch.runLostAt, lastAskedFor(seats[place].id.service.stack))
        if let last = seats[place].tries.failures.last, last <= forgivenAt {
            seats[place].tries.failures = []
        }
        if let last = seats[place].tries.failures.last, let after = policy.retryAfter, last + after <= end.orderedAt {
            seats[place].tries.failures = []
        }
        seats[place].tries.policy = policy
        if !end.isScarcity { seats[place].tries.failures.append(end.at) }
    }

    /// The policy that an end by itself is followed by; nil where something else decides, or may have decided, what comes next.
    private func counting(_ end: LastEnd, of id: InstanceID) -> RestartPolicy? {
        guard let spec = specNow(of: id.service), spec.schedule == nil, !watch.isDiskBehind,
            end.definition == definitionNow(of: id.service), end.definition == targetNow(of: id),
            stackNow(id.service.stack)?.rollouts.isEmpty == true, end.orderedAt > lastAskedFor(id.service.stack),
            end.orderedAt > watch.runLostAt,
            !spec.reacts
        else { return nil }
        switch end.motive {
        case .requested, .retired: return nil
        case .clearing, .failure, nil: break
        }
        switch end.motive == .failure ? nil : end.exit.flatMap({ spec.onExit.action(for: $0) }) {
        case .ignore, .stop, .stopStack: return nil
        case .restart: return spec.restart
        case nil: break
        }
        let isSuccess = end.motive != .failure && (end.exit?.matches(spec.successExitCodes) ?? false)
        switch spec.restart.policy {
        case .no: return nil
        case .onFailure: return isSuccess ? nil : spec.restart
        case .always, .unlessStopped: return spec.kind == .task && isSuccess ? nil : spec.restart
        }
    }

    /// When somebody last asked for something that may lead to a launch, or a revision was taken up.
    func lastAskedFor(_ stack: String) -> Instant {
        max(watch.allCommandedAt, watch.commandedAt[stack] ?? .zero)
    }

    /// The fleet says that its instance has failed: not when the end was asked for.
    func checkFailure(_ id: InstanceID) {
        guard let end = seats[seat(of: id)].lastEnd, end.motive == .requested, seats[seat(of: id)].living == nil,
            !watch.hooks.failedStarts.contains(id)
        else { return }
        violate("\(id) was asked to end, and its end counts as a failure")
    }
}

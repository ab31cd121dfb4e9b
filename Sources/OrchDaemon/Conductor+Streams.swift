// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchWire

/// Answers that go on: `follow` and `events`.
extension Conductor {
    mutating func follow(_ targets: [Target], _ goal: Goal, _ opening: Opening, _ id: UInt64, from place: Int)
        throws(Refusal)
    {
        var found = targets
        var all: [Target] { fleet.status(of: nil, showingInstances: false).map { Target(stack: $0.name) } }
        switch goal {
        case .settled, .reached, .reloaded, .proven:
            if found.isEmpty { found = all }
            try fleet.admit(.start(found))
        case .stopped, .gone: if found.isEmpty { found = all }
        case .forever: if !found.isEmpty { try fleet.admit(.start(found)) }
        }
        try open(Stream(id: id, subject: .follow(Follow(found, goal, opening))), from: place)
    }

    mutating func events(
        _ target: Target?, _ since: WallTime?, _ follows: Bool, _ id: UInt64, from place: Int
    ) throws(Refusal) -> Reply.Body? {
        let past: [Occurrence]
        do { past = try journal.occurrences(of: target, since: since, limit: Limits.occurrencesPerAnswer) } catch {
            throw Refusal(.failed, error.text, remedy: error.remedy)
        }
        if follows {
            try open(Stream(id: id, subject: .events(target, skipping: fresh.count)), from: place)
            collectsFresh = true
        }
        for occurrence in past { sessions[place].session.say(id, .occurrence(occurrence)) }
        return follows ? nil : .end
    }

    private mutating func open(_ stream: Stream, from place: Int) throws(Refusal) {
        guard sessions[place].session.streams.count < Limits.streamsPerClient else {
            throw Refusal(
                .limit, "this client has \(Limits.streamsPerClient) streams under way already",
                remedy: "end some of them")
        }
        sessions[place].session.streams.append(stream)
        isMoved = true
    }

    /// Sends what changed, each row once, and the verdicts that fell.
    mutating func stream(at now: Moment) {
        guard isMoved || !fresh.isEmpty || streamDeadline.map({ $0 <= now.instant }) ?? false else { return }
        let changed = isMoved ? fleet.takeChanged() : []
        isMoved = false
        collectsFresh = false
        streamDeadline = nil
        for place in sessions.indices {
            let streams = sessions[place].session.streams
            if streams.isEmpty { continue }
            sessions[place].session.streams = []
            for stream in streams {
                guard let next = advance(stream, changed, place, at: now.instant) else { continue }
                sessions[place].session.streams.append(next)
            }
        }
        fresh.removeAll()
    }

    /// Nil when the stream has ended.
    private mutating func advance(_ stream: Stream, _ changed: [InstanceID], _ place: Int, at now: Instant) -> Stream? {
        switch stream.subject {
        case .events(let target, let skipped):
            collectsFresh = true
            for occurrence in fresh.dropFirst(skipped) where occurrence.isCovered(by: target) {
                sessions[place].session.say(stream.id, .occurrence(occurrence))
            }
            return Stream(id: stream.id, subject: .events(target, skipping: 0))
        case .follow(var follow):
            let verdict = verdict(on: &follow, changed, at: now)
            follow.untold += changed.filter(follow.covers)
            if verdict != .pending || follow.restsUntil <= now { tell(&follow, stream.id, place, at: now) }
            guard verdict == .pending else {
                sessions[place].session.say(stream.id, .verdict(completed(verdict)))
                return nil
            }
            if !follow.untold.isEmpty { streamDeadline = Instant.soonest(streamDeadline, follow.restsUntil) }
            streamDeadline = Instant.soonest(streamDeadline, follow.failure?.until)
            return Stream(id: stream.id, subject: .follow(follow))
        }
    }

    /// Who is told of a failure, or has waited for an end, looks at what was written last: that is in its file by then, as far as it comes in
    /// time.
    private mutating func verdict(on follow: inout Follow, _ changed: [InstanceID], at now: Instant) -> Verdict {
        let found = follow.failure?.verdict ?? verdict(on: &follow, changed)
        guard launches(behind: found, follow).contains(where: releases.isUndrained) else { return found }
        let until = follow.failure?.until ?? now + Limits.lastWordsWait
        follow.failure = (found, until)
        hastensHistory = true
        return now < until ? .pending : found
    }

    private func launches(behind verdict: Verdict, _ follow: Follow) -> [LaunchID] {
        switch verdict {
        case .pending: []
        case .reached: follow.goal.isAnEnd ? launches(of: follow.targets) : []
        case .failed: launches(of: follow.targets)
        case .rolledBack(let told): [told.instance?.launch].compactMap { $0 }
        }
    }

    private func launches(of targets: [Target]) -> [LaunchID] {
        fleet.instances(of: targets).compactMap { fleet.status(of: $0)?.launch }
    }

    private func verdict(on follow: inout Follow, _ changed: [InstanceID]) -> Verdict {
        if let verdict = againThere(follow.targets, follow.goal) { return verdict }
        if follow.hasBegun, fleet.isPending(follow.goal, by: follow.witness, though: changed) { return .pending }
        return fleet.verdict(on: follow.goal, for: follow.targets, &follow.witness)
    }

    /// The newest row of each that has changed; the first time of all that it covers.
    private mutating func tell(_ follow: inout Follow, _ id: UInt64, _ place: Int, at now: Instant) {
        let all = follow.hasBegun ? follow.untold : fleet.instances(of: follow.targets)
        let isSparing = !follow.hasBegun && follow.opening == .missing
        let covered = isSparing ? all.filter { !fleet.isThere($0) } : all
        var told: Set<InstanceID> = []
        for instance in covered where told.insert(instance).inserted {
            let body: Reply.Body
            if let status = fleet.status(of: instance) {
                body = .instance(located(status))
            } else {
                body = .gone(instance)
            }
            sessions[place].session.say(id, body)
        }
        // After the rows: whoever comes from here on without having had one is one of these.
        if isSparing { sessions[place].session.say(id, .there(all.count - covered.count)) }
        if !follow.hasBegun, all.count >= Limits.followedAtOnce { follow.rest = Limits.followerRest }
        follow.hasBegun = true
        follow.untold = []
        follow.restsUntil = now + follow.rest
    }

    /// What was to go was applied again meanwhile: it will not go.
    private func againThere(_ targets: [Target], _ goal: Goal) -> Verdict? {
        guard goal == .gone, let there = targets.first(where: { fleet.hasStack($0.stack) }) else { return nil }
        return .failed("\(there.stack) was applied again meanwhile")
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchModel
import OrchWire

/// A rehearsal under way: the whole daemon on a machine in memory, act by act, with somebody in the audience who writes down what
/// clients are told.
struct Play {
    let rehearsal: Rehearsal
    private(set) var simulation: Simulation
    var score = RehearsalScore()
    /// Places in `score.parts`.
    var partIndex: [InstanceID: Int] = [:]
    /// The newest ones, for those that a new daemon tells again.
    var recent: [Occurrence] = []
    /// What was said of each launch that does not simply behave.
    var announced: Set<String> = []
    private let curtain: Moment
    /// The daemon that the audience listens to.
    private var listenedTo = 0
    /// From when on the next daemon is asked what happened.
    private var heardUntil: WallTime
    private var verdict: Verdict?
    private var isFollowing = false

    init(_ rehearsal: Rehearsal) {
        self.rehearsal = rehearsal
        let scenario = Scenario(
            seed: rehearsal.seed, revisions: [rehearsal.request.stack], acts: [], quirks: rehearsal.quirks)
        simulation = Simulation(scenario, keepsScore: false)
        curtain = Moment(instant: simulation.machine.clock, wall: simulation.machine.now.wall)
        heardUntil = curtain.wall
        machine.isRehearsed = true
        machine.rehearsedRequest = rehearsal.request
    }

    var machine: Machine { simulation.machine }
    var isBroken: Bool { !machine.watch.violations.isEmpty || score.refusal != nil }
    var time: Duration { machine.clock - curtain.instant }
    private var target: Target { Target(stack: rehearsal.request.stack.name) }

    // MARK: Acts

    mutating func open(_ title: String, isDown: Bool = false) {
        score.acts.append(RehearsalScore.Act(title, from: time))
        score.acts[score.acts.count - 1].isDown = isDown
    }

    mutating func close(_ outcome: RehearsalScore.Act.Outcome) {
        guard let last = score.acts.indices.last else { return }
        score.acts[last].to = time
        score.acts[last].outcome = outcome
    }

    mutating func tell(_ instance: InstanceID?, _ text: String, at moment: Duration? = nil) {
        guard let last = score.acts.indices.last else { return }
        score.acts[last].entries.append(.init(at: moment ?? time, .world(instance, text)))
    }

    /// The same of the daemon, in the order in which it wrote it down; what a former daemon told already is left out.
    mutating func hear(_ occurrence: Occurrence) {
        guard let last = score.acts.indices.last, !recent.contains(occurrence) else { return }
        recent.append(occurrence)
        if recent.count > 256 { recent.removeFirst(128) }
        let moment = occurrence.time - curtain.wall
        score.acts[last].entries.append(.init(at: moment, .orch(occurrence)))
        guard occurrence.kind == .launching, let id = occurrence.instance else { return }
        score.parts[part(of: id)].launches += 1
        announceFate(of: id, nth: score.parts[part(of: id)].launches, at: moment)
    }

    func ask(_ question: Question) { machine.ask(Machine.audience, question, pieces: 1) }

    // MARK: Time

    enum Halt { case met, late, asleep, broken }

    /// Lets it go on while something is so, at most until then.
    mutating func run(until limit: Instant, while goesOn: (borrowing Play) -> Bool) -> Halt {
        machine.horizon = limit
        while goesOn(self) {
            listen()
            simulation.turn()
            attend()
            if isBroken { return .broken }
            if machine.isPastHorizon {
                machine.isPastHorizon = false
                machine.clock = max(machine.clock, limit)
                return .late
            }
            if machine.isAsleep { return .asleep }
        }
        return .met
    }

    /// Lets it go on until a goal is reached, missed, or out of reach.
    mutating func pursue(_ goal: Goal, until limit: Instant) -> RehearsalScore.Act.Outcome {
        verdict = nil
        isFollowing = false
        var halt = Halt.met
        repeat {
            listen()
            if !isFollowing { ask(.command(.follow([target], goal: goal))) }
            isFollowing = true
            halt = run(until: limit) { $0.verdict == nil && $0.isFollowing }
        } while verdict == nil && halt == .met
        switch (verdict, halt) {
        case (.reached, _): return goal == .gone ? .gone : .settled
        case (.rolledBack(let told), _): return .failed("rolled back: \(told.reason)")
        case (.failed(let reason), _):
            _ = run(until: limit) { $0.isUnderWay }
            return .failed(reason)
        case (_, .asleep): return .stuck
        case (_, .met), (_, .late), (_, .broken): return .unsettled
        }
    }

    /// Something goes on that will come to an end by itself.
    private var isUnderWay: Bool {
        score.parts.contains { part in
            switch part.last?.phase {
            case .backoff, .starting, .running, .reloading, .stopping: true
            case .idle, .waiting, .ready, .unhealthy, .done, .failed, .stuck, nil: false
            }
        }
    }

    // MARK: The audience

    /// Whoever the daemon is, it is asked for all that it tells.
    mutating func listen() {
        guard machine.isDaemonAlive, listenedTo != machine.daemon else { return }
        listenedTo = machine.daemon
        isFollowing = false
        ask(.command(.events(nil, since: heardUntil, follow: true)))
        ask(.command(.follow([], goal: .forever)))
    }

    private mutating func attend() {
        let heard = machine.heardByAudience
        machine.heardByAudience.removeAll(keepingCapacity: true)
        for body in heard {
            switch body {
            case .instance(let status): note(status)
            case .gone(let id): leave(id)
            case .occurrence(let occurrence): hear(occurrence)
            case .verdict(let fallen): verdict = fallen
            case .refusal(let refusal): if score.acts.count == 1 { score.refusal = refusal }
            case .accepted, .status, .processes, .plan, .recalled, .there, .why, .history, .rotated, .daemon, .end:
                break
            }
        }
        if machine.isDaemonAlive, machine.daemon == listenedTo { heardUntil = machine.now.wall }
    }

    private mutating func note(_ status: InstanceStatus) {
        let place = part(of: status.id)
        score.parts[place].label = status.label
        score.parts[place].kind = status.kind
        score.parts[place].last = status
        let isSame =
            score.parts[place].spans.last.map { $0.phase == status.phase && $0.reason == status.reason } ?? false
        endSpan(place)
        guard !isSame else { return }
        score.parts[place].spans.append(.init(from: time, phase: status.phase, reason: status.reason))
    }

    private mutating func leave(_ id: InstanceID) {
        guard let place = partIndex[id] else { return }
        endSpan(place)
        score.parts[place].spans.append(.init(from: time, phase: .idle, reason: ""))
    }

    private mutating func endSpan(_ place: Int) {
        guard let last = score.parts[place].spans.indices.last else { return }
        score.parts[place].spans[last].to = time
    }

    /// All that is still going on has gone on until now.
    mutating func endSpans() { for place in score.parts.indices { endSpan(place) } }

    private mutating func part(of id: InstanceID) -> Int {
        if let place = partIndex[id] { return place }
        let isAlone = (rehearsal.request.stack.service(id.service.service)?.replicas ?? 1) <= 1
        let kind = rehearsal.request.stack.service(id.service.service)?.kind ?? .service
        score.parts.append(.init(id: id, label: id.label(alone: isAlone), kind: kind))
        partIndex[id] = score.parts.count - 1
        return score.parts.count - 1
    }
}

// SPDX-License-Identifier: Apache-2.0

public import OrchModel

extension Rehearsal {
    /// Plays it: apply, then what goes wrong, one after the other, then down. The same rehearsal gives the same score.
    public func play() -> RehearsalScore {
        var play = Play(self)
        play.perform()
        return play.score
    }
}

/// The acts.
extension Play {
    mutating func perform() {
        defer {
            endSpans()
            score.violations = machine.watch.violations
            score.turns = simulation.report.turns
            score.parts.sort { $0.id < $1.id }
        }
        open("orch apply")
        listen()
        ask(.apply(revision: 0))
        close(settle())
        for mishap in rehearsal.mishaps where !isBroken {
            if !isOfLaunches(mishap) { play(mishap) }
        }
        if rehearsal.mishaps.isEmpty { playEachService() }
        guard !isBroken else { return }
        tellWhatNeverCame()
        goDown()
    }

    /// What was to befall a launch that was never made.
    private mutating func tellWhatNeverCame() {
        for mishap in rehearsal.mishaps where isOfLaunches(mishap) {
            let came = score.parts.contains { announced.contains("\($0.id) \(mishap.phrase)") }
            if !came { tell(nil, "'\(mishap.phrase)' never came about: nothing of it was launched") }
        }
    }

    private func isOfLaunches(_ mishap: Mishap) -> Bool {
        guard let spec = mishap.service.flatMap({ rehearsal.request.stack.service($0) }) else { return false }
        return mishap.isOfLaunches(of: spec)
    }

    /// Everything that is up dies once, in the order in which it came up, and its probes fail once.
    private mutating func playEachService() {
        var names: [String] = []
        for entry in score.acts.first?.entries ?? [] {
            guard case .orch(let occurrence) = entry.content, occurrence.kind == .launching,
                let name = occurrence.service, !names.contains(name),
                rehearsal.request.stack.service(name)?.kind == .service
            else { continue }
            names.append(name)
        }
        for name in names.prefix(Limits.rehearsedServices) {
            guard let spec = rehearsal.request.stack.service(name), !isBroken else { return }
            let replica = spec.replicas > 1 ? 1 : nil
            let label = replica.map { "\(name).\($0)" } ?? name
            play(
                Mishap(
                    .ends(.signal(.kill, coreDumped: false)), of: name, replica: replica, times: 1,
                    phrase: "\(label) dies"))
            guard spec.health.readiness != nil || spec.health.liveness != nil, !isBroken else { continue }
            play(Mishap(.failsProbes, of: name, replica: replica, times: 1, phrase: "\(label) fails its probes"))
        }
    }

    private mutating func goDown() {
        // How it stood, before all of it goes.
        let before = score.parts.map(\.last)
        open("orch down", isDown: true)
        ask(.command(.down(stack: rehearsal.request.stack.name, timeout: nil)))
        let limit = machine.clock + rehearsal.request.stack.stopTimeout + rehearsal.patience
        close(pursue(.gone, until: limit))
        for (place, status) in before.enumerated() { score.parts[place].last = status }
    }

    /// Until all is settled again.
    private mutating func settle() -> RehearsalScore.Act.Outcome {
        let limit = machine.clock + rehearsal.patience
        // First the news has to come.
        _ = run(until: limit) { [before = simulation.report.turns] play in play.simulation.report.turns == before }
        guard !isBroken else { return .unsettled }
        let restless = rehearsal.mishaps.filter { $0.times == nil && $0.isRestless }
        if !restless.isEmpty {
            let afflicted = rehearsal.request.stack.instances.filter { id in restless.contains { $0.befalls(id) } }
            let halt = run(until: limit) { play in
                afflicted.contains { id in
                    let phase = play.partIndex[id].flatMap { play.score.parts[$0].last?.phase }
                    return phase != .failed && phase != .done && phase != .idle
                }
            }
            if halt != .met { return halt == .asleep ? .stuck : .unsettled }
        }
        return pursue(.settled, until: limit)
    }

    // MARK: What goes wrong

    private mutating func play(_ mishap: Mishap) {
        open(mishap.phrase)
        var outcome = RehearsalScore.Act.Outcome.unsettled
        for _ in 0..<(mishap.times ?? 1) where !isBroken {
            befall(mishap)
            outcome = settle()
        }
        close(outcome)
    }

    private mutating func befall(_ mishap: Mishap) {
        switch mishap.kind {
        case .ends(let exit):
            for launch in living(mishap) {
                tell(launch.id, exit == .signal(.kill, coreDumped: false) ? "dies" : "ends with \(exit.text)")
                machine.mainEnds(launch.launch, exit)
            }
        case .failsProbes: failProbes(mishap)
        case .daemonDies:
            tell(nil, "the daemon dies; services run on")
            machine.perform(.killDaemon(after: 0, tears: false, again: nil))
        case .keeperDies:
            tell(nil, "orch-keeper dies, and the daemon with it")
            machine.perform(.killKeeper)
        case .machineReboots:
            tell(nil, "power is cut, and the machine boots again")
            machine.perform(.reboot)
        case .diskIsFull:
            tell(nil, "the disk is full for 30s")
            machine.perform(.fillDisk(.seconds(30)))
            _ = run(until: machine.clock + .seconds(30)) { _ in true }
        case .timePasses(let span):
            let limit = machine.clock + span
            _ = run(until: limit) { _ in true }
            machine.clock = max(machine.clock, limit)
        case .failsToLaunch, .neverEnds, .neverReady, .isDeaf, .leavesChildren: break
        }
    }

    /// From now on, until it is replaced or the sickness is over.
    private mutating func failProbes(_ mishap: Mishap) {
        let sick = living(mishap)
        for launch in sick {
            guard let place = machine[launch.launch], let executedAt = machine.processes[place]?.executedAt else {
                continue
            }
            tell(launch.id, "its probes fail from now on")
            machine.processes[place]?.life.sickensAfter = machine.clock - executedAt
        }
        _ = run(until: machine.clock + Mishap.sickness) { play in
            sick.contains { play.machine[$0.launch] != nil }
        }
        for launch in sick {
            guard let place = machine[launch.launch] else { continue }
            tell(launch.id, "its probes would pass again")
            machine.processes[place]?.life.sickensAfter = nil
        }
    }

    /// Whom it befalls now; who is not there is said.
    private mutating func living(_ mishap: Mishap) -> [(id: InstanceID, launch: LaunchID)] {
        var found: [(id: InstanceID, launch: LaunchID)] = []
        for part in score.parts where mishap.befalls(part.id) {
            if let seat = machine.seatIndex[part.id], let launch = machine.seats[seat].living,
                let place = machine[launch], machine.processes[place]?.isMainAlive == true
            {
                found.append((part.id, launch))
            } else {
                tell(part.id, "does not run, so nothing can befall it")
            }
        }
        return found.sorted { $0.id < $1.id }
    }

    /// A launch that does not simply behave is announced, once for each mishap and instance.
    mutating func announceFate(of id: InstanceID, nth: Int, at moment: Duration) {
        guard let spec = rehearsal.request.stack.service(id.service.service) else { return }
        for mishap in rehearsal.mishaps where mishap.befalls(id) && mishap.isOfLaunches(of: spec) {
            guard nth <= mishap.times ?? .max, let fate = mishap.fate,
                announced.insert("\(id) \(mishap.phrase)").inserted
            else { continue }
            let often = mishap.times.map { $0 == 1 ? "this launch" : "each of \($0) launches" } ?? "each launch"
            tell(id, "\(often) \(fate)", at: moment)
        }
    }
}

extension Mishap {
    /// It comes again and again to what is up.
    fileprivate var isRestless: Bool {
        switch kind {
        case .ends, .failsToLaunch: true
        case .neverEnds, .neverReady, .failsProbes, .isDeaf, .leavesChildren, .daemonDies, .keeperDies, .machineReboots,
            .diskIsFull, .timePasses:
            false
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// The machine as one daemon sees it. Once that daemon is dead, nothing that it does has an effect.
final class SimulatedHost: Host {
    let machine: Machine
    private let daemon: Int
    /// What was asked for before: an index.
    private var measured: Set<LaunchID> = []

    init(_ machine: Machine) {
        self.machine = machine
        daemon = machine.daemon
    }

    var now: Moment { machine.now }

    func wait(until deadline: Instant?) -> [Input] { machine.wait(until: deadline) }

    func perform(_ output: Output) {
        guard machine.takesDeed(daemon) else {
            // A daemon that dies while it writes may leave half a line.
            if machine.tearsLedger, case .effect(.note(let note)) = output { machine.tear(note) }
            return
        }
        machine.watch.deedsOfTurn += 1
        switch output {
        case .effect(let effect): machine.perform(effect)
        case .send(let client, let bytes): machine.send(bytes, to: client)
        case .close(let client): machine.close(client)
        case .rotate(let number, let subjects): machine.inbox.append(.rotated(number, Self.untouched(subjects)))
        case .renew: machine.inbox.append(.renewed(nil))
        case .end: break
        }
    }

    /// A machine in memory writes no logs: all are empty.
    private static func untouched(_ subjects: [LogRotation.Subject]) -> [LogRotation] {
        var named: Set<String> = []
        return subjects.flatMap { subject in
            subject.files(in: "").compactMap { output, sink in
                guard let path = sink.destination.path, named.insert(path).inserted else { return nil }
                let isShared = sink.destination == .append(path)
                return LogRotation(subject.instance, output, file: path, isShared ? .shared : .empty)
            }
        }
    }

    /// A process in memory has the number of its launch.
    func members(of launches: [LaunchID]) -> [LaunchMembers] {
        launches.filter { machine.isMeasurable($0) }.map { launch in
            let mark = ProcessMark(pid: Int32(truncatingIfNeeded: launch.number), startTicks: launch.number)
            return LaunchMembers(launch: launch, members: [mark])
        }
    }

    func usage(of launches: [LaunchID]) -> [Usage] {
        launches.filter { machine.isMeasurable($0) }.map { launch in
            Usage(launch: launch, cpuPercent: measured.insert(launch).inserted ? nil : 1.5, memoryBytes: 4096)
        }
    }
}

/// What the fleet wants done is done.
extension Machine {
    func perform(_ effect: Effect) {
        if keepsScore, let summary = effect.summary { note("    → \(summary)") }
        if performOnHook(effect) { return }
        switch effect {
        case .launch(let order):
            mix(1, order.launch)
            check(order)
            launch(order)
        case .signal(let launch, let signal, let recipient):
            mix(2, launch, Int(signal.number))
            guard let place = open(launch, "signal") else { return }
            watchSignal(place)
            watchUnasked(signal, place)
            deliver(signal, to: recipient, place)
        case .runStep(let launch, let step, let action, let runner, let limit):
            mix(3, launch, step)
            guard let place = open(launch, "runStep") else {
                let reason = "the launch's surroundings are not known"
                return tell(.stepEnded(launch, step: step, Fault(step: "run", subject: "a command", reason: reason)))
            }
            watchSignal(place)
            guard serves(place, runner) else { return }
            runStep(place, step, action, limit)
        case .run(let errand): run(errand)
        case .endErrand(let launch, let runner): endErrand(launch, runner)
        case .kill(let launch):
            mix(4, launch)
            guard let place = open(launch, "kill") else { return }
            processes[place]?.watched.killedBy = daemon
            kill(place)
        case .release(let launch):
            mix(5, launch)
            guard let place = open(launch, "release") else { return tell(.drained(launch)) }
            if let process = processes[place], process.isAlive { violate("released \(launch.number) while it lives") }
            release(place)
        case .probe(let launch, let kind, let round, let probe, let runner):
            mix(6, launch, Int(truncatingIfNeeded: round))
            guard let place = open(launch, "probe"), let process = processes[place] else {
                return tell(.probed(launch, kind, round: round, .unasked("the launch's surroundings are not known")))
            }
            guard serves(place, runner) else { return }
            processes[place]?.asked.removeAll { $0.kind == kind }
            processes[place]?.asked.append((kind, round))
            processes[place]?.watched[kind].asked = round
            let limit = process.life.answersAfter > probe.timeout ? probe.timeout : nil
            later(
                limit ?? process.life.answersAfter,
                .answers(launch, kind, round: round, epoch: process.epoch, daemon: daemon, limit: limit))
        case .ask(let need, let round, let timeout):
            digest.mix(9 << 56 | Int(truncatingIfNeeded: round))
            ask(need, round, timeout)
        case .endProbes(let launch):
            mix(7, launch)
            if let place = open(launch, "endProbes") { processes[place]?.epoch += 1 }
        case .relog(let launch, _): relog(launch)
        case .rename(let launch, let instance, _): rename(launch, to: instance)
        case .note(let note): write(note)
        case .sockets(let service, let kept, let former): keepSockets(kept, of: service, former: former)
        case .dropStored(let instance): dropStored(instance)
        case .watch(let service, let rules): watched[service] = rules.isEmpty ? nil : rules
        case .react(let launch, _, let runner): react(launch, runner)
        case .measure(let questions): measure(questions)
        case .measureHost(let wanted): measureHost(wanted)
        // A rehearsal goes by UTC: the zones of its host are files.
        case .readZone(let name): tell(.zoneRead(name, isRehearsed ? .utc : ZoneDraw.zone(name)))
        // These are the store's.
        case .record, .keep, .keepUpdates, .goBack, .forget, .mark: violate("the host was given what is the store's")
        }
    }

    private func relog(_ launch: LaunchID) {
        mix(8, launch)
        _ = open(launch, "relog")
    }

    private func rename(_ launch: LaunchID, to instance: InstanceID) {
        mix(9, launch)
        guard let place = open(launch, "rename"), let process = processes[place] else { return }
        if process.order.instance != instance { violate("\(launch.number) is renamed to \(instance)") }
    }

    private func runStep(_ place: Int, _ step: Int, _ action: StopSpec.Action, _ limit: Duration) {
        guard let process = processes[place] else { return }
        let launch = process.launch
        let span = process.life.stepsTake
        var obstacle: String?
        switch action {
        case .signal(let signal, let recipient): deliver(signal, to: recipient, place)
        case .kill: kill(place)
        case .command, .http, .stdin:
            if span > limit {
                obstacle = "no answer within \(limit.text)"
            } else if process.life.refusesSteps || !process.isMainAlive {
                obstacle = "exit 1: it is sick"
            } else {
                processes[place]?.isTold = true
                if let within = process.life.stopsWithin { later(within, .ends(launch, .code(0))) }
            }
        }
        let fault = obstacle.map { Fault(step: "run", subject: "a step", reason: $0) }
        later(min(span, limit), .stepEnds(launch, step: step, fault, daemon: daemon))
    }

    /// Whether this is the first time that the launch of this number is to run something: done twice it is done once.
    private func react(_ launch: LaunchID, _ runner: LaunchID) {
        mix(10, launch)
        if let place = open(launch, "react"), serves(place, runner) { tell(.reacted(launch, nil)) }
    }

    func serves(_ place: Int, _ runner: LaunchID) -> Bool {
        highestLaunch = max(highestLaunch, runner.number)
        guard processes[place]?.lastRunner != runner else { return false }
        processes[place]?.lastRunner = runner
        return true
    }

    /// Something of it lives and has executed.
    func isMeasurable(_ launch: LaunchID) -> Bool {
        guard let place = places[launch], let process = processes[place] else { return false }
        return process.isMainAlive || process.hasChildren
    }

    /// The place of a launch that effects may name.
    func open(_ launch: LaunchID, _ effect: String) -> Int? {
        guard let place = places[launch], let process = processes[place] else {
            if !isKeeperLost { violate("\(effect) names \(launch.number), which is unknown") }
            return nil
        }
        if process.isReleased { violate("\(effect) names \(launch.number), which is released") }
        watch.touch(process.seat)
        return place
    }

    func mix(_ kind: Int, _ launch: LaunchID, _ more: Int = 0) {
        digest.mix(kind << 56 | more)
        digest.mix(launch.number)
    }

    // MARK: The run ledger

    private func write(_ note: LaunchNote) {
        let line = LaunchNoteCodec.bytes(of: note)
        digest.mix(line)
        if !ledger.append(line) {
            watch.runLostAt = clock
            // What the mind is told of a note that could not be written.
            inbox.append(.remarked("cannot write the ledger: no space left on device (ENOSPC)"))
        } else if case .ended(_, let launch, _, _, _) = note, let place = places[launch] {
            processes[place]?.isEndKept = true
        }
        watchNote(note)
    }

    func tear(_ note: LaunchNote) {
        tearsLedger = false
        watch.runLostAt = clock
        let line = LaunchNoteCodec.bytes(of: note)
        ledger.append(torn: line[..<dice.below(line.count)])
    }
}

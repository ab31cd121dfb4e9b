// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// A machine in memory under the whole daemon: processes that do as they are told, clients, and a clock that jumps from one thing
/// that happens to the next.
final class ScriptedHost: Host {
    private(set) var now: Moment
    /// What came out, in order.
    private(set) var outputs: [Output] = []
    /// Bytes that each client got.
    private(set) var received: [ClientID: [UInt8]] = [:]
    private(set) var closed: [ClientID] = []
    /// It was waited on with nothing to come and no deadline: the daemon sleeps for ever.
    private(set) var isAsleep = false
    private(set) var waits = 0
    /// Every launch fails with it, while it is there.
    var launchFault: Fault?
    /// Why the keeper does not become another program.
    var renewalFault: Fault?
    var rotationTakes = Duration.zero
    /// From a launch's release until all its output is in its files; nil for never.
    var drainingTakes: Duration? = .milliseconds(1)
    /// What it knows of time zones.
    var zones: [String: TimeZone] = [ScheduleSpec.hostZone: .utc]
    private var coming: [(at: Instant, sequence: Int, input: Input)] = []
    private var sequence = 0
    private var alive: Set<LaunchID> = []

    init(
        at now: Moment = Moment(
            instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))
    ) {
        self.now = now
    }

    /// Lets something come in, after a while.
    func send(_ input: Input, after span: Duration = .zero) {
        coming.append((now.instant + span, sequence, input))
        sequence += 1
        coming.sort { ($0.at, $0.sequence) < ($1.at, $1.sequence) }
    }

    func forgetOutputs() {
        outputs = []
        received = [:]
    }

    func perform(_ output: Output) {
        outputs.append(output)
        switch output {
        case .effect(let effect): perform(effect)
        case .send(let client, let bytes): received[client, default: []] += bytes
        case .close(let client): closed.append(client)
        case .rotate(let number, let subjects): rotate(number, subjects)
        case .renew: send(.renewed(renewalFault))
        case .end: break
        }
    }

    private func rotate(_ number: UInt64, _ subjects: [LogRotation.Subject]) {
        let files = subjects.flatMap { subject in
            subject.files(in: "/state").map { output, sink in
                LogRotation(subject.instance, output, file: sink.destination.path ?? "", .empty)
            }
        }
        send(.rotated(number, files), after: rotationTakes)
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .launch(let order):
            if let launchFault {
                tell(.launchFailed(order.launch, launchFault, isScarcity: false))
                tell(.emptied(order.launch))
                return
            }
            alive.insert(order.launch)
            tell(
                .launched(
                    order.launch, pid: Int32(truncatingIfNeeded: order.launch.number), ports: [], tracking: "session"))
            if order.spec.kind == .task { end(order.launch, .code(0)) }
        case .signal(let launch, let signal, _): end(launch, .signal(signal, coreDumped: false))
        case .kill(let launch): end(launch, .signal(.kill, coreDumped: false))
        case .runStep(let launch, let step, _, _, _): tell(.stepEnded(launch, step: step, nil))
        case .run(let errand): tell(.errandEnded(errand.launch, runner: errand.runner, nil))
        case .probe(let launch, let kind, let round, _, _): tell(.probed(launch, kind, round: round, .success))
        case .ask(let need, let round, _): tell(.answered(need, round: round, .success))
        case .release(let launch): drainingTakes.map { send(.event(.drained(launch)), after: $0) }
        case .dropStored: break
        case .readZone(let name): tell(.zoneRead(name, zones[name]))
        case .endErrand, .endProbes, .relog, .rename, .note, .record, .keep, .keepUpdates,
            .goBack, .forget, .mark, .sockets, .watch, .react, .measure, .measureHost:
            break
        }
    }

    /// Ends a process that is alive, and all that belongs to it.
    func end(_ launch: LaunchID, _ exit: Exit) {
        guard alive.remove(launch) != nil else { return }
        tell(.exited(launch, exit))
        tell(.emptied(launch))
    }

    private func tell(_ event: Event) { send(.event(event), after: .milliseconds(1)) }

    func wait(until deadline: Instant?) -> [Input] {
        waits += 1
        let next = [deadline, coming.first?.at].compactMap { $0 }.min()
        isAsleep = next == nil
        if let next, next > now.instant {
            now = Moment(instant: next, wall: now.wall + (next - now.instant))
        }
        let due = coming.prefix { $0.at <= now.instant }
        coming.removeFirst(due.count)
        return due.map(\.input)
    }

    func members(of launches: [LaunchID]) -> [LaunchMembers] {
        launches.map { LaunchMembers(launch: $0, members: [ProcessMark(pid: 7, startTicks: 1)]) }
    }

    func usage(of launches: [LaunchID]) -> [Usage] {
        launches.map { Usage(launch: $0, cpuPercent: 1.5, memoryBytes: 4096) }
    }
}

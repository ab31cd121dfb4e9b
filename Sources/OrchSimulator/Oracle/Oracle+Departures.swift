// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// What a person asked for by hand is on the disk when it is acknowledged.
extension Machine {
    func checkDepartures(_ command: Command) {
        // What came with it in the same turn may have said otherwise.
        guard watch.commandsOfTurn == 1 else { return }
        switch command {
        case .start(let targets), .restart(let targets): checkDepartures(targets, isUp: true)
        case .stop(let targets, _): checkDepartures(targets, isUp: false)
        case .reload, .signal, .apply, .rollback, .down, .applyKnown, .diff, .recall, .rollbackPlan, .status,
            .processes, .follow,
            .why, .events,
            .history, .scale, .rotateLogs, .daemonStatus, .daemonRestart, .daemonUpgrade, .daemonStop:
            break
        }
    }

    private func checkDepartures(_ targets: [Target], isUp: Bool) {
        for target in targets {
            for spec in stackNow(target.stack)?.request.stack.services ?? [] {
                let service = ServiceID(stack: target.stack, service: spec.name)
                for replica in stride(from: 1, through: spec.replicas, by: 1) {
                    let id = InstanceID(service: service, replica: replica)
                    guard target.covers(id) else { continue }
                    let kind = disk.state.departures.first { $0.instance == id }?.kind
                    let isKept = kind.map { $0 == .started } ?? spec.enabled
                    if isKept != isUp {
                        violate("\(id) was \(isUp ? "started" : "stopped") by hand, which is not kept")
                    }
                }
            }
        }
    }
}

/// What a daemon said of an instance.
struct Told {
    var phase: Phase
    var launch: LaunchID?
    var at: Instant
}

/// What a daemon said, the next one says too.
extension Machine {
    func watchTold(_ seat: Int, _ status: ProcessStatus?) {
        seats[seat].told = status.map { Told(phase: $0.phase, launch: $0.launch, at: clock) }
    }

    /// Whether something has come to pass in its stack that may end an instance which is ready.
    private func mayGo(_ id: InstanceID, since instant: Instant) -> Bool {
        let stack = id.service.stack
        return stackNow(stack)?.rollouts.isEmpty != true
            || seats.contains { seat in
                guard seat.id.service.stack == stack, seat.id != id else { return false }
                if let end = seat.lastEnd, end.goneAt >= instant { return true }
                return [seat.living, seat.former].contains { launch in
                    guard let place = launch.flatMap({ places[$0] }), let process = processes[place] else {
                        return false
                    }
                    return !process.isMainAlive || process.watched.step >= 0
                }
            }
    }

    func checkTold(_ known: [StackStatus]) {
        for row in known.flatMap(\.instances) {
            guard let told = seatIndex[row.id].flatMap({ seats[$0].told }), !watch.isDiskBehind,
                told.at > watch.runLostAt,
                told.at > lastAskedFor(row.id.service.stack), told.phase != row.phase, isWanted(row.id)
            else { continue }
            let seat = seats[seat(of: row.id)]
            switch told.phase {
            case .done, .failed:
                // What ended in the very instant of a command is forgiven by it.
                guard seat.lastEnd.map({ $0.at != lastAskedFor(row.id.service.stack) }) ?? true,
                    seat.living == nil, let spec = specNow(of: row.id.service),
                    spec.schedule == nil, told.phase == .done || spec.restart.retryAfter == nil,
                    told.launch == nil || seat.lastEnd?.launch == told.launch
                else { continue }
                violate(
                    "\(row.id) was called \(told.phase.rawValue), and daemon \(daemon) calls it \(row.phase.rawValue)")
            case .ready:
                guard row.phase != .stopping || !mayGo(row.id, since: told.at), let launch = seat.living,
                    launch == told.launch, let place = places[launch],
                    let process = processes[place], process.isMainAlive, process.watched.step < 0,
                    process.watched.readiness.verdict != .failing, process.watched.liveness.verdict != .failing,
                    !process.watched.wasBeyondLimit
                else { continue }
                violate("\(row.id) was called ready, and daemon \(daemon) calls it \(row.phase.rawValue)")
            case .idle, .waiting, .starting, .running, .unhealthy, .reloading, .stopping, .stuck, .backoff: break
            }
        }
    }
}

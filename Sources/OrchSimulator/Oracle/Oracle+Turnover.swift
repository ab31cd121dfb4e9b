// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// How the instances of a service give way to those of a new definition.
extension Machine {
    /// Before its ladder begins, because another launch is to take its place.
    func checkTurnover(_ process: MachineProcess, _ motive: StopMotive) {
        let id = process.order.instance
        guard motive == .requested, process.isMainAlive, isWanted(id), !watch.isDiskBehind,
            process.watched.killBy == nil, watch.wholeGoesAt[id.service.stack] != clock,
            process.orderedAt > watch.restartAskedAt[id.service.stack] ?? .zero,
            let spec = specNow(of: id.service), spec.kind == .service, !spec.reacts
        else { return }
        if seats[process.seat].former == process.launch {
            checkSuccessor(of: process)
        } else if process.watched.wasReady, process.watched.readiness.verdict != .failing,
            process.watched.liveness.verdict != .failing
        {
            checkParallelism(process, spec.update)
        }
    }

    /// It serves until the launch that takes over from it is ready.
    private func checkSuccessor(of process: MachineProcess) {
        guard let launch = seats[process.seat].living, let place = places[launch], let other = processes[place],
            other.isMainAlive, other.watched.step < 0
        else { return }
        learnt(place)
        guard !other.watched.wasReady else { return }
        violate("\(process.order.instance) loses its launch \(process.launch.number) before \(launch.number) is ready")
    }

    private func checkParallelism(_ process: MachineProcess, _ update: UpdatePolicy) {
        let id = process.order.instance
        // Its successor has come and is over: the turn was taken with that.
        if let last = seats[process.seat].lastEnd, last.launch > process.launch, last.definition == targetNow(of: id) {
            return
        }
        let underWay = processes.compactMap { $0 }.count { other in
            other.order.instance.service == id.service && other.order.instance != id && other.isMainAlive
                && other.watched.step >= 0 && other.watched.motive == .requested && isWanted(other.order.instance)
                && seats[other.seat].living == other.launch && seats[other.seat].former == nil
                && other.watched.definition != targetNow(of: other.order.instance)
        }
        guard underWay >= update.parallelism, process.watched.definition != targetNow(of: id) else { return }
        violate("\(id) is replaced while \(underWay) others are, of \(update.parallelism) at a time")
    }

    /// Before a launch: what failed during an update that is then to be rolled back returns to the former definition.
    func checkRolledBack(_ order: LaunchOrder) {
        let id = order.instance
        guard let end = seats[seat(of: id)].lastEnd, let spec = specNow(of: id.service), !watch.isDiskBehind,
            spec.update.onFailure == .rollback, spec.schedule == nil, spec.kind == .service, !end.isScarcity,
            end.definition == definitionNow(of: id.service), end.definition == watch.definition,
            end.orderedAt > lastAskedFor(id.service.stack), end.orderedAt > watch.runLostAt, watch.wokenAt < end.at,
            !spec.reacts, spec.onExit == ExitActions(),
            stackNow(id.service.stack)?.rollouts.contains(where: { $0.service == id.service.service }) == true
        else { return }
        switch end.motive {
        case .requested, .retired: return
        case .failure: break
        case .clearing, nil: if end.exit?.matches(spec.successExitCodes) == true { return }
        }
        violate("\(id) is tried again with the definition that it failed with, and is not rolled back")
    }
}

extension ServiceSpec {
    /// What happens to a dependency may happen to it.
    var reacts: Bool { dependsOn.contains { $0.onRestart != .ignore || $0.onFailure != .ignore } }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What must have begun by the end of a turn, as its time has come.
extension Machine {
    func checkDeadlines() {
        guard isDaemonAlive else { return }
        watchHurries()
        checkSignals()
        // One look at what the machine has: nothing below starts or ends a process.
        let (processes, daemon, clock) = (processes, daemon, clock)
        for process in processes {
            guard let process, !process.isClosed else { continue }
            if let limit = process.watched.killBy, limit.daemon == daemon, limit.at <= clock { checkKilled(process) }
            guard process.isMainAlive, process.watched.stopBegan == nil, !process.watched.isStray else { continue }
            checkStartTime(process)
            checkLiveness(process)
            checkSilence(process)
        }
    }

    /// A stop that was given so much time is not given more.
    private func checkKilled(_ process: MachineProcess) {
        guard process.isAlive, process.watched.killedBy != daemon, !isWanted(process.order.instance),
            process.isMainAlive || process.watched.step >= 0
        else { return }
        violate("\(process.launch.number) of \(process.order.instance) has had its time and is not killed")
    }

    /// Ready by `start_timeout`, or a task that is over by its `timeout`.
    private func checkStartTime(_ process: MachineProcess) {
        // What is both needs no look at its kind.
        guard !(process.watched.isReadyNoted && process.watched.wasReady), let executedAt = process.executedAt,
            !watch.wasEverAway, let spec = specNow(of: process),
            !(spec.kind == .task ? process.watched.isReadyNoted : process.watched.wasReady),
            let limit = spec.startTimeout,
            max(executedAt, watch.wokenAt) + limit < clock
        else { return }
        violate("\(process.launch.number) of \(process.order.instance) is not ready after \(limit.brief) and goes on")
    }

    /// A liveness probe that fails does what its `on_failure` says.
    private func checkLiveness(_ process: MachineProcess) {
        guard process.watched.liveness.verdict == .failing, let spec = specNow(of: process) else { return }
        switch spec.health.liveness?.onFailure {
        case .restart, .stop:
            violate("\(process.launch.number) of \(process.order.instance) fails its liveness probe and goes on")
        case .report, .signal, nil: break
        }
    }

    // MARK: Stops that are given so much time

    /// What was accepted in this turn, as it arrived: a stop that came before a start gives no limit to what that has started.
    private func watchHurries() {
        if watch.acceptedOfTurn.isEmpty { return }
        for (_, question) in watch.acceptedOfTurn.sorted(by: { $0.order < $1.order }) {
            switch question {
            case .apply(let place), .tryOut(let place, _): unhurry(scenario.revisions[place].name)
            case .command(let command): watchHurry(command)
            case .diff: break
            }
        }
    }

    private func watchHurry(_ command: Command) {
        switch command {
        case .down(let stack, let timeout):
            let whole = stackNow(stack)?.request.stack.stopTimeout ?? .zero
            hurryProcesses(min(timeout ?? whole, whole)) { $0.service.stack == stack }
        case .stop(let targets, let timeout?):
            for target in targets {
                hurryProcesses(timeout) { id in
                    target.covers(id) && id.replica <= specNow(of: id.service)?.replicas ?? 0
                }
            }
        case .start(let targets), .restart(let targets): for target in targets { unhurry(target.stack) }
        case .rollback(let request): unhurry(request.stack)
        case .stop, .reload, .scale, .signal, .apply, .applyKnown, .diff, .recall, .rollbackPlan, .status, .processes,
            .follow,
            .why,
            .events, .history,
            .rotateLogs, .daemonStatus, .daemonRestart, .daemonUpgrade, .daemonStop:
            break
        }
    }

    private func hurryProcesses(_ limit: Duration, _ isMeant: (InstanceID) -> Bool) {
        for place in processes.indices {
            guard let process = processes[place], isMeant(process.order.instance), !process.watched.isStray else {
                continue
            }
            let at = clock + limit
            if let known = process.watched.killBy, known.daemon == daemon, known.at <= at { continue }
            processes[place]?.watched.killBy = (at, daemon)
        }
    }

    /// Somebody wants it up again: what had not begun to stop by then has all the time that there is.
    private func unhurry(_ stack: String) {
        let takenUp = watch.takenUpAfter[stack]
        for place in processes.indices {
            guard let process = processes[place], process.order.instance.service.stack == stack else { continue }
            if process.watched.step >= 0 {
                // A revision may itself be why it stops: that came after.
                guard let began = process.watched.stopBegan, let takenUp, began.batch == batch, began.deed > takenUp
                else { continue }
            }
            processes[place]?.watched.killBy = nil
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// Commands that serve a launch beside its probes and its ladder, and how a service reloads.
extension Machine {
    func run(_ errand: Errand) {
        mix(10, errand.launch)
        guard let place = open(errand.launch, "run"), let process = processes[place] else {
            let fault = Fault(step: "run", subject: "a command", reason: "the launch's surroundings are not known")
            return tell(.errandEnded(errand.launch, runner: errand.runner, fault))
        }
        guard serves(place, errand.runner) else { return }
        watch(errand, place)
        processes[place]?.errands.append((errand.runner, daemon))
        let span = process.life.stepsTake
        var obstacle: String?
        if span > errand.limit {
            obstacle = "no answer within \(errand.limit.text)"
        } else if process.life.refusesSteps {
            obstacle = "exit 1: it is sick"
        }
        let fault = obstacle.map { Fault(step: "run", subject: "an errand", reason: $0) }
        later(
            min(span, errand.limit), .errandEnds(errand.launch, runner: errand.runner, fault, daemon: daemon))
    }

    func endErrand(_ launch: LaunchID, _ runner: LaunchID) {
        mix(11, launch)
        guard open(launch, "endErrand") != nil else { return }
        let fault = Fault(step: "run", subject: "an errand", reason: "it was not needed any more")
        later(.milliseconds(1), .errandEnds(launch, runner: runner, fault, daemon: daemon))
    }

    func errandEnds(_ launch: LaunchID, _ runner: LaunchID, _ fault: Fault?) {
        guard let place = places[launch],
            let errand = processes[place]?.errands.firstIndex(where: { $0.runner == runner })
        else { return }
        processes[place]?.errands.remove(at: errand)
        tell(.errandEnded(launch, runner: runner, fault))
    }

    /// It was sent SIGHUP, and speaks by sd_notify.
    func beginsToReload(_ place: Int) {
        guard let process = processes[place], process.isMainAlive, case .notify = specNow(of: process)?.reload else {
            return
        }
        later(.milliseconds(1), .reloads(process.launch, isDone: false))
        if !process.life.refusesSteps {
            later(process.life.stepsTake + .milliseconds(2), .reloads(process.launch, isDone: true))
        }
    }

    func reloads(_ launch: LaunchID, isDone: Bool) {
        guard let place = places[launch], processes[place]?.isMainAlive == true else { return }
        // It has not come so far yet.
        if isDone, processes[place]?.order.spec.ready == .notify, processes[place]?.hasSpoken == false { return }
        tell(.notified(launch, isDone ? .ready : .reloading))
        hears(place, isDone ? .ready : .reloading)
        guard isDone, isDaemonAlive else { return }
        processes[place]?.watched.hasSaidReady = true
        learnt(place)
    }
}

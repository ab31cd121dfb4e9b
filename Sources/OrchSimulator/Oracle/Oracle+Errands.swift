// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// Signals by hand, reloads and the errands that serve them.
extension Machine {
    /// What is not on its way out is sent what somebody asked for, or its probe.
    func watchUnasked(_ signal: Signal, _ place: Int) {
        guard let process = processes[place] else { return }
        let id = process.order.instance
        watch.signalsSent.append((id, signal))
        guard process.watched.stopBegan == nil, !process.watched.isStray, process.watched.liveness.verdict != .failing
        else {
            return
        }
        if watched[id.service]?.contains(where: { $0.action == .signal(signal) }) == true { return }
        if watch.signalsAsked.contains(where: { $0.target.covers(id) && $0.signal == signal }) { return }
        switch reloadNow(process) {
        case .signal(signal): beginsReload(place)
        case .notify where signal == .hangup: beginsReload(place)
        case .signal, .notify, .command, nil:
            violate("\(process.launch.number) of \(id) is sent \(signal.name), and nobody asked for it")
        }
    }

    /// What was accepted in this turn has been sent to somebody.
    func checkSignals() {
        for owed in watch.signalsOwed {
            let isSent = watch.signalsSent.contains { sent in
                sent.signal == owed.signal && owed.targets.contains { $0.covers(sent.instance) }
            }
            if !isSent { violate("\(owed.signal.name) to \(owed.targets.map(\.summary)) is acknowledged and not sent") }
        }
    }

    /// Of a launch that is ready and is to stay, which somebody asked to reload, and one at a time.
    func watch(_ errand: Errand, _ place: Int) {
        guard let process = processes[place] else { return }
        guard case .command(let command, _) = reloadNow(process), command == errand.command else {
            return violate("an errand of \(process.launch.number) is not in its manifest")
        }
        if process.errands.contains(where: { $0.daemon == daemon }) {
            violate("two reloads of \(process.launch.number) are under way")
        }
        beginsReload(place)
    }

    private func beginsReload(_ place: Int) {
        guard let process = processes[place] else { return }
        learnt(place)
        let id = process.order.instance
        if process.watched.stopBegan != nil {
            violate("\(process.launch.number) is told to reload while it is being stopped")
        }
        if processes[place]?.watched.wasReady == false {
            violate("\(process.launch.number) is told to reload before it is ready")
        }
        let isOwed =
            process.watched.owesReload || specNow(of: process)?.configurationDigest != process.watched.configuration
        if !isOwed, !watch.reloadsAsked.contains(where: { $0.covers(id) }) {
            violate("\(process.launch.number) of \(id) is told to reload, and nobody asked for it")
        }
        processes[place]?.watched.owesReload = false
    }

    func watchReload(_ note: LaunchNote) {
        switch note {
        case .reloadOwed(let launch, _):
            guard let place = places[launch] else { return }
            processes[place]?.watched.owesReload = true
            processes[place]?.watched.isReloadNoted = true
        case .reloadEnded(let launch, let fault, let refused):
            guard let place = places[launch] else { return }
            processes[place]?.watched.isReloadNoted = false
            processes[place]?.watched.refused = fault == nil ? nil : .some(refused)
        case .configured(let launch, let digest):
            if let place = places[launch] { processes[place]?.watched.configuration = digest }
        case .ordered, .executed, .ready, .announced, .told, .locked, .stopping, .failed, .forgiven, .probed, .tallied,
            .runs,
            .hook, .renamed, .released, .ended, .halted, .resumed:
            break
        }
    }

    /// At rest whoever lives has taken up what is applied, or has failed to.
    func checkConfigurations() {
        for process in processes.compactMap(\.self) where process.isMainAlive && !process.watched.isStray {
            guard let spec = specNow(of: process), spec.reload != nil, process.watched.step < 0,
                process.watched.wasReady,
                spec.configurationDigest != process.watched.configuration,
                process.watched.refused != .some(spec.configurationDigest)
            else { continue }
            violate("\(process.launch.number) of \(process.order.instance) rests with config files of another revision")
        }
    }

    /// Somebody in the stack could not take up its config files, and waits for an apply.
    func hasRefused(_ stack: String) -> Bool {
        processes.contains { process in
            guard let process else { return false }
            return process.isMainAlive && process.order.instance.service.stack == stack
                && process.watched.refused != nil
        }
    }

    /// Errands of a launch of this instance that is over itself.
    func hasErrands(_ seat: Int) -> Bool {
        processes.contains { process in
            guard let process, process.seat == seat, !process.isAlive else { return false }
            return process.errands.contains { $0.daemon == daemon }
        }
    }

    private func reloadNow(_ process: MachineProcess) -> ReloadSpec? { specNow(of: process)?.reload }
}

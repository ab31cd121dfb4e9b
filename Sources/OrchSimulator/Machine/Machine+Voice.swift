// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Services that are watched by what they say: they say it twice in the time that they have.
extension Machine {
    func feeds(_ launch: LaunchID) {
        guard let place = places[launch], let process = processes[place], process.isMainAlive,
            let executedAt = process.executedAt, let limit = process.order.spec.watchdog
        else { return }
        let age = clock - executedAt
        // From there on it says no more, and there would be no end of asking it.
        if let end = process.life.sickensAfter, age >= end {
            processes[place]?.isMute = true
            return
        }
        later(limit / 2, .feeds(launch))
        guard !process.life.isSick(at: age) else { return }
        tell(.notified(launch, .watchdog))
        hears(place, .watchdog)
    }

    /// It hands a descriptor over, as soon as it is ready.
    func stores(_ place: Int) {
        guard let process = processes[place], process.order.spec.watchdog != nil, isDaemonAlive else { return }
        stored.insert(process.order.instance)
        tell(.notified(process.launch, .stored))
    }

    /// Nobody may need it any more.
    func dropStored(_ instance: InstanceID) {
        digest.mix(12 << 56)
        stored.remove(instance)
        if let seat = seatIndex[instance], let launch = seats[seat].living, let place = places[launch],
            processes[place]?.isMainAlive == true
        {
            violate("what \(instance) has handed over is closed while it lives")
        }
    }

    func renameStored(_ former: ServiceID, to present: ServiceID) {
        stored = Set(
            stored.map { $0.service == former ? InstanceID(service: present, replica: $0.replica) : $0 })
    }

    /// At rest nothing is held for who is not to be up.
    func checkStored() {
        for instance in stored.sorted() where !isWanted(instance) {
            violate("what \(instance) has handed over is held though it is not to be up")
        }
    }

    /// The oracle's own account of it.
    func hears(_ place: Int, _ notice: Notice) {
        guard isDaemonAlive, let process = processes[place], process.isMainAlive, let spec = specNow(of: process) else {
            return
        }
        for kind in ProbeKind.allCases where spec.health[kind]?.action == .notify {
            if kind != .liveness {
                if notice == .ready { processes[place]?.watched[kind].verdict = .passing }
                if notice == .reloading, kind == .readiness { processes[place]?.watched[kind].verdict = .failing }
            } else if notice == .ready {
                processes[place]?.fedAt = process.fedAt ?? clock
            } else if notice == .watchdog {
                processes[place]?.fedAt = clock
                processes[place]?.watched[kind].verdict = .passing
            }
        }
    }

    /// A note calls its watchdog failed: it was silent for as long as it may be.
    func watchSilence(_ place: Int) {
        guard let process = processes[place], let limit = specNow(of: process)?.watchdog else { return }
        let since = max(process.fedAt ?? process.executedAt ?? .zero, watch.wokenAt)
        if clock - since < limit {
            violate("\(process.launch.number) is called silent after \((clock - since).brief) of \(limit.brief)")
        }
        processes[place]?.watched.liveness.verdict = .failing
    }

    /// Who is silent for longer is not left alone.
    func checkSilence(_ process: MachineProcess) {
        guard let limit = specNow(of: process)?.watchdog, let readySince = process.watched.readySince,
            !watch.wasEverAway, process.order.spec.watchdog == limit, let fedAt = process.fedAt,
            max(fedAt, readySince, watch.wokenAt) + limit + .milliseconds(1) < clock,
            process.watched.liveness.verdict != .failing
        else { return }
        violate("\(process.launch.number) is silent for more than \(limit.brief) and nothing is made of it")
    }
}

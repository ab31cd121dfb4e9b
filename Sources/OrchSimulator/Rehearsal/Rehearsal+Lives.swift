// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// How launches behave in a rehearsal.
extension Rehearsal {
    /// From a signal to the end of what heeds it.
    private static let obedience = Duration.milliseconds(100)
    /// What ends again and again has been ready for so long.
    private static let spell = Duration.seconds(3)

    var quirks: [Quirk] {
        var quirks: [Quirk] = []
        for id in request.stack.instances {
            guard let spec = request.stack.service(id.service.service) else { continue }
            let mishaps = mishaps.filter { $0.isOfLaunches(of: spec) && $0.befalls(id) }
            let counted = mishaps.compactMap(\.times).max() ?? 0
            for nth in stride(from: 1, through: counted, by: 1) {
                quirks.append(Quirk(id, nth: nth, life(of: spec, mishaps.filter { $0.times ?? .max >= nth })))
            }
            quirks.append(Quirk(id, nth: Quirk.each, life(of: spec, mishaps.filter { $0.times == nil })))
        }
        return quirks
    }

    private func life(of spec: ServiceSpec, _ mishaps: [Mishap]) -> SimulatedLife {
        var life = SimulatedLife()
        life.stopsWithin = Self.obedience
        life.readyAfter = takes(spec)
        if spec.kind == .task {
            life.endsAfter = takes(spec)
            life.exit = spec.success
        }
        for mishap in mishaps { mishap.befall(&life, of: spec, spell: Self.spell) }
        return life
    }
}

extension Mishap {
    func befalls(_ id: InstanceID) -> Bool {
        service == id.service.service && (replica == nil || replica == id.replica)
    }

    /// It is about launches from their beginning; else it befalls what is up.
    func isOfLaunches(of spec: ServiceSpec) -> Bool {
        switch kind {
        case .ends: spec.kind == .task || times == nil
        case .failsToLaunch, .neverEnds, .neverReady, .isDeaf, .leavesChildren: true
        case .failsProbes, .daemonDies, .keeperDies, .machineReboots, .diskIsFull, .timePasses: false
        }
    }

    fileprivate func befall(_ life: inout SimulatedLife, of spec: ServiceSpec, spell: Duration) {
        switch kind {
        case .ends(let exit):
            life.endsAfter = spec.kind == .task ? life.readyAfter : life.readyAfter + spell
            life.exit = exit
        case .failsToLaunch:
            life.fault = Fault(
                step: "execute", subject: spec.command.arguments.first ?? spec.name,
                reason: "no such file or directory (ENOENT)")
        case .neverEnds:
            life.isEndless = true
            life.endsAfter = nil
        case .neverReady: life.readyAfter = Limits.longestDuration
        case .isDeaf: life.stopsWithin = nil
        case .leavesChildren: life.childOutlives = Limits.longestDuration
        case .failsProbes, .daemonDies, .keeperDies, .machineReboots, .diskIsFull, .timePasses: break
        }
    }

    /// What the world does with a launch, in words; nil when it does nothing from its beginning.
    var fate: String? {
        switch kind {
        case .ends(let exit): "will end with \(exit.text)"
        case .failsToLaunch: "can't be executed"
        case .neverEnds: "will never end by itself"
        case .neverReady: "will never be ready"
        case .isDeaf: "is deaf to all signals but SIGKILL"
        case .leavesChildren: "will leave a child behind"
        case .failsProbes, .daemonDies, .keeperDies, .machineReboots, .diskIsFull, .timePasses: nil
        }
    }
}

extension Stack {
    /// All replicas that it asks for.
    var instances: [InstanceID] {
        services.flatMap { spec in
            stride(from: 1, through: spec.replicas, by: 1).map {
                InstanceID(service: ServiceID(stack: name, service: spec.name), replica: $0)
            }
        }
    }
}

extension ServiceSpec {
    /// An end that counts as a success.
    fileprivate var success: Exit {
        switch successExitCodes.first {
        case .code(let code): .code(code)
        case .signal(let signal): .signal(signal, coreDumped: false)
        case nil: .code(0)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import HostContract
import OrchDaemon
import OrchEngine
import OrchModel

@testable import OrchSimulator

/// The machine in memory as a stage of the host's contract.
final class SimulatedStage: Stage {
    let machine = Machine(Scenario(seed: 1, revisions: [], acts: []), keepsScore: false)
    private var host: SimulatedHost

    init() {
        _ = machine.takeOver()
        host = SimulatedHost(machine)
    }

    var now: Moment { host.now }
    func perform(_ output: Output) { host.perform(output) }
    func wait(until deadline: Instant?) -> [Input] { host.wait(until: deadline) }
    func members(of launches: [LaunchID]) -> [LaunchMembers] { host.members(of: launches) }
    func usage(of launches: [LaunchID]) -> [Usage] { host.usage(of: launches) }

    func order(_ launch: LaunchID, _ specimen: Specimen) -> LaunchOrder {
        var spec = ServiceSpec(name: "s\(launch.number)", command: .exec(["/bin/x"]), workingDirectory: "/")
        if specimen.readyAfter != nil || specimen.isReadyOnCue { spec.ready = .notify }
        let instance = InstanceID(service: ServiceID(stack: "shop", service: spec.name))
        machine.quirks[instance] = [Quirk(instance, nth: 1, life(specimen))]
        return LaunchOrder(
            launch: launch, instance: instance, spec: spec, label: spec.name, inherited: [], fileLimit: nil,
            because: "a test")
    }

    private func life(_ specimen: Specimen) -> SimulatedLife {
        var life = SimulatedLife()
        if specimen.isMissing {
            life.fault = Fault(step: "execute", subject: "./nothing", reason: "no such file (ENOENT)")
        }
        life.endsAfter = specimen.endsAfter
        life.exit = specimen.exit
        if specimen.isDeaf { life.stopsWithin = nil }
        life.childOutlives = specimen.childOutlives
        life.readyAfter = specimen.readyAfter ?? (specimen.isReadyOnCue ? .seconds(1 << 20) : .zero)
        if specimen.complaint != nil {
            life.sickensAfter = .zero
            life.refusesSteps = true
        }
        if specimen.isSlow {
            life.answersAfter = .seconds(1 << 20)
            life.stepsTake = .seconds(1 << 20)
        }
        return life
    }

    /// How it is answered is the launch's life.
    func question(_ specimen: Specimen) -> Probe.Action { .command(.exec(["/bin/x"])) }
    func step(_ specimen: Specimen) -> StopSpec.Action { .command(.exec(["/bin/x"])) }
    /// It is as it is from its first instant on.
    func awaitBirth(of launch: LaunchID, _ specimen: Specimen) {}

    func strike(_ launch: LaunchID, _ exit: Exit) { machine.mainEnds(launch, exit) }
    func cue(_ launch: LaunchID) { machine.speaks(launch) }
    func holdOutput(of launch: LaunchID) {
        if let place = machine.places[launch] { machine.processes[place]?.life.drainsAfter = Limits.logDrainWait }
    }
    func blockRunDirectory() { machine.ledger.isFull = true }

    var living: Int {
        machine.processes.reduce(0) { sum, process in
            sum + (process?.isMainAlive == true ? 1 : 0) + (process?.hasChildren == true ? 1 : 0)
        }
    }
    var dumpsCores: Bool { true }

    func changeDaemon(torn: LaunchNote?, meanwhile: () -> Void) -> Recovery {
        machine.die()
        machine.bury()
        if let torn {
            let line = LaunchNoteCodec.bytes(of: torn)
            machine.ledger.append(torn: line[..<(line.count / 2)])
        }
        meanwhile()
        machine.idle(for: .milliseconds(10))
        let (recovery, _) = machine.takeOver()
        host = SimulatedHost(machine)
        return recovery
    }

    func connect() -> any Caller {
        machine.nextClient += 1
        let client = ClientID(machine.nextClient)
        var one = SimulatedClient(name: Int(machine.nextClient), id: client)
        one.raw = []
        machine.clientPlaces[client] = machine.clients.count
        machine.clients.append(one)
        machine.inbox.append(.connected(client, Peer(uid: 1000, pid: 7)))
        return SimulatedCaller(machine, client)
    }
}

private final class SimulatedCaller: Caller {
    private let machine: Machine
    private let client: ClientID

    init(_ machine: Machine, _ client: ClientID) {
        self.machine = machine
        self.client = client
    }

    private var me: SimulatedClient? { machine.clients.first { $0.id == client } }
    var received: [UInt8] { me?.raw ?? [] }
    var isCutOff: Bool { me?.isConnected != true }
    func send(_ bytes: [UInt8]) { machine.arrive(bytes, from: client, nil) }
    func hangUp() { if let me { machine.vanish(me.name, isRude: false) } }
}

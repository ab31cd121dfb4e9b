// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// One life from a seed: a random stack, random behaviour, random commands; then the faults stop, and within a bound everything wanted
/// must be up, everything else gone, and the fleet asleep.
public enum FleetLife {
    /// What a life came to.
    public struct Report: Sendable {
        public var violations: [String]
        public var score: [String]
        public var turns: Int
        /// Virtual time that passed.
        public var lived: Duration
    }

    public static func run(seed: UInt64, keepsScore: Bool = false) -> Report {
        var dice = SplitMix(seed: seed)
        let behaviour = dice.next()
        // The closure must be a function of its arguments: lives are drawn from the seed, the instance and the number of the launch.
        let peaceFrom = 6 + dice.below(6)
        var world = FleetWorld(seed: seed, keepsScore: keepsScore) { id, nth in
            nth > peaceFrom ? SimulatedLife() : Self.life(of: id, nth, behaviour)
        }
        let start = world.now.instant
        var services = stack(&dice)
        do throws(Refusal) { try world.apply(request(services)) } catch {
            return report(world, start, ["refused: \(error.message)"])
        }
        for _ in 0..<(5 + dice.below(25)) {
            world.run(for: .milliseconds(Int64(dice.below(4_000))))
            act(&world, &services, &dice)
            if !world.violations.isEmpty { return report(world, start, []) }
        }
        do throws(Refusal) { try world.apply(request(services)) } catch {
            return report(world, start, ["refused: \(error.message)"])
        }
        let targets = [Target(stack: "s")]
        world.heal()
        world.command(.start(targets))
        let isSettled = world.run(atMost: .seconds(7_200)) { $0.fleet.verdict(on: .settled, for: targets) != .pending }
        guard isSettled else {
            let rows = world.fleet.status(of: nil).flatMap(\.instances).map { "\($0.label) \($0.phase) \($0.reason)" }
            return report(world, start, ["not at rest within two hours: \(rows)"])
        }
        world.command(.down(stack: "s", timeout: nil))
        if !world.run(
            atMost: .seconds(3_600), until: { !$0.fleet.hasStack("s") && $0.aliveCount == 0 && $0.fleet.isEmpty })
        {
            return report(world, start, ["not gone within an hour of down: \(world.aliveCount) alive"])
        }
        if world.fleet.deadline != nil { return report(world, start, ["awake with nothing to do"]) }
        return report(world, start, [])
    }

    private static func report(_ world: FleetWorld, _ start: Instant, _ more: [String]) -> Report {
        Report(
            violations: world.violations + more, score: world.score, turns: world.turns,
            lived: world.now.instant - start)
    }

    private static func request(_ services: [ServiceSpec]) -> ApplyRequest {
        ApplyRequest(stack: Stack(name: "s", services: services), manifestPath: "/s/orch.yaml")
    }

    private static func stack(_ dice: inout SplitMix) -> [ServiceSpec] {
        let count = 1 + dice.below(6)
        var specs: [ServiceSpec] = []
        for index in 0..<count {
            let isTask = dice.below(5) == 0
            var spec = ServiceSpec(
                name: "s\(index)", kind: isTask ? .task : .service, command: .exec(["/bin/x"]), workingDirectory: "/")
            for other in specs where dice.below(3) == 0 {
                var need = Dependency(
                    on: other.name,
                    condition: other.kind == .task ? .succeeded : [.ready, .started, .healthy][dice.below(3)])
                need.required = dice.below(4) > 0
                spec.dependsOn.append(need)
            }
            if !isTask {
                if dice.below(3) == 0 { spec.ready = .notify }
                if dice.below(3) == 0 { spec.health.readiness = probe(&dice) }
                if dice.below(3) == 0 { spec.health.liveness = probe(&dice) }
                if dice.below(6) == 0 { spec.health.startup = probe(&dice) }
                spec.replicas = dice.below(5) == 0 ? 1 + dice.below(3) : 1
                spec.startTimeout = .seconds(5 + Int64(dice.below(60)))
            }
            spec.restart = RestartPolicy([.onFailure, .always, .unlessStopped][dice.below(3)])
            spec.stop = StopSpec(steps: [
                .init(
                    .signal(.terminate, to: [.main, .group, .tree][dice.below(3)]), wait: .seconds(Int64(dice.below(8)))
                )
            ])
            specs.append(spec)
        }
        return specs
    }

    private static func probe(_ dice: inout SplitMix) -> Probe {
        var probe = Probe(.tcp("localhost:1"))
        probe.interval = .milliseconds(200 + Int64(dice.below(3_000)))
        probe.failureThreshold = 1 + dice.below(3)
        return probe
    }

    private static func life(of id: InstanceID, _ nth: Int, _ behaviour: UInt64) -> SimulatedLife {
        var name: UInt64 = 0
        for byte in id.description.utf8 { name = name &* 31 &+ UInt64(byte) }
        var dice = SplitMix(seed: behaviour &+ name &* 1_000_003 &+ UInt64(nth))
        var life = SimulatedLife()
        life.execution = .microseconds(Int64(dice.below(5_000)))
        if dice.below(8) == 0 {
            life.fault = Fault(step: "execute", subject: "x", reason: "no such file (ENOENT)")
            life.isScarcity = dice.below(3) == 0
        }
        life.readyAfter = .milliseconds(Int64(dice.below(3_000)))
        if dice.below(3) == 0 {
            life.endsAfter = .milliseconds(Int64(dice.below(4_000)))
            life.exit = [.code(0), .code(1), .signal(.kill, coreDumped: false)][dice.below(3)]
        }
        life.stopsWithin = dice.below(5) == 0 ? nil : .milliseconds(Int64(dice.below(2_000)))
        if dice.below(5) == 0 { life.childOutlives = .milliseconds(Int64(dice.below(20_000))) }
        if dice.below(6) == 0 { life.sickensAfter = .milliseconds(Int64(dice.below(5_000))) }
        if dice.below(40) == 0 { life.diesWithin = .seconds(15) }
        return life
    }

    private static func act(_ world: inout FleetWorld, _ services: inout [ServiceSpec], _ dice: inout SplitMix) {
        let name = services[dice.below(services.count)].name
        let targets = [Target(stack: "s", service: dice.below(4) == 0 ? nil : name)]
        if dice.below(4) == 0 { world.killDaemon(after: dice.below(12)) }
        switch dice.below(8) {
        case 0: world.command(.stop(targets, timeout: dice.below(2) == 0 ? .seconds(Int64(dice.below(3))) : nil))
        case 1: world.command(.start(targets))
        case 2: world.command(.restart(targets))
        case 3, 4:
            world.strike(name)
        case 5:
            let index = dice.below(services.count)
            services[index].environment = [EnvironmentEntry("N", String(dice.below(1_000)))]
            try? world.apply(request(services))  // A refusal is a fair answer to a random change.
        case 6:
            let index = dice.below(services.count)
            if services[index].kind == .service { services[index].replicas = 1 + dice.below(3) }
            services[index].stop = StopSpec(steps: [
                .init(.signal(.interrupt, to: .main), wait: .seconds(Int64(dice.below(5))))
            ])
            try? world.apply(request(services))  // As above.
        default:
            if dice.below(3) == 0 {
                world.command(.down(stack: "s", timeout: dice.below(2) == 0 ? .seconds(1) : nil))
                if dice.below(2) == 0 { world.run(for: .seconds(Int64(dice.below(30)))) }
                try? world.apply(request(services))  // As above.
            }
        }
    }
}

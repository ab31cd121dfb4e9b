// SPDX-License-Identifier: Apache-2.0

import OrchModel

extension Scenario {
    /// The smallest scenario that was found to break the same rule, by playing at most so many; the scenario itself when it breaks none.
    public func shrunk(plays: Int = 4_000) -> Scenario {
        guard let rule = run().violations.first.map(Shrinker.rule) else { return self }
        var shrinker = Shrinker(self, breaking: rule, plays: plays)
        shrinker.shrink()
        return shrinker.best
    }
}

/// Makes a scenario smaller as long as it breaks the same rule: fewer acts, quirks, services, needs and traits, shorter times.
struct Shrinker {
    private(set) var best: Scenario
    private let rule: String
    private var playsLeft: Int

    init(_ scenario: Scenario, breaking rule: String, plays: Int) {
        best = scenario
        self.rule = rule
        playsLeft = plays
    }

    /// What was broken, without when and by whom: two violations of one rule read the same.
    static func rule(of violation: String) -> String {
        let sentence = violation.drop { $0 != ":" }.prefix { $0 != "[" && $0 != "(" }
        let words = sentence.split(separator: " ").filter { word in
            word.allSatisfy { $0.isLetter || $0 == "," }
        }
        return words.joined(separator: " ")
    }

    mutating func shrink() {
        var size = Int.max
        while playsLeft > 0, best.size < size {
            size = best.size
            dropStacks()
            dropChunks(\.acts)
            dropChunks(\.quirks)
            dropServices()
            dropNeeds()
            dropTraits()
            calmQuirks()
            simplifyActs()
        }
    }

    /// Takes the candidate if it breaks the same rule.
    @discardableResult
    private mutating func attempt(_ change: (inout Scenario) -> Void) -> Bool {
        var candidate = best
        change(&candidate)
        guard playsLeft > 0, candidate != best else { return false }
        playsLeft -= 1
        guard let violation = candidate.run().violations.first, Self.rule(of: violation) == rule else { return false }
        best = candidate
        return true
    }

    // MARK: Less

    /// Halves first, then ever smaller pieces, down to single ones.
    private mutating func dropChunks<Item>(_ list: WritableKeyPath<Scenario, [Item]>) {
        var length = best[keyPath: list].count
        while length > 0 {
            var start = 0
            while start < best[keyPath: list].count {
                let end = min(start + length, best[keyPath: list].count)
                if !attempt({ $0[keyPath: list].removeSubrange(start..<end) }) { start += length }
            }
            length = length == 1 ? 0 : (length + 1) / 2
        }
    }

    private mutating func dropStacks() {
        for name in Set(best.revisions.map(\.name)).sorted() {
            attempt { scenario in
                let revisions = scenario.revisions
                scenario.acts.removeAll { $0.deed.stack(revisions) == name }
                scenario.quirks.removeAll { $0.instance.service.stack == name }
            }
        }
    }

    private mutating func dropServices() {
        for id in services {
            attempt { scenario in
                scenario.quirks.removeAll { $0.instance.service == id }
                scenario.change(id.stack) { stack in
                    stack.services.removeAll { $0.name == id.service }
                    for place in stack.services.indices {
                        stack.services[place].dependsOn.removeAll { $0.on == id.service }
                    }
                }
            }
        }
    }

    private mutating func dropNeeds() {
        for id in services {
            let needs = Set(best.revisions.flatMap { $0.service(id.service)?.dependsOn.map(\.on) ?? [] })
            for need in needs.sorted() {
                attempt { $0.change(id) { $0.dependsOn.removeAll { $0.on == need } } }
                attempt {
                    $0.change(id) { spec in
                        for place in spec.dependsOn.indices where spec.dependsOn[place].on == need {
                            spec.dependsOn[place] = Dependency(on: need, condition: spec.dependsOn[place].condition)
                        }
                    }
                }
            }
        }
    }

    /// Each trait of a service is put back to what a plain service has.
    private mutating func dropTraits() {
        for id in services {
            let kind = best.revisions.compactMap { $0.name == id.stack ? $0.service(id.service)?.kind : nil }.first
            let plain = ServiceSpec(
                name: id.service, kind: kind ?? .service, command: .exec(["/bin/\(id.service)"]), workingDirectory: "/")
            let traits: [(inout ServiceSpec) -> Void] = [
                { $0.health = plain.health }, { $0.health.startup = nil }, { $0.health.readiness = nil },
                { $0.health.liveness = nil }, { $0.ready = nil },
                { if $0.ready != nil { $0.ready = .notify } }, { $0.replicas = 1 },
                { $0.replicas = min($0.replicas, 2) }, { $0.restart = plain.restart }, { $0.stop = plain.stop },
                { $0.startTimeout = plain.startTimeout }, { $0.resources = plain.resources }, { $0.reload = nil },
                { $0.hooks = Hooks() },
                { $0.configFiles = [] },
                { $0.enabled = true }, { $0.environment = [] },
                { $0.successExitCodes = plain.successExitCodes },
            ]
            for trait in traits { attempt { $0.change(id, trait) } }
        }
        for name in Set(best.revisions.map(\.name)).sorted() {
            attempt { $0.change(name) { $0.stopTimeout = .seconds(120) } }
            attempt { $0.change(name) { $0.host = HostThresholds() } }
        }
    }

    private mutating func calmQuirks() {
        let plain = SimulatedLife()
        let traits: [(inout SimulatedLife) -> Void] = [
            { $0.execution = plain.execution }, { $0.fault = nil }, { $0.isScarcity = false },
            { $0.readyAfter = plain.readyAfter }, { $0.endsAfter = nil }, { $0.exit = plain.exit },
            { $0.stopsWithin = plain.stopsWithin }, { $0.childOutlives = nil }, { $0.diesWithin = plain.diesWithin },
            { $0.sickensAfter = nil }, { $0.swellsAfter = nil }, { $0.answersAfter = plain.answersAfter },
            { $0.escapes = 0 },
            { $0.wavers = nil }, { $0.stepsTake = plain.stepsTake },
            { $0.isEndless = false }, { $0.refusesSteps = false }, { $0.drainsAfter = plain.drainsAfter },
        ]
        for place in best.quirks.indices {
            for trait in traits { attempt { trait(&$0.quirks[place].life) } }
        }
    }

    private mutating func simplifyActs() {
        for place in best.acts.indices {
            attempt { $0.acts[place].after = .zero }
            attempt { $0.acts[place].after = .milliseconds($0.acts[place].after.nanoseconds / 2_000_000) }
            attempt { $0.acts[place].deed = $0.acts[place].deed.simpler }
            // One client is easier to follow than several.
            attempt { scenario in
                if case .ask(_, let question, let pieces) = scenario.acts[place].deed {
                    scenario.acts[place].deed = .ask(client: 1, question, pieces: pieces)
                }
            }
        }
    }

    private var services: [ServiceID] {
        var found: Set<ServiceID> = []
        for stack in best.revisions {
            for spec in stack.services { found.insert(ServiceID(stack: stack.name, service: spec.name)) }
        }
        return found.sorted()
    }
}

extension Scenario {
    /// Counts what there is to read.
    var size: Int {
        let services = revisions.reduce(0) {
            $0 + $1.services.count + $1.services.reduce(0) { $0 + $1.dependsOn.count }
        }
        return acts.count + quirks.count + services
    }

    /// Every revision of the stack.
    mutating func change(_ stack: String, _ change: (inout Stack) -> Void) {
        for place in revisions.indices where revisions[place].name == stack { change(&revisions[place]) }
    }

    /// The service in every revision.
    mutating func change(_ id: ServiceID, _ change: (inout ServiceSpec) -> Void) {
        self.change(id.stack) { stack in
            for place in stack.services.indices where stack.services[place].name == id.service {
                change(&stack.services[place])
            }
        }
    }
}

extension Deed {
    /// The one stack that it is about; nil when it is about none or several.
    func stack(_ revisions: [Stack]) -> String? {
        switch self {
        case .ask(_, .apply(let place), _), .ask(_, .diff(let place), _), .ask(_, .tryOut(let place, _), _):
            return revisions[place].name
        case .ask(_, .command(let command), _):
            if case .down(let stack, _) = command { return stack }
            if case .rollback(let request) = command { return request.stack }
            return nil
        case .strike(let instance, _), .touch(let instance): return instance.service.stack
        case .vanish, .intrude, .killDaemon, .killKeeper, .reboot, .terminate, .step, .suspend, .lag, .lose,
            .fillDisk, .fillRun, .damageHistory, .echo:
            return nil
        }
    }

    /// The same with less to it.
    var simpler: Deed {
        switch self {
        case .ask(let client, let question, let pieces): .ask(client: client, question, pieces: max(1, pieces / 2))
        case .killDaemon(let after, let tears, let again):
            if again != nil {
                .killDaemon(after: after, tears: tears, again: nil)
            } else if tears {
                .killDaemon(after: after, tears: false, again: nil)
            } else {
                .killDaemon(after: after / 2, tears: false, again: nil)
            }
        case .vanish(let client, _): .vanish(client: client, isRude: false)
        case .lose(let need, let span): .lose(need, for: span / 2)
        case .fillDisk(let span): .fillDisk(span / 2)
        case .fillRun(let span): .fillRun(span / 2)
        case .step(let span): .step(by: span / 2)
        case .suspend(let span): .suspend(span / 2)
        case .lag(let span): .lag(span / 2)
        case .strike, .touch, .intrude, .killKeeper, .reboot, .terminate, .damageHistory, .echo: self
        }
    }
}

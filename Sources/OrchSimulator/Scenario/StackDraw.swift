// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// A stack drawn by chance, and how it is changed by chance.
struct StackDraw {
    private(set) var stack: Stack
    /// Services in the order in which they need each other.
    private var names: [String] = []

    init(_ name: String, _ dice: inout SplitMix) {
        stack = Stack(name: name, services: [])
        if dice.once(in: 4) { stack.stopTimeout = .seconds(Int64(1 + dice.below(30))) }
        if dice.once(in: 6) { stack.host = HostThresholds(disk: .init(path: "/", degradedAbove: 0.9), memory: 0.9) }
        let count = 1 + min(dice.below(4), dice.below(6))
        var specs: [ServiceSpec] = []
        for index in 0..<count { specs.append(Self.service("\(Self.letters[index])", after: specs, &dice)) }
        names = specs.map(\.name)
        stack.services = specs.sorted { $0.name < $1.name }
    }

    private static let letters = Array("abcdefgh")

    // MARK: Services, trait by trait

    private static func service(_ name: String, after others: [ServiceSpec], _ dice: inout SplitMix) -> ServiceSpec {
        let isTask = dice.once(in: 5)
        var spec = ServiceSpec(
            name: name, kind: isTask ? .task : .service, command: .exec(["/bin/\(name)"]), workingDirectory: "/")
        drawNeeds(&spec, others, &dice)
        drawReadiness(&spec, &dice)
        drawRestart(&spec, &dice)
        drawStop(&spec, &dice)
        if dice.once(in: 12) { spec.enabled = false }
        if isTask, dice.once(in: 2) { spec.schedule = ZoneDraw.schedule(&dice) }
        drawGates(&spec, &dice)
        if dice.once(in: 2) { drawUpdate(&spec, &dice) }
        drawReload(&spec, &dice)
        if dice.once(in: 6) { drawWatch(&spec, &dice) }
        if dice.once(in: 4) { drawLimits(&spec, &dice) }
        if dice.once(in: 4) { drawHooks(&spec, &dice) }
        drawVoice(&spec, dice)
        if name == "a" || name == "c" { spec.sockets = [SocketSpec(listen: .file("/run/\(name)"))] }
        return spec
    }

    private static func drawNeeds(_ spec: inout ServiceSpec, _ others: [ServiceSpec], _ dice: inout SplitMix) {
        for other in others where other.schedule == nil && dice.once(in: 2) {
            var need = Dependency(
                on: other.name,
                condition: other.kind == .task
                    ? dice.one(of: [.succeeded, .succeeded, .completed]) : dice.one(of: [.ready, .started, .healthy]))
            need.required = !dice.once(in: 5)
            if dice.once(in: 8) { need.timeout = .seconds(Int64(1 + dice.below(20))) }
            if dice.once(in: 8) { need.onRestart = reaction(spec.kind, &dice) }
            if dice.once(in: 8) { need.onFailure = reaction(spec.kind, &dice) }
            spec.dependsOn.append(need)
        }
        spec.dependsOn.sort { $0.on < $1.on }
    }

    private static func reaction(_ kind: ServiceSpec.Kind, _ dice: inout SplitMix) -> Dependency.Reaction {
        let found = dice.one(of: Dependency.Reaction.allCases)
        return kind == .task && found == .stop ? .restart : found
    }

    /// Locks that a task shares with others; a service would have them for ever.
    private static func drawGates(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        if spec.kind == .task, dice.once(in: 2) {
            spec.locks = ["/run/x.lock", "y", "z"].filter { _ in dice.once(in: 2) }
        }
        for need in outside where dice.once(in: 12) {
            var dependency = Dependency(on: need.text)
            dependency.required = !dice.once(in: 4)
            if dice.once(in: 2) { dependency.timeout = .seconds(Int64(1 + dice.below(20))) }
            spec.dependsOn.append(dependency)
        }
        spec.dependsOn.sort { $0.on < $1.on }
        guard spec.kind == .service else { return }
        spec.essential = dice.once(in: 10)
        guard dice.once(in: 5) else { return }
        let ends: [ExitPattern] = [.code(0), .code(1), .code(3), .signal(.kill)]
        spec.onExit = ExitActions(
            ends.filter { _ in dice.once(in: 3) }.map { .init($0, dice.one(of: ExitActions.Action.allCases)) },
            fallback: dice.once(in: 4) ? dice.one(of: ExitActions.Action.allCases) : nil)
    }
    /// What is no service, and may go away.
    static let outside: [OutsideNeed] = [.tcp("db:5432"), .file("/run/up")]

    private static func drawReadiness(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        guard spec.kind == .service else {
            if dice.once(in: 3) { spec.startTimeout = .seconds(Int64(1 + dice.below(10))) }
            return
        }
        spec.ready = dice.once(in: 4) ? dice.once(in: 2) ? .notify : .log("ready") : nil
        spec.health.readiness = dice.once(in: 4) ? probe(&dice) : nil
        spec.health.liveness = dice.once(in: 5) ? probe(&dice) : nil
        spec.health.startup = dice.once(in: 8) ? probe(&dice) : nil
        if dice.once(in: 5) { spec.replicas = dice.below(4) }
        // Enough for a good launch: the probes before it is ready, one after the other.
        var least = Duration.seconds(2)
        for probe in [spec.health.startup, spec.health.readiness] {
            if let probe {
                least += probe.initialDelay + (probe.interval + probe.timeout) * (probe.successThreshold + 1)
            }
        }
        spec.startTimeout = least + .seconds(dice.below(30))
    }

    /// From dice of its own: what is drawn after it stays as it was.
    private static func drawVoice(_ spec: inout ServiceSpec, _ dice: SplitMix) {
        var copy = dice
        var voice = SplitMix(seed: copy.next() ^ 0xd06)
        guard spec.ready == .notify, spec.health.liveness == nil, voice.once(in: 2) else { return }
        var watchdog = Probe(.notify)
        watchdog.interval = .milliseconds(Int64(300 + voice.below(4_000)))
        watchdog.failureThreshold = 1 + voice.below(3)
        watchdog.onFailure = voice.one(of: [.restart, .restart, .report, .stop])
        spec.health.liveness = watchdog
    }

    private static func probe(_ dice: inout SplitMix) -> Probe {
        var probe = Probe(dice.once(in: 3) ? .command(.exec(["/bin/check"])) : .tcp("localhost:1"))
        probe.interval = .milliseconds(Int64(300 + dice.below(4_000)))
        probe.timeout = .milliseconds(Int64(100 + dice.below(2_000)))
        probe.failureThreshold = 1 + dice.below(3)
        probe.successThreshold = 1 + dice.below(2)
        if dice.once(in: 3) { probe.initialDelay = dice.span(1_500) }
        return probe
    }

    private static func drawConfiguration(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        spec.configFiles = ["/etc/a", "/etc/b"].filter { _ in dice.once(in: 2) }.map {
            ConfigFile($0, content: Digest(of: [UInt8(dice.below(6))]))
        }
    }

    private static func drawReload(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        if dice.once(in: 3) { drawConfiguration(&spec, &dice) }
        guard spec.kind == .service, dice.once(in: 2) else { return }
        let limit = Duration.milliseconds(Int64(200 + dice.below(4_000)))
        switch dice.below(3) {
        case 0: spec.reload = .signal(.hangup)
        case 1: spec.reload = .command(.exec(["/bin/reload"]), timeout: limit)
        default: spec.reload = spec.ready == .notify ? .notify(timeout: limit) : .signal(.hangup)
        }
    }

    private static func drawHooks(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        spec.hooks = Hooks()
        for kind in HookKind.allCases where dice.once(in: 3) && (kind != .postReady || spec.kind == .service) {
            spec.hooks[kind] = Hook(.exec(["/bin/\(kind.rawValue)"]), timeout: dice.span(4_000) + .milliseconds(100))
        }
    }

    private static func drawLimits(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        spec.resources.memory = 1_000
        spec.resources.onExceed = dice.one(of: ResourceLimits.Reaction.allCases)
        if dice.once(in: 2) { spec.resources.threads = 100 }
    }

    private static func drawWatch(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        var rule = WatchRule(path: "/src")
        rule.debounce = dice.span(3_000)
        rule.action = dice.one(of: [.restart, .restart, .signal(.hangup), .command(.exec(["/bin/build"]))])
        if spec.reload != nil, dice.once(in: 3) { rule.action = .reload }
        rule.cascade = dice.once(in: 3) && rule.action == .restart
        spec.watch = [rule]
    }

    private static func drawUpdate(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        guard spec.kind == .service else { return }
        spec.update.order = dice.one(of: UpdatePolicy.Order.allCases)
        spec.update.parallelism = 1 + dice.below(2)
        spec.update.minReady = dice.once(in: 2) ? .zero : dice.span(3_000)
        spec.update.onFailure = dice.one(of: UpdatePolicy.OnFailure.allCases)
    }

    private static func drawRestart(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        spec.restart = RestartPolicy(dice.one(of: [.onFailure, .onFailure, .always, .unlessStopped, .no]))
        if spec.kind == .service, spec.restart.policy == .no, dice.once(in: 2) { spec.restart.policy = .always }
        if dice.once(in: 4) { spec.restart.maxAttempts = dice.below(4) }
        if dice.once(in: 6) { spec.restart.retryAfter = .seconds(Int64(1 + dice.below(20))) }
        if dice.once(in: 3) { spec.restart.resetAfter = .milliseconds(Int64(500 + dice.below(5_000))) }
        spec.restart.maxDelay = .seconds(8)
        if dice.once(in: 4) { spec.restart.delay = .milliseconds(Int64(50 + dice.below(3_000))) }
        if dice.once(in: 4) { spec.restart.jitter = 0 }
        if dice.once(in: 8) { spec.successExitCodes = [.code(0), .code(3)] }
    }

    private static func drawStop(_ spec: inout ServiceSpec, _ dice: inout SplitMix) {
        var steps: [StopSpec.Step] = []
        for _ in 0..<(dice.once(in: 4) ? 2 : 1) {
            let action: StopSpec.Action =
                switch dice.below(8) {
                case 0: .command(.exec(["/bin/stop"]))
                case 1: .stdin("quit\n")
                default: .signal(dice.one(of: [.terminate, .interrupt]), to: dice.one(of: [.main, .group, .tree]))
                }
            steps.append(StopSpec.Step(action, wait: dice.span(6_000)))
        }
        spec.stop = StopSpec(scope: dice.once(in: 6) ? .main : .tree, steps: steps)
    }

    // MARK: Changes

    /// Changes one thing of one service, or which services there are.
    mutating func change(_ dice: inout SplitMix) {
        guard let name = names.isEmpty ? nil : names[dice.below(names.count)],
            let place = stack.services.firstIndex(where: { $0.name == name })
        else { return }
        switch dice.below(15) {
        case 13, 14: Self.drawConfiguration(&stack.services[place], &dice)
        case 10, 11:
            Self.drawUpdate(&stack.services[place], &dice)
            stack.services[place].environment = [EnvironmentEntry("N", String(dice.below(5)))]
        case 12: rename(name, place, &dice)
        case 0, 1, 2: stack.services[place].environment = [EnvironmentEntry("N", String(dice.below(1_000)))]
        case 3: if stack.services[place].kind == .service { stack.services[place].replicas = dice.below(4) }
        case 4:
            Self.drawStop(&stack.services[place], &dice)
            if dice.once(in: 3) { Self.drawHooks(&stack.services[place], &dice) }
        case 5: stack.services[place].enabled.toggle()
        case 6:
            guard stack.services[place].kind == .service else { return }
            Self.drawReadiness(&stack.services[place], &dice)
            stack.services[place].reload = nil
            Self.drawReload(&stack.services[place], &dice)
        case 7: remove(name, place)
        case 8:
            if let free = Self.letters.first(where: { letter in !names.contains("\(letter)") }) {
                let spec = Self.service("\(free)", after: names.compactMap { stack.service($0) }, &dice)
                names.append(spec.name)
                stack.services = (stack.services + [spec]).sorted { $0.name < $1.name }
            }
        default:
            if stack.services[place].schedule != nil { stack.services[place].schedule = ZoneDraw.schedule(&dice) }
            Self.drawRestart(&stack.services[place], &dice)
        }
    }

    /// A service less, or a replica.
    mutating func leaveOut(_ dice: inout SplitMix) {
        guard let name = names.isEmpty ? nil : names[dice.below(names.count)],
            let place = stack.services.firstIndex(where: { $0.name == name })
        else { return }
        if stack.services[place].replicas > 1, dice.once(in: 2) {
            stack.services[place].replicas -= 1
        } else {
            remove(name, place)
        }
    }

    /// Nobody may need what is not there.
    private mutating func remove(_ name: String, _ place: Int) {
        guard names.count > 1 else { return }
        names.removeAll { $0 == name }
        stack.services.remove(at: place)
        for other in stack.services.indices { stack.services[other].dependsOn.removeAll { $0.on == name } }
    }

    /// Another name, and what needs it says so.
    private mutating func rename(_ name: String, _ place: Int, _ dice: inout SplitMix) {
        let new = "\(name.prefix(1))\(dice.below(3))"
        guard stack.service(new) == nil, let order = names.firstIndex(of: name) else { return }
        names[order] = new
        stack.services[place].name = new
        stack.services[place].renamedFrom = name
        for other in stack.services.indices {
            for edge in stack.services[other].dependsOn.indices where stack.services[other].dependsOn[edge].on == name {
                stack.services[other].dependsOn[edge].on = new
            }
            stack.services[other].dependsOn.sort { $0.on < $1.on }
        }
        stack.services.sort { $0.name < $1.name }
    }

    // MARK: Who is there

    func instance(_ dice: inout SplitMix) -> InstanceID {
        let spec = stack.services[dice.below(stack.services.count)]
        return InstanceID(
            service: ServiceID(stack: stack.name, service: spec.name), replica: 1 + dice.below(max(1, spec.replicas)))
    }

    func target(_ dice: inout SplitMix) -> Target {
        if dice.once(in: 4) { return Target(stack: stack.name) }
        let id = instance(&dice)
        return Target(stack: stack.name, service: id.service.service, replica: dice.once(in: 6) ? id.replica : nil)
    }

    /// How launches behave that do not simply behave.
    func quirks(_ temper: Temper, _ dice: inout SplitMix) -> [Quirk] {
        var quirks: [Quirk] = []
        for name in Self.letters.map(String.init) {
            // Drawn for all, so that a life does not depend on which services there are.
            let isThere = stack.service(name) != nil
            for replica in 1...3 {
                let id = InstanceID(service: ServiceID(stack: stack.name, service: name), replica: replica)
                for nth in 1...4 where dice.once(in: temper.isSick ? 2 : 8) {
                    let life = SimulatedLife(&dice)
                    if isThere { quirks.append(Quirk(id, nth: nth, life)) }
                }
            }
        }
        return quirks
    }
}

extension SimulatedLife {
    /// One by chance: most trouble is rare, so that lives get somewhere.
    init(_ dice: inout SplitMix) {
        self.init()
        execution = .microseconds(Int64(dice.below(5_000)))
        if dice.once(in: 8) {
            fault = Fault(step: "execute", subject: "x", reason: "no such file (ENOENT)")
            isScarcity = dice.once(in: 3)
        }
        if dice.once(in: 10) { execution = dice.span(8_000) }
        readyAfter = dice.span(3_000)
        if dice.once(in: 3) {
            endsAfter = dice.once(in: 8) ? .zero : dice.span(4_000)
            exit = dice.one(of: [.code(0), .code(1), .code(3), .signal(.kill, coreDumped: false)])
        }
        isEndless = dice.once(in: 8)
        stopsWithin = dice.once(in: 5) ? nil : dice.span(2_000)
        if dice.once(in: 5) { childOutlives = dice.span(20_000) }
        if dice.once(in: 6) { sickensAfter = dice.span(5_000) }
        if dice.once(in: 6) { swellsAfter = dice.span(9_000) }
        if dice.once(in: 20) { diesWithin = .seconds(15) }
        if dice.once(in: 5) { answersAfter = dice.span(3_000) }
        if dice.once(in: 10) { escapes = 1 + dice.below(2) }
        if dice.once(in: 10) { wavers = .milliseconds(Int64(200 + dice.below(4_000))) }
        refusesSteps = dice.once(in: 4)
        if dice.once(in: 4) { stepsTake = dice.span(4_000) }
        if dice.once(in: 8) { drainsAfter = dice.span(2_000) }
    }
}

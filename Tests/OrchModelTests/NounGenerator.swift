// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Random nouns from a seed: the same seed gives the same nouns (SplitMix64).
struct NounGenerator {
    private var dice: SplitMix
    init(seed: UInt64) { dice = SplitMix(seed: seed) }
    mutating func next() -> UInt64 { dice.next() }
    mutating func below(_ bound: Int) -> Int { dice.below(bound) }
    mutating func chance() -> Bool { next() & 1 == 0 }
    mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
    mutating func maybe<T>(_ item: T) -> T? { chance() ? item : nil }

    mutating func text() -> String {
        pick(["", "a", "web.log", "{}", "null", "none", "merge", "\u{1}\n\"\\", "é😀", "${PORT}", "10%", "a=b c"])
            + String(below(10))
    }
    mutating func name() -> String { "n\(below(1_000_000))" }
    mutating func span() -> Duration {
        .nanoseconds(pick([0, 1, 999, 250_000_000, 1_000_000_000, 90_061_000_000_001]) + Int64(below(5)))
    }
    mutating func signal() -> Signal { Signal(number: Int32(1 + below(64))) }
    mutating func entries() -> [EnvironmentEntry] {
        (0..<below(4)).map { EnvironmentEntry("k\($0).\(below(9))", text()) }
    }
    mutating func words() -> [String] { (0..<1 + below(3)).map { _ in text() } }
    mutating func command() -> CommandLine {
        chance() ? .exec(words()) : .shell(text(), shell: chance() ? CommandLine.standardShell : ["/bin/bash", "-ec"])
    }

    mutating func http() -> HTTPProbe {
        var probe = HTTPProbe(url: "http://127.0.0.1:${PORT}/\(name())")
        if chance() { probe.method = "POST" }
        probe.headers = entries()
        probe.body = maybe(text())
        if chance() { probe.status = (0..<below(3)).map { _ in 200 + below(3)...202 + below(200) } }
        probe.bodyPattern = maybe(text())
        let scalars: [Value] = [.string(text()), .int(3), .double(1.5), .bool(true), .null]
        probe.json = (0..<below(3)).map { JSONExpectation(path: "a.b\($0)", expected: pick(scalars)) }
        return probe
    }

    mutating func probe() -> Probe {
        let actions: [Probe.Action] = [
            .http(http()), .tcp("127.0.0.1:\(below(9000))"), .command(command()), .log(text()), .file("/run/\(name())"),
            .notify,
        ]
        var probe = Probe(pick(actions))
        if chance() { probe.initialDelay = span() }
        if chance() { probe.interval = span() }
        if chance() { probe.timeout = span() }
        if chance() { probe.successThreshold = 1 + below(5) }
        if chance() { probe.failureThreshold = 1 + below(5) }
        probe.onFailure = pick([.restart, .stop, .report, .signal(signal())])
        return probe
    }

    mutating func restart() -> RestartPolicy {
        var policy = RestartPolicy(pick(RestartPolicy.Policy.allCases))
        if chance() { policy.delay = span() }
        if chance() { policy.factor = pick([1, 1.5, 3, 2.718281828459045]) }
        if chance() { policy.maxDelay = span() }
        if chance() { policy.jitter = pick([0, 0.29, 0.1234567, 1]) }
        if chance() { policy.resetAfter = span() }
        policy.maxAttempts = maybe(below(9))
        if chance() { policy.window = span() }
        policy.retryAfter = maybe(span())
        return policy
    }

    mutating func stop() -> StopSpec {
        let steps = (0..<below(4)).map { _ in
            let actions: [StopSpec.Action] = [
                .signal(signal(), to: pick(StopSpec.Recipient.allCases)), .http(http()), .command(command()),
                .stdin(text()), .kill,
            ]
            return StopSpec.Step(pick(actions), wait: span())
        }
        return StopSpec(scope: pick(StopSpec.Scope.allCases), steps: steps)
    }

    mutating func logging() -> LoggingSpec {
        var logging = LoggingSpec()
        let sinks: [LoggingSpec.Sink] = [.standard, .file("/l/\(text())"), .append("/a/\(text())"), .discard, .merge]
        logging.stdout = pick(sinks)
        logging.stderr = pick(sinks)
        logging.format = pick(LoggingSpec.Format.allCases)
        if chance() { logging.rotate.size = pick([nil, 1, 1_000, 1_024, 10_485_760, 12_345_678]) }
        if chance() { logging.rotate.keep = below(400) }
        if chance() { logging.rotate.every = pick([.seconds(1), .seconds(86_400)]) }
        if chance() { logging.rotate.maxAge = pick([.seconds(90), .seconds(604_800)]) }
        if let size = logging.rotate.size { logging.rotate.total = maybe(size + Int64(1 + below(1_000_000))) }
        logging.rotate.compress = pick(LoggingSpec.Compression.allCases)
        logging.whenFull = pick(LoggingSpec.WhenFull.allCases)
        logging.stripANSI = chance()
        logging.redact = (0..<below(3)).map { _ in text() }
        let sources: [LoggingSpec.Levels.Source] = [.json, .prefix, .pattern(text() + ".")]
        logging.levels = maybe(LoggingSpec.Levels(from: pick(sources), errorFile: maybe("/e/\(text())")))
        logging.forward = pick(LoggingSpec.Forward.allCases)
        return logging
    }

    mutating func port() -> PortSpec {
        var port = PortSpec(port: pick([0, 80, 65535]))
        port.name = maybe(name())
        port.transport = pick(PortSpec.Transport.allCases)
        if chance() { port.host = "127.0.0.1" }
        port.onConflict = pick(PortSpec.OnConflict.allCases)
        return port
    }

    mutating func socket() -> SocketSpec {
        let addresses: [SocketSpec.Address] = [
            .tcp(host: "127.0.0.1", port: 80), .tcp(host: "::1", port: 65_535), .file("/run/x"), .abstract(name()),
        ]
        var socket = SocketSpec(name: pick([SocketSpec.standardName, "http"]), listen: pick(addresses))
        if case .file = socket.listen { socket.mode = UInt32(below(0o1000)) }
        return socket
    }

    mutating func schedule() -> ScheduleSpec {
        let crons = ["@daily", "30 2 * * mon-fri", "*/5 9-17 1,15 */2 *"].compactMap { try? CronExpression($0) }
        var schedule = ScheduleSpec(chance() ? .cron(pick(crons)) : .every(span()))
        schedule.timeZone = pick(["host", "UTC", "Europe/Paris"])
        if chance() { schedule.jitter = span() }
        schedule.overlap = pick(ScheduleSpec.Overlap.allCases)
        schedule.missed = pick(ScheduleSpec.Missed.allCases)
        schedule.retries = below(4)
        if chance() { schedule.retryDelay = span() }
        schedule.history = below(40)
        return schedule
    }

    mutating func run() -> ScheduledRun {
        ScheduledRun(
            due: maybe(time()), startedAt: maybe(time()), endedAt: time(), exit: maybe(exit()),
            result: pick(ScheduledRun.Result.allCases), attempts: 1 + below(3))
    }

    mutating func update() -> UpdatePolicy {
        var policy = UpdatePolicy()
        policy.order = pick(UpdatePolicy.Order.allCases)
        if chance() { policy.parallelism = 1 + below(9) }
        if chance() { policy.minReady = span() }
        policy.onFailure = pick(UpdatePolicy.OnFailure.allCases)
        return policy
    }

    mutating func onExit() -> ExitActions {
        let patterns: [ExitPattern] = [.code(0), .code(Int32(1 + below(255))), .signal(signal())]
        let rules = patterns.filter { _ in chance() }.map { ExitActions.Rule($0, pick(ExitActions.Action.allCases)) }
        return ExitActions(rules, fallback: maybe(pick(ExitActions.Action.allCases)))
    }

    mutating func process() -> ProcessSpec {
        var spec = ProcessSpec()
        spec.groupAdd = ["100", "video"].filter { _ in chance() }
        spec.umask = pick([0, 0o22, 0o77, 0o777])
        spec.nice = maybe(below(40) - 20)
        spec.ioClass = maybe(IOClass(pick(IOClass.Name.allCases), level: below(8)))
        spec.cpuAffinity = (0..<4).filter { _ in chance() }
        func limit() -> Int64? { pick([nil, 0, 5, 1 << 40]) }
        for resource in Ulimit.Resource.allCases where below(5) == 0 {
            spec.ulimits.append(Ulimit(resource, soft: limit(), hard: limit()))
        }
        spec.noNewPrivileges = chance()
        spec.readOnly = chance() ? ["/etc", "/usr"] : []
        spec.hasPrivateTmp = chance()
        spec.hasTerminal = chance()
        spec.input = maybe(chance() ? .open : .file("/in"))
        spec.capabilities = maybe(Capability.allCases.filter { _ in below(4) == 0 })
        return spec
    }

    private mutating func resources() -> ResourceLimits {
        var limits = ResourceLimits()
        limits.memory = maybe(pick([1, 512_000_000, 1 << 30]))
        limits.cpus = maybe(pick([0.5, 0.01, 2]))
        limits.pids = maybe(1 + below(999))
        limits.files = maybe(1 + below(999))
        limits.threads = maybe(1 + below(999))
        limits.onExceed = pick(ResourceLimits.Reaction.allCases)
        return limits
    }

    private mutating func hostThresholds() -> HostThresholds {
        HostThresholds(
            disk: maybe(HostThresholds.Disk(path: "/" + text(), degradedAbove: pick([0.9, 0.5]))),
            memory: maybe(pick([0.9, 0.75])))
    }

    private mutating func watchRule() -> WatchRule {
        var rule = WatchRule(path: "/srv/" + text())
        if chance() { rule.include = [text(), "*.py"] }
        if chance() { rule.ignore = [text()] }
        if chance() { rule.debounce = span() }
        rule.action = pick([.restart, .reload, .signal(signal()), .command(command())])
        rule.cascade = chance()
        return rule
    }

    mutating func spec(_ name: String) -> ServiceSpec {
        var spec = ServiceSpec(
            name: name, kind: pick(ServiceSpec.Kind.allCases), command: command(), workingDirectory: "/srv/" + text())
        if chance() { spec.title = text() }
        if chance() { spec.details = text() }
        spec.labels = entries()
        spec.environment = entries()
        spec.unset = (0..<below(3)).map { "U\($0)" }
        spec.secrets = ["a", "b"].filter { _ in chance() }.map { name in
            var secret = SecretUse(name, file: "/s/\(text())", content: maybe(Digest(of: [UInt8(below(9))])))
            if chance() { secret.variables = ["V\(below(9))"] }
            if chance() { secret.files = ["f.\(below(9))"] }
            return secret
        }
        spec.user = maybe("postgres:postgres")
        spec.process = process()
        if chance() { spec.resources = resources() }
        spec.enabled = chance()
        spec.profiles = ["debug", "a.b"].filter { _ in chance() }
        spec.replicas = below(5)
        spec.dependsOn = (0..<below(3)).map { index in
            let name = pick(["d\(index)", "tcp://h:\(1 + index)", "file:/\(index)"])
            var dependency = Dependency(on: name, condition: pick(Dependency.Condition.allCases))
            dependency.required = chance()
            dependency.timeout = maybe(span())
            dependency.onRestart = pick(Dependency.Reaction.allCases)
            dependency.onFailure = pick(Dependency.Reaction.allCases)
            return dependency
        }
        for kind in ProbeKind.allCases where chance() { spec.health[kind] = probe() }
        for kind in HookKind.allCases where chance() {
            spec.hooks[kind] = Hook(command(), timeout: pick([Hook.standardTimeout, span()]))
        }
        spec.watch = (0..<below(3)).map { _ in watchRule() }
        spec.ready = maybe(pick([.notify, .log("^ready [0-9]+$"), .log("listening"), .fd(3)]))
        if chance() { spec.startTimeout = maybe(span()) }
        if chance() { spec.restart = restart() }
        if chance() {
            spec.successExitCodes = (0..<below(3)).map { _ in chance() ? .code(Int32(below(256))) : .signal(signal()) }
        }
        if chance() { spec.onExit = onExit() }
        spec.essential = chance()
        spec.locks = ["/run/\(text())", "gpu"].filter { _ in chance() }
        if chance() { spec.stop = stop() }
        spec.reload = maybe(
            pick([
                .signal(signal()), .command(command(), timeout: span()), .notify(timeout: ReloadSpec.standardTimeout),
            ]))
        spec.configFiles = ["/etc/a.conf", "/etc/b c"].filter { _ in chance() }.map {
            ConfigFile($0, content: Digest(of: [UInt8(below(9))]))
        }
        if chance() { spec.logging = logging() }
        spec.ports = (0..<below(3)).map { _ in port() }
        spec.sockets = (0..<below(3)).map { _ in socket() }
        spec.schedule = maybe(schedule())
        if chance() { spec.update = update() }
        spec.renamedFrom = maybe(self.name())
        return spec
    }

    mutating func request() -> ApplyRequest {
        var stack = Stack(name: name(), services: (0..<1 + below(4)).map { spec("s\($0)") })
        stack.details = text()
        if chance() { stack.stopTimeout = span() }
        if chance() { stack.host = hostThresholds() }
        var request = ApplyRequest(stack: stack, manifestPath: "/m/" + text())
        request.inherited = entries()
        request.fileLimit = maybe(pick([0, 1024, .max]))
        request.author = text()
        request.adopt = chance()
        request.rollbackWithin = maybe(span())
        request.positions = SourcePositions(
            (0..<below(3)).map { SourcePosition(path: "s\($0)", position: position()) })
        if chance() {
            request.origin = ManifestOrigin(
                digest: Digest(of: [3]), files: [text()], variables: [name()], inheritance: ["LC_*"], users: [name()],
                zones: [text()], secrets: [text()])
        }
        return request
    }

    mutating func position() -> Position { Position(file: text(), line: 1 + below(99), column: 1 + below(99)) }
    mutating func time() -> WallTime {
        WallTime(nanoseconds: Int64(1_700_000_000_000 + below(100_000_000)) * 1_000_000)
    }
    mutating func instance() -> InstanceID {
        InstanceID(service: ServiceID(stack: name(), service: name()), replica: 1 + below(4))
    }
    mutating func exit() -> Exit {
        pick([.code(Int32(below(256))), .signal(signal(), coreDumped: chance()), .unknown(text())])
    }

    mutating func status() -> InstanceStatus {
        let id = instance()
        var status = InstanceStatus(
            id: id, label: id.label(alone: chance()), kind: pick(ServiceSpec.Kind.allCases),
            phase: pick(Phase.allCases), since: time())
        status.health = pick(Health.allCases)
        status.pid = maybe(Int32(below(99999)))
        status.launch = maybe(LaunchID(next() >> 1))
        status.restarts = below(9)
        status.startedAt = maybe(time())
        status.readyAt = maybe(time())
        status.exit = maybe(exit())
        status.reason = text()
        status.position = maybe(position())
        status.until = maybe(time())
        status.ports = (0..<below(3)).map {
            AssignedPort(name: $0 == 0 ? nil : text(), port: below(65536), transport: pick([.tcp, .udp]))
        }
        status.cpuPercent = maybe(Double(below(1000)) / 8)
        status.memoryBytes = maybe(Int64(below(1 << 40)))
        status.stdoutLog = maybe(text())
        status.stderrLog = maybe(text())
        status.redactedLog = (0..<below(2)).map { _ in text() }
        status.secretFiles = (0..<below(2)).map { _ in text() }
        status.tracking = maybe("cgroup")
        status.said = maybe(text())
        status.logTrouble = maybe(text())
        status.runs = (0..<below(3)).map { _ in run() }
        status.limits = (0..<below(3)).map { _ in
            LimitStatus(
                resource: pick(Resource.allCases), limit: pick([1, 4096]), use: maybe(7), isHeld: chance(),
                exceededSince: maybe(time()))
        }
        return status
    }

    mutating func occurrence() -> Occurrence {
        let id = instance()
        return Occurrence(
            time: time(), stack: id.service.stack, service: maybe(id.service.service), instance: maybe(id),
            launch: maybe(LaunchID(next())),
            kind: pick(Occurrence.Kind.allCases), cause: text(), exit: maybe(exit()), position: maybe(position()))
    }

    mutating func rollback() -> RollbackRequest { RollbackRequest(stack: name(), revision: maybe(text())) }

    mutating func appliedRevision() -> AppliedRevision {
        var entry = AppliedRevision(revision: Digest(of: [UInt8(below(256))]), appliedAt: time(), author: text())
        entry.origin = pick(AppliedRevision.Origin.allCases)
        entry.left = maybe(Digest(of: [UInt8(below(256))]))
        entry.because = text()
        entry.changes = (0..<below(4)).map { _ in AppliedRevision.Deed(pick(Change.Action.allCases), name()) }
        entry.changeCount = maybe(below(9))
        return entry
    }

    mutating func history() -> StackHistory {
        let launches = (0..<below(3)).map { _ in
            var launch = PastLaunch(instance: instance(), launch: LaunchID(next()))
            launch.launchedAt = maybe(time())
            launch.because = text()
            launch.startedAt = maybe(time())
            launch.exitedAt = maybe(time())
            launch.exit = maybe(exit())
            launch.end = text()
            return launch
        }
        let revisions = (0..<below(3)).map { place in
            var entry = appliedRevision()
            entry.isCurrent = place == 0
            return entry
        }
        return StackHistory(stack: name(), service: maybe(name()), revisions: revisions, launches: launches)
    }

    mutating func command() -> Command {
        let target = Target(stack: name(), service: maybe(name()), replica: maybe(1 + below(3)))
        let goals: [Goal] =
            [.settled, .reloaded, .stopped, .gone, .forever, .proven(Digest(of: [1]))]
            + Dependency.Condition.allCases.map { .reached($0) }
        return pick([
            .apply(request()), .diff(request()), .down(stack: name(), timeout: maybe(span())), .start([target]),
            .stop([target], timeout: maybe(span())),
            .restart([target, target]), .reload([target]), .signal([target], pick([.hangup, Signal(number: 40)])),
            .status(maybe(target), pick(StatusDetail.allCases)),
            .follow([target], goal: pick(goals), opening: pick(Opening.allCases)), .why(target),
            .processes(maybe(target)), .recall(manifest: text()),
            .applyKnown(KnownRequest(.planned(revision: text()), rollbackWithin: maybe(span()))),
            .applyKnown(KnownRequest(.applied(stack: name(), origin: Digest(of: [2])))),
            .rollback(rollback()), .rollbackPlan(rollback()), .history(target),
            .events(maybe(target), since: maybe(time()), follow: chance()), .rotateLogs([target, target]),
            .scale(target, replicas: 3),
            .daemonStatus, .daemonStop, .daemonRestart,
            .daemonUpgrade(Upgrade(keeper: name(), daemon: name(), keeperProtocol: below(300))),
        ])
    }
}

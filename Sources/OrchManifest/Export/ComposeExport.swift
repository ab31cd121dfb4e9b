// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A stack as one Compose file. A process of the host becomes a container, whose image nobody can know: it gets a name to be built by.
struct ComposeExport {
    let exporter: Exporter
    var stack: Stack { exporter.stack }

    init(_ exporter: Exporter) { self.exporter = exporter }

    /// What is true of all services.
    private static let general = """
        Each service needs an image that has what it runs, at the same paths: build it under the name that stands here, or write another. Services \
        reach each other by their names, not by 127.0.0.1.
        """

    func file() -> ExportedStack.File {
        var services: [DraftEntry] = []
        var sources: [String: String] = [:]
        for spec in stack.services {
            var entry = DraftEntry(spec.name, .map(entries(of: spec)))
            for secret in spec.secrets { sources[secret.name] = secret.file }
            let words = [spec.title, spec.details].filter { !$0.isEmpty }
            entry.remarks = words + schedule(of: spec) + exporter.remarks(of: spec.name)
            services.append(entry)
        }
        var top: [DraftEntry] = []
        var first = DraftEntry("services", .map(services))
        first.remarks = (stack.details.isEmpty ? [] : [stack.details]) + [Self.general] + exporter.remarks(of: "")
        top.append(first)
        if !sources.isEmpty {
            let entries = sources.sorted { $0.key < $1.key }.map { name, file in
                DraftEntry(name, .map([DraftEntry("file", .value(Self.text(file)))]))
            }
            top.append(DraftEntry("secrets", .map(entries)))
        }
        let header = "Made by `orch export compose` of \(exporter.request.manifestPath), the stack \(stack.name)."
        return ExportedStack.File(
            name: "compose.yaml", text: DraftText(top, header: header, namesFiles: true).text)
    }

    /// Compose fills in what follows a dollar, in every text.
    private static func text(_ text: String) -> Value {
        .string(
            text.replacing("$", with: "$$").replacing(Exporter.secrets, with: "/run/secrets")
                .replacing(Exporter.replica, with: "1"))
    }
    private static func texts(_ texts: [String]) -> Value { .array(texts.map(text)) }

    private func schedule(of spec: ServiceSpec) -> [String] {
        guard let schedule = spec.schedule else { return [] }
        let run = "docker compose run --rm \(spec.name)"
        switch schedule.trigger {
        case .cron(let expression): return ["For crontab(5): \(expression.text) \(run)"]
        case .every(let span): return ["To be run every \(span.text): \(run)"]
        }
    }

    private func entries(of spec: ServiceSpec) -> [DraftEntry] {
        var list: [DraftEntry] = []
        func add(_ key: String, _ value: Value?) {
            if let value { list.append(DraftEntry(key, .value(value))) }
        }
        add("image", .string("\(stack.name)-\(spec.name)"))
        add("entrypoint", Self.texts(exporter.words(spec.command, of: spec, at: "command")))
        add("working_dir", Self.text(spec.workingDirectory))
        let variables = exporter.environment(of: spec)
        if !variables.isEmpty {
            add("environment", .object(variables.map { Value.Member($0.name, Self.text($0.text)) }))
        }
        addSecrets(spec, add)
        add("user", spec.user.map(Self.text))
        addProcess(spec, add)
        if spec.schedule != nil {
            add("profiles", ["scheduled"])
        } else if !spec.enabled {
            add("profiles", ["disabled"])
        }
        addNeeds(spec, &list)
        addHealth(spec, add)
        addRestart(spec, add)
        addStop(spec, add)
        addPorts(spec, add)
        addLogging(spec, add)
        if !spec.labels.isEmpty {
            add("labels", .object(spec.labels.map { Value.Member($0.name, Self.text($0.text)) }))
        }
        return list
    }

    private typealias Add = (String, Value?) -> Void

    private func addSecrets(_ spec: ServiceSpec, _ add: Add) {
        let items = spec.secrets.flatMap { secret -> [Value] in
            let names = secret.files.isEmpty ? [secret.name] : secret.files
            return names.map { name in
                name == secret.name
                    ? .string(name) : ["source": .string(secret.name), "target": .string(name)]
            }
        }
        if !items.isEmpty { add("secrets", .array(items)) }
        for secret in spec.secrets {
            for name in secret.variables {
                exporter.lose(
                    "environment.\(name)", of: spec.name, because: "secrets are files only",
                    instead: "let it read /run/secrets/\(secret.files.first ?? secret.name)")
            }
        }
    }

    private func addProcess(_ spec: ServiceSpec, _ add: Add) {
        let process = spec.process
        if !process.groupAdd.isEmpty { add("group_add", Self.texts(process.groupAdd)) }
        if !process.cpuAffinity.isEmpty {
            add("cpuset", .string(process.cpuAffinity.map(String.init).joined(separator: ",")))
        }
        if !process.ulimits.isEmpty {
            func end(_ value: Int64?) -> Value { .int(value ?? -1) }
            add(
                "ulimits",
                .object(
                    process.ulimits.map {
                        Value.Member($0.resource.rawValue, ["soft": end($0.soft), "hard": end($0.hard)])
                    }))
        }
        if process.hasTerminal { add("tty", true) }
        switch process.input {
        case .open: add("stdin_open", true)
        case .file:
            exporter.lose(
                "stdin", of: spec.name, because: "a container reads no file of the host",
                instead: "let a shell open it: COMMAND < FILE")
        case nil: break
        }
        if process.noNewPrivileges { add("security_opt", ["no-new-privileges:true"]) }
        if let capabilities = process.capabilities {
            add("cap_drop", ["ALL"])
            if !capabilities.isEmpty { add("cap_add", .strings(capabilities.map { String($0.rawValue.dropFirst(4)) })) }
        }
        var deploy: [Value.Member] = []
        if spec.replicas != 1 { deploy.append(.init("replicas", .int(Int64(spec.replicas)))) }
        var limits: [Value.Member] = []
        if let cpus = spec.resources.cpus { limits.append(.init("cpus", .string("\(cpus)"))) }
        if let memory = spec.resources.memory { limits.append(.init("memory", .string("\(memory)b"))) }
        if !limits.isEmpty { deploy.append(.init("resources", .object([.init("limits", .object(limits))]))) }
        if !deploy.isEmpty { add("deploy", .object(deploy)) }
        if let pids = spec.resources.pids { add("pids_limit", .int(Int64(pids))) }
        if spec.replicas > 1, exporter.environment(of: spec).contains(where: { $0.text.contains(Exporter.replica) }) {
            exporter.lose(
                "replicas", of: spec.name, because: "copies are not told their number", instead: "write a service each")
        }
    }

    private func addNeeds(_ spec: ServiceSpec, _ list: inout [DraftEntry]) {
        var items: [DraftEntry] = []
        for need in spec.dependsOn {
            guard let other = stack.service(need.on), OutsideNeed(need.on) == nil else {
                exporter.lose(
                    "depends_on.\(need.on)", of: spec.name, because: "only services can be waited for",
                    instead: "let the program try again")
                continue
            }
            let condition: String
            switch need.condition {
            case .started: condition = "service_started"
            case .ready, .healthy:
                let isAsked = other.health.asked.readiness != nil || other.health.asked.liveness != nil
                condition = isAsked ? "service_healthy" : "service_started"
                if need.condition == .ready, !isAsked, other.ready != nil || other.health.asked.startup != nil {
                    exporter.change(
                        "depends_on.\(need.on)", of: spec.name, "it waits only until \(other.name) is started",
                        help: "write a readiness probe for \(other.name)")
                }
            case .succeeded: condition = "service_completed_successfully"
            case .completed:
                condition = "service_completed_successfully"
                exporter.change("depends_on.\(need.on)", of: spec.name, "\(other.name) must succeed, not only end")
            }
            if !other.enabled || other.schedule != nil {
                exporter.lose(
                    "depends_on.\(need.on)", of: spec.name, because: "\(other.name) is in a profile", instead: nil)
                continue
            }
            items.append(DraftEntry(need.on, .map([DraftEntry("condition", .value(.string(condition)))])))
        }
        if !items.isEmpty { list.append(DraftEntry("depends_on", .map(items))) }
    }

    private func addHealth(_ spec: ServiceSpec, _ add: Add) {
        let kind: ProbeKind =
            spec.health.asked.readiness != nil ? .readiness : spec.health.asked.liveness != nil ? .liveness : .startup
        guard let probe = spec.health.asked[kind] else { return }
        for other in ProbeKind.allCases where other != kind && spec.health.asked[other] != nil {
            exporter.lose(
                "health.\(other.rawValue)", of: spec.name,
                because: "a container has one healthcheck, which is \(kind.rawValue) here")
        }
        if kind == .startup {
            exporter.change("health.startup", of: spec.name, "it is asked for as long as the container runs")
        }
        let words = exporter.command(asking: probe, of: spec, at: "health.\(kind.rawValue)")
        add(
            "healthcheck",
            [
                "test": Self.texts(["CMD"] + words), "interval": .string(probe.interval.text),
                "timeout": .string(probe.timeout.text), "retries": .int(Int64(probe.failureThreshold)),
                "start_period": .string(probe.initialDelay.text),
            ])
    }

    private func addRestart(_ spec: ServiceSpec, _ add: Add) {
        switch spec.restart.policy {
        case .no: add("restart", "no")
        case .onFailure: add("restart", .string("on-failure" + (spec.restart.maxAttempts.map { ":\($0)" } ?? "")))
        case .always: add("restart", "always")
        case .unlessStopped: add("restart", "unless-stopped")
        }
        if spec.restart.maxAttempts != nil, [.always, .unlessStopped].contains(spec.restart.policy) {
            exporter.lose("restart.max_attempts", of: spec.name, because: "only on-failure counts attempts")
        }
    }

    private func addStop(_ spec: ServiceSpec, _ add: Add) {
        let signals = spec.stop.steps.compactMap { step -> (Signal, StopSpec.Recipient)? in
            if case .signal(let signal, let to) = step.action { (signal, to) } else { nil }
        }
        add("stop_signal", .string(signals.first?.0.name ?? "SIGKILL"))
        add("stop_grace_period", .string(Exporter.grace(of: spec.stop).text))
        if signals.count > 1 {
            exporter.lose(
                "stop.steps", of: spec.name, because: "a stop has one signal, the first: \(signals[0].0.name)")
        }
        if let to = signals.first?.1, to != .main, !spec.command.isShell {
            exporter.change("stop", of: spec.name, "the signal goes to the main process alone")
        }
    }

    private func addPorts(_ spec: ServiceSpec, _ add: Add) {
        var items: [Value] = []
        for port in spec.ports {
            guard port.port != 0 else {
                exporter.lose(
                    "ports", of: spec.name, because: "nobody tells the process a port that was chosen",
                    instead: "give it a number")
                continue
            }
            if spec.replicas > 1 {
                // Each copy has it for itself, and the host a free one for each.
                exporter.change(
                    "ports", of: spec.name,
                    "each copy gets a free port of the host: docker compose port \(spec.name) \(port.port)")
                items.append(.string("\(port.port)" + (port.transport == .udp ? "/udp" : "")))
                continue
            }
            let host = port.host == "any" ? "" : port.host.contains(":") ? "[\(port.host)]:" : "\(port.host):"
            items.append(.string("\(host)\(port.port):\(port.port)" + (port.transport == .udp ? "/udp" : "")))
        }
        if !items.isEmpty { add("ports", .array(items)) }
    }

    private func addLogging(_ spec: ServiceSpec, _ add: Add) {
        let logging = spec.logging
        if logging.forward != .none { return add("logging", ["driver": .string(logging.forward.rawValue)]) }
        if logging.stdout == .discard, logging.stderr == .discard || logging.stderr == .merge {
            return add("logging", ["driver": "none"])
        }
        var options: [Value.Member] = []
        if let size = logging.rotate.size {
            options.append(.init("max-size", .string("\(max(1, (size + 1023) / 1024))k")))
        }
        options.append(.init("max-file", .string("\(logging.rotate.keep + 1)")))
        if logging.rotate.compress == .gzip { options.append(.init("compress", "true")) }
        add("logging", ["driver": "json-file", "options": .object(options)])
    }
}

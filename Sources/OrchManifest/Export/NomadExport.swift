// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A stack as jobs of Nomad, one a service, as a file of HCL has one job: the driver raw_exec runs processes of the host, as orch does.
struct NomadExport {
    let exporter: Exporter
    var stack: Stack { exporter.stack }

    init(_ exporter: Exporter) { self.exporter = exporter }

    private static let general = """
        The driver raw_exec runs processes of the host; it must be enabled on the clients. Nomad fills in ${NAME} in commands and variables, where it \
        knows the name, before a shell sees it.
        """

    func files() -> [ExportedStack.File] {
        if stack.services.isEmpty {
            return [ExportedStack.File(name: "\(stack.name).nomad.hcl", text: "# \(stack.name) has no services.\n")]
        }
        return stack.services.enumerated().map { index, spec in
            var body = HCLText()
            body.block("job \(HCLText.quoted("\(stack.name)-\(spec.name)"))") { job(&$0, spec) }
            var text = HCLText()
            if index == 0 {
                text.comment(
                    "Made by `orch export nomad` of \(exporter.request.manifestPath): nomad job run FILE, for each file."
                )
                if !stack.details.isEmpty { text.comment(stack.details) }
                text.comment(Self.general)
                for remark in exporter.remarks(of: "") { text.comment(remark) }
            }
            for words in [spec.title, spec.details] where !words.isEmpty { text.comment(words) }
            for remark in exporter.remarks(of: spec.name) { text.comment(remark) }
            return ExportedStack.File(name: "\(stack.name)-\(spec.name).nomad.hcl", text: text.text + body.text)
        }
    }

    /// What Nomad itself fills in is written after quoting, as quoting doubles it.
    private func quoted(_ text: String) -> String {
        HCLText.quoted(text).replacing(Exporter.secrets, with: "${NOMAD_SECRETS_DIR}")
            .replacing(Exporter.replica, with: "${NOMAD_ALLOC_INDEX}")
    }

    private func job(_ hcl: inout HCLText, _ spec: ServiceSpec) {
        hcl.set("type", spec.kind == .task ? "batch" : "service")
        if let schedule = spec.schedule { periodic(schedule, spec, in: &hcl) }
        if !spec.labels.isEmpty {
            hcl.block("meta") { hcl in
                for label in spec.labels { hcl.set(HCLText.quoted(label.name), raw: quoted(label.text)) }
            }
        }
        if spec.kind == .service { update(spec, in: &hcl) }
        hcl.block("group \(HCLText.quoted(spec.name))") { hcl in
            hcl.set("count", raw: "\(spec.enabled ? spec.replicas : 0)")
            network(spec, in: &hcl)
            restart(spec, in: &hcl)
            checks(spec, in: &hcl)
            hcl.block("task \(HCLText.quoted(spec.name))") { hcl in task(spec, in: &hcl) }
        }
    }

    private func task(_ spec: ServiceSpec, in hcl: inout HCLText) {
        hcl.set("driver", "raw_exec")
        if let user = spec.user {
            hcl.set("user", user.split(separator: ":").first.map(String.init) ?? user)
            if user.contains(":") { exporter.lose("user", of: spec.name, because: "a task has the group of its user") }
        }
        let words = exporter.words(spec.command, of: spec, at: "command")
        hcl.block("config") { hcl in
            let first = words.first ?? ""
            let path = first.contains("/") ? LexicalPath.absolute(first, from: spec.workingDirectory) : first
            hcl.set("command", raw: quoted(path))
            hcl.set("args", raw: "[\(words.dropFirst().map(quoted).joined(separator: ", "))]")
            hcl.set("work_dir", raw: quoted(spec.workingDirectory))
        }
        let variables = exporter.environment(of: spec)
        if !variables.isEmpty {
            hcl.block("env") { hcl in
                for entry in variables { hcl.set(HCLText.quoted(entry.name), raw: quoted(entry.text)) }
            }
        }
        for name in spec.unset {
            exporter.lose(
                "environment.\(name)", of: spec.name, because: "a variable of the client can't be taken away",
                instead: "env -u \(name) before the command")
        }
        secrets(spec, in: &hcl)
        let signals = spec.stop.steps.compactMap { step -> (Signal, StopSpec.Recipient)? in
            if case .signal(let signal, let to) = step.action { (signal, to) } else { nil }
        }
        hcl.set("kill_signal", signals.first?.0.name ?? "SIGKILL")
        hcl.set("kill_timeout", Exporter.grace(of: spec.stop).text)
        if signals.count > 1 {
            exporter.lose(
                "stop.steps", of: spec.name, because: "a stop has one signal, the first: \(signals[0].0.name)")
        }
        if let to = signals.first?.1, to != .main, !spec.command.isShell {
            exporter.change("stop", of: spec.name, "the signal goes to the main process alone")
        }
        if spec.resources.memory != nil || spec.resources.cpus != nil {
            hcl.block("resources") { hcl in
                if let cpus = spec.resources.cpus { hcl.set("cpu", raw: "\(max(1, Int((cpus * 1000).rounded())))") }
                if let memory = spec.resources.memory {
                    hcl.set("memory", raw: "\(max(10, (memory + 1_048_575) / 1_048_576))")
                }
            }
        }
        let rotate = spec.logging.rotate
        hcl.block("logs") { hcl in
            hcl.set("max_files", raw: "\(rotate.keep + 1)")
            hcl.set("max_file_size", raw: "\(max(1, ((rotate.size ?? 10_000_000) + 999_999) / 1_000_000))")
        }
    }

    private func secrets(_ spec: ServiceSpec, in hcl: inout HCLText) {
        for secret in spec.secrets {
            let path = "nomad/jobs/\(stack.name)-\(spec.name)"
            hcl.comment("nomad var put \(path) \(secret.name)=@\(secret.file)")
            let found = "{{ with nomadVar \"\(path)\" }}{{ .\(secret.name) }}{{ end }}"
            for file in secret.files {
                hcl.block("template") { hcl in
                    hcl.set("data", found)
                    hcl.set("destination", raw: "\"${NOMAD_SECRETS_DIR}/\(file)\"")
                    hcl.set("perms", "0400")
                }
            }
            for name in secret.variables {
                hcl.block("template") { hcl in
                    hcl.set("data", "\(name)=\(found)")
                    hcl.set("destination", raw: "\"${NOMAD_SECRETS_DIR}/\(name).env\"")
                    hcl.set("env", raw: "true")
                }
            }
        }
    }

    private func label(of port: PortSpec, _ index: Int) -> String { port.name ?? "port\(index + 1)" }

    private func network(_ spec: ServiceSpec, in hcl: inout HCLText) {
        guard !spec.ports.isEmpty else { return }
        hcl.block("network") { hcl in
            for (index, port) in spec.ports.enumerated() {
                hcl.block("port \(HCLText.quoted(label(of: port, index)))") { hcl in
                    if port.port != 0 { hcl.set("static", raw: "\(port.port)") }
                }
            }
        }
        if spec.replicas > 1, spec.ports.contains(where: { $0.port != 0 }) {
            exporter.change(
                "ports", of: spec.name, "a client has a port once: each copy needs a client of its own",
                help: "write auto")
        }
        if spec.ports.contains(where: { $0.port == 0 }) {
            exporter.change(
                "ports", of: spec.name, "what is chosen is told as NOMAD_PORT_… there, not as PORT",
                help: "let it read NOMAD_PORT_\(label(of: spec.ports[0], 0))")
        }
    }

    private func periodic(_ schedule: ScheduleSpec, _ spec: ServiceSpec, in hcl: inout HCLText) {
        var cron: String?
        switch schedule.trigger {
        case .cron(let expression): cron = expression.text
        case .every(let span):
            cron = CalendarText.cron(every: span)
            if cron == nil {
                exporter.lose(
                    "schedule.every", of: spec.name, because: "no cron line comes every \(span.text)",
                    instead: "write cron")
            }
        }
        guard let cron else { return }
        hcl.block("periodic") { hcl in
            hcl.set("crons", [cron])
            hcl.set("prohibit_overlap", raw: schedule.overlap == .allow ? "false" : "true")
            if schedule.timeZone != ScheduleSpec.hostZone { hcl.set("time_zone", schedule.timeZone) }
        }
        if schedule.overlap == .queue || schedule.overlap == .replace {
            exporter.change("schedule.overlap", of: spec.name, "a run that is due while another goes on is left out")
        }
        if schedule.timeZone == ScheduleSpec.hostZone {
            exporter.change("schedule", of: spec.name, "Nomad's clock is UTC", help: "write timezone")
        }
    }

    private func update(_ spec: ServiceSpec, in hcl: inout HCLText) {
        hcl.block("update") { hcl in
            hcl.set("max_parallel", raw: "\(max(1, spec.update.parallelism))")
            if spec.update.minReady > .zero { hcl.set("min_healthy_time", spec.update.minReady.text) }
            if let limit = spec.startTimeout {
                // It has to be less than progress_deadline, which is 10 minutes where nobody says so.
                hcl.set("healthy_deadline", limit.text)
                hcl.set("progress_deadline", (limit + limit).text)
            }
            if spec.update.onFailure == .rollback { hcl.set("auto_revert", raw: "true") }
        }
    }

    private func restart(_ spec: ServiceSpec, in hcl: inout HCLText) {
        let policy = spec.restart
        hcl.block("restart") { hcl in
            if let schedule = spec.schedule {
                let all = Duration.nanoseconds(schedule.retryDelay.nanoseconds * Int64(schedule.retries + 2))
                hcl.set("attempts", raw: "\(schedule.retries)")
                hcl.set("delay", schedule.retryDelay.text)
                hcl.set("interval", max(Duration.seconds(60), all).text)
                hcl.set("mode", "fail")
            } else if policy.policy == .no {
                hcl.set("attempts", raw: "0")
                hcl.set("mode", "fail")
            } else {
                hcl.set("attempts", raw: "\(policy.maxAttempts ?? 3)")
                hcl.set("delay", policy.delay.text)
                hcl.set("interval", policy.window.text)
                hcl.set("mode", policy.maxAttempts == nil ? "delay" : "fail")
            }
        }
        if policy.policy == .onFailure, spec.kind == .service {
            exporter.change(
                "restart", of: spec.name, "a job of type service is started again also when it ends well",
                help: "make it a task")
        }
    }

    private func checks(_ spec: ServiceSpec, in hcl: inout HCLText) {
        let probes = [ProbeKind.readiness, .liveness].compactMap { kind in spec.health.asked[kind].map { (kind, $0) } }
        guard !probes.isEmpty else { return }
        guard let port = spec.ports.first else {
            return exporter.lose(
                "health", of: spec.name, because: "a check asks a port of the group", instead: "write ports")
        }
        hcl.block("service") { hcl in
            hcl.set("provider", "nomad")
            hcl.set("name", "\(stack.name)-\(spec.name)")
            hcl.set("port", label(of: port, 0))
            for (kind, probe) in probes { check(kind, probe, spec, in: &hcl) }
        }
    }

    private func check(_ kind: ProbeKind, _ probe: Probe, _ spec: ServiceSpec, in hcl: inout HCLText) {
        let path = "health.\(kind.rawValue)"
        switch probe.action {
        case .command, .file, .log, .notify: return
        case .http, .tcp: break
        }
        hcl.block("check") { hcl in
            switch probe.action {
            case .http(let request):
                let url = exporter.text(request.url, of: spec, at: path)
                let parts = URLParts(url)
                hcl.set("type", "http")
                hcl.set("path", raw: quoted(parts.path))
                if parts.isSecure { hcl.set("protocol", "https") }
                if request.method != "GET" { hcl.set("method", request.method) }
                if let body = request.body { hcl.set("body", raw: quoted(exporter.text(body, of: spec, at: path))) }
                if !request.headers.isEmpty {
                    hcl.block("header") { hcl in
                        for header in request.headers {
                            hcl.set(
                                HCLText.quoted(header.name),
                                raw: "[\(quoted(exporter.text(header.text, of: spec, at: path)))]")
                        }
                    }
                }
                differs(parts.port, spec, path)
            case .tcp(let address):
                hcl.set("type", "tcp")
                let text = exporter.text(address, of: spec, at: path)
                differs(text.split(separator: ":").last.flatMap { Int($0) }, spec, path)
            case .command, .file, .log, .notify: break
            }
            hcl.set("interval", probe.interval.text)
            hcl.set("timeout", probe.timeout.text)
            if kind == .liveness, probe.onFailure == .restart {
                hcl.block("check_restart") { hcl in
                    hcl.set("limit", raw: "\(probe.failureThreshold)")
                    if probe.initialDelay > .zero { hcl.set("grace", probe.initialDelay.text) }
                }
            }
        }
    }

    private func differs(_ port: Int?, _ spec: ServiceSpec, _ path: String) {
        guard port != spec.ports.first?.port else { return }
        exporter.change(
            path, of: spec.name, "the check asks the service's first port",
            help: "put the one that is to be asked first")
    }
}

/// An address apart: `http://127.0.0.1:8080/health`.
struct URLParts {
    var isSecure: Bool
    var host: String
    var port: Int?
    /// With what is asked behind it; at least `/`.
    var path: String

    init(_ url: String) {
        isSecure = url.hasPrefix("https:")
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        path = end == rest.endIndex ? "/" : String(rest[end...])
        let place = rest[..<end]
        let bracket = place.lastIndex(of: "]") ?? place.startIndex
        if let colon = place[bracket...].lastIndex(of: ":") {
            host = String(place[..<colon])
            port = Int(place[place.index(after: colon)...])
        } else {
            host = String(place)
            port = isSecure ? 443 : 80
        }
    }
}

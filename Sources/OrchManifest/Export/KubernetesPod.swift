// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The pod of one service.
struct KubernetesPod {
    let exporter: Exporter
    let spec: ServiceSpec
    /// Of the service's objects; the Secret that it refers to has it too.
    let name: String

    /// What Kubernetes would fill in, `$(NAME)`, is doubled.
    private func text(_ text: String) -> Value {
        .string(
            text.replacing("$(", with: "$$(").replacing(Exporter.secrets, with: "/run/secrets")
                .replacing(Exporter.replica, with: "$(ORCH_REPLICA)"))
    }
    private func texts(_ words: [String]) -> Value { .array(words.map(text)) }

    static func portName(_ port: PortSpec, _ index: Int) -> String {
        let name = port.name.map { String(KubernetesExport.label($0).prefix(15)) } ?? "port-\(index + 1)"
        // It has to have a letter.
        return name.contains(where: \.isLetter) && name.last != "-" ? name : "port-\(index + 1)"
    }

    func value(restart: String?) -> Value {
        var body: [Value.Member] = []
        if let hook = spec.hooks[.preStart] {
            let words = exporter.words(hook.command, of: spec, at: "hooks.pre_start")
            body.append(.init("initContainers", .array([container(named: "pre-start", words, isMain: false)])))
        }
        let words = exporter.words(spec.command, of: spec, at: "command")
        body.append(
            .init("containers", .array([container(named: KubernetesExport.label(spec.name), words, isMain: true)])))
        if let restart { body.append(.init("restartPolicy", .string(restart))) }
        if let context = context() { body.append(.init("securityContext", context)) }
        body.append(.init("terminationGracePeriodSeconds", .int(Exporter.wholeSeconds(Exporter.grace(of: spec.stop)))))
        let files = spec.secrets.flatMap { secret in
            secret.files.map { Value.object([.init("key", .string(secret.name)), .init("path", .string($0))]) }
        }
        if !files.isEmpty {
            body.append(
                .init(
                    "volumes", [["name": "secrets", "secret": ["secretName": .string(name), "items": .array(files)]]]))
        }
        return .object(body)
    }

    private func container(named: String, _ words: [String], isMain: Bool) -> Value {
        var body: [Value.Member] = [
            .init("name", .string(named)), .init("image", .string("\(exporter.stack.name)-\(spec.name)")),
            .init("command", texts(words)), .init("workingDir", .string(spec.workingDirectory)),
        ]
        let variables = environment()
        if !variables.isEmpty { body.append(.init("env", .array(variables))) }
        if spec.secrets.contains(where: { !$0.files.isEmpty }) {
            body.append(.init("volumeMounts", [["name": "secrets", "mountPath": "/run/secrets", "readOnly": true]]))
        }
        if let security = security() { body.append(.init("securityContext", security)) }
        guard isMain else { return .object(body) }
        let process = spec.process
        if process.hasTerminal { body.append(.init("tty", true)) }
        if process.hasTerminal || process.input == .open { body.append(.init("stdin", true)) }
        if case .file = process.input {
            exporter.lose(
                "stdin", of: spec.name, because: "a container reads no file of the node",
                instead: "let a shell open it: COMMAND < FILE")
        }
        let ports = spec.ports.enumerated().filter { $0.element.port != 0 }
        if ports.count < spec.ports.count {
            exporter.lose(
                "ports", of: spec.name, because: "nobody chooses ports within a pod", instead: "give it a number")
        }
        if !ports.isEmpty {
            body.append(
                .init(
                    "ports",
                    .array(
                        ports.map { index, port in
                            [
                                "name": .string(Self.portName(port, index)), "containerPort": .int(Int64(port.port)),
                                "protocol": .string(port.transport.rawValue.uppercased()),
                            ]
                        })))
        }
        var limits: [Value.Member] = []
        if let memory = spec.resources.memory { limits.append(.init("memory", .string("\(memory)"))) }
        if let cpus = spec.resources.cpus {
            limits.append(.init("cpu", .string("\(max(1, Int((cpus * 1000).rounded())))m")))
        }
        if !limits.isEmpty { body.append(.init("resources", .object([.init("limits", .object(limits))]))) }
        for kind in ProbeKind.allCases {
            guard let probe = spec.health.asked[kind] else { continue }
            body.append(.init("\(kind.rawValue)Probe", self.probe(kind, probe)))
        }
        if let steps = stopping() { body.append(.init("lifecycle", ["preStop": ["exec": ["command": steps]]])) }
        return .object(body)
    }

    private func environment() -> [Value] {
        var items: [Value] = []
        let variables = exporter.environment(of: spec)
        let isNumbered = exporter.isNumbered(spec)
        // What others refer to comes first.
        if isNumbered {
            items.append([
                "name": "ORCH_REPLICA",
                "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"]],
            ])
        }
        for entry in variables where !(isNumbered && entry.name == "ORCH_REPLICA") {
            items.append(["name": .string(entry.name), "value": text(entry.text)])
        }
        for secret in spec.secrets {
            for variable in secret.variables {
                items.append([
                    "name": .string(variable),
                    "valueFrom": ["secretKeyRef": ["name": .string(name), "key": .string(secret.name)]],
                ])
            }
        }
        return items
    }

    // MARK: Rights

    private func context() -> Value? {
        var body: [Value.Member] = []
        if let user = spec.user {
            let parts = user.split(separator: ":", maxSplits: 1).map(String.init)
            for (part, key) in zip(parts, ["runAsUser", "runAsGroup"]) {
                if let number = Int64(part) {
                    body.append(.init(key, .int(number)))
                } else {
                    exporter.lose(
                        "user", of: spec.name, because: "Kubernetes knows users by number: \(part) has none here",
                        instead: "write its number")
                }
            }
        }
        let groups = spec.process.groupAdd.compactMap { Int64($0) }
        if !groups.isEmpty { body.append(.init("supplementalGroups", .array(groups.map { .int($0) }))) }
        if groups.count < spec.process.groupAdd.count {
            exporter.lose(
                "group_add", of: spec.name, because: "Kubernetes knows groups by number", instead: "write their numbers"
            )
        }
        return body.isEmpty ? nil : .object(body)
    }

    private func security() -> Value? {
        var body: [Value.Member] = []
        if spec.process.noNewPrivileges { body.append(.init("allowPrivilegeEscalation", false)) }
        if let capabilities = spec.process.capabilities {
            var set: [Value.Member] = [.init("drop", ["ALL"])]
            if !capabilities.isEmpty {
                set.append(.init("add", .strings(capabilities.map { String($0.rawValue.dropFirst(4)) })))
            }
            body.append(.init("capabilities", .object(set)))
        }
        return body.isEmpty ? nil : .object(body)
    }

    // MARK: Probes and stops

    private func probe(_ kind: ProbeKind, _ probe: Probe) -> Value {
        let path = "health.\(kind.rawValue)"
        var body: [Value.Member] = []
        switch probe.action {
        case .http(let request):
            if request.method != "GET" || request.body != nil || request.bodyPattern != nil || !request.json.isEmpty
                || request.status != [200...399] || !isLocal(request, path)
            {
                body.append(
                    .init("exec", ["command": texts(exporter.curl(request, within: probe.timeout, of: spec, at: path))])
                )
            } else {
                body.append(.init("httpGet", get(request, path)))
            }
        case .tcp(let address):
            let whole = exporter.text(address, of: spec, at: path)
            let port = whole.split(separator: ":").last.flatMap { Int64($0) }
            let isLocal = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"].contains { whole.hasPrefix("\($0):") }
            if let port, isLocal {
                body.append(.init("tcpSocket", ["port": .int(port)]))
            } else {
                body.append(.init("exec", ["command": texts(exporter.command(asking: probe, of: spec, at: path))]))
            }
        case .command, .file, .log, .notify:
            body.append(.init("exec", ["command": texts(exporter.command(asking: probe, of: spec, at: path))]))
        }
        if probe.initialDelay > .zero {
            body.append(.init("initialDelaySeconds", .int(Exporter.wholeSeconds(probe.initialDelay))))
        }
        body.append(.init("periodSeconds", .int(Exporter.wholeSeconds(probe.interval))))
        body.append(.init("timeoutSeconds", .int(Exporter.wholeSeconds(probe.timeout))))
        if kind == .readiness {
            body.append(.init("successThreshold", .int(Int64(probe.successThreshold))))
        } else if probe.successThreshold > 1 {
            exporter.lose("\(path).success_threshold", of: spec.name, because: "one success is enough for it")
        }
        body.append(.init("failureThreshold", .int(Int64(probe.failureThreshold))))
        for (key, span) in [
            ("interval", probe.interval), ("timeout", probe.timeout), ("initial_delay", probe.initialDelay),
        ]
        where span.nanoseconds % 1_000_000_000 != 0 {
            exporter.change(
                "\(path).\(key)", of: spec.name,
                "it is \(Exporter.wholeSeconds(span)) s there, as only whole seconds count")
        }
        return .object(body)
    }

    private func isLocal(_ request: HTTPProbe, _ path: String) -> Bool {
        let parts = URLParts(exporter.text(request.url, of: spec, at: path))
        return ["127.0.0.1", "localhost", "[::1]"].contains(parts.host) && parts.port != nil
    }

    /// Of the pod's own address: a program that listens on 127.0.0.1 alone does not hear it.
    private func get(_ request: HTTPProbe, _ path: String) -> Value {
        let parts = URLParts(exporter.text(request.url, of: spec, at: path))
        var body: [Value.Member] = [
            .init("path", .string(parts.path)), .init("port", .int(Int64(parts.port ?? 80))),
        ]
        if parts.isSecure { body.append(.init("scheme", "HTTPS")) }
        if !request.headers.isEmpty {
            body.append(
                .init(
                    "httpHeaders",
                    .array(
                        request.headers.map {
                            ["name": .string($0.name), "value": .string(exporter.text($0.text, of: spec, at: path))]
                        })))
        }
        return .object(body)
    }

    /// The hook and the steps before the signal, as one command; nil where there is none.
    private func stopping() -> Value? {
        var commands: [[String]] = []
        if let hook = spec.hooks[.preStop] {
            commands.append(exporter.words(hook.command, of: spec, at: "hooks.pre_stop"))
        }
        for (index, step) in spec.stop.steps.enumerated() {
            switch step.action {
            case .signal(let signal, let to):
                if signal != .terminate || spec.stop.steps[..<index].contains(where: Self.isTermination) {
                    exporter.lose(
                        "stop", of: spec.name, because: "the kubelet sends SIGTERM, not \(signal.name)",
                        instead: "write lifecycle: { stopSignal: \(signal.name) }, from 1.33 on")
                } else if to != .main, !spec.command.isShell {
                    exporter.change("stop", of: spec.name, "the signal goes to the main process alone")
                }
            case .command(let command): commands.append(exporter.words(command, of: spec, at: "stop"))
            case .http(let request): commands.append(exporter.curl(request, within: step.wait, of: spec, at: "stop"))
            case .stdin, .kill: break
            }
        }
        if commands.isEmpty { return nil }
        if commands.count == 1 { return texts(commands[0]) }
        let script = commands.map { $0.map(ShellText.quoted).joined(separator: " ") }.joined(separator: "\n")
        return texts(["/bin/sh", "-c", script])
    }

    private static func isTermination(_ step: StopSpec.Step) -> Bool {
        if case .signal(.terminate, _) = step.action { true } else { false }
    }
}

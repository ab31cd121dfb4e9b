// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What is known only at a launch, as far as it can be known before.
extension Exporter {
    /// Stands for the number of a replica until the text is quoted; no text has it.
    static let replica = "\u{E000}"
    /// As `replica`, for the folder of secrets.
    static let secrets = "\u{E001}"

    /// The variables that orch gives a launch, but for those that only it can know.
    func launchValues(_ spec: ServiceSpec) -> [(name: String, text: String)] {
        let number = spec.replicas > 1 ? Self.replica : "1"
        var values = [
            ("ORCH_INSTANCE", spec.replicas > 1 ? "\(spec.name).\(number)" : spec.name), ("ORCH_REPLICA", number),
            ("ORCH_SERVICE", spec.name), ("ORCH_STACK", stack.name),
        ]
        if spec.secrets.contains(where: { !$0.files.isEmpty }) { values.append(("ORCH_SECRETS", Self.secrets)) }
        if let first = spec.ports.first, first.port != 0 { values.append(("PORT", "\(first.port)")) }
        for port in spec.ports where port.port != 0 {
            guard let name = port.name else { continue }
            let upper = String(name.uppercased().map { $0 == "-" ? "_" : $0 })
            values.append(("ORCH_PORT_\(upper)", "\(port.port)"))
        }
        return values
    }

    /// A text with its launch variables filled in; those that nobody can know before stay, and are told.
    func text(_ template: String, of spec: ServiceSpec, at path: String) -> String {
        let values = Dictionary(launchValues(spec).map { ($0.name, $0.text) }) { first, _ in first }
        for reference in LaunchTemplate.references(in: template) where values[reference.name] == nil {
            if case .text = reference.fallback { continue }
            lose(
                path, of: spec.name, because: "\(reference.name) is known only when orch launches it",
                instead: reference.name.hasPrefix("ORCH_PORT") || reference.name == "PORT"
                    ? "give the port a number" : "write what it stands for")
        }
        return LaunchTemplate.resolve(template, with: values)
    }

    /// The words that are executed.
    func words(_ command: CommandLine, of spec: ServiceSpec, at path: String) -> [String] {
        switch command {
        case .shell: command.arguments
        case .exec(let words): words.map { text($0, of: spec, at: path) }
        }
    }

    /// What its process gets: what is declared, ports and, where they are asked for, the names of orch.
    func environment(of spec: ServiceSpec) -> [(name: String, text: String)] {
        var result = spec.environment.map { ($0.name, text($0.text, of: spec, at: "environment.\($0.name)")) }
        let texts = Self.texts(in: spec.definition())
        for (name, value) in launchValues(spec) {
            let isGiven = name == "PORT" || name.hasPrefix("ORCH_PORT_") || name == "ORCH_SECRETS"
            guard isGiven || texts.contains(where: { $0.contains(name) }) else { continue }
            guard !result.contains(where: { $0.0 == name }) else { continue }
            result.append((name, value))
        }
        return result
    }

    /// Whether its copies are told their number.
    func isNumbered(_ spec: ServiceSpec) -> Bool {
        spec.replicas > 1
            && (environment(of: spec).contains { $0.text.contains(Self.replica) }
                || words(spec.command, of: spec, at: "command").contains {
                    $0.contains(Self.replica) || $0.contains("ORCH_REPLICA")
                })
    }

    private static func texts(in value: Value) -> [String] {
        switch value {
        case .null, .bool, .int, .double: []
        case .string(let text): [text]
        case .array(let items): items.flatMap(texts)
        case .object(let members): members.flatMap { texts(in: $0.value) }
        }
    }

    // MARK: Probes as commands

    /// A command that succeeds where the probe does, for tools that know no other kind of probe.
    func command(asking probe: Probe, of spec: ServiceSpec, at path: String) -> [String] {
        switch probe.action {
        case .command(let command): return words(command, of: spec, at: path)
        case .tcp(let address):
            let whole = text(address, of: spec, at: path)
            let colon = whole.lastIndex(of: ":") ?? whole.endIndex
            let host = whole[..<colon].filter { $0 != "[" && $0 != "]" }
            return ["/bin/bash", "-c", "exec 3<>/dev/tcp/$0/$1", host, String(whole[colon...].dropFirst())]
        case .http(let request): return curl(request, within: probe.timeout, of: spec, at: path)
        case .file(let file): return ["/usr/bin/test", "-e", text(file, of: spec, at: path)]
        // `HealthSpec.asked` leaves them out.
        case .log, .notify: return []
        }
    }

    /// A request as words of curl(1), which fails for a status of 400 and above.
    func curl(_ request: HTTPProbe, within limit: Duration, of spec: ServiceSpec, at path: String) -> [String] {
        var words = ["curl", "-fsS", "-o", "/dev/null", "--max-time", Self.seconds(limit)]
        if request.method != "GET" { words += ["-X", request.method] }
        for header in request.headers {
            words += ["-H", "\(header.name): \(text(header.text, of: spec, at: path))"]
        }
        if let body = request.body { words += ["--data-binary", text(body, of: spec, at: path)] }
        if request.status != [200...399] || request.bodyPattern != nil || !request.json.isEmpty {
            lose(
                "\(path).expect", of: spec.name, because: "curl looks only for a status below 400",
                instead: "write a command that looks at the answer")
        }
        return words + [text(request.url, of: spec, at: path)]
    }

    /// `1.5`, `10`: at least a millisecond.
    static func seconds(_ span: Duration) -> String {
        let (whole, part) = (span.nanoseconds / 1_000_000_000, span.nanoseconds % 1_000_000_000 / 1_000_000)
        if part == 0 { return whole == 0 && span > .zero ? "0.001" : "\(whole)" }
        var digits = String(part + 1000).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(whole).\(digits)"
    }

    /// Rounded up, at least one: for tools that count in whole seconds.
    static func wholeSeconds(_ span: Duration) -> Int64 { max(1, (span.nanoseconds + 999_999_999) / 1_000_000_000) }

    /// What a stop may take before everything is killed.
    static func grace(of stop: StopSpec) -> Duration { stop.steps.reduce(Duration.zero) { $0 + $1.wait } }
}

extension HealthSpec {
    /// Without what only the service's own supervisor hears: its log lines and what it says by sd_notify(3).
    var asked: HealthSpec {
        var left = self
        for kind in ProbeKind.allCases {
            switch left[kind]?.action {
            case .log, .notify: left[kind] = nil
            case .http, .tcp, .command, .file, nil: break
            }
        }
        return left
    }
}

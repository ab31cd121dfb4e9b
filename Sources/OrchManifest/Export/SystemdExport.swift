// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A stack as units: a target, a service each, and their timers and sockets.
struct SystemdExport {
    let exporter: Exporter
    var stack: Stack { exporter.stack }

    init(_ exporter: Exporter) { self.exporter = exporter }

    /// What holds for all units, and is no key of the manifest.
    private static let general = """
        Where the manifest says nothing: output goes to the journal, delays and limits of restarts are written out as orch has them, and ends by \
        SIGHUP, SIGINT, SIGTERM and SIGPIPE count as clean, which they do not with orch.
        """

    func files() -> [ExportedStack.File] {
        var files: [ExportedStack.File] = []
        for spec in stack.services {
            let service = ExportedStack.File(name: file(of: spec), text: unit(of: spec))
            files.append(service)
            if let schedule = spec.schedule { files.append(timer(of: spec, schedule)) }
            files += sockets(of: spec)
        }
        return [ExportedStack.File(name: "\(stack.name).target", text: target())] + files
    }

    // MARK: Names

    func stem(of spec: ServiceSpec) -> String { "\(stack.name)-\(spec.name)" }
    func file(of spec: ServiceSpec) -> String { stem(of: spec) + (spec.replicas > 1 ? "@.service" : ".service") }
    /// The units that run: of a template its instances.
    func units(of spec: ServiceSpec) -> [String] {
        spec.replicas > 1
            ? (1...spec.replicas).map { "\(stem(of: spec))@\($0).service" } : ["\(stem(of: spec)).service"]
    }

    private func target() -> String {
        var unit = UnitWriter()
        unit.comment(
            "Made by `orch export systemd` of \(exporter.request.manifestPath). Put all units into /etc/systemd/system, then: systemctl daemon-reload && systemctl enable --now \(stack.name).target"
        )
        unit.comment(Self.general)
        for remark in exporter.remarks(of: "") { unit.comment(remark) }
        unit.section("Unit")
        unit.add("Description", stack.details.isEmpty ? stack.name : stack.details)
        let wanted = stack.services.filter { $0.enabled && $0.replicas > 0 }.flatMap { spec in
            spec.schedule != nil ? ["\(stem(of: spec)).timer"] : units(of: spec)
        }
        for name in wanted { unit.add("Wants", raw: name) }
        unit.section("Install")
        unit.add("WantedBy", raw: "multi-user.target")
        return unit.text
    }

    // MARK: A service

    private func unit(of spec: ServiceSpec) -> String {
        var main = UnitWriter()
        main.section("Unit")
        let title = spec.details.isEmpty ? spec.title : spec.details
        main.add("Description", title.isEmpty ? nil : title)
        main.add("PartOf", raw: "\(stack.name).target")
        needs(of: spec, in: &main)
        startLimit(of: spec, in: &main)
        main.section("Service")
        kind(of: spec, in: &main)
        surroundings(of: spec, in: &main)
        execution(of: spec, in: &main)
        restart(of: spec, in: &main)
        stop(of: spec, in: &main)
        output(of: spec, in: &main)
        // The notes are complete only now, and stand above.
        var unit = UnitWriter()
        if !spec.details.isEmpty, !spec.title.isEmpty { unit.comment(spec.title) }
        for label in spec.labels { unit.comment("\(label.name)=\(label.text)") }
        for remark in exporter.remarks(of: spec.name) { unit.comment(remark) }
        return unit.text + main.text
    }

    private func kind(of spec: ServiceSpec, in unit: inout UnitWriter) {
        switch (spec.kind, spec.ready) {
        case (.task, _):
            unit.add("Type", raw: "oneshot")
            if spec.schedule == nil { unit.add("RemainAfterExit", raw: "yes") }
        case (.service, .notify):
            if case .notify = spec.reload {
                unit.add("Type", raw: "notify-reload")
            } else {
                unit.add("Type", raw: "notify")
            }
            unit.add("NotifyAccess", raw: "all")
        case (.service, .log), (.service, .fd), (.service, nil): unit.add("Type", raw: "exec")
        }
        unit.add("TimeoutStartSec", raw: spec.startTimeout.map(UnitWriter.span) ?? "infinity")
    }

    private func surroundings(of spec: ServiceSpec, in unit: inout UnitWriter) {
        unit.add("WorkingDirectory", spec.workingDirectory)
        if let user = spec.user {
            let parts = user.split(separator: ":", maxSplits: 1).map(String.init)
            unit.add("User", parts.first)
            unit.add("Group", parts.count > 1 ? parts[1] : nil)
        }
        for entry in exporter.environment(of: spec) {
            unit.add("Environment", raw: UnitWriter.quoted("\(entry.name)=\(entry.text)"))
        }
        for name in spec.unset { unit.add("UnsetEnvironment", name) }
        for secret in spec.secrets {
            for name in secret.files + (secret.files.isEmpty ? [secret.name] : []) {
                unit.add("LoadCredential", "\(name):\(secret.file)")
            }
            for name in secret.variables {
                exporter.lose(
                    "environment.\(name)", of: spec.name, because: "units have secrets as files only",
                    instead: "let it read $CREDENTIALS_DIRECTORY/\(secret.files.first ?? secret.name)")
            }
        }
        switch spec.process.input {
        case .file(let path): unit.add("StandardInput", "file:\(path)")
        case .open:
            exporter.lose(
                "stdin", of: spec.name, because: "a unit has no pipe that stays open",
                instead: "write a .socket unit with ListenFIFO=, and StandardInput=socket")
        case nil: break
        }
        process(spec.process, isUser: spec.user != nil, in: &unit)
        let resources = spec.resources
        unit.add("MemoryMax", resources.memory.map { "\($0)" })
        unit.add("CPUQuota", raw: resources.cpus.map { "\(max(1, Int(($0 * 100).rounded())))%" })
        unit.add("TasksMax", resources.pids.map { "\($0)" })
        if spec.replicas > 1, spec.ports.contains(where: { $0.port != 0 }) {
            exporter.lose(
                "ports", of: spec.name, because: "all instances are told the same port",
                instead: "write Environment=PORT=80%i, which has the instance's number")
        }
        for port in spec.ports where port.port == 0 {
            exporter.lose(
                "ports", of: spec.name, because: "systemd chooses no port",
                instead: "give it a number, or write sockets")
        }
    }

    private func process(_ process: ProcessSpec, isUser: Bool, in unit: inout UnitWriter) {
        if !process.groupAdd.isEmpty { unit.add("SupplementaryGroups", process.groupAdd.joined(separator: " ")) }
        if process.umask != ProcessSpec.standardMask {
            let digits = String(process.umask, radix: 8)
            unit.add("UMask", raw: String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
        }
        unit.add("Nice", process.nice.map { "\($0)" })
        if let io = process.ioClass {
            unit.add("IOSchedulingClass", raw: io.name.rawValue)
            if io.name != .idle { unit.add("IOSchedulingPriority", raw: "\(io.level)") }
        }
        if !process.cpuAffinity.isEmpty {
            unit.add("CPUAffinity", raw: process.cpuAffinity.map(String.init).joined(separator: " "))
        }
        for limit in process.ulimits {
            func end(_ value: Int64?) -> String { value.map(String.init) ?? "infinity" }
            let (soft, hard) = (end(limit.soft), end(limit.hard))
            unit.add(
                "Limit\(limit.resource.rawValue.uppercased())", raw: soft == hard ? soft : "\(soft):\(hard)")
        }
        if process.noNewPrivileges { unit.add("NoNewPrivileges", raw: "yes") }
        for path in process.readOnly { unit.add("ReadOnlyPaths", raw: UnitWriter.quoted(path)) }
        if process.hasPrivateTmp { unit.add("PrivateTmp", raw: "yes") }
        if let capabilities = process.capabilities {
            let names = capabilities.map(\.rawValue).joined(separator: " ")
            unit.add("CapabilityBoundingSet", raw: names)
            if isUser, !names.isEmpty { unit.add("AmbientCapabilities", raw: names) }
        }
    }
}

extension UnitWriter {
    mutating func add(_ key: String, raw value: String?) { if let value { add(key, raw: value) } }
}

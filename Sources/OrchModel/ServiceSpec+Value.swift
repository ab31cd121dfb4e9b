// SPDX-License-Identifier: Apache-2.0

/// A service spec as a tree in the manifest's own shape and words, defaults left out: what the plan compares, what is stored,
/// what `orch config` prints.
extension ServiceSpec: ValueCodable {
    /// The name, then all of `definition()`.
    public var value: Value {
        .object([Value.Member("name", .string(name))] + (definition().members ?? []))
    }

    public init(_ value: Value) throws(ShapeError) {
        self = try ServiceSpec(name: ObjectReader(value).string("name"), definition: value)
    }

    /// What stands under the service's name in a manifest. `complete` writes the defaults too.
    public func definition(complete: Bool = false) -> Value {
        var w = ObjectWriter(complete: complete, capacity: 16)
        w.set("kind", kind.rawValue, unless: Kind.service.rawValue)
        w.set("title", title, unless: "")
        w.set("description", details, unless: "")
        w.set("labels", entries: labels)
        w.set(command: command)
        w.set("working_dir", workingDirectory)
        w.set("environment", environmentValue)
        if !secrets.isEmpty { w.set("secrets", .object(secrets.map { .init($0.name, $0.written) })) }
        w.set("user", user)
        process.write(to: &w)
        w.setObject("resources", resources.written(complete: complete))
        w.set("enabled", enabled, unless: true)
        if !profiles.isEmpty { w.set("profiles", strings: profiles) }
        w.set("replicas", replicas, unless: 1)
        if !dependsOn.isEmpty {
            w.set("depends_on", .object(dependsOn.map { .init($0.on, $0.written(complete: complete)) }))
        }
        w.setObject("health", health.written(complete: complete))
        w.set("ready", ready?.value)
        setStartTimeout(in: &w)
        w.setObject("restart", restart.written(defaultPolicy: Self.standardPolicy(of: kind), complete: complete))
        if complete || successExitCodes != [.code(0)] {
            w.set("success_exit_codes", .array(successExitCodes.map(\.value)))
        }
        w.setObject("on_exit", onExit.value)
        w.set("essential", essential, unless: false)
        if !locks.isEmpty { w.set("locks", strings: locks) }
        if complete || !stop.isStandard(for: command) { w.set("stop", stop.value) }
        w.set("reload", reload?.written(complete: complete))
        if !configFiles.isEmpty { w.set("config_files", configurationValue) }
        w.setObject("hooks", hooks.written(complete: complete))
        w.setObject("logging", logging.written(complete: complete))
        w.set("watch", list: watch)
        w.set("ports", list: ports)
        w.set("sockets", list: sockets)
        w.set("schedule", schedule?.written(complete: complete))
        w.setObject("update", update.written(complete: complete && kind == .service))
        w.set("renamed_from", renamedFrom)
        return w.value
    }

    /// Reads what `definition()` wrote.
    public init(name: String, definition: Value) throws(ShapeError) {
        let r = try ObjectReader(definition)
        let kind: Kind = try r.word("kind", or: .service)
        self.init(name: name, kind: kind, command: try r.command(), workingDirectory: try r.string("working_dir"))
        title = try r.string("title", or: "")
        details = try r.string("description", or: "")
        labels = try r.entries("labels")
        for member in r.value("environment")?.members ?? [] {
            if member.value == .null {
                unset.append(member.key)
            } else if let text = member.value.string {
                environment.append(EnvironmentEntry(member.key, text))
            } else {
                throw ShapeError(path: "environment.\(member.key)", expected: "a string")
            }
        }
        for member in r.value("secrets")?.members ?? [] { secrets.append(try SecretUse(member.key, member.value)) }
        user = try r.optionalString("user")
        process = try ProcessSpec(r)
        resources = try r.optional("resources") ?? ResourceLimits()
        enabled = try r.bool("enabled", or: true)
        profiles = try r.strings("profiles", or: [])
        replicas = try r.int("replicas", or: 1)
        for member in r.value("depends_on")?.members ?? [] {
            do { dependsOn.append(try Dependency(on: member.key, member.value)) } catch {
                throw error.under("depends_on")
            }
        }
        health = try r.optional("health") ?? HealthSpec()
        ready = try r.optional("ready")
        startTimeout = try r.limit(Self.timeoutKey(of: kind), or: startTimeout)
        if let found = r.value("restart") {
            do { restart = try RestartPolicy(found, defaultPolicy: Self.standardPolicy(of: kind)) } catch {
                throw error.under("restart")
            }
        }
        if r.has("success_exit_codes") { successExitCodes = try r.list("success_exit_codes") }
        onExit = try r.optional("on_exit") ?? ExitActions()
        essential = try r.bool("essential", or: false)
        locks = try r.strings("locks", or: [])
        stop = try r.optional("stop") ?? stop
        reload = try r.optional("reload")
        configFiles = try ConfigFile.all(in: r.value("config_files"))
        hooks = try r.optional("hooks") ?? Hooks()
        logging = try r.optional("logging") ?? LoggingSpec()
        watch = try r.list("watch")
        ports = try r.list("ports")
        sockets = try r.list("sockets")
        if let found = r.value("schedule") {
            do { schedule = try ScheduleSpec(found) } catch { throw error.under("schedule") }
        }
        update = try r.optional("update") ?? UpdatePolicy()
        renamedFrom = try r.optionalString("renamed_from")
    }

    /// Declared variables as text, unset ones as null.
    private var environmentValue: Value? {
        if environment.isEmpty && unset.isEmpty { return nil }
        return .object(environment.map { .init($0.name, .string($0.text)) } + unset.map { .init($0, .null) })
    }

    private func setStartTimeout(in w: inout ObjectWriter) {
        let standard: Duration? = kind == .service ? .seconds(60) : nil
        if w.complete || startTimeout != standard { w.set(Self.timeoutKey(of: kind), startTimeout?.text ?? "none") }
    }

    private static func timeoutKey(of kind: Kind) -> String { kind == .service ? "start_timeout" : "timeout" }
    private static func standardPolicy(of kind: Kind) -> RestartPolicy.Policy { kind == .service ? .onFailure : .no }
}

extension Dependency {
    /// The member of `depends_on` under the name of what it needs. The condition is always there: its default depends on what is needed.
    func written(complete: Bool) -> Value {
        var w = ObjectWriter(complete: complete)
        w.set("condition", condition.rawValue)
        w.set("required", required, unless: true)
        w.set("timeout", timeout)
        if complete && timeout == nil { w.set("timeout", "none") }
        w.set("on_restart", onRestart.rawValue, unless: Reaction.ignore.rawValue)
        w.set("on_failure", onFailure.rawValue, unless: Reaction.ignore.rawValue)
        return w.value
    }

    init(on name: String, _ value: Value) throws(ShapeError) {
        do {
            let r = try ObjectReader(value)
            self.init(on: name, condition: try r.word("condition"))
            required = try r.bool("required", or: true)
            timeout = try r.limit("timeout", or: nil)
            onRestart = try r.word("on_restart", or: .ignore)
            onFailure = try r.word("on_failure", or: .ignore)
        } catch { throw error.under(name) }
    }
}

extension ExitPattern: ValueCodable {
    /// A code as a number, a signal by its name.
    public var value: Value {
        switch self {
        case .code(let code): .int(Int64(code))
        case .signal(let signal): .string(signal.name)
        }
    }
    public init(_ value: Value) throws(ShapeError) {
        if let number = value.int, let code = Int32(exactly: number) {
            self = .code(code)
        } else if let name = value.string, let signal = Signal(text: name) {
            self = .signal(signal)
        } else {
            throw ShapeError(path: "", expected: "an exit code or a signal")
        }
    }
}

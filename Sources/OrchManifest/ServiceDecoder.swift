// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A service as it was read, with the nodes that later checks speak of. A class: it is large, and looked at often.
final class DecodedService {
    /// What one entry of `depends_on` is, and where.
    struct Edge {
        var dependency: Dependency
        var node: NodeID
        /// Where the condition stands; nil when it is the default.
        var condition: NodeID?
        /// It names no service: `tcp://…`.
        var isOutside = false
    }
    var spec: ServiceSpec
    var key: NodeID
    var edges: [Edge] = []
    /// In the order of `spec.ports`.
    var portNodes: [NodeID] = []
    /// In the order of `spec.sockets`.
    var socketNodes: [NodeID] = []
    /// Files that its streams are written to.
    var sinks: [(path: String, node: NodeID)] = []
    /// Where it and its keys stand, sorted by path.
    var positions: [SourcePosition] = []
    /// Where the name stands that it had.
    var renamedNode: NodeID?

    init(spec: ServiceSpec, key: NodeID) {
        self.spec = spec
        self.key = key
    }
}

extension Decoder {
    /// Reads one service; `own` is what the manifest says of it before `defaults`.
    func service(_ name: String, key: NodeID, node: NodeID, own: NodeID, stack: StackContext) -> DecodedService {
        let folder = folders[Int(tree[key].file)].absolute
        let decoded = DecodedService(
            spec: ServiceSpec(name: name, command: .exec([""]), workingDirectory: folder), key: key)
        guard let section = section(node, Fields.service, name) else { return decoded }
        let kind = section["kind"].flatMap { word($0, "kind", as: ServiceSpec.Kind.self) } ?? .service
        scope = Scope(parent: stack.scope)
        scope.hasPort = section.has("ports")
        defer { scope = stack.scope }
        scope.layers = [
            stack.overrides, layer(section["environment"], "environment", title: "environment of the service"),
            stack.defaultsLayer,
            envFileLayer(section["env_file"], title: "env_file of the service"),
        ].filter { !$0.isEmpty }

        let shell = section["shell"].flatMap { words($0, "shell") } ?? CommandLine.standardShell
        if shell.isEmpty, let node = section["shell"] {
            error("value", "\"shell\" is empty", at: node, help: "such as [/bin/sh, -c]")
        }
        decoded.spec = ServiceSpec(
            name: name, kind: kind, command: mainCommand(section, shell: shell), workingDirectory: folder)
        if let node = section["working_dir"] { decoded.spec.workingDirectory = path(node, "working_dir") ?? folder }
        environment(of: &decoded.spec, stack)
        if let node = section["secrets"] { secretFiles(node, in: &decoded.spec) }
        decoded.spec.secrets.sort { $0.name < $1.name }
        if input.explains == name { explained = explained(decoded.spec, scope, inherited: inherited) }
        plainFields(section, into: &decoded.spec)
        timeouts(section, into: &decoded.spec)
        let health = HealthReader(shell: shell, isTask: kind == .task)
        self.health(section, into: &decoded.spec, health)
        decoded.spec.restart = restart(section["restart"], own: tree.value(own, "restart"), kind)
        if let node = section["success_exit_codes"] { decoded.spec.successExitCodes = exitPatterns(node) }
        if let node = section["on_exit"] { decoded.spec.onExit = exitActions(node, kind) }
        if let node = section["essential"], let flag = flag(node, "essential") { decoded.spec.essential = flag }
        if let node = section["locks"] { decoded.spec.locks = locks(node) }
        decoded.spec.stop = stop(section, command: decoded.spec.command, health)
        if let node = section["reload"] { decoded.spec.reload = reload(node, of: decoded.spec, health) }
        if let node = section["config_files"] { decoded.spec.configFiles = configFiles(node) }
        if let node = section["hooks"] { decoded.spec.hooks = hooks(node, of: kind, health) }
        logging(section["logging"], into: decoded)
        joinOutputs(of: decoded, tree.value(own, "logging"))
        ports(section["ports"], into: decoded)
        if let node = section["sockets"] { sockets(node, into: decoded, section) }
        if let node = section["watch"] { decoded.spec.watch = watch(node, of: decoded.spec, health) }
        schedule(section, into: &decoded.spec, own: own)
        if let node = section["update"] { update(node, into: decoded) }
        if let node = section["renamed_from"] { renamedFrom(node, into: decoded) }
        if let node = section["depends_on"] { dependencies(node, into: decoded) }
        if decoded.spec.replicas > 1 { checkReplicas(decoded, at: section["replicas"] ?? node) }
        return decoded
    }

    private func mainCommand(_ section: Section, shell: [String]) -> CommandLine {
        guard let node = section["command"] else {
            let key = section.entry("command")?.key ?? section.node
            error(
                "missing", "a service needs a command", at: key,
                help: "such as  command: ./server --port 8080  or  command: [./server, --port, \"8080\"]")
            return .exec([""])
        }
        return command(node, shell: shell) ?? .exec([""])
    }

    /// A string for the shell or a list to execute.
    func command(_ node: NodeID, shell: [String]) -> CommandLine? {
        switch tree.kind(node) {
        case .scalar:
            guard let text = text(node, "command", mode: .shell) else { return nil }
            guard text.utf8.contains(where: { $0 > 32 }) else {
                error("value", "\"command\" is empty", at: node, help: "such as ./server --port 8080")
                return nil
            }
            return .shell(text, shell: shell)
        case .sequence:
            guard let words = words(node, "command", mode: .launch) else { return nil }
            guard let first = words.first, !first.isEmpty else {
                error("value", "\"command\" is empty", at: node, help: "its first word is the program")
                return nil
            }
            return .exec(words)
        case .mapping:
            wrongForm(
                "command", "a string for the shell or a list of words", node,
                help: "such as  command: ./server --port 8080  or  command: [./server, --port, \"8080\"]")
            return nil
        }
    }

    /// A path, made absolute from the folder of the file in which it stands.
    func path(_ node: NodeID, _ what: String, mode: TextMode = .now) -> String? {
        guard let text = text(node, what, mode: mode) else { return nil }
        guard !text.isEmpty else {
            error(
                "value", "\"\(what)\" is empty", at: node,
                help: "give a path, or remove the key; . is the manifest's folder")
            return nil
        }
        if mode == .launch, text.hasPrefix("${") { return text }
        return LexicalPath.absolute(text, from: folders[Int(tree[node].file)].absolute)
    }

    private func environment(of spec: inout ServiceSpec, _ stack: StackContext) {
        let variables = declared(scope, over: stack.variables, overrides: stack.overrides)
        spec.environment.reserveCapacity(variables.entries.count)
        for (name, content) in variables.entries {
            switch content {
            case .text(let text): spec.environment.append(EnvironmentEntry(name, text))
            case .unset: spec.unset.append(name)
            case .secret(let secret): use(secret, in: &spec) { $0.variables.append(name) }
            }
        }
    }

    private func plainFields(_ section: Section, into spec: inout ServiceSpec) {
        if let node = section["title"], let text = text(node, "title") { spec.title = text }
        if let node = section["description"], let text = text(node, "description") { spec.details = text }
        if let node = section["labels"] { spec.labels = labels(node) }
        if let node = section["user"] { spec.user = user(node) }
        spec.process = process(section)
        if let node = section["resources"] { spec.resources = resources(node) }
        if let node = section["enabled"], let flag = flag(node, "enabled") { spec.enabled = flag }
        if let node = section["profiles"] { profiles(node, of: &spec) }
        if let node = section["replicas"], let count = integer(node, "replicas", in: 0...Limits.replicas) {
            spec.replicas = count
        }
    }

    private func labels(_ node: NodeID) -> [EnvironmentEntry] {
        guard let map = asMap(node, "labels") else { return [] }
        let entries = tree.entries(map).compactMap { key, value -> EnvironmentEntry? in
            if tree.isNull(value) { return EnvironmentEntry(tree.text(key), "") }
            return text(value, tree.text(key)).map { EnvironmentEntry(tree.text(key), $0) }
        }
        return entries.sorted { $0.name < $1.name }
    }

    private func user(_ node: NodeID) -> String? {
        guard let text = text(node, "user"), !text.isEmpty else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
            error(
                "value", "\"user\": \"\(text)\" is not name or name:group", at: node,
                help: "such as www-data or www-data:adm")
            return nil
        }
        if let isKnown = input.isKnownUser, !isKnown(String(parts[0])) {
            error(
                "unknown-user", "this host has no user \"\(parts[0])\"", at: node,
                help: "create it, or leave user out to run as the daemon's own user")
        }
        return text
    }

    private func timeouts(_ section: Section, into spec: inout ServiceSpec) {
        switch spec.kind {
        case .service:
            if let node = section["start_timeout"], let span = duration(node, "start_timeout", none: true) {
                spec.startTimeout = span
            }
            if section.has("timeout") {
                error(
                    "misplaced", "\"timeout\" is for tasks, and this is a service", at: section.key("timeout"),
                    help: "a service has start_timeout; or write kind: task")
            }
        case .task:
            if let node = section["timeout"], let span = duration(node, "timeout", none: true) {
                spec.startTimeout = span
            }
            if section.has("start_timeout") {
                error(
                    "misplaced", "\"start_timeout\" is for services, and this is a task",
                    at: section.key("start_timeout"), help: "a task has timeout")
            }
        }
    }

    private func exitPatterns(_ node: NodeID) -> [ExitPattern] {
        guard let items = items(node, "success_exit_codes", of: "exit codes and signals") else { return [.code(0)] }
        return items.compactMap { item in
            guard let scalar = scalar(item, "success_exit_codes", "an exit code or a signal") else { return nil }
            if case .integer(let number) = scalar.meaning {
                guard (0...255).contains(number) else {
                    error(
                        "range", "\"success_exit_codes\": an exit code is from 0 to 255, not \(number)", at: item,
                        help: "a program's exit code is one byte; signals go by their names, such as SIGTERM")
                    return nil
                }
                return .code(Int32(truncatingIfNeeded: number))
            }
            return signal(item, "success_exit_codes").map { .signal($0) }
        }
    }

    private func checkReplicas(_ decoded: DecodedService, at node: NodeID) {
        for (port, place) in zip(decoded.spec.ports, decoded.portNodes) where port.port != 0 && port.onConflict != .next
        {
            error(
                "port-conflict", "\(decoded.spec.replicas) replicas can't share the fixed port \(port.port)", at: place,
                help: "write auto, or on_conflict: next")
        }
    }
}

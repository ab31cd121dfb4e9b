// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// What all services of a stack share while they are read.
struct StackContext {
    var scope: Scope
    /// `--env`: stronger than anything written.
    var overrides: Layer
    /// `defaults.environment`: weaker than a service's own, stronger than env files.
    var defaultsLayer = Layer()
    /// The stack's own variables and the overrides.
    var variables = DeclaredVariables()
    /// `defaults` as they lie under a service and under a task.
    var defaults: [ServiceSpec.Kind: NodeID] = [:]
}

extension Decoder {
    /// The whole manifest. The request is worth something only when nothing was reported.
    func request(_ root: NodeID, manifestPath: String) -> ApplyRequest {
        var stack = Stack(name: "", services: [])
        let nothing = ApplyRequest(stack: stack, manifestPath: manifestPath)
        guard tree.kind(root) == .mapping else {
            error(
                "type", "a manifest is a map, not \(tree.kind(root) == .sequence ? "a list" : "a single value")",
                at: root, help: "such as  services: { web: { command: ./web } }")
            return nothing
        }
        guard let section = section(root, Fields.stack, "a manifest") else { return nothing }
        if let node = section["secrets"] { declareSecrets(node) }
        var context = context(section)
        scope = context.scope
        stack.name = stackName(section)
        if let node = section["description"], let text = text(node, "description") { stack.details = text }
        if let node = section["stop"], let stop = self.section(node, Fields.stackStop, "stop"),
            let inner = stop["timeout"]
        {
            stack.stopTimeout = span(inner, "timeout") ?? stack.stopTimeout
        }
        if let node = section["host"] { stack.host = host(node) }
        defaults(section["defaults"], into: &context)
        inherited = inherited(section["inherit_environment"])
        let decoded = services(section, [context] + parts.map { self.context(of: $0, over: context) })
        scope = context.scope
        connect(decoded)
        checkProfiles()
        checkSecrets()
        stack.services = decoded.services.enumerated().map { at, service in
            var spec = service.spec
            spec.dependsOn = connected[at] ?? []
            return spec
        }
        var request = ApplyRequest(stack: stack, manifestPath: manifestPath)
        request.inherited = inherited
        // Nearly in order already, and then sorting is one walk: `a-b` comes between `a` and `a.command`.
        var positions: [SourcePosition] = []
        positions.reserveCapacity(decoded.services.reduce(0) { $0 + $1.positions.count })
        for service in decoded.services { positions += service.positions }
        request.positions = SourcePositions(positions)
        return request
    }

    private func context(_ section: Section) -> StackContext {
        let overrides = overrides
        let stackScope = Scope(parent: scope)
        stackScope.hasPort = true
        scope = stackScope
        stackScope.layers = [
            overrides, layer(section["environment"], "environment", title: "environment of the stack"),
        ]
        stackScope.layers.append(envFileLayer(section["env_file"], title: "env_file of the stack"))
        var context = StackContext(scope: stackScope, overrides: overrides)
        context.variables = declared(stackScope, over: DeclaredVariables(), overrides: overrides)
        return context
    }

    /// What holds for the services of an included manifest: its own variables and defaults, over those of the stack.
    private func context(of part: Part, over stack: StackContext) -> StackContext {
        guard tree.kind(part.root) == .mapping else {
            error(
                "type", "an included manifest is a map of its keys", at: part.root,
                help: "such as  services: { web: { command: ./web } }")
            return stack
        }
        guard let section = section(part.root, Fields.stack, "a manifest") else { return stack }
        for key in ["stop", "host", "inherit_environment"] where section.has(key) {
            warn(
                "no-effect", "\"\(key)\" has no effect here: it belongs to the manifest that includes this one",
                at: section.key(key), help: "move it there")
        }
        let partScope = Scope(parent: stack.scope)
        partScope.hasPort = true
        scope = partScope
        partScope.layers = [
            stack.overrides,
            layer(section["environment"], "environment", title: "environment of the included manifest"),
            envFileLayer(part.envFile, title: "env_file of the include"),
            envFileLayer(section["env_file"], title: "env_file of the included manifest"),
        ]
        var context = StackContext(scope: partScope, overrides: stack.overrides)
        context.variables = declared(partScope, over: stack.variables, overrides: stack.overrides)
        defaults(section["defaults"], into: &context)
        context.defaultsLayer = context.defaultsLayer.over(stack.defaultsLayer)
        for kind in ServiceSpec.Kind.allCases {
            guard let weaker = stack.defaults[kind] else { continue }
            context.defaults[kind] =
                context.defaults[kind].map { overlay($0, on: weaker, as: .service, .defaults) } ?? weaker
        }
        return context
    }

    private func stackName(_ section: Section) -> String {
        if let node = section["name"] {
            guard let name = text(node, "name") else { return "" }
            if !Name.isValid(name) { badName(name, "stack", node) }
            return name
        }
        let folder = folders.first?.absolute ?? "/"
        if let name = Name.made(from: LexicalPath.lastPart(of: folder)) { return name }
        error("missing", "the folder \(folder) gives the stack no name", at: section.node, help: "write name: …")
        return ""
    }

    private func badName(_ name: String, _ what: String, _ node: NodeID) {
        let better = Name.made(from: name).map { "did you mean \"\($0)\"?" }
        error(
            "name", "\"\(name.prefix(80))\" can't name a \(what)", at: node,
            help: better ?? "names are a-z, 0-9, _ and -, begin with a letter or digit, and have at most 63 characters")
    }

    /// Splits `defaults` into what lies under services and what lies under tasks; its variables are a source of their own.
    private func defaults(_ node: NodeID?, into context: inout StackContext) {
        guard let node, let section = section(node, Fields.service, "defaults") else { return }
        context.defaultsLayer = layer(section["environment"], "environment", title: "environment of defaults")
        for kind in ServiceSpec.Kind.allCases {
            let hidden: Set<String>
            switch kind {
            case .service: hidden = ["environment", "timeout"]
            case .task: hidden = ["environment", "start_timeout", "health", "healthcheck", "ready", "update"]
            }
            let slots = section.entries.filter { !hidden.contains($0.name) }.flatMap { [$0.key, $0.value] }
            if !slots.isEmpty { context.defaults[kind] = tree.add(tree[node], children: slots) }
        }
    }

    /// `contexts`: the stack's own, then those of its parts.
    private func services(_ section: Section, _ contexts: [StackContext]) -> DecodedStack {
        var decoded = DecodedStack()
        guard let node = section["services"] else {
            error(
                "missing", "a manifest needs services", at: section.entry("services")?.key ?? section.node,
                help: "such as  services: { web: { command: ./web } }")
            return decoded
        }
        guard tree.kind(node) == .mapping else {
            wrongForm("services", "a map of services by name", node, help: "such as { web: { command: ./web } }")
            return decoded
        }
        let entries = tree.entries(node)
        guard entries.count <= Limits.services else {
            error(
                "too-large", "a stack has at most \(Limits.services) services, not \(entries.count)", at: node,
                help: "make two stacks of it")
            return decoded
        }
        decoded.services.reserveCapacity(entries.count)
        for (key, value) in entries {
            service(key, value, contexts[partOf[tree.text(key)].map { $0 + 1 } ?? 0], into: &decoded)
        }
        decoded.services.sort { $0.spec.name < $1.spec.name }
        return decoded
    }

    private func service(_ key: NodeID, _ value: NodeID, _ context: StackContext, into decoded: inout DecodedStack) {
        let name = tree.text(key)
        if name.utf8.starts(with: "x-".utf8), tree.kind(value) != .mapping || tree.value(value, "command") == nil {
            return
        }
        if !Name.isValid(name) { badName(name, "service", key) }
        guard tree.kind(value) == .mapping else {
            if tree.isNull(value) {
                error(
                    "missing", "the service \"\(name)\" has no definition", at: key, help: "it needs at least a command"
                )
            } else {
                wrongForm(name, "a map", value, help: "write { command: … }")
            }
            decoded.broken.insert(name)
            return
        }
        let kindNode = tree.value(value, "kind") ?? context.defaults[.service].flatMap { tree.value($0, "kind") }
        let kind = kindNode.flatMap { ServiceSpec.Kind(rawValue: tree.text($0)) } ?? .service
        let node = context.defaults[kind].map { overlay(value, on: $0, as: .service, .defaults) } ?? value
        let service = service(name, key: key, node: node, own: value, stack: context)
        decoded.services.append(service)
        service.positions = [SourcePosition(path: name, position: position(key))]
        let prefix = name + "."
        for (key, value) in tree.entries(node) {
            let path = prefix + tree.text(key)
            service.positions.append(SourcePosition(path: path, position: position(key)))
            guard tree.kind(value) == .mapping else { continue }
            let inner = path + "."
            for (key, _) in tree.entries(value) {
                service.positions.append(SourcePosition(path: inner + tree.text(key), position: position(key)))
            }
        }
        service.positions.sort { $0.path < $1.path }
    }

    /// The caller's variables that the stack lets through, sorted by name.
    private func inherited(_ node: NodeID?) -> [EnvironmentEntry] {
        if let node {
            guard let items = items(node, "inherit_environment", of: "names") else { return [] }
            inheritance = items.compactMap { item in
                guard let pattern = text(item, "inherit_environment") else { return nil }
                guard !pattern.isEmpty, !pattern.dropLast().contains("*"), !pattern.contains("=") else {
                    error(
                        "value", "\"\(pattern)\" is no name", at: item,
                        help: "a name, or one that ends in *, such as LC_*")
                    return nil
                }
                return pattern
            }
        }
        return ManifestLoader.inherited(inheritance, from: input.callerEnvironment)
    }
}

extension ManifestLoader {
    /// The variables that `inherit_environment` lets through, each once, sorted by name.
    public static func inherited(_ names: [String], from environment: [EnvironmentEntry]) -> [EnvironmentEntry] {
        var seen: Set<String> = []
        let matching = environment.filter { entry in
            let isMeant = names.contains {
                $0.utf8.last == 42 ? entry.name.utf8.starts(with: $0.utf8.dropLast()) : entry.name == $0
            }
            return isMeant && seen.insert(entry.name).inserted
        }
        return matching.sorted { $0.name < $1.name }
    }
}

/// All services, sorted by name, and where they stand.
struct DecodedStack {
    var services: [DecodedService] = []
    /// Names whose definition could not be read at all.
    var broken: Set<String> = []
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// One service: each key in its turn.
extension ComposeImport {
    /// What a service becomes.
    struct Draft {
        var entries: [DraftEntry] = []
        /// About the service as a whole.
        var notes: [ImportNote] = []
        var hasCommand = false

        mutating func add(_ entry: DraftEntry?) { if let entry { entries.append(entry) } }
        mutating func lose(_ note: ImportNote) { entries.append(.notes([note])) }
    }

    func draft(of service: Service) -> DraftEntry {
        guard command(of: service) != nil else { return leftOut(service) }
        var draft = Draft()
        draft.notes = service.notes
        if service.isTask { draft.add(DraftEntry("kind", "task")) }
        for entry in service.entries { add(entry, of: service, to: &draft) }
        if !service.isTask, service["restart"] == nil, service["deploy"].flatMap({ yaml[$0, "restart_policy"] }) == nil
        {
            draft.add(DraftEntry("restart", "no"))
        }
        Importer.merge("hooks", in: &draft.entries)
        orderPorts(&draft.entries)
        return DraftEntry(
            service.name, .map(draft.entries), at: yaml.position(service.key), notes: draft.notes)
    }

    /// What is in an image only: all that is known of it stands there as a comment, to be given a command.
    private func leftOut(_ service: Service) -> DraftEntry {
        var draft = Draft()
        var start: [String] = ["…"]
        if let node = service["command"], !yaml.isMap(node) {
            var notes: [ImportNote] = []
            start += words(of: node, notes: &notes) ?? []
        }
        draft.add(DraftEntry("command", .strings(start)))
        for entry in service.entries where entry.name != "command" && entry.name != "entrypoint" {
            add(entry, of: service, to: &draft)
        }
        for index in draft.entries.indices { draft.entries[index].strip() }
        let image = yaml.raw(service["image"]).map { "the image \($0)" } ?? "the image that \"build\" makes"
        let port = publishedPort(of: service)
        let note = importer.lost(
            service.wanted, at: yaml.position(service.key),
            because: "its program is in \(image), and orch runs programs of this host",
            instead: port.map {
                "install it here and give its command, or leave it to Compose: what needs it waits for tcp://127.0.0.1:\($0)"
            } ?? "install it here and give its command, or leave it to Compose")
        var entry = DraftEntry(
            service.name, .map(draft.entries.filter { $0.key != "" }), at: yaml.position(service.key),
            notes: service.notes + [note])
        entry.isOut = true
        return entry
    }

    /// Dispatches one key: what becomes of it, or why nothing does.
    private func add(_ entry: YAMLSource.Entry, of service: Service, to draft: inout Draft) {
        guard !yaml.tree.isNull(entry.value) else { return }
        switch entry.name {
        case "command", "entrypoint": addCommand(of: service, to: &draft)
        case "environment": addEnvironment(entry, of: service, to: &draft)
        case "env_file": draft.add(envFile(entry))
        case "depends_on": draft.add(dependencies(entry, of: service))
        case "links":
            draft.lose(yaml.lost(entry, because: "there are no names for hosts here", instead: "write depends_on"))
        case "healthcheck": draft.add(healthcheck(entry))
        case "restart": addRestart(entry, to: &draft)
        case "stop_signal", "stop_grace_period", "scale":
            draft.add(yaml.setting(entry.name == "scale" ? "replicas" : entry.name, entry.value, at: entry.key))
        case "ports": draft.add(ports(entry))
        case "profiles", "group_add": draft.add(list(entry))
        case "user":
            draft.add(yaml.setting("user", entry.value, at: entry.key))
            draft.entries.indices.last.map {
                draft.entries[$0].notes.append(
                    yaml.changed("the image had this user; here this host must have it", at: entry.key))
            }
        case "working_dir": addWorkingDirectory(entry, of: service, to: &draft)
        case "ulimits": draft.add(ulimits(entry))
        case "labels": draft.add(labels(entry))
        case "secrets": draft.add(secretFiles(entry))
        case "image", "build": addProgram(entry, of: service, to: &draft)
        case "mem_limit", "cpus", "pids_limit": addLimit(entry, to: &draft)
        case "deploy": addDeploy(entry, to: &draft)
        case "logging": draft.add(logging(entry))
        case "cpuset": draft.add(yaml.setting("cpu_affinity", entry.value, at: entry.key))
        case "security_opt": addSecurity(entry, of: service, to: &draft)
        case "cap_drop", "cap_add": addCapabilities(entry, of: service, to: &draft)
        case "volumes": draft.lose(volumes(entry))
        // Who reaps orphans is orch's business, and a container's name is needed by nobody.
        case "init", "container_name": break
        case "network_mode" where yaml.raw(entry.value) == "host": break
        case "develop": addDevelop(entry, to: &draft)
        case "post_start", "pre_stop": addHook(entry, of: service, to: &draft)
        case "tty" where yaml.flag(entry.value) == true:
            draft.add(DraftEntry("tty", true, at: yaml.position(entry.key)))
        case "stdin_open" where yaml.flag(entry.value) == true:
            draft.add(DraftEntry("stdin", .string("open"), at: yaml.position(entry.key)))
        case "hostname": draft.lose(yaml.lost(entry, because: "processes have this host's name"))
        default: loseKey(entry, to: &draft)
        }
    }

    private func addProgram(_ entry: YAMLSource.Entry, of service: Service, to draft: inout Draft) {
        // With both, the image is what was built.
        if entry.name == "image", service["build"] != nil { return }
        let what = entry.name == "build" ? "orch builds nothing" : "orch runs programs of this host"
        let install = "install what the command needs"
        draft.lose(
            yaml.lost(
                entry, because: what,
                instead: service["entrypoint"] == nil && dockerfile(of: service) == nil
                    ? "\(install); if the image has an ENTRYPOINT, write that before it" : install))
        // What nothing else says, the Dockerfile does.
        if service["entrypoint"] == nil, service["command"] == nil { addCommand(of: service, to: &draft) }
        guard entry.name == "build", service["working_dir"] == nil else { return }
        let context = yaml.isMap(entry.value) ? yaml[entry.value, "context"] : entry.value
        guard let folder = yaml.raw(context), !folder.contains("$"), !folder.contains("://"),
            ![".", "./"].contains(folder)
        else { return }
        var place = DraftEntry("working_dir", .string(folder), at: yaml.position(entry.key))
        place.remarks = ["Where the image was built from; the image had a folder of its own."]
        draft.add(place)
    }

    private func loseKey(_ entry: YAMLSource.Entry, to draft: inout Draft) {
        let isOff = ["tty", "stdin_open", "privileged", "read_only", "oom_kill_disable", "attach"].contains(entry.name)
        if entry.name.hasPrefix("x-") || (isOff && yaml.flag(entry.value) == false) { return }
        if let known = Self.losses[entry.name] {
            draft.lose(yaml.lost(entry, because: known.why, instead: known.instead))
        } else {
            draft.lose(yaml.lost(entry, because: "it is no key that orch knows of a Compose file"))
        }
    }

    // MARK: Command

    /// What is executed: `entrypoint` and behind it `command`, both split into words as Compose does it, or what the Dockerfile says in
    /// their place. Nil when only an image could tell.
    func command(of service: Service) -> Dockerfile.Words? {
        var notes: [ImportNote] = []
        return command(of: service, &notes)
    }

    private func command(of service: Service, _ notes: inout [ImportNote]) -> Dockerfile.Words? {
        let entry = service["entrypoint"].flatMap { words(of: $0, notes: &notes) }
        let rest = service["command"].flatMap { words(of: $0, notes: &notes) }
        let found =
            dockerfile(of: service).map { $0.arguments(entrypoint: entry, command: rest) }
            ?? .exec((entry ?? []) + (rest ?? []))
        // A flag is for the image's own entrypoint.
        guard let first = found?.arguments.first, !first.isEmpty, first.utf8.first != 45 else { return nil }
        return found
    }

    /// The Dockerfile of what is built here, if it lies below the folder of the file.
    private func dockerfile(of service: Service) -> Dockerfile? {
        guard let build = service["build"] else { return nil }
        let context = yaml.isMap(build) ? yaml.raw(yaml[build, "context"]) ?? "." : yaml.raw(build) ?? "."
        let name = yaml.isMap(build) ? yaml.raw(yaml[build, "dockerfile"]) ?? "Dockerfile" : "Dockerfile"
        let path = LexicalPath.absolute(name, from: "/\(context)").dropFirst()
        guard !"\(context)\(name)".contains("$"), !context.contains("://"), !context.hasPrefix("/"),
            !"/\(context)/\(name)/".contains("/../"), let bytes = importer.input.beside(String(path))
        else { return nil }
        return Dockerfile(bytes, target: yaml.isMap(build) ? yaml.raw(yaml[build, "target"]) : nil)
    }

    func words(of node: NodeID, notes: inout [ImportNote]) -> [String]? {
        if yaml.isList(node) { return yaml.words(node, notes: &notes) }
        guard let raw = yaml.raw(node), let words = ShellText.words(raw) else { return nil }
        return words.map { word in
            let source = DollarText(word)
            if case .variable(_, let fallback, _) = source.pieces.first, source.pieces.count == 1,
                fallback == .none || source.flattened.contains(" ")
            {
                notes.append(yaml.changed("what \(word) stands for is one word here, blanks or not", at: node))
            }
            return yaml.text(word, at: node, notes: &notes)
        }
    }

    private func addCommand(of service: Service, to draft: inout Draft) {
        var notes: [ImportNote] = []
        guard !draft.hasCommand, let command = command(of: service, &notes) else { return }
        draft.hasCommand = true
        let node = service["entrypoint"] ?? service["command"] ?? service["build"] ?? service.key
        notes += command.arguments.compactMap { hostNote($0, key: "", at: node) }
        let value: Value =
            switch command {
            case .exec(let words): .strings(words)
            case .shell(let text): .string(text)
            }
        var entry = DraftEntry("command", .value(value), at: yaml.position(node), notes: notes)
        if service["entrypoint"] == nil, service["command"] == nil { entry.remarks = ["As its Dockerfile says."] }
        draft.add(entry)
    }

    private func addWorkingDirectory(_ entry: YAMLSource.Entry, of service: Service, to draft: inout Draft) {
        var notes: [ImportNote] = []
        guard let path = yaml.text(entry.value, isText: false, notes: &notes) else { return }
        if let mount = binds(of: service).first(where: { path == $0.target || path.hasPrefix($0.target + "/") }) {
            let inside = mount.source + path.dropFirst(mount.target.count)
            // Where the manifest lies is the default.
            guard ![".", "./"].contains(inside) else { return }
            return draft.add(DraftEntry("working_dir", .string(inside), at: yaml.position(entry.key)))
        }
        draft.lose(
            yaml.lost(
                entry, because: "\(path) is a folder of the image",
                instead: "write the folder of this host; without one it is the manifest's"))
    }

    // MARK: Environment

    private func addEnvironment(_ entry: YAMLSource.Entry, of service: Service, to draft: inout Draft) {
        var notes: [ImportNote] = []
        let hasSecrets = service["secrets"] != nil
        var entries = yaml.variables(entry.value, notes: &notes) { text, _ in
            // Where Compose mounts secrets.
            let prefix = "/run/secrets/"
            return hasSecrets && text.hasPrefix(prefix) ? "${ORCH_SECRETS}/\(text.dropFirst(prefix.count))" : text
        }
        for index in entries.indices {
            guard let text = entries[index].text else { continue }
            if let note = hostNote(text, key: entries[index].key, at: entry.key, origin: entries[index].origin) {
                entries[index].notes.append(note)
            }
        }
        draft.add(DraftEntry("environment", .map(entries), at: yaml.position(entry.key), notes: notes))
    }

    /// Names of services are names of hosts only in Compose's network.
    private func hostNote(_ text: String, key: String, at node: NodeID, origin: Position? = nil) -> ImportNote? {
        let isHostKey = ["HOST", "SERVER", "ADDR", "BROKER", "URL", "URI", "NODE"].contains {
            key.uppercased().contains($0)
        }
        let found = services.first { service in
            service.wanted.utf8.count > 1 && ShellText.isHost(service.wanted, in: text, alone: isHostKey)
        }
        return found.map { service in
            importer.changed(
                "\"\(service.wanted)\" is the name of a host in Compose's network only",
                at: origin ?? yaml.position(node),
                help: "write 127.0.0.1")
        }
    }
}

extension DraftEntry {
    /// Its value where it is a text.
    var text: String? {
        switch content {
        case .value(.string(let text)), .plain(let text): text
        case .nothing, .value, .map, .list: nil
        }
    }
}

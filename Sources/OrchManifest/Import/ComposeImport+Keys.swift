// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The remaining keys of a service.
extension ComposeImport {
    /// Keys that have nothing to become here: why, and what to do instead.
    static let losses: [String: (why: String, instead: String?)] = {
        let network = "processes use the host's own network"
        var table: [String: (why: String, instead: String?)] = [
            "privileged": ("a process has what its user may do", "write user: root if it must"),
            "read_only": ("processes see the host's own files", nil),
            "tmpfs": ("processes see the host's own files", "use a folder below /tmp or /run"),
            "configs": ("processes see the host's own files", "put it where the program reads it"),
            "volumes_from": ("processes see the host's own files", nil),
            "devices": ("processes see the host's own devices", "give its user access, with group_add"),
            "sysctls": ("the kernel's settings are the host's", "set them with sysctl"),
            "extends": ("it could not be followed", nil),
            "external_links": ("there are no names for hosts here", "write the address"),
            "annotations": ("nothing reads them here", "write labels"),
            "pull_policy": ("there is no image", nil), "platform": ("there is no image", nil),
        ]
        for key in [
            "mem_reservation", "mem_swappiness", "memswap_limit", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota",
            "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "blkio_config",
        ] {
            table[key] = (
                "only memory, processors and processes have limits here",
                "`resources: { memory: 512MB, cpus: 0.5, pids: 100 }` limits the whole tree"
            )
        }
        for key in [
            "networks", "network_mode", "dns", "dns_opt", "dns_search", "domainname", "extra_hosts", "mac_address",
            "expose",
        ] {
            table[key] = (network, key == "extra_hosts" ? "add them to /etc/hosts" : nil)
        }
        for key in [
            "pid", "ipc", "uts", "userns_mode", "cgroup", "cgroup_parent", "shm_size", "isolation", "runtime", "gpus",
            "storage_opt", "credential_spec", "oom_kill_disable", "oom_score_adj", "device_cgroup_rules", "label_file",
            "models", "provider", "attach", "use_api_socket",
        ] {
            table[key] = ("it is about containers", nil)
        }
        return table
    }()

    func list(_ entry: YAMLSource.Entry) -> DraftEntry? {
        var notes: [ImportNote] = []
        let words = yaml.items(entry.value).compactMap { yaml.text($0, isText: false, notes: &notes) }
        if words.isEmpty { return nil }
        return DraftEntry(entry.name, .value(.strings(words)), at: yaml.position(entry.key), notes: notes)
    }

    func labels(_ entry: YAMLSource.Entry) -> DraftEntry {
        var notes: [ImportNote] = []
        let entries = yaml.variables(entry.value, notes: &notes)
        return DraftEntry("labels", .map(entries), at: yaml.position(entry.key), notes: notes)
    }

    func envFile(_ entry: YAMLSource.Entry) -> DraftEntry {
        var notes: [ImportNote] = []
        var items: [Value] = []
        let nodes = yaml.isMap(entry.value) ? [entry.value] : yaml.items(entry.value)
        for item in nodes {
            guard yaml.isMap(item) else {
                if let path = yaml.text(item, isText: false, notes: &notes) { items.append(.string(path)) }
                continue
            }
            guard let node = yaml[item, "path"], let path = yaml.text(node, isText: false, notes: &notes) else {
                continue
            }
            if let format = yaml[item, "format"], let key = yaml.entries(item).first(where: { $0.name == "format" }) {
                notes.append(
                    yaml.lost(
                        key, because: "\(yaml.raw(format) ?? "it") is not how orch reads env files",
                        instead: "see manifest.md"))
            }
            if yaml.flag(yaml[item, "required"]) == false {
                items.append(.object([Value.Member("path", .string(path)), Value.Member("required", false)]))
            } else {
                items.append(.string(path))
            }
        }
        return DraftEntry("env_file", .value(.array(items)), at: yaml.position(entry.key), notes: notes)
    }

    func ulimits(_ entry: YAMLSource.Entry) -> DraftEntry {
        var items: [DraftEntry] = []
        for limit in yaml.entries(entry.value) {
            if yaml.isMap(limit.value) {
                let ends = yaml.entries(limit.value).compactMap { yaml.setting($0.name, $0.value, at: $0.key) }
                items.append(DraftEntry(limit.name, .map(ends), at: yaml.position(limit.key)))
            } else if let setting = yaml.setting(limit.name, limit.value, at: limit.key) {
                items.append(setting)
            }
        }
        return DraftEntry("ulimits", .map(items), at: yaml.position(entry.key))
    }

    func secretFiles(_ entry: YAMLSource.Entry) -> DraftEntry? {
        var items: [DraftEntry] = []
        var notes: [ImportNote] = []
        var hasTargets = false
        for item in yaml.items(entry.value) {
            let name = yaml.isMap(item) ? yaml.raw(yaml[item, "source"]) : yaml.raw(item)
            guard let name else { continue }
            guard secrets.contains(name) else {
                notes.append(
                    importer.lost(name, at: yaml.position(item), because: "the file has no such secret that is a file"))
                continue
            }
            var file = name
            if yaml.isMap(item), let target = yaml.raw(yaml[item, "target"]) { file = LexicalPath.lastPart(of: target) }
            if file != name { hasTargets = true }
            items.append(
                DraftEntry(
                    file, .value(file == name ? .null : .object([Value.Member("secret", .string(name))])),
                    at: yaml.position(item)))
        }
        guard !items.isEmpty else { return notes.isEmpty ? nil : .notes(notes) }
        notes.append(
            yaml.changed(
                "secrets are in the folder that $ORCH_SECRETS names, not in /run/secrets", at: entry.key))
        let place = yaml.position(entry.key)
        if hasTargets { return DraftEntry("secrets", .map(items), at: place, notes: notes) }
        return DraftEntry("secrets", .value(.strings(items.map(\.key))), at: place, notes: notes)
    }

    // MARK: Restarts and copies

    func addRestart(_ entry: YAMLSource.Entry, to draft: inout Draft) {
        guard let raw = yaml.raw(entry.value) else { return }
        if raw.hasPrefix("on-failure:") {
            let members = [
                DraftEntry("policy", "on-failure"), DraftEntry("max_attempts", .plain(String(raw.dropFirst(11)))),
            ]
            return draft.add(DraftEntry("restart", .map(members), at: yaml.position(entry.key)))
        }
        guard let setting = yaml.setting("restart", entry.value, at: entry.key) else { return }
        // What orch does anyway; a plain false is an old way to say no.
        switch setting.text {
        case "on-failure": break
        case "no", "false": draft.add(DraftEntry("restart", "no", at: setting.origin))
        default: draft.add(setting)
        }
    }

    func addDeploy(_ entry: YAMLSource.Entry, to draft: inout Draft) {
        for inner in yaml.entries(entry.value) where !yaml.tree.isNull(inner.value) {
            switch inner.name {
            case "replicas":
                if yaml.raw(inner.value) != "1" { draft.add(yaml.setting("replicas", inner.value, at: inner.key)) }
            case "restart_policy": draft.add(restartPolicy(inner))
            case "mode" where yaml.raw(inner.value) == "replicated": break
            case "resources":
                for part in yaml.entries(inner.value) {
                    if part.name == "limits" {
                        for limit in yaml.entries(part.value) { addLimit(limit, to: &draft) }
                    } else {
                        draft.lose(yaml.lost(part, because: "nothing is reserved here"))
                    }
                }
            default: draft.lose(yaml.lost(inner, because: "it is about a cluster"))
            }
        }
    }

    /// `mem_limit: 512m`, or `memory: 512m` of what a deployment is limited to. 0 and -1 are no limit.
    func addLimit(_ entry: YAMLSource.Entry, to draft: inout Draft) {
        let names = ["mem_limit": "memory", "memory": "memory", "cpus": "cpus", "pids_limit": "pids", "pids": "pids"]
        guard let raw = yaml.raw(entry.value), let name = names[entry.name] else {
            return draft.lose(yaml.lost(entry, because: "only memory, processors and processes have limits here"))
        }
        let text = DollarText(raw).flattened
        if ["0", "-1"].contains(text) { return }
        let content: DraftEntry.Content =
            name == "memory" ? .value(.string(SizeUnit.docker(text))) : YAMLSource.content(text)
        let limit = DraftEntry(name, content, at: yaml.position(entry.key))
        if let at = draft.entries.firstIndex(where: { $0.key == "resources" }) {
            // A service has each limit once.
            if !draft.entries[at].children.contains(where: { $0.key == name }) {
                draft.entries[at].children.append(limit)
            }
        } else {
            draft.add(DraftEntry("resources", .map([limit]), at: limit.origin))
        }
    }

    private func restartPolicy(_ entry: YAMLSource.Entry) -> DraftEntry {
        var items: [DraftEntry] = []
        let condition = yaml.raw(yaml[entry.value, "condition"]) ?? "any"
        let policy = ["none": "no", "on-failure": "on-failure", "any": "always"][condition] ?? condition
        items.append(DraftEntry("policy", .string(policy)))
        if policy != "no" {
            for inner in yaml.entries(entry.value)
            where ["delay", "max_attempts", "window"].contains(inner.name) {
                // Its window is how long to wait before a restart counts as a success.
                let key = inner.name == "window" ? "reset_after" : inner.name
                if let setting = yaml.setting(key, inner.value, at: inner.key) { items.append(setting) }
            }
        }
        if items.count == 1 { return DraftEntry("restart", .string(policy), at: yaml.position(entry.key)) }
        return DraftEntry("restart", .map(items), at: yaml.position(entry.key))
    }

    // MARK: Rights

    func addSecurity(_ entry: YAMLSource.Entry, of service: Service, to draft: inout Draft) {
        for item in yaml.items(entry.value) {
            let text = yaml.raw(item) ?? ""
            if text == "no-new-privileges" || text == "no-new-privileges:true" || text == "no-new-privileges=true" {
                draft.secure(
                    DraftEntry("no_new_privileges", true, at: yaml.position(item)), at: yaml.position(entry.key))
            } else {
                draft.lose(importer.lost(text, at: yaml.position(item), because: "it is about containers"))
            }
        }
    }

    /// Only where all are dropped the rest is known.
    func addCapabilities(_ entry: YAMLSource.Entry, of service: Service, to draft: inout Draft) {
        func names(_ key: String) -> [String] {
            service[key].map { yaml.items($0).compactMap { yaml.raw($0)?.uppercased() } } ?? []
        }
        guard names("cap_drop").contains("ALL"), !names("cap_add").contains("ALL") else {
            draft.lose(
                yaml.lost(
                    entry, because: "a process has what its user has, not a container's set",
                    instead: "write security: { capabilities: [CAP_…] }, which is all that it then has"))
            return
        }
        guard entry.name == "cap_drop" else { return }
        let kept = names("cap_add").map { $0.hasPrefix("CAP_") ? $0 : "CAP_\($0)" }
        draft.secure(
            DraftEntry("capabilities", .value(.strings(kept)), at: yaml.position(entry.key)),
            at: yaml.position(entry.key))
    }

    // MARK: Logs and volumes

    func logging(_ entry: YAMLSource.Entry) -> DraftEntry? {
        let driver = yaml.raw(yaml[entry.value, "driver"]) ?? "json-file"
        let place = yaml.position(entry.key)
        switch driver {
        case "none":
            return DraftEntry("logging", .map([DraftEntry("stdout", nil), DraftEntry("stderr", nil)]), at: place)
        case "syslog", "journald":
            return DraftEntry("logging", .map([DraftEntry("forward", .string(driver))]), at: place)
        case "json-file", "local": break
        default:
            return .notes([
                yaml.lost(
                    entry, because: "orch has no log driver \(driver)",
                    instead: "read the files, or write forward: syslog")
            ])
        }
        var rotate: [DraftEntry] = []
        var notes: [ImportNote] = []
        for option in yaml[entry.value, "options"].map({ yaml.entries($0) }) ?? [] {
            let text = yaml.raw(option.value).map { DollarText($0).flattened } ?? ""
            switch option.name {
            case "max-size":
                rotate.append(DraftEntry("size", .string(SizeUnit.docker(text)), at: yaml.position(option.key)))
            case "max-file": rotate.append(DraftEntry("keep", YAMLSource.content(text), at: yaml.position(option.key)))
            case "compress" where text == "true":
                rotate.append(DraftEntry("compress", "gzip", at: yaml.position(option.key)))
            default: notes.append(yaml.lost(option, because: "orch has nothing like it for logs"))
            }
        }
        if rotate.isEmpty { return notes.isEmpty ? nil : .notes(notes) }
        return DraftEntry("logging", .map([DraftEntry("rotate", .map(rotate))]), at: place, notes: notes)
    }

    /// Folders of this host and where they are seen in a container.
    func binds(of service: Service) -> [(source: String, target: String)] {
        mounts(of: service).filter { $0.source.hasPrefix(".") || $0.source.hasPrefix("/") || $0.source.hasPrefix("~") }
    }

    private func mounts(of service: Service) -> [(source: String, target: String)] {
        guard let node = service["volumes"] else { return [] }
        return yaml.items(node).compactMap { item in
            if yaml.isMap(item) {
                guard let target = yaml.raw(yaml[item, "target"]) else { return nil }
                return (DollarText(yaml.raw(yaml[item, "source"]) ?? "").flattened, target)
            }
            let parts = DollarText(yaml.raw(item) ?? "").flattened.split(separator: ":").map(String.init)
            guard parts.count > 1 else { return nil }
            return (parts[0], parts[1])
        }
    }

    func volumes(_ entry: YAMLSource.Entry) -> ImportNote {
        let service = Service(wanted: "", key: entry.key, entries: [entry], notes: [])
        let mounts = mounts(of: service)
        let shown = mounts.prefix(4).map { "\($0.target) is \($0.source.isEmpty ? "a volume" : $0.source)" }
        let more = mounts.count > 4 ? " and \(mounts.count - 4) more" : ""
        return yaml.lost(
            entry, because: "processes see the host's own files",
            instead: shown.isEmpty
                ? "keep the data in a folder of this host" : "paths change: \(shown.joined(separator: ", "))\(more)")
    }
}

extension ComposeImport.Draft {
    /// Adds to `security`, which several keys fill.
    mutating func secure(_ entry: DraftEntry, at place: Position) {
        if let at = entries.firstIndex(where: { $0.key == "security" }) {
            entries[at].children.append(entry)
        } else {
            entries.append(DraftEntry("security", .map([entry]), at: place))
        }
    }
}

/// Sizes as other tools write them.
enum SizeUnit {
    /// `10m`, `1.5g`: powers of 1024 (go-units' RAMInBytes).
    static func docker(_ text: String) -> String {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let count = Double(number) else { return text }
        let unit: (name: String, bytes: Double)
        switch text.dropFirst(number.count).lowercased() {
        case "", "b": unit = ("B", 1)
        case "k", "kb", "kib": unit = ("KiB", 1_024)
        case "m", "mb", "mib": unit = ("MiB", 1_048_576)
        case "g", "gb", "gib": unit = ("GiB", 1_073_741_824)
        case "t", "tb", "tib": unit = ("TiB", 1_099_511_627_776)
        default: return text
        }
        // A size is whole here.
        if number.contains("."), count < 1_000_000 { return "\(Int64((count * unit.bytes).rounded()))B" }
        return "\(number)\(unit.name)"
    }
}

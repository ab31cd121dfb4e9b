// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// One process: each key in its turn.
extension ProcessComposeImport {
    private typealias Entries = [DraftEntry]

    func draft(of process: Process) -> DraftEntry {
        var entries: [DraftEntry] = []
        if process.isTask { entries.append(DraftEntry("kind", "task")) }
        var seen: Set<String> = []
        for entry in yaml.entries(process.node) where !yaml.tree.isNull(entry.value) {
            // One of them decides for the other.
            let group = ["entrypoint": "command", "log_configuration": "log_location"][entry.name] ?? entry.name
            if group == "command" || group == "log_location" || group == "is_daemon" {
                guard seen.insert(group).inserted else { continue }
            }
            add(entry, of: process, to: &entries)
        }
        let availability = yaml[process.node, "availability"]
        if !process.isTask, availability.flatMap({ yaml.raw(yaml[$0, "restart"]) }) == nil,
            !entries.contains(where: { $0.key == "restart" })
        {
            entries.append(DraftEntry("restart", "no"))
        }
        return DraftEntry(process.name, .map(entries), at: yaml.position(process.key), notes: process.notes)
    }

    private func add(_ entry: YAMLSource.Entry, of process: Process, to entries: inout [DraftEntry]) {
        let place = yaml.position(entry.key)
        var notes: [ImportNote] = []
        func set(_ key: String, _ text: String?) {
            guard let text else { return }
            entries.append(DraftEntry(key, .value(.string(text)), at: place, notes: notes))
        }
        switch entry.name {
        case "command", "entrypoint": entries += command(of: process, at: place)
        case "working_dir": set("working_dir", text(entry.value, of: process, isText: false, notes: &notes))
        case "description": set("description", text(entry.value, of: process, notes: &notes))
        case "environment":
            let variables = yaml.variables(entry.value, notes: &notes) { [self] in
                filled($0, at: entry.key, of: process, isShell: false, notes: &$1)
            }
            entries.append(DraftEntry("environment", .map(variables), at: place, notes: notes))
        case "env_file":
            let words = yaml.items(entry.value).compactMap { text($0, of: process, isText: false, notes: &notes) }
            if !words.isEmpty {
                entries.append(DraftEntry("env_file", .value(.strings(words)), at: place, notes: notes))
            }
        case "depends_on": entries += needs(entry)
        case "availability": entries += availability(entry, of: process)
        case "readiness_probe", "liveness_probe": addProbe(entry, of: process, to: &entries)
        case "ready_log_line": entries += readyLine(entry, of: process)
        case "shutdown": entries += shutdown(entry, of: process)
        case "log_location", "log_configuration": entries += logging(of: process, at: place)
        case "is_daemon":
            if yaml.flag(entry.value) == true { entries += daemon(entry) }
        case "is_tty", "is_interactive":
            if yaml.flag(entry.value) == true, !entries.contains(where: { $0.key == "tty" }) {
                entries.append(DraftEntry("tty", true, at: place))
            }
        case "disabled", "is_disabled":
            if yaml.flag(entry.value) == true { entries.append(DraftEntry("enabled", false, at: place)) }
        case "replicas":
            if yaml.raw(entry.value) != "1" {
                yaml.setting("replicas", entry.value, at: entry.key).map { entries.append($0) }
            }
        case "namespace":
            let names = yaml.items(entry.value).compactMap { yaml.raw($0) }
            let label = DraftEntry("namespace", .string(names.joined(separator: ",")))
            entries.append(DraftEntry("labels", .map([label]), at: place))
        case "launch_timeout_seconds": entries += seconds("start_timeout", entry)
        case "success_exit_codes", "exit_codes": entries += exitCodes(entry)
        case "schedule": entries += schedule(entry, of: process)
        case "vars", "is_foreground", "is_template_disabled", "disable_ansi_colors", "is_dotenv_disabled": break
        default: entries += lost(entry)
        }
    }

    private func lost(_ entry: YAMLSource.Entry) -> [DraftEntry] {
        let isOff = yaml.flag(entry.value) == false
        if entry.name.hasPrefix("x-") || (entry.name.hasPrefix("is_") && isOff) { return [] }
        let why: (String, String?)
        switch entry.name {
        case "is_elevated": why = ("orch asks nobody for a password", "run the daemon as root and write user: NAME")
        case "extends": why = ("it is not followed", "copy the keys of that process to here and import again")
        default: why = ("it is no key that orch knows of process-compose", nil)
        }
        return [.notes([yaml.lost(entry, because: why.0, instead: why.1)])]
    }

    /// A command goes through the shell; without one, `entrypoint` is executed as it is.
    private func command(of process: Process, at place: Position) -> [DraftEntry] {
        var notes: [ImportNote] = []
        if let node = yaml[process.node, "command"], let text = shellText(node, of: process, notes: &notes) {
            return [DraftEntry("command", .value(.string(text)), at: yaml.position(node), notes: notes)]
        }
        guard let node = yaml[process.node, "entrypoint"] else { return [] }
        let words = yaml.items(node).compactMap { text($0, of: process, notes: &notes) }
        return [DraftEntry("command", .value(.strings(words)), at: place, notes: notes)]
    }

    // MARK: Needs

    private func needs(_ entry: YAMLSource.Entry) -> [DraftEntry] {
        var items: [DraftEntry] = []
        var lost: [ImportNote] = []
        for need in yaml.entries(entry.value) {
            guard let target = processes.first(where: { $0.wanted == need.name }) else {
                lost.append(
                    importer.lost(need.name, at: yaml.position(need.key), because: "this file has no such process"))
                continue
            }
            let condition = yaml.raw(yaml[need.value, "condition"]) ?? "process_started"
            let isReady = ["readiness_probe", "ready_log_line"].contains { yaml[target.node, $0] != nil }
            var term: String?
            switch condition {
            case "process_started": term = isReady || target.isTask ? "started" : nil
            case "process_healthy", "process_log_ready": term = nil
            case "process_completed": term = "completed"
            case "process_completed_successfully": term = nil
            default: term = condition
            }
            let terms = term.map { [DraftEntry("condition", .string($0))] } ?? []
            items.append(DraftEntry(target.name, .map(terms), at: yaml.position(need.key)))
        }
        let place = yaml.position(entry.key)
        if items.isEmpty { return lost.isEmpty ? [] : [.notes(lost)] }
        if items.allSatisfy(\.children.isEmpty) {
            return [DraftEntry("depends_on", .value(.strings(items.map(\.key))), at: place, notes: lost)]
        }
        return [DraftEntry("depends_on", .map(items), at: place, notes: lost)]
    }

    // MARK: Restarts

    private func availability(_ entry: YAMLSource.Entry, of process: Process) -> [DraftEntry] {
        let place = yaml.position(entry.key)
        var result: [DraftEntry] = []
        let word = yaml.raw(yaml[entry.value, "restart"])
        var policy = word.map { ["on_failure": "on-failure", "always": "always", "no": "no", "false": "no"][$0] ?? $0 }
        if word == "exit_on_failure" {
            policy = process.isTask ? nil : "no"
            result.append(
                DraftEntry(
                    "on_exit", .value(.object([Value.Member("0", "stop"), Value.Member("default", "stop-stack")])),
                    at: place))
        }
        var terms: [DraftEntry] = []
        for term in yaml.entries(entry.value) {
            switch term.name {
            case "restart": break
            case "backoff_seconds":
                // Always the same pause.
                if let raw = yaml.raw(term.value) {
                    terms += Importer.pause("\(DollarText(raw).flattened)s", at: yaml.position(term.key))
                }
            case "max_restarts":
                if let count = yaml.raw(term.value), count != "0" {
                    terms.append(DraftEntry("max_attempts", YAMLSource.content(count), at: yaml.position(term.key)))
                }
            case "exit_on_end":
                if yaml.flag(term.value) == true {
                    result.append(DraftEntry("essential", true, at: yaml.position(term.key)))
                }
            default:
                if yaml.flag(term.value) != false {
                    result.append(.notes([yaml.lost(term, because: "orch has nothing like it")]))
                }
            }
        }
        guard let policy else { return result }
        if terms.isEmpty || policy == "no" {
            let isUsual = policy == (process.isTask ? "no" : "on-failure")
            if !isUsual {
                result.append(DraftEntry("restart", .value(.string(policy)), at: policy == "no" ? nil : place))
            }
        } else {
            result.append(DraftEntry("restart", .map([DraftEntry("policy", .string(policy))] + terms), at: place))
        }
        return result
    }

    /// A number of seconds as a duration.
    func seconds(_ key: String, _ entry: YAMLSource.Entry) -> [DraftEntry] {
        guard let raw = yaml.raw(entry.value) else { return [] }
        let plain = DollarText(raw).flattened
        return [DraftEntry(key, .value(.string("\(plain)s")), at: yaml.position(entry.key))]
    }

    private func exitCodes(_ entry: YAMLSource.Entry) -> [DraftEntry] {
        let codes = yaml.items(entry.value).compactMap { yaml.raw($0).flatMap { Int64($0) } }
        let all = codes.contains(0) ? codes : [0] + codes
        return [
            DraftEntry("success_exit_codes", .value(.array(all.map { .int($0) })), at: yaml.position(entry.key))
        ]
    }

    private func schedule(_ entry: YAMLSource.Entry, of process: Process) -> [DraftEntry] {
        var terms: [DraftEntry] = []
        for term in yaml.entries(entry.value) where !yaml.tree.isNull(term.value) {
            let text = yaml.raw(term.value) ?? ""
            let place = yaml.position(term.key)
            switch term.name {
            case "cron": terms.append(DraftEntry("cron", .value(.string(text)), at: place))
            case "interval": terms.append(DraftEntry("every", .value(.string(text)), at: place))
            case "timezone": terms.append(DraftEntry("timezone", .value(.string(text)), at: place))
            case "max_concurrent" where text == "1": break
            case "max_concurrent": terms.append(DraftEntry("overlap", "allow", at: place))
            case "run_on_start" where yaml.flag(term.value) == false: break
            default:
                terms.append(
                    .notes([yaml.lost(term, because: "orch has nothing like it", instead: "`orch run` runs it by hand")]
                    ))
            }
        }
        return [DraftEntry("schedule", .map(terms), at: yaml.position(entry.key))]
    }

    /// It goes into the background and ends: orch then counts it as up without a process.
    private func daemon(_ entry: YAMLSource.Entry) -> [DraftEntry] {
        let note = yaml.changed(
            "orch follows what runs in the foreground", at: entry.key,
            help: "remove from the command what sends it into the background, and then on_exit")
        return [
            DraftEntry(
                "on_exit", .value(.object([Value.Member("0", "ignore")])), at: yaml.position(entry.key), notes: [note])
        ]
    }
}

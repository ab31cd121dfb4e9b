// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// One app: each key in its turn.
extension PM2Import {
    func draft(of app: ScriptLiteral) -> DraftEntry {
        var notes: [ImportNote] = []
        let given = app["name"].flatMap { text($0.value, notes: &notes) }
        let script = (app["script"] ?? app["cmd"]).flatMap { text($0.value, notes: &notes) }
        let stem = script.map { LexicalPath.lastPart(of: $0).split(separator: ".").first.map(String.init) ?? "app" }
        let place = app["name"]?.position ?? app.position
        let named = importer.name(for: given ?? stem ?? "app", at: place)
        var entries: [DraftEntry] = []
        var seen: Set<String> = []
        for member in app.members {
            let group = Self.groups[member.key] ?? member.key
            guard seen.insert(group).inserted else { continue }
            switch group {
            case "script": entries += command(app)
            case "restart": entries += restart(app)
            case "logging": entries += logging(app)
            case "uid": entries += user(app)
            case "watch": entries += watch(app)
            case "name": break
            default: add(member, of: app, to: &entries)
            }
        }
        if !seen.contains("restart") { entries += restart(app) }
        if !seen.contains("kill_timeout") { entries.append(DraftEntry("stop_grace_period", "1600ms")) }
        if !seen.contains("kill_signal") { entries.append(DraftEntry("stop_signal", "SIGINT")) }
        return DraftEntry(named.name, .map(entries), at: place, notes: named.notes)
    }

    private static let groups: [String: String] = [
        "cmd": "script", "args": "script", "interpreter": "script", "exec_interpreter": "script", "node_args": "script",
        "interpreter_args": "script", "nodeArgs": "script", "interpreterArgs": "script",
        "autorestart": "restart", "max_restarts": "restart", "min_uptime": "restart", "restart_delay": "restart",
        "exp_backoff_restart_delay": "restart", "stop_exit_codes": "restart",
        "out_file": "logging", "output": "logging", "out": "logging", "error_file": "logging", "error": "logging",
        "err_file": "logging", "err": "logging", "log_file": "logging", "log": "logging", "combine_logs": "logging",
        "merge_logs": "logging", "time": "logging", "log_date_format": "logging", "log_type": "logging",
        "gid": "uid", "user": "uid", "ignore_watch": "watch", "watch_delay": "watch",
    ]

    private func add(_ member: Member, of app: ScriptLiteral, to entries: inout [DraftEntry]) {
        var notes: [ImportNote] = []
        func set(_ key: String, _ text: String?) {
            if let text {
                entries.append(DraftEntry(key, YAMLSource.content(text), at: member.position, notes: notes))
            } else if !notes.isEmpty {
                entries.append(.notes(notes))
            }
        }
        if case .null = member.value.content { return }
        if case .word("false") = member.value.content { return }
        switch member.key {
        case "cwd":
            let folder = path(member.value, notes: &notes)
            if folder != "." && folder != "./" { set("working_dir", folder) }
        case "env": entries += environment(member)
        case "env_file": set("env_file", path(member.value, notes: &notes))
        case "kill_timeout": set("stop_grace_period", span(member.value, notes: &notes))
        case "kill_signal": set("stop_signal", text(member.value, notes: &notes))
        case "instances": entries += copies(member, of: app)
        // Clusters are told where their instances are.
        case "exec_mode", "instance_var", "pmx", "vizion", "automation", "treekill", "windowsHide",
            "source_map_support",
            "disable_source_map_support", "force", "listen_timeout", "namespace":
            break
        case "max_memory_restart":
            guard let size = text(member.value, notes: &notes) else { return set("", nil) }
            let limit = [
                DraftEntry("memory", .value(.string(SizeUnit.docker(size))), at: member.position),
                DraftEntry("on_exceed", "restart"),
            ]
            entries.append(DraftEntry("resources", .map(limit), at: member.position, notes: notes))
        default:
            let loss = Self.loss(of: member.key)
            entries.append(
                .notes([importer.lost(member.key, at: member.position, because: loss.why, instead: loss.instead)]))
        }
    }

    private static func loss(of key: String) -> (why: String, instead: String?) {
        switch key {
        case "watch_options": ("orch has its own way to watch", nil)
        case "wait_ready": ("orch has no message channel", "write ready: { log: PATTERN }, or a readiness probe")
        case "shutdown_with_message": ("orch has no message channel", "let the app end at SIGINT")
        case "cron_restart", "cron": ("services have no schedule", "a task with one that runs `orch restart NAME`")
        case "filter_env": ("services have only what is named anyway", nil)
        case _ where key.hasPrefix("env_"):
            ("one manifest is one environment", "write a second file and lay it over this one: orch apply -f A -f B")
        default: ("it is no key that orch knows of PM2", nil)
        }
    }

    // MARK: Command

    private func command(_ app: ScriptLiteral) -> [DraftEntry] {
        var notes: [ImportNote] = []
        guard let member = app["script"] ?? app["cmd"] else { return [] }
        guard let script = path(member.value, notes: &notes) else { return [.notes(notes)] }
        var words: [String] = []
        let given = app["interpreter"] ?? app["exec_interpreter"]
        let interpreter = given.flatMap { text($0.value, notes: &notes) } ?? Self.interpreter(of: script)
        if let interpreter, interpreter != "none" {
            words.append(interpreter)
            for key in ["node_args", "nodeArgs", "interpreter_args", "interpreterArgs"] {
                if let member = app[key] { words += self.words(member.value, notes: &notes) }
            }
        }
        // One text may hold arguments, too.
        words += script.contains(" ") && interpreter == nil ? ShellText.words(script) ?? [script] : [script]
        if let member = app["args"] { words += self.words(member.value, notes: &notes) }
        return [DraftEntry("command", .value(.strings(words)), at: member.position, notes: notes)]
    }

    /// As PM2 finds it, by the end of the script's name.
    private static func interpreter(of script: String) -> String? {
        let name = LexicalPath.lastPart(of: script)
        guard let dot = name.lastIndex(of: ".") else {
            // What has no path and no ending is a program that is looked for.
            return script.contains("/") ? "node" : nil
        }
        let known = [
            ".js": "node", ".mjs": "node", ".cjs": "node", ".ts": "bun", ".tsx": "bun", ".py": "python3", ".sh": "bash",
            ".rb": "ruby", ".php": "php", ".pl": "perl", ".coffee": "coffee", ".ls": "lsc",
        ]
        return known[String(name[dot...])]
    }

    private func words(_ literal: ScriptLiteral, notes: inout [ImportNote]) -> [String] {
        if case .list(let items) = literal.content { return items.compactMap { text($0, notes: &notes) } }
        guard let text = text(literal, notes: &notes) else { return [] }
        return ShellText.words(text) ?? [text]
    }

    private func environment(_ member: Member) -> [DraftEntry] {
        var items: [DraftEntry] = []
        for variable in member.value.members {
            var notes: [ImportNote] = []
            if let text = text(variable.value, notes: &notes) {
                items.append(DraftEntry(variable.key, YAMLSource.content(text), at: variable.position, notes: notes))
            } else {
                items.append(.notes(notes))
            }
        }
        return items.isEmpty ? [] : [DraftEntry("environment", .map(items), at: member.position)]
    }

    private func copies(_ member: Member, of app: ScriptLiteral) -> [DraftEntry] {
        var notes: [ImportNote] = []
        guard let text = text(member.value, notes: &notes) else { return [.notes(notes)] }
        guard let count = Int(text), count > 0 else {
            return [
                .notes([
                    importer.lost(
                        member.key, at: member.position, because: "\"\(text)\" is as many as this host has processors",
                        instead: "write replicas: COUNT")
                ])
            ]
        }
        if count == 1 { return [] }
        if case .text(let mode) = app["exec_mode"]?.value.content, mode.hasPrefix("cluster") {
            notes.append(
                importer.changed(
                    "instances of a cluster share one port; replicas are programs of their own", at: member.position,
                    help: "give each its port with ports: [auto], or let the app start its own workers"))
        }
        return [DraftEntry("replicas", .plain(String(count)), at: member.position, notes: notes)]
    }

    // MARK: Restarts, users, logs

    private func restart(_ app: ScriptLiteral) -> [DraftEntry] {
        var notes: [ImportNote] = []
        var result: [DraftEntry] = []
        if let member = app["stop_exit_codes"] {
            let codes = member.value.items.isEmpty ? [member.value] : member.value.items
            let items = codes.compactMap { code in text(code, notes: &notes).map { DraftEntry($0, "stop") } }
            result.append(DraftEntry("on_exit", .map(items), at: member.position))
        }
        if let member = app["autorestart"], case .word("false") = member.value.content {
            return result + [DraftEntry("restart", "no", at: member.position)]
        }
        var terms: [DraftEntry] = []
        if let member = app["exp_backoff_restart_delay"], let span = span(member.value, notes: &notes) {
            terms += [
                DraftEntry("delay", .value(.string(span)), at: member.position), DraftEntry("factor", .plain("1.5")),
                DraftEntry("max_delay", "15s"),
            ]
        } else if let member = app["restart_delay"], let span = span(member.value, notes: &notes), span != "0s" {
            terms += Importer.pause(span, at: member.position)
        }
        if let member = app["max_restarts"], let count = text(member.value, notes: &notes) {
            terms.append(DraftEntry("max_attempts", YAMLSource.content(count), at: member.position))
        }
        if let member = app["min_uptime"], let span = span(member.value, notes: &notes) {
            terms.append(DraftEntry("reset_after", .value(.string(span)), at: member.position))
        }
        if terms.isEmpty { return result + [DraftEntry("restart", "always")] }
        return result + [
            DraftEntry("restart", .map([DraftEntry("policy", "always")] + terms), at: terms[0].origin, notes: notes)
        ]
    }

    private func user(_ app: ScriptLiteral) -> [DraftEntry] {
        var notes: [ImportNote] = []
        guard let member = app["uid"] ?? app["user"], let name = text(member.value, notes: &notes) else { return [] }
        let group = app["gid"].flatMap { text($0.value, notes: &notes) }
        return [
            DraftEntry(
                "user", .value(.string(group.map { "\(name):\($0)" } ?? name)), at: member.position, notes: notes)
        ]
    }

    private func logging(_ app: ScriptLiteral) -> [DraftEntry] {
        var notes: [ImportNote] = []
        var terms: [DraftEntry] = []
        func file(_ keys: [String], _ stream: String) {
            guard let member = keys.lazy.compactMap({ app[$0] }).first, let path = path(member.value, notes: &notes)
            else {
                return
            }
            let isNone = ["/dev/null", "NULL"].contains(path)
            let isSame = stream == "stderr" && terms.first?.text == path
            terms.append(
                DraftEntry(
                    stream, .value(isNone ? .null : .string(isSame ? "merge" : path)), at: member.position))
        }
        file(["out_file", "output", "out"], "stdout")
        file(["error_file", "error", "err_file", "err"], "stderr")
        if let member = app["log_file"] ?? app["log"] {
            if terms.isEmpty {
                file(["log_file", "log"], "stdout")
                terms.append(DraftEntry("stderr", "merge"))
            } else {
                notes.append(
                    importer.lost(
                        member.key, at: member.position, because: "a line is written once",
                        instead: "`orch logs` merges both"))
            }
        }
        let stamped = isOn(app["time"]) ? app["time"] : app["log_date_format"]
        if let stamped { terms.append(DraftEntry("format", "timestamped", at: stamped.position)) }
        if let member = app["log_type"] { terms.append(DraftEntry("format", "json", at: member.position)) }
        if stamped != nil, app["log_type"] != nil { terms.removeAll { $0.text == "timestamped" } }
        if terms.isEmpty { return notes.isEmpty ? [] : [.notes(notes)] }
        return [DraftEntry("logging", .map(terms), at: terms[0].origin, notes: notes)]
    }
}

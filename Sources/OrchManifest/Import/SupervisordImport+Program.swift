// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// One program: each key in its turn.
extension SupervisordImport {
    func draft(of program: Program) -> DraftEntry {
        var entries: [DraftEntry] = []
        var seen: Set<String> = []
        for entry in program.section.entries {
            // Several keys make one.
            let group = Self.groups[entry.key] ?? entry.key
            guard seen.insert(group).inserted, let last = program.section[entry.key] else { continue }
            switch group {
            case "restart": entries += restart(program)
            case "logging": entries += logging(program)
            case "stop": entries += stop(program)
            default: add(last, of: program, to: &entries)
            }
        }
        entries += resources(of: program)
        return DraftEntry(program.name, .map(entries), at: program.section.position, notes: program.notes)
    }

    private static let groups: [String: String] = [
        "autorestart": "restart", "startretries": "restart", "startsecs": "restart",
        "stopsignal": "stop", "stopwaitsecs": "stop", "stopasgroup": "stop", "killasgroup": "stop",
        "stdout_logfile": "logging", "stderr_logfile": "logging", "redirect_stderr": "logging",
        "stdout_logfile_maxbytes": "logging", "stdout_logfile_backups": "logging", "stdout_syslog": "logging",
        "stderr_logfile_maxbytes": "logging", "stderr_logfile_backups": "logging", "stderr_syslog": "logging",
    ]

    private func add(_ entry: ConfigSection.Entry, of program: Program, to entries: inout [DraftEntry]) {
        var notes: [ImportNote] = []
        func set(_ key: String, _ value: Value) {
            entries.append(DraftEntry(key, .value(value), at: entry.position, notes: notes))
        }
        switch entry.key {
        case "command":
            let raw = entry.value.split(separator: "\n").joined(separator: " ")
            guard let words = ShellText.words(raw) else {
                return entries.append(
                    .notes([importer.lost("command", at: entry.position, because: "a quote in it is not closed")]))
            }
            set("command", .strings(words.map { text($0, of: program, at: entry.position, notes: &notes) }))
        case "directory":
            set("working_dir", .string(text(entry.value, of: program, at: entry.position, isPath: true, notes: &notes)))
        case "environment":
            let variables = environment(entry, of: program, notes: &notes)
            entries.append(DraftEntry("environment", .map(variables), at: entry.position, notes: notes))
        case "user": set("user", .string(text(entry.value, of: program, at: entry.position, notes: &notes)))
        case "umask":
            let digits = entry.value.drop { $0 == "0" }
            let text = String(repeating: "0", count: max(1, 4 - digits.count)) + digits
            entries.append(
                DraftEntry(
                    "umask", .plain(text.allSatisfy { $0.isASCII && $0.isNumber } ? text : "x"), at: entry.position))
        case "numprocs":
            if program.count != 1 { set("replicas", .int(Int64(program.count))) }
        case "autostart":
            if entry.value.lowercased() == "false" { set("enabled", false) }
        case "exitcodes":
            let codes = entry.value.split(separator: ",").compactMap { Int64($0.filter { $0 != " " }) }
            if codes != [0] { set("success_exit_codes", .array(codes.map { .int($0) })) }
        // What it is called there, and what `order` looks at.
        case "process_name", "numprocs_start", "priority": break
        default:
            let isOff = ["0", "false", "none", ""].contains(entry.value.lowercased())
            if isOff { return }
            let why =
                entry.key.contains("events") || entry.key.contains("capture")
                ? "orch has no listeners"
                : entry.key == "serverurl" ? "there is no such server" : "it is no key that orch knows of a program"
            entries.append(.notes([importer.lost(entry.key, at: entry.position, because: why)]))
        }
    }

    private func flag(_ key: String, _ program: Program) -> Bool? {
        switch program.section[key]?.value.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }

    // MARK: Restarts

    private func restart(_ program: Program) -> [DraftEntry] {
        let policy = flag("autorestart", program).map { $0 ? "always" : "no" } ?? "on-failure"
        let place = program.section["autorestart"]?.position ?? program.section.position
        if policy == "no" { return [DraftEntry("restart", "no", at: place)] }
        var terms: [DraftEntry] = []
        if let entry = program.section["startretries"] {
            terms.append(DraftEntry("max_attempts", YAMLSource.content(entry.value), at: entry.position))
        }
        // Who was up for so long has started.
        if let entry = program.section["startsecs"], let seconds = Int(entry.value), seconds > 0 {
            terms.append(DraftEntry("reset_after", .value(.string("\(seconds)s")), at: entry.position))
        }
        if terms.isEmpty {
            return policy == "on-failure" ? [] : [DraftEntry("restart", .value(.string(policy)), at: place)]
        }
        return [DraftEntry("restart", .map([DraftEntry("policy", .value(.string(policy)))] + terms), at: place)]
    }

    // MARK: Stopping

    private func stop(_ program: Program) -> [DraftEntry] {
        let signal = program.section["stopsignal"]
        let wait = program.section["stopwaitsecs"]
        let name = signal.map { Signal(text: $0.value)?.name ?? $0.value } ?? "SIGTERM"
        if flag("stopasgroup", program) == true {
            var step = [DraftEntry("signal", .value(.string(name)), at: signal?.position), DraftEntry("to", "group")]
            if let wait { step.append(DraftEntry("wait", .value(.string("\(wait.value)s")), at: wait.position)) }
            let place = program.section["stopasgroup"]?.position
            return [DraftEntry("stop", .list([DraftEntry("", .map(step), at: place)]), at: place)]
        }
        var entries: [DraftEntry] = []
        if name != "SIGTERM" { entries.append(DraftEntry("stop_signal", .value(.string(name)), at: signal?.position)) }
        if let wait, wait.value != "10" {
            entries.append(DraftEntry("stop_grace_period", .value(.string("\(wait.value)s")), at: wait.position))
        }
        return entries
    }

    // MARK: Logs

    private func logging(_ program: Program) -> [DraftEntry] {
        var terms: [DraftEntry] = []
        var notes: [ImportNote] = []
        sink("stdout", program, to: &terms, &notes)
        if flag("redirect_stderr", program) == true {
            terms.append(DraftEntry("stderr", "merge", at: program.section["redirect_stderr"]?.position))
        } else {
            sink("stderr", program, to: &terms, &notes)
        }
        if ["stdout_syslog", "stderr_syslog"].contains(where: { flag($0, program) == true })
            || program.section["stdout_logfile"]?.value == "syslog"
        {
            terms.append(DraftEntry("forward", "syslog", at: program.section["stdout_syslog"]?.position))
        }
        // There is one rotation for both; to a device there is none.
        let isDevice = program.section["stdout_logfile"].map { Self.isDevice($0.value) } ?? false
        var rotate: [DraftEntry] = []
        if !isDevice {
            if let entry = program.section["stdout_logfile_maxbytes"] ?? program.section["stderr_logfile_maxbytes"] {
                let isNone = entry.value == "0"
                let size = isNone ? "none" : SizeUnit.docker(entry.value)
                rotate.append(DraftEntry("size", .value(.string(size)), at: entry.position))
            }
            if let entry = program.section["stdout_logfile_backups"] ?? program.section["stderr_logfile_backups"] {
                rotate.append(DraftEntry("keep", YAMLSource.content(entry.value), at: entry.position))
            }
        }
        for key in ["maxbytes", "backups"] {
            if let out = program.section["stdout_logfile_\(key)"],
                let errors = program.section["stderr_logfile_\(key)"],
                out.value != errors.value, flag("redirect_stderr", program) != true
            {
                notes.append(
                    importer.lost("stderr_logfile_\(key)", at: errors.position, because: "both logs rotate alike"))
            }
        }
        if !rotate.isEmpty { terms.append(DraftEntry("rotate", .map(rotate))) }
        if terms.isEmpty { return notes.isEmpty ? [] : [.notes(notes)] }
        return [DraftEntry("logging", .map(terms), at: program.section.position, notes: notes)]
    }

    private static func isDevice(_ path: String) -> Bool { path.hasPrefix("/dev/") || path.hasPrefix("/proc/") }

    private func sink(_ stream: String, _ program: Program, to terms: inout [DraftEntry], _ notes: inout [ImportNote]) {
        guard let entry = program.section["\(stream)_logfile"] else { return }
        switch entry.value.uppercased() {
        case "AUTO", "SYSLOG": return
        case "NONE": return terms.append(DraftEntry(stream, .value(.null), at: entry.position))
        default: break
        }
        if entry.value == "/dev/null" { return terms.append(DraftEntry(stream, .value(.null), at: entry.position)) }
        if Self.isDevice(entry.value) {
            return notes.append(
                importer.lost(
                    "\(stream)_logfile", at: entry.position, because: "orch keeps the log in a file",
                    instead: "`orch up` and `orch logs -f` show it"))
        }
        var own: [ImportNote] = []
        let path = text(entry.value, of: program, at: entry.position, isPath: true, notes: &own)
        terms.append(DraftEntry(stream, .value(.string(path)), at: entry.position, notes: own))
    }
}

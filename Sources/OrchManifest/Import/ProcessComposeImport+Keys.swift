// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Probes, stopping and logs of a process.
extension ProcessComposeImport {
    func addProbe(_ entry: YAMLSource.Entry, of process: Process, to entries: inout [DraftEntry]) {
        let kind = entry.name == "readiness_probe" ? "readiness" : "liveness"
        let place = yaml.position(entry.key)
        if process.isTask, kind == "readiness" {
            return entries.append(
                .notes([
                    yaml.lost(entry, because: "others wait for its end", instead: "what it asked is asked by nobody")
                ]))
        }
        let probe = DraftEntry(kind, .map(probe(entry, of: process)), at: place)
        if let at = entries.firstIndex(where: { $0.key == "health" }) {
            entries[at].children.append(probe)
        } else {
            entries.append(DraftEntry("health", .map([probe]), at: place))
        }
    }

    private func probe(_ entry: YAMLSource.Entry, of process: Process) -> [DraftEntry] {
        var terms: [DraftEntry] = []
        for term in yaml.entries(entry.value) where !yaml.tree.isNull(term.value) {
            switch term.name {
            case "exec": terms += command(term, of: process)
            case "http_get":
                terms.append(DraftEntry("http", .map(http(term, of: process)), at: yaml.position(term.key)))
            case "initial_delay_seconds" where yaml.raw(term.value) != "0": terms += seconds("initial_delay", term)
            case "period_seconds" where yaml.raw(term.value) != "10": terms += seconds("interval", term)
            case "timeout_seconds" where yaml.raw(term.value) != "1": terms += seconds("timeout", term)
            case "success_threshold" where yaml.raw(term.value) != "1",
                "failure_threshold" where yaml.raw(term.value) != "3":
                yaml.setting(term.name, term.value, at: term.key).map { terms.append($0) }
            case "initial_delay_seconds", "period_seconds", "timeout_seconds", "success_threshold", "failure_threshold":
                break
            default: terms.append(.notes([yaml.lost(term, because: "a probe has nothing like it")]))
            }
        }
        return terms
    }

    private func command(_ entry: YAMLSource.Entry, of process: Process) -> [DraftEntry] {
        var notes: [ImportNote] = []
        guard let node = yaml[entry.value, "command"], let text = shellText(node, of: process, notes: &notes) else {
            return []
        }
        guard let folder = yaml[entry.value, "working_dir"],
            let path = self.text(folder, of: process, isText: false, notes: &notes)
        else { return [DraftEntry("command", .value(.string(text)), at: yaml.position(node), notes: notes)] }
        let whole = "cd \(ShellText.quoted(path)) && \(text)"
        return [DraftEntry("command", .value(.string(whole)), at: yaml.position(node), notes: notes)]
    }

    private func http(_ entry: YAMLSource.Entry, of process: Process) -> [DraftEntry] {
        var notes: [ImportNote] = []
        func text(_ key: String, isText: Bool) -> String? {
            yaml[entry.value, key].flatMap { self.text($0, of: process, isText: isText, notes: &notes) }
        }
        let scheme = text("scheme", isText: false)?.lowercased() ?? "http"
        let host = text("host", isText: false) ?? "127.0.0.1"
        let port = text("port", isText: false) ?? text("num_port", isText: false)
        var path = text("path", isText: true) ?? "/"
        if !path.hasPrefix("/") { path = "/" + path }
        var terms: [DraftEntry] = []
        if scheme == "http", ["127.0.0.1", "localhost"].contains(host), let port {
            terms.append(DraftEntry("port", YAMLSource.content(port)))
            if path != "/" { terms.append(DraftEntry("path", .value(.string(path)))) }
        } else {
            let name = port.map { "\(host):\($0)" } ?? host
            terms.append(DraftEntry("url", .value(.string("\(scheme)://\(name)\(path)"))))
        }
        if let headers = yaml[entry.value, "headers"], yaml.isMap(headers) {
            let items = yaml.entries(headers).compactMap { header -> DraftEntry? in
                self.text(header.value, of: process, notes: &notes).map {
                    DraftEntry(header.name, .value(.string($0)), at: yaml.position(header.key))
                }
            }
            terms.append(DraftEntry("headers", .map(items)))
        }
        if let status = yaml[entry.value, "status_code"].flatMap({ yaml.raw($0) }) {
            terms.append(DraftEntry("expect", .map([DraftEntry("status", YAMLSource.content(status))])))
        }
        if let first = terms.indices.first { terms[first].notes += notes }
        return terms
    }

    /// A text that a line must hold; orch has a pattern there.
    func readyLine(_ entry: YAMLSource.Entry, of process: Process) -> [DraftEntry] {
        var notes: [ImportNote] = []
        guard let raw = yaml.raw(entry.value) else { return [] }
        if process.isTask { return [.notes([yaml.lost(entry, because: "others wait for its end")])] }
        let text = filled(raw, at: entry.value, of: process, isShell: false, notes: &notes)
        var pattern = ""
        for character in DollarText(text).flattened {
            if "\\.[]{}()*+?^$|".contains(character) { pattern += character == "$" ? "[$]" : "\\" }
            if character != "$" { pattern.append(character) }
        }
        return [
            DraftEntry(
                "ready", .map([DraftEntry("log", .value(.string(pattern)))]), at: yaml.position(entry.key), notes: notes
            )
        ]
    }

    // MARK: Stopping

    func shutdown(_ entry: YAMLSource.Entry, of process: Process) -> [DraftEntry] {
        let place = yaml.position(entry.key)
        let wait = yaml[entry.value, "timeout_seconds"].flatMap { yaml.raw($0) }.flatMap { $0 == "0" ? nil : "\($0)s" }
        let raw = yaml[entry.value, "signal"].flatMap { yaml.raw($0) }
        let signal = raw.map { Signal(text: $0)?.name ?? $0 }
        var lost: [DraftEntry] = []
        for term in yaml.entries(entry.value)
        where !["timeout_seconds", "signal", "command", "parent_only"].contains(term.name) {
            lost.append(.notes([yaml.lost(term, because: "orch has nothing like it")]))
        }
        var notes: [ImportNote] = []
        let waits = wait.map { [DraftEntry("wait", .value(.string($0)))] } ?? []
        if let node = yaml[entry.value, "command"], let text = shellText(node, of: process, notes: &notes) {
            let step = [DraftEntry("command", .value(.string(text)), at: yaml.position(node))] + waits
            return lost + [DraftEntry("stop", .list([DraftEntry("", .map(step), at: place)]), at: place, notes: notes)]
        }
        if yaml.flag(yaml[entry.value, "parent_only"]) == true {
            let step =
                [DraftEntry("signal", .value(.string(signal ?? "SIGTERM"))), DraftEntry("to", "main")] + waits
            return lost + [DraftEntry("stop", .list([DraftEntry("", .map(step), at: place)]), at: place)]
        }
        var entries = lost
        if let signal, signal != "SIGTERM" {
            entries.append(DraftEntry("stop_signal", .value(.string(signal)), at: place))
        }
        if let wait { entries.append(DraftEntry("stop_grace_period", .value(.string(wait)), at: place)) }
        return entries
    }

    // MARK: Logs

    func logging(of process: Process, at place: Position) -> [DraftEntry] {
        var notes: [ImportNote] = []
        var terms: [DraftEntry] = []
        if let node = yaml[process.node, "log_location"],
            let path = text(node, of: process, isText: false, notes: &notes)
        {
            terms.append(DraftEntry("stdout", .value(.string(path)), at: yaml.position(node)))
            terms.append(DraftEntry("stderr", "merge"))
        }
        for term in yaml.entries(yaml[process.node, "log_configuration"]) where !yaml.tree.isNull(term.value) {
            switch term.name {
            case "rotation":
                let rotate = rotation(term)
                if !rotate.isEmpty { terms.append(DraftEntry("rotate", .map(rotate), at: yaml.position(term.key))) }
            case "add_timestamp" where yaml.flag(term.value) == true:
                terms.append(DraftEntry("format", "timestamped", at: yaml.position(term.key)))
            case "no_color", "flush_each_line", "no_metadata", "disable_json": break
            default:
                if yaml.flag(term.value) != false {
                    notes.append(
                        yaml.lost(term, because: "a line is written as it came", instead: "format: json or timestamped")
                    )
                }
            }
        }
        if terms.isEmpty { return notes.isEmpty ? [] : [.notes(notes)] }
        return [DraftEntry("logging", .map(terms), at: place, notes: notes)]
    }

    private func rotation(_ entry: YAMLSource.Entry) -> [DraftEntry] {
        var terms: [DraftEntry] = []
        for term in yaml.entries(entry.value) {
            guard let text = yaml.raw(term.value) else { continue }
            let place = yaml.position(term.key)
            switch term.name {
            case "max_size_mb": terms.append(DraftEntry("size", .value(.string("\(text)MiB")), at: place))
            case "max_backups": terms.append(DraftEntry("keep", YAMLSource.content(text), at: place))
            case "max_age_days": terms.append(DraftEntry("max_age", .value(.string("\(text)d")), at: place))
            case "compress" where yaml.flag(term.value) == true: terms.append(DraftEntry("compress", "gzip", at: place))
            case "compress": break
            default: terms.append(.notes([yaml.lost(term, because: "rotation has nothing like it")]))
            }
        }
        return terms
    }
}

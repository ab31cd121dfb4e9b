// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Environment, restarts, logs, order and schedules of a unit.
extension SystemdImport {
    func environment(_ unit: Unit) -> [DraftEntry] {
        var notes: [ImportNote] = []
        var items: [DraftEntry] = []
        for entry in unit.values("Environment", in: "Service") {
            guard let words = UnitText.words(entry.value) else {
                notes.append(importer.lost("Environment", at: entry.position, because: "a quote in it is not closed"))
                continue
            }
            for word in words {
                let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2, !parts[0].isEmpty else {
                    notes.append(importer.lost(word, at: entry.position, because: "it is not NAME=value"))
                    continue
                }
                var own: [ImportNote] = []
                let value = text(parts[1], of: unit, at: entry.position, notes: &own)
                items.removeAll { $0.key == parts[0] }
                items.append(DraftEntry(parts[0], YAMLSource.content(value), at: entry.position, notes: own))
            }
        }
        for entry in unit.values("UnsetEnvironment", in: "Service") {
            for name in entry.value.split(separator: " ") where !name.contains("=") {
                items.removeAll { $0.key == name }
                items.append(DraftEntry(String(name), .value(.null), at: entry.position))
            }
        }
        if items.isEmpty { return notes.isEmpty ? [] : [.notes(notes)] }
        return [DraftEntry("environment", .map(items), at: items[0].origin, notes: notes)]
    }

    func environmentFiles(_ unit: Unit) -> [DraftEntry] {
        var notes: [ImportNote] = []
        var items: [Value] = []
        let entries = unit.values("EnvironmentFile", in: "Service")
        for entry in entries {
            let isOptional = entry.value.hasPrefix("-")
            let path = text(String(entry.value.drop { $0 == "-" }), of: unit, at: entry.position, notes: &notes)
            if path.contains(where: { "*?[".contains($0) }) {
                notes.append(
                    importer.lost("EnvironmentFile", at: entry.position, because: "a file is named whole here"))
                continue
            }
            items.append(
                isOptional
                    ? .object([Value.Member("path", .string(path)), Value.Member("required", false)]) : .string(path))
        }
        guard let first = entries.first else { return [] }
        if !unit.values("Environment", in: "Service").isEmpty, !items.isEmpty {
            notes.append(
                importer.changed("where both name a variable, environment wins here, not the file", at: first.position))
        }
        if items.isEmpty { return [.notes(notes)] }
        return [DraftEntry("env_file", .value(.array(items)), at: first.position, notes: notes)]
    }

    // MARK: Restarts

    func restart(_ unit: Unit) -> [DraftEntry] {
        var result: [DraftEntry] = []
        var notes: [ImportNote] = []
        let word = unit.last("Restart")
        var policy = word?.value ?? "no"
        switch policy {
        case "no", "always", "on-failure": break
        case "on-success":
            policy = unit.isTask ? "no" : "on-failure"
            result.append(
                DraftEntry(
                    "on_exit", .map([DraftEntry("0", "restart"), DraftEntry("default", "stop")]), at: word?.position))
        default:
            if ["on-abnormal", "on-abort", "on-watchdog"].contains(policy) {
                notes.append(
                    importer.changed(
                        "Restart=\(policy) is on-failure here, exit codes included", at: word?.position ?? unit.position
                    ))
                policy = "on-failure"
            }
        }
        var terms: [DraftEntry] = []
        if let entry = unit.last("RestartSec"), let span = UnitText.duration(entry.value) {
            let most = unit.last("RestartMaxDelaySec").flatMap { UnitText.duration($0.value) }
            terms += Importer.pause(span, upTo: most, at: entry.position)
        }
        terms += startLimit(unit)
        let isUsual = policy == (unit.isTask ? "no" : "on-failure")
        if policy == "no" || terms.isEmpty {
            if !isUsual {
                result.append(
                    DraftEntry(
                        "restart", .value(.string(policy)), at: policy == "no" ? nil : word?.position, notes: notes))
                notes = []
            }
        } else {
            result.append(
                DraftEntry(
                    "restart", .map([DraftEntry("policy", .value(.string(policy)))] + terms), at: word?.position,
                    notes: notes))
            notes = []
        }
        return notes.isEmpty ? result : result + [.notes(notes)]
    }

    /// So many starts in so long.
    private func startLimit(_ unit: Unit) -> [DraftEntry] {
        func entry(_ keys: String...) -> ConfigSection.Entry? {
            keys.lazy.compactMap { unit.last($0, in: "Unit") ?? unit.last($0) }.first
        }
        let burst = entry("StartLimitBurst")
        let interval = entry("StartLimitIntervalSec", "StartLimitInterval")
        guard let place = burst?.position ?? interval?.position else { return [] }
        let count = Int(burst?.value ?? "5") ?? 5
        let span = interval.map { UnitText.duration($0.value) ?? $0.value } ?? "10s"
        if count < 1 || span == "0s" || span == "none" { return [] }
        var attempts = DraftEntry("max_attempts", .plain(String(count - 1)), at: place)
        attempts.remarks = ["With the first start, \(count) in that time."]
        return [attempts, DraftEntry("window", .value(.string(span)), at: interval?.position ?? place)]
    }

    func exitActions(_ unit: Unit) -> [DraftEntry] {
        var items: [DraftEntry] = []
        for (key, action) in [("RestartPreventExitStatus", "stop"), ("RestartForceExitStatus", "restart")] {
            for entry in unit.values(key, in: "Service") {
                for code in entry.value.split(whereSeparator: { $0 == " " || $0 == "," }) {
                    items.removeAll { $0.key == code }
                    items.append(DraftEntry(String(code), .value(.string(action)), at: entry.position))
                }
            }
        }
        return items.isEmpty ? [] : [DraftEntry("on_exit", .map(items), at: items[0].origin)]
    }

    // MARK: Logs

    func logging(_ unit: Unit) -> [DraftEntry] {
        var notes: [ImportNote] = []
        var terms: [DraftEntry] = []
        let output = unit.last("StandardOutput")
        let errors = unit.last("StandardError")
        for (stream, entry) in [("stdout", output), ("stderr", errors)] {
            guard let entry else { continue }
            let parts = entry.value.split(separator: ":", maxSplits: 1).map(String.init)
            switch parts.first ?? "" {
            case "null": terms.append(DraftEntry(stream, .value(.null), at: entry.position))
            case "file", "append", "truncate":
                let path = text(parts.count > 1 ? parts[1] : "", of: unit, at: entry.position, notes: &notes)
                let isSame = stream == "stderr" && output.map { $0.value.hasSuffix(":\(parts.last ?? "")") } == true
                terms.append(DraftEntry(stream, .value(.string(isSame ? "merge" : path)), at: entry.position))
            case "journal", "journal+console", "syslog", "syslog+console", "kmsg":
                let to = entry.value.hasPrefix("syslog") ? "syslog" : "journald"
                if !terms.contains(where: { $0.key == "forward" }) {
                    terms.append(DraftEntry("forward", .value(.string(to)), at: entry.position))
                }
            case "inherit": break
            default:
                notes.append(
                    importer.lost(
                        entry.key, at: entry.position, because: "orch keeps the log in a file",
                        instead: "`orch logs` shows it"))
            }
        }
        // What says nothing of its errors sends them where its output goes.
        if terms.contains(where: { $0.key == "stdout" }), errors == nil || errors?.value == "inherit" {
            terms.append(DraftEntry("stderr", "merge"))
        }
        if terms.isEmpty { return notes.isEmpty ? [] : [.notes(notes)] }
        return [DraftEntry("logging", .map(terms), at: output?.position ?? errors?.position, notes: notes)]
    }

    // MARK: Order

    private func targets(_ keys: [String], of unit: Unit) -> Set<String> {
        Set(
            keys.flatMap { unit.values($0, in: "Unit") }.flatMap { entry in
                entry.value.split(separator: " ").map(String.init)
            })
    }

    /// Units that are named and not given; what the system's own targets stand for is there when orch is.
    func absent(_ key: String, _ unit: Unit) -> [DraftEntry] {
        let notes = unit.values(key, in: "Unit").compactMap { entry -> ImportNote? in
            let names = entry.value.split(separator: " ").map(String.init).filter { name in
                self.unit(named: name) == nil && !name.hasSuffix(".target") && !name.hasPrefix("systemd-")
            }
            guard let first = names.first else { return nil }
            return importer.lost(
                key, at: entry.position, because: "\(names.joined(separator: ", ")) is not among these files",
                instead: first.hasSuffix(".service")
                    ? "import it too, or write depends_on: [tcp://HOST:PORT]" : nil)
        }
        return notes.isEmpty ? [] : [.notes(notes)]
    }

    func needs(of unit: Unit) -> [DraftEntry] {
        let required = targets(["Requires", "Requisite", "BindsTo"], of: unit)
        let part = targets(["PartOf"], of: unit).union(required)
        let bound = targets(["BindsTo"], of: unit)
        var after = targets(["After"], of: unit)
        for other in units where targets(["Before"], of: other).contains(unit.file) { after.insert(other.file) }
        let wanted = targets(["Wants", "Upholds"], of: unit)
        var items: [DraftEntry] = []
        for other in units where other.file != unit.file {
            let file = other.file
            guard required.contains(file) || after.contains(file) || wanted.contains(file) else { continue }
            var terms: [DraftEntry] = []
            if !after.contains(file) {
                terms.append(DraftEntry("condition", "started"))
            } else if other.isTask, !required.contains(file) {
                terms.append(DraftEntry("condition", "completed"))
            }
            if !required.contains(file) { terms.append(DraftEntry("required", false)) }
            if part.contains(file), !other.isTask { terms.append(DraftEntry("on_restart", "restart")) }
            if bound.contains(file) { terms.append(DraftEntry("on_failure", "stop")) }
            items.append(DraftEntry(other.name, .map(terms)))
        }
        if items.isEmpty { return [] }
        let place = ["Requires", "BindsTo", "After", "Wants"].lazy.compactMap { unit.last($0, in: "Unit") }.first?
            .position
        if items.allSatisfy(\.children.isEmpty) {
            return [DraftEntry("depends_on", .value(.strings(items.map(\.key))), at: place)]
        }
        return [DraftEntry("depends_on", .map(items), at: place)]
    }

    // MARK: Timers

    func schedule(_ timer: Unit) -> DraftEntry {
        var terms: [DraftEntry] = []
        var notes: [ImportNote] = []
        var hasTrigger = false
        for section in timer.sections where section.name == "Timer" {
            for entry in section.entries {
                var term: DraftEntry?
                switch entry.key {
                case "OnCalendar":
                    let parts = entry.value.split(separator: " ").map(String.init)
                    let zone = parts.count > 1 ? parts.last.flatMap { $0.contains("/") || $0 == "UTC" ? $0 : nil } : nil
                    let event = (zone == nil ? parts : parts.dropLast()).joined(separator: " ")
                    if !hasTrigger, let cron = UnitText.cron(event) {
                        term = DraftEntry("cron", .value(.string(cron)), at: entry.position)
                        if let zone { terms.append(DraftEntry("timezone", .value(.string(zone)), at: entry.position)) }
                    }
                case "OnUnitActiveSec", "OnUnitInactiveSec":
                    if !hasTrigger, let span = UnitText.duration(entry.value) {
                        term = DraftEntry("every", .value(.string(span)), at: entry.position)
                    }
                case "RandomizedDelaySec":
                    UnitText.duration(entry.value).map {
                        terms.append(DraftEntry("jitter", .value(.string($0)), at: entry.position))
                    }
                    continue
                case "Persistent":
                    if entry.value == "true" { terms.append(DraftEntry("missed", "run-once", at: entry.position)) }
                    continue
                case "Unit", "AccuracySec": continue
                default: break
                }
                if let term {
                    hasTrigger = true
                    terms.insert(term, at: 0)
                } else {
                    notes.append(
                        importer.lost(
                            entry.key, at: entry.position,
                            because: hasTrigger ? "a schedule has one trigger" : "a schedule can't say \(entry.value)"))
                }
            }
        }
        return DraftEntry(
            "schedule", .map(terms), at: timer.sections.first { $0.name == "Timer" }?.position, notes: notes)
    }
}

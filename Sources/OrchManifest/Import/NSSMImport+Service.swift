// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// One service: each setting in its turn.
extension NSSMImport {
    func draft(of service: Service) -> DraftEntry {
        var entries: [DraftEntry] = []
        var seen: Set<String> = []
        for setting in service.settings {
            let group = Self.groups[setting.name] ?? setting.name
            guard seen.insert(group).inserted else { continue }
            switch group {
            case "application": entries += command(service)
            case "restart": entries += restart(service)
            case "stop": entries += stop(service)
            case "logging": entries += logging(service)
            case "appenvironment": entries += environment(service)
            default: add(service[setting.name] ?? setting, of: service, to: &entries)
            }
        }
        // What NSSM does where nothing else is said.
        if !seen.contains("stop") { entries += stop(service) }
        if !seen.contains("restart") { entries += restart(service) }
        return DraftEntry(service.name, .map(entries), at: service.position, notes: service.notes)
    }

    private static let groups: [String: String] = [
        "appparameters": "application", "appexit": "restart", "appthrottle": "restart", "apprestartdelay": "restart",
        "appstopmethodskip": "stop", "appstopmethodconsole": "stop", "appstopmethodwindow": "stop",
        "appstopmethodthreads": "stop", "appkillprocesstree": "stop", "appstdout": "logging", "appstderr": "logging",
        "approtatefiles": "logging", "approtatebytes": "logging", "approtateseconds": "logging",
        "approtateonline": "logging", "approtatebyteshigh": "logging", "apptimestamplog": "logging",
        "appenvironmentextra": "appenvironment",
    ]

    private func add(_ setting: Setting, of service: Service, to entries: inout [DraftEntry]) {
        func set(_ key: String, _ value: Value) { entries.append(DraftEntry(key, value, at: setting.position)) }
        let text = setting.value
        switch setting.name {
        case "appdirectory":
            let path = self.path(text)
            let entry = DraftEntry(
                "working_dir", .value(.string(path.text)), at: setting.position,
                notes: path.isForeign ? [foreign(setting)] : [])
            entries.append(entry.taken(out: path.isForeign))
        case "displayname": if text != service.wanted { set("title", .string(LaunchTemplate.literal(text))) }
        case "description": set("description", .string(LaunchTemplate.literal(text)))
        case "start":
            switch text.uppercased() {
            case "SERVICE_DISABLED", "SERVICE_DEMAND_START": set("enabled", false)
            case "SERVICE_DELAYED_AUTO_START", "SERVICE_DELAYED_START":
                entries.append(
                    .notes([
                        importer.lost(
                            "Start", at: setting.position, because: "services start when what they need is there",
                            instead: "write depends_on")
                    ]))
            default: break
            }
        case "dependonservice": entries += needs(setting)
        case "apppriority":
            let nice = [
                "HIGH_PRIORITY_CLASS": -10, "ABOVE_NORMAL_PRIORITY_CLASS": -5, "BELOW_NORMAL_PRIORITY_CLASS": 5,
                "IDLE_PRIORITY_CLASS": 19, "REALTIME_PRIORITY_CLASS": -20,
            ]
            if let value = nice[text.uppercased()] { set("nice", .int(Int64(value))) }
        case "appaffinity": if text.lowercased() != "all" { set("cpu_affinity", .string(text)) }
        case "appstdin": lose(setting, "orch does not have stdin yet", nil, to: &entries)
        case "objectname":
            if !["LOCALSYSTEM", ""].contains(text.uppercased()) {
                lose(setting, "\(text) is a user of Windows", "write user: NAME", to: &entries)
            }
        case "appnoconsole", "type", "appstdoutcreationdisposition", "appstderrcreationdisposition", "name":
            break
        default:
            if ["0", ""].contains(text) { return }
            let isHook = setting.name.hasPrefix("appevents") || setting.name == "appredirecthook"
            lose(
                setting, isHook ? "it is a program of Windows" : "orch has nothing like it",
                isHook ? "write hooks: { pre_start: … }, or post_stop, or another" : nil, to: &entries)
        }
    }

    private func lose(_ setting: Setting, _ why: String, _ help: String?, to entries: inout [DraftEntry]) {
        entries.append(.notes([importer.lost(setting.shown, at: setting.position, because: why, instead: help)]))
    }

    private func foreign(_ setting: Setting) -> ImportNote {
        importer.lost(
            setting.shown, at: setting.position, because: "\(setting.value) is a path of Windows",
            instead: "write the one of this host")
    }

    /// A path with slashes, and whether it begins with a drive or a share.
    private func path(_ text: String) -> (text: String, isForeign: Bool) {
        let turned = text.replacing("\\", with: "/")
        let bytes = Array(text.utf8.prefix(2))
        let isDrive = bytes.count == 2 && bytes[1] == 58
        return (LaunchTemplate.literal(turned), isDrive || text.hasPrefix("\\\\"))
    }

    // MARK: Command

    /// The program by its name alone: where it lies on this host is found by PATH.
    private func command(_ service: Service) -> [DraftEntry] {
        guard let program = service["application"] else { return [] }
        var notes: [ImportNote] = []
        let path = path(program.value)
        var first = path.text
        if path.isForeign || program.value.lowercased().hasSuffix(".exe") {
            first = LexicalPath.lastPart(of: path.text)
            if first.lowercased().hasSuffix(".exe") { first = String(first.dropLast(4)) }
            notes.append(
                importer.changed(
                    "\(program.value) is a program of Windows; here \"\(first)\" is looked for along PATH",
                    at: program.position, help: "write the program of this host"))
        }
        var words = [first]
        for setting in service.all("appparameters").suffix(1) {
            let parameters = Self.words(setting.values.joined(separator: " "))
            if parameters.contains(where: { $0.contains(":\\") }) {
                notes.append(
                    importer.changed(
                        "the arguments hold paths of Windows", at: setting.position, help: "write those of this host"))
            }
            words += parameters.map { LaunchTemplate.literal($0) }
        }
        return [DraftEntry("command", .value(.strings(words)), at: program.position, notes: notes)]
    }

    private func environment(_ service: Service) -> [DraftEntry] {
        var items: [DraftEntry] = []
        var notes: [ImportNote] = []
        for setting in service.all("appenvironment") + service.all("appenvironmentextra") {
            for word in setting.values.flatMap({ $0.split(separator: "\n").map(String.init) }) {
                let mark = word.first.map { "+-:".contains($0) } ?? false
                let pair = mark ? String(word.dropFirst()) : word
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard let name = parts.first, !name.isEmpty else { continue }
                if parts.count < 2 || word.hasPrefix("-") {
                    items.append(DraftEntry(name, .value(.null), at: setting.position))
                    continue
                }
                var own: [ImportNote] = []
                if parts[1].contains("%") {
                    own.append(
                        importer.changed(
                            "%NAME% stands for nothing here", at: setting.position, help: "write ${NAME}"))
                }
                items.removeAll { $0.key == name }
                items.append(
                    DraftEntry(
                        name, YAMLSource.content(LaunchTemplate.literal(parts[1])), at: setting.position, notes: own))
            }
        }
        if items.isEmpty { return [] }
        if let whole = service["appenvironment"] {
            notes.append(
                importer.changed(
                    "it replaced the whole environment; here PATH, HOME and the like are inherited", at: whole.position,
                    help: "inherit_environment: [] inherits nothing"))
        }
        return [DraftEntry("environment", .map(items), at: items[0].origin, notes: notes)]
    }

    private func needs(_ setting: Setting) -> [DraftEntry] {
        var names: [String] = []
        var notes: [ImportNote] = []
        for word in setting.values.flatMap({ $0.split(whereSeparator: { $0 == "/" || $0 == "," }).map(String.init) }) {
            if let other = service(named: word) {
                names.append(other.name)
            } else {
                notes.append(
                    importer.lost(
                        word, at: setting.position, because: "it is not among these services", instead: "dump it, too"))
            }
        }
        if names.isEmpty { return notes.isEmpty ? [] : [.notes(notes)] }
        return [DraftEntry("depends_on", .value(.strings(names)), at: setting.position, notes: notes)]
    }

    // MARK: Restarts

    /// NSSM restarts whatever ended unless it is told otherwise, after a pause that doubles for what ran shortly.
    private func restart(_ service: Service) -> [DraftEntry] {
        var result: [DraftEntry] = []
        var actions: [DraftEntry] = []
        var notes: [ImportNote] = []
        var usual = "restart"
        for setting in service.all("appexit") where setting.values.count >= 2 {
            let action = ["restart": "restart", "ignore": "ignore", "exit": "stop", "suicide": "stop"][
                setting.values[1].lowercased()]
            guard let action else { continue }
            if setting.values[1].lowercased() == "suicide" {
                notes.append(importer.changed("Suicide is stop here", at: setting.position))
            }
            if setting.values[0].lowercased() == "default" {
                usual = action
            } else {
                actions.append(DraftEntry(setting.values[0], .value(.string(action)), at: setting.position))
            }
        }
        let policy = usual == "restart" ? "always" : "no"
        if usual == "ignore" { actions.append(DraftEntry("default", "ignore")) }
        if !actions.isEmpty { result.append(DraftEntry("on_exit", .map(actions), at: actions[0].origin, notes: notes)) }
        var terms: [DraftEntry] = []
        func span(_ name: String) -> (String, Position)? {
            service[name].flatMap { setting in
                Int64(setting.value).flatMap {
                    $0 > 0 && $0 < 1 << 40 ? (Duration.milliseconds($0).text, setting.position) : nil
                }
            }
        }
        if let (delay, place) = span("apprestartdelay") {
            terms.append(DraftEntry("delay", .value(.string(delay)), at: place))
            if let span = Duration(text: delay), span > RestartPolicy(.always).maxDelay {
                terms.append(DraftEntry("max_delay", .value(.string(delay)), at: place))
            }
        }
        if let (reset, place) = span("appthrottle") {
            terms.append(DraftEntry("reset_after", .value(.string(reset)), at: place))
        }
        if policy == "no" || terms.isEmpty { return result + [DraftEntry("restart", .value(.string(policy)))] }
        return result + [
            DraftEntry("restart", .map([DraftEntry("policy", .value(.string(policy)))] + terms), at: terms[0].origin)
        ]
    }

    // MARK: Stopping

    /// Ctrl-C, a closed window and a message to threads become the signals that ask the same, each as long as there.
    private func stop(_ service: Service) -> [DraftEntry] {
        let skipped = service["appstopmethodskip"].flatMap { Int($0.value) } ?? 0
        let ways = [
            ("appstopmethodconsole", 1, "SIGINT"), ("appstopmethodwindow", 2, "SIGTERM"),
            ("appstopmethodthreads", 4, "SIGQUIT"),
        ]
        let steps = ways.filter { skipped & $0.1 == 0 }.map { name, _, signal in
            let setting = service[name]
            let wait = setting.flatMap { Int64($0.value) }.flatMap { $0 < 1 << 40 && $0 >= 0 ? $0 : nil } ?? 1_500
            return DraftEntry(
                "",
                .map([
                    DraftEntry("signal", .value(.string(signal))),
                    DraftEntry("wait", .value(.string(Duration.milliseconds(wait).text)), at: setting?.position),
                ]), at: setting?.position)
        }
        var notes: [ImportNote] = []
        if skipped & 8 != 0, let setting = service["appstopmethodskip"] {
            notes.append(importer.lost("8", at: setting.position, because: "at last orch always kills what is left"))
        }
        if let setting = service["appkillprocesstree"], setting.value == "0" {
            notes.append(
                importer.lost(
                    "AppKillProcessTree", at: setting.position, because: "orch leaves nothing of a service behind"))
        }
        return [DraftEntry("stop", .list(steps), at: service["appstopmethodskip"]?.position, notes: notes)]
    }

    // MARK: Logs

    private func logging(_ service: Service) -> [DraftEntry] {
        var terms: [DraftEntry] = []
        var output: String?
        for (stream, name) in [("stdout", "appstdout"), ("stderr", "appstderr")] {
            guard let setting = service[name], !setting.value.isEmpty else { continue }
            if stream == "stderr", setting.value == output {
                terms.append(DraftEntry("stderr", "merge", at: setting.position))
                continue
            }
            let path = path(setting.value)
            output = setting.value
            let entry = DraftEntry(
                stream, .value(.string(path.text)), at: setting.position,
                notes: path.isForeign ? [foreign(setting)] : [])
            terms.append(entry.taken(out: path.isForeign))
        }
        if let setting = service["apptimestamplog"], setting.value == "1" {
            terms.append(DraftEntry("format", "timestamped", at: setting.position))
        }
        var rotate: [DraftEntry] = []
        if let setting = service["approtatebytes"], let bytes = Int64(setting.value), bytes > 0 {
            rotate.append(DraftEntry("size", .value(.string(SizeText.format(bytes))), at: setting.position))
        }
        if let setting = service["approtateseconds"], let seconds = Int64(setting.value), seconds > 0, seconds < 1 << 24
        {
            rotate.append(DraftEntry("every", .value(.string(Duration.seconds(seconds).text)), at: setting.position))
        }
        if let setting = service["approtatefiles"], setting.value == "1", !rotate.isEmpty {
            terms.append(DraftEntry("rotate", .map(rotate), at: setting.position))
        }
        return terms.isEmpty ? [] : [DraftEntry("logging", .map(terms), at: terms[0].origin)]
    }
}

extension DraftEntry {
    /// The same, as a comment if `isOut`.
    fileprivate func taken(out isOut: Bool) -> DraftEntry {
        var entry = self
        entry.isOut = isOut
        return entry
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// One unit: each key in its turn.
extension SystemdImport {
    func draft(of unit: Unit) -> DraftEntry {
        var entries: [DraftEntry] = []
        if unit.isTask { entries.append(DraftEntry("kind", "task")) }
        var seen: Set<String> = []
        for section in unit.sections {
            for entry in section.entries {
                // Several keys, and several lines of one, make one.
                let group = Self.groups[entry.key] ?? entry.key
                guard seen.insert("\(section.name).\(group)").inserted else { continue }
                switch section.name {
                case "Unit": entries += unitKey(entry, of: unit)
                case "Service": entries += serviceKey(entry, group, of: unit)
                case "Install": break
                default:
                    if seen.insert(section.name).inserted, !section.name.hasPrefix("X-") {
                        entries.append(
                            .notes([
                                importer.lost(
                                    "[\(section.name)]", at: section.position, because: "it is no part of a service")
                            ]))
                    }
                }
            }
        }
        entries += needs(of: unit)
        if let timer = timer(of: unit) { entries.append(schedule(timer)) }
        entries += sockets(of: unit)
        Importer.merge("security", in: &entries)
        Importer.merge("on_exit", in: &entries)
        if !seen.contains("Service.WorkingDirectory") { entries.append(DraftEntry("working_dir", "/")) }
        if !seen.contains("Service.restart"), !unit.isTask { entries.append(DraftEntry("restart", "no")) }
        if !seen.contains("Service.stop") { entries += stop(unit) }
        return DraftEntry(unit.name, .map(entries), at: unit.position, notes: unit.notes)
    }

    static let groups: [String: String] = {
        var table: [String: String] = [
            "ExecStartPre": "hooks", "ExecStartPost": "hooks", "ExecStopPost": "hooks", "Group": "User",
            "IOSchedulingPriority": "IOSchedulingClass",
            "StandardError": "StandardOutput", "AmbientCapabilities": "CapabilityBoundingSet",
            "RemainAfterExit": "Type", "RestartForceExitStatus": "RestartPreventExitStatus",
            "UnsetEnvironment": "Environment",
        ]
        for key in [
            "Restart", "RestartSec", "RestartSteps", "RestartMaxDelaySec", "StartLimitBurst", "StartLimitInterval",
            "StartLimitIntervalSec",
        ] {
            table[key] = "restart"
        }
        for key in ["KillSignal", "TimeoutStopSec", "KillMode", "ExecStop"] { table[key] = "stop" }
        for limit in SystemdImport.limited.keys { table[limit] = "resources" }
        for limit in SystemdImport.limits.keys { table["Limit\(limit)"] = "limits" }
        return table
    }()

    static let limits = [
        "CPU": "cpu", "FSIZE": "fsize", "DATA": "data", "STACK": "stack", "CORE": "core", "RSS": "rss",
        "NOFILE": "nofile", "AS": "as", "NPROC": "nproc", "MEMLOCK": "memlock", "LOCKS": "locks",
        "SIGPENDING": "sigpending", "MSGQUEUE": "msgqueue", "NICE": "nice", "RTPRIO": "rtprio", "RTTIME": "rttime",
    ]

    private func unitKey(_ entry: ConfigSection.Entry, of unit: Unit) -> [DraftEntry] {
        var notes: [ImportNote] = []
        switch entry.key {
        case "Description":
            let whole = text(
                unit.last("Description", in: "Unit")?.value ?? "", of: unit, at: entry.position, notes: &notes)
            return [DraftEntry("description", .value(.string(whole)), at: entry.position, notes: notes)]
        case "Documentation", "DefaultDependencies", "StartLimitBurst", "StartLimitInterval", "StartLimitIntervalSec",
            "SourcePath", "CollectMode":
            return []
        case "After", "Before", "Requires", "Requisite", "BindsTo", "PartOf", "Wants", "Upholds":
            return absent(entry.key, unit)
        default:
            let why: String
            var instead: String?
            if entry.key.hasPrefix("Condition") || entry.key.hasPrefix("Assert") {
                why = "a start has no such condition"
                instead = entry.key.contains("PathExists") ? "depends_on: [file:PATH] waits for it" : nil
            } else if entry.key == "OnFailure" || entry.key == "OnSuccess" {
                why = "it would start another unit"
                instead =
                    entry.key == "OnFailure"
                    ? "write hooks: { on_failed: { command: … } }, which is told ORCH_REASON"
                    : "write hooks: { post_stop: { command: … } }, which is told ORCH_EXIT_CODE"
            } else if entry.key.hasPrefix("X-") {
                return []
            } else {
                why = "orch has nothing like it"
            }
            return [.notes([importer.lost(entry.key, at: entry.position, because: why, instead: instead)])]
        }
    }

    private func serviceKey(_ entry: ConfigSection.Entry, _ group: String, of unit: Unit) -> [DraftEntry] {
        switch group {
        case "ExecStart": return command(unit)
        case "stop": return stop(unit)
        case "hooks": return hooks(unit)
        case "ExecReload": return reload(unit)
        case "restart": return restart(unit)
        case "Type": return type(unit)
        case "User": return user(unit)
        case "Environment": return environment(unit)
        case "EnvironmentFile": return environmentFiles(unit)
        case "limits": return ulimits(unit)
        case "resources": return resources(unit)
        case "CapabilityBoundingSet": return capabilities(unit)
        case "IOSchedulingClass": return ioClass(unit)
        case "StandardOutput": return logging(unit)
        case "RestartPreventExitStatus": return exitActions(unit)
        default: return plainKey(unit.last(entry.key) ?? entry, of: unit)
        }
    }

    private func plainKey(_ entry: ConfigSection.Entry, of unit: Unit) -> [DraftEntry] {
        var notes: [ImportNote] = []
        func value(_ key: String, _ content: DraftEntry.Content) -> [DraftEntry] {
            [DraftEntry(key, content, at: entry.position, notes: notes)]
        }
        let isOn = ["yes", "true", "on", "1"].contains(entry.value.lowercased())
        let isOff = ["no", "false", "off", "0", ""].contains(entry.value.lowercased())
        switch entry.key {
        case "WorkingDirectory":
            let path = text(String(entry.value.drop { $0 == "-" }), of: unit, at: entry.position, notes: &notes)
            return value("working_dir", .value(.string(path == "~" ? "${HOME}" : path)))
        case "UMask":
            let digits = entry.value.drop { $0 == "0" }
            return value("umask", .plain(String(repeating: "0", count: max(1, 4 - digits.count)) + digits))
        case "Nice": return value("nice", YAMLSource.content(entry.value))
        case "CPUAffinity":
            let parts = entry.value.split { $0 == " " || $0 == "," }
            return value("cpu_affinity", .value(.string(parts.joined(separator: ","))))
        case "SupplementaryGroups":
            return value("group_add", .value(.strings(entry.value.split(separator: " ").map(String.init))))
        case "NoNewPrivileges":
            return isOn ? Self.secured(DraftEntry("no_new_privileges", true, at: entry.position)) : []
        case "SuccessExitStatus":
            let codes = entry.value.split { $0 == " " || $0 == "," }.map {
                Int64($0).map { Value.int($0) } ?? .string(String($0))
            }
            return value("success_exit_codes", .value(.array(codes.contains(0) ? codes : [0] + codes)))
        case "TimeoutStartSec", "TimeoutSec":
            guard let span = UnitText.duration(entry.value) else { break }
            let whole = span == "0s" ? "none" : span
            return value(unit.isTask ? "timeout" : "start_timeout", .value(.string(whole)))
        case "PassEnvironment":
            inherited.formUnion(entry.value.split(separator: " ").map(String.init))
            return []
        case "SyslogIdentifier", "GuessMainPID", "Sockets", "NotifyAccess": return []
        case "SendSIGKILL" where isOn: return []
        default: break
        }
        if entry.key.hasPrefix("X-") || (isOff && entry.key != "SendSIGKILL") { return [] }
        let loss = Self.loss(of: entry.key)
        return [.notes([importer.lost(entry.key, at: entry.position, because: loss.why, instead: loss.instead)])]
    }

    private static func loss(of key: String) -> (why: String, instead: String?) {
        switch key {
        case "ExecCondition":
            return ("a start has no such condition", "hooks: { pre_start: … } makes it a failed start")
        case _ where key.hasSuffix("Directory") || key.hasSuffix("DirectoryMode"):
            return ("orch makes no folders for services", "make it before, or in the command")
        case "WatchdogSec": return ("orch has no such watchdog yet", "write a liveness probe")
        case "DynamicUser": return ("orch makes no users", "write user: NAME")
        case "PIDFile": return ("orch follows what runs in the foreground", nil)
        case "Slice", "Delegate": return ("where its control group lies is orch's business", nil)
        default: break
        }
        if key == "MemoryDenyWriteExecute" { return ("orch has no such walls around a service", nil) }
        let resources = ["Memory", "CPU", "Tasks", "IO", "Block", "OOM", "ManagedOOM"]
        if resources.contains(where: key.hasPrefix) {
            return (
                "only memory, processors and processes have limits here",
                "`resources: { memory: 512MB, cpus: 0.5, pids: 100 }` limits the whole tree"
            )
        }
        let sandbox = [
            "Protect", "Private", "Restrict", "ReadOnly", "ReadWrite", "Inaccessible", "Bind", "Root", "Temporary",
            "SystemCall", "Lock", "Mount", "Capability", "SecureBits", "Device", "IPAddress", "KeyringMode",
            "ProcSubset",
            "Remove", "NoExec", "Exec", "SELinux", "AppArmor", "Namespace",
        ]
        if sandbox.contains(where: key.hasPrefix) { return ("orch has no such walls around a service", nil) }
        return ("orch has nothing like it", nil)
    }

    // MARK: Kind and user

    private func type(_ unit: Unit) -> [DraftEntry] {
        guard let entry = unit.last("Type") ?? unit.last("RemainAfterExit") else { return [] }
        let remains = ["yes", "true", "on", "1"].contains(unit.last("RemainAfterExit")?.value.lowercased() ?? "")
        switch unit.last("Type")?.value ?? "simple" {
        case "notify", "notify-reload":
            let ready = DraftEntry("ready", .map([DraftEntry("notify", true)]), at: entry.position)
            guard unit.last("Type")?.value == "notify-reload", !unit.isTask else { return [ready] }
            return [ready, DraftEntry("reload", .map([DraftEntry("notify", true)]), at: entry.position)]
        case "forking":
            let note = importer.changed(
                "it goes into the background, and orch follows what runs in the foreground: so it is not enabled",
                at: entry.position, help: "add the option that keeps it in the foreground, then remove  enabled: false")
            return [DraftEntry("enabled", .value(false), at: entry.position, notes: [note])]
        case "dbus":
            return [
                .notes([
                    importer.lost(
                        "Type", at: entry.position, because: "orch waits for no name on the bus",
                        instead: "write health: { readiness: … }")
                ])
            ]
        case "oneshot": return []
        default:
            return remains && !unit.isTask
                ? [DraftEntry("on_exit", .map([DraftEntry("0", "ignore")]), at: unit.last("RemainAfterExit")?.position)]
                : []
        }
    }

    private func user(_ unit: Unit) -> [DraftEntry] {
        var notes: [ImportNote] = []
        let group = unit.last("Group")
        guard let entry = unit.last("User") else {
            return group.map {
                [
                    .notes([
                        importer.lost(
                            "Group", at: $0.position, because: "a group comes with a user",
                            instead: "write user: NAME:\($0.value)")
                    ])
                ]
            } ?? []
        }
        let name = text(entry.value, of: unit, at: entry.position, notes: &notes)
        let whole = group.map { "\(name):\(text($0.value, of: unit, at: $0.position, notes: &notes))" } ?? name
        return [DraftEntry("user", .value(.string(whole)), at: entry.position, notes: notes)]
    }

    private func ioClass(_ unit: Unit) -> [DraftEntry] {
        guard let entry = unit.last("IOSchedulingClass") ?? unit.last("IOSchedulingPriority") else { return [] }
        let given = unit.last("IOSchedulingClass")?.value ?? "best-effort"
        let name = ["0": "none", "1": "realtime", "2": "best-effort", "3": "idle"][given] ?? given
        if name == "none" { return [] }
        let level = name == "idle" ? nil : unit.last("IOSchedulingPriority")?.value
        return [DraftEntry("io_class", .value(.string(level.map { "\(name):\($0)" } ?? name)), at: entry.position)]
    }

    private func capabilities(_ unit: Unit) -> [DraftEntry] {
        let bounding = unit.values("CapabilityBoundingSet", in: "Service")
        let ambient = unit.values("AmbientCapabilities", in: "Service")
        let given = ambient.isEmpty ? bounding : ambient
        guard let first = given.first else {
            // An empty list leaves none.
            let empty = unit.sections.lazy.flatMap(\.entries).first { $0.key == "CapabilityBoundingSet" }
            return empty.map { Self.secured(DraftEntry("capabilities", .value(.array([])), at: $0.position)) } ?? []
        }
        // With a user, what is listed is given to it; a bound alone gives nothing.
        if given.contains(where: { $0.value.hasPrefix("~") }) || (ambient.isEmpty && unit.last("User") != nil) {
            return [
                .notes([
                    importer.lost(
                        first.key, at: first.position, because: "what \"capabilities\" lists is also given to the user",
                        instead: "write security: { capabilities: [] } if it needs none")
                ])
            ]
        }
        let names = given.flatMap { $0.value.split(separator: " ").map { $0.uppercased() } }
        return Self.secured(DraftEntry("capabilities", .value(.strings(names)), at: first.position))
    }

    private static func secured(_ entry: DraftEntry) -> [DraftEntry] {
        [DraftEntry("security", .map([entry]), at: entry.origin)]
    }

    private func ulimits(_ unit: Unit) -> [DraftEntry] {
        var items: [DraftEntry] = []
        for section in unit.sections where section.name == "Service" {
            for entry in section.entries {
                guard entry.key.hasPrefix("Limit"), let name = Self.limits[String(entry.key.dropFirst(5))] else {
                    continue
                }
                let ends = entry.value.split(separator: ":").map { end -> DraftEntry.Content in
                    if end == "infinity" { return .value("unlimited") }
                    return end.last?.isLetter == true
                        ? .value(.string(SizeUnit.docker(String(end)))) : YAMLSource.content(String(end))
                }
                items.removeAll { $0.key == name }
                switch ends.count {
                case 1: items.append(DraftEntry(name, ends[0], at: entry.position))
                case 2:
                    items.append(
                        DraftEntry(
                            name, .map([DraftEntry("soft", ends[0]), DraftEntry("hard", ends[1])]), at: entry.position))
                default: break
                }
            }
        }
        return items.isEmpty ? [] : [DraftEntry("ulimits", .map(items), at: items[0].origin)]
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// process-compose's files (process-compose 1.x).
final class ProcessComposeImport {
    struct Process {
        var wanted: String
        var key: NodeID
        var node: NodeID
        var name = ""
        var notes: [ImportNote] = []
        /// Somebody waits for its end, or it runs by a schedule.
        var isTask = false
    }

    let importer: Importer
    let yaml: YAMLSource
    private(set) var processes: [Process] = []
    /// Values of templates, by name.
    private(set) var variables: [String: String] = [:]
    /// Names that shells will ask for.
    var inherited: Set<String> = []

    init?(_ importer: Importer) {
        self.importer = importer
        guard let yaml = YAMLSource(importer) else { return nil }
        self.yaml = yaml
        yaml.expands = yaml.flag(yaml[yaml.root, "disable_env_expansion"]) != true
    }

    func draft() -> [DraftEntry] {
        guard yaml.isMap(yaml.root), let node = yaml[yaml.root, "processes"], yaml.isMap(node) else {
            yaml.error("there are no processes in it", at: yaml.root, help: "the file has  processes:  at its top")
            return []
        }
        let dotEnv = importer.readDotEnv()
        variables = variables(of: yaml.root)
        collect(node)
        var services = processes.map { draft(of: $0) }
        var top = topEntries()
        top += importer.inheriting(inherited.filter { !importer.isInDotEnv($0) })
        top += dotEnv
        top += defaults(&services)
        return top + [DraftEntry("services", .map(services), at: yaml.position(node))]
    }

    private func collect(_ node: NodeID) {
        for entry in yaml.entries(node) {
            guard yaml.isMap(entry.value) else {
                yaml.error("the process \"\(entry.name.prefix(80))\" has no definition", at: entry.key)
                continue
            }
            let named = importer.name(for: entry.name, at: yaml.position(entry.key))
            processes.append(
                Process(wanted: entry.name, key: entry.key, node: entry.value, name: named.name, notes: named.notes))
        }
        for process in processes {
            for need in yaml.entries(yaml[process.node, "depends_on"])
            where ["process_completed", "process_completed_successfully"].contains(
                yaml.raw(yaml[need.value, "condition"]) ?? "")
            {
                for index in processes.indices where processes[index].wanted == need.name {
                    processes[index].isTask = true
                }
            }
        }
        for index in processes.indices where yaml[processes[index].node, "schedule"] != nil {
            processes[index].isTask = true
        }
    }

    func variables(of node: NodeID) -> [String: String] {
        var found: [String: String] = [:]
        for entry in yaml.entries(yaml[node, "vars"]) { found[entry.name] = yaml.raw(entry.value) }
        return found
    }

    // MARK: Around the processes

    private func topEntries() -> [DraftEntry] {
        var entries: [DraftEntry] = []
        for entry in yaml.entries(yaml.root) where !yaml.tree.isNull(entry.value) {
            switch entry.name {
            // How it shows itself, and what was looked at already.
            case "processes", "version", "vars", "shell", "is_strict", "log_level", "log_length", "log_format",
                "is_tui_disabled", "disable_env_expansion", "ordered_shutdown":
                break
            case "name":
                guard let text = yaml.raw(entry.value), let name = Name.made(from: text) else { break }
                entries.append(DraftEntry("name", .string(name), at: yaml.position(entry.key)))
            case "environment":
                var notes: [ImportNote] = []
                let variables = yaml.variables(entry.value, notes: &notes)
                entries.append(
                    DraftEntry("environment", .map(variables), at: yaml.position(entry.key), notes: notes))
            default:
                if entry.name.hasPrefix("x-") { break }
                let known = Self.topLosses[entry.name]
                entries.append(
                    .notes([
                        yaml.lost(
                            entry, because: known?.why ?? "it is no key that orch knows of process-compose",
                            instead: known?.instead)
                    ]))
            }
        }
        return entries
    }

    private static let topLosses: [String: (why: String, instead: String?)] = [
        "env_cmds": ("nothing is executed to read a manifest", "write the command into the shell text that needs it"),
        "log_location": ("each service has its own log", "`orch logs` shows them as one"),
        "log_configuration": ("each service has its own log", "write defaults: { logging: … }"),
        "extends": (
            "each file is imported on its own", "import that file too, and lay this one over it: orch apply -f A -f B"
        ),
        "mcp_server": ("orch is no such server", nil),
    ]

    /// What process-compose does where a file says nothing.
    private func defaults(_ services: inout [DraftEntry]) -> [DraftEntry] {
        var entries: [DraftEntry] = []
        let shell = yaml[yaml.root, "shell"]
        let program = shell.flatMap { yaml.raw(yaml[$0, "shell_command"]) } ?? "bash"
        let option = shell.flatMap { yaml.raw(yaml[$0, "shell_argument"]) } ?? "-c"
        let hasShell = services.contains { service in
            service.children.contains { $0.key == "command" && $0.text != nil }
        }
        if hasShell { entries.append(DraftEntry("shell", .strings([program, option]))) }
        if importer.shares("restart", "no", &services) { entries.append(DraftEntry("restart", "no")) }
        if entries.isEmpty { return [] }
        var defaults = DraftEntry("defaults", .map(entries))
        defaults.remarks = ["What process-compose does where nothing else is said."]
        return [defaults]
    }

    // MARK: Texts

    /// A text with its templates filled in.
    func filled(_ text: String, at node: NodeID, of process: Process, isShell: Bool, notes: inout [ImportNote])
        -> String
    {
        guard text.contains("{{") else { return text }
        let own = variables(of: process.node)
        var result = ""
        var rest = text[...]
        while let open = rest.firstRange(of: "{{") {
            result += rest[..<open.lowerBound]
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else { break }
            let inside = rest[open.upperBound..<close.lowerBound]
            let name = inside.filter { $0 != " " && $0 != "-" }
            if name.hasPrefix("."), let value = own[String(name.dropFirst())] ?? variables[String(name.dropFirst())] {
                result += value
            } else if name == ".PC_REPLICA_NUM", isShell {
                // process-compose counts from 0.
                result += "$((ORCH_REPLICA - 1))"
            } else {
                notes.append(
                    importer.lost(
                        "{{\(inside)}}", at: yaml.position(node), because: "orch has no templates",
                        instead: "write what it stands for"))
                result += rest[open.lowerBound..<close.upperBound]
            }
            rest = rest[close.upperBound...]
        }
        return result + rest
    }

    /// A scalar as orch reads the same.
    func text(_ node: NodeID, of process: Process, isText: Bool = true, notes: inout [ImportNote]) -> String? {
        guard let raw = yaml.raw(node) else { return nil }
        let whole = filled(raw, at: node, of: process, isShell: false, notes: &notes)
        return yaml.text(whole, at: node, isText: isText, notes: &notes)
    }

    /// Text for a shell: what process-compose would have put in, the shell finds in its environment.
    func shellText(_ node: NodeID, of process: Process, notes: inout [ImportNote]) -> String? {
        guard let raw = yaml.raw(node) else { return nil }
        let whole = filled(raw, at: node, of: process, isShell: true, notes: &notes)
        let text = yaml.expands ? DollarText.unescaped(whole) : whole
        inherited.formUnion(
            ShellText.variables(in: text).filter { !isSet($0, in: process) && !LaunchTemplate.isLaunchName($0) })
        return text
    }

    private func isSet(_ name: String, in process: Process) -> Bool {
        [process.node, yaml.root].contains { node in
            guard let variables = yaml[node, "environment"] else { return false }
            if yaml.isMap(variables) { return yaml[variables, name] != nil }
            return yaml.items(variables).contains { yaml.raw($0)?.hasPrefix("\(name)=") == true }
        }
    }
}

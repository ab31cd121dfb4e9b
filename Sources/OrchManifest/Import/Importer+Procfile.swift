// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Procfiles: a line `NAME: COMMAND` for each process, its command a shell's.
extension Importer {
    private struct Process {
        var name: String
        var command: String
        var position: Position
    }

    func procfile() -> [DraftEntry] {
        let processes = processes(in: sources[0])
        guard !reporter.hasErrors else { return [] }
        var top = readDotEnv()
        var inherited: Set<String> = []
        for process in processes {
            inherited.formUnion(
                ShellText.variables(in: process.command).filter { $0 != "PORT" && !isInDotEnv($0) })
        }
        top += inheriting(inherited)
        let named = processes.map { name(for: $0.name, at: $0.position) }
        let release = processes.firstIndex { $0.name == "release" }.map { named[$0].name }
        let services = processes.indices.map { index in
            service(processes[index], named[index], index: index, release: release)
        }
        return top + [DraftEntry("services", .map(services))]
    }

    private func processes(in source: Source) -> [Process] {
        var found: [Process] = []
        for line in TextLine.all(of: source) where !line.isBlank {
            let bytes = line.bytes
            if line.first == 35 { continue }
            guard let colon = bytes.firstIndex(of: 58), colon > bytes.startIndex,
                bytes[..<colon].allSatisfy({ Self.isNameByte($0) })
            else {
                error(
                    "procfile", "this line is not NAME: COMMAND", at: line.position(), width: bytes.count,
                    help: "a name has letters, digits, _ and -; comments begin with #")
                continue
            }
            let command = TextLine.trimmed(bytes[(colon + 1)...])
            guard !command.isEmpty else {
                error("procfile", "this process has no command", at: line.position(), width: bytes.count)
                continue
            }
            let name = String(decoding: TextLine.trimmed(bytes[..<colon]), as: UTF8.self)
            if let first = found.first(where: { $0.name == name }) {
                error(
                    "duplicate-key", "\"\(name)\" is given twice", at: line.position(), width: name.utf8.count,
                    help: "remove one of them; the first is at line \(first.position.line)")
                continue
            }
            found.append(
                Process(name: name, command: String(decoding: command, as: UTF8.self), position: line.position()))
        }
        if found.isEmpty, !reporter.hasErrors {
            error(
                "empty", "there is no process in it", at: Position(file: source.name, line: 1, column: 1),
                help: "a Procfile has lines such as  web: ./server --port $PORT")
        }
        return found
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57) || byte == 95
            || byte == 45
    }

    private func service(
        _ process: Process, _ named: (name: String, notes: [ImportNote]), index: Int, release: String?
    ) -> DraftEntry {
        let isRelease = process.name == "release"
        var entries: [DraftEntry] = []
        if isRelease { entries.append(DraftEntry("kind", "task")) }
        entries.append(DraftEntry("command", .string(process.command)))
        if let release, !isRelease { entries.append(DraftEntry("depends_on", .strings([release]))) }
        if ShellText.variables(in: process.command).contains("PORT"), !isRelease {
            // foreman's numbers: a hundred further for each line.
            let base = dotEnv?.entries.last { $0.name == "PORT" }.flatMap { Int($0.text) } ?? 5_000
            let port = base + 100 * index
            entries.append(DraftEntry("ports", .array([(1...65_535).contains(port) ? .int(Int64(port)) : "auto"])))
        }
        var entry = DraftEntry(named.name, .map(entries), at: process.position, notes: named.notes)
        if isRelease { entry.remarks = ["Runs to its end before anything else starts, as Heroku does it."] }
        return entry
    }
}

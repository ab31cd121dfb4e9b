// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// supervisord's configuration (supervisord.org/configuration.html, 4.x).
final class SupervisordImport {
    struct Program {
        /// What is behind the colon.
        var wanted: String
        var name: String
        var section: ConfigSection
        var notes: [ImportNote]
        /// 999 where it says nothing.
        var priority: Int
        var count: Int
        /// The number of its first process.
        var first: Int
    }

    let importer: Importer
    private(set) var programs: [Program] = []
    private(set) var memoryLimits: [MemoryLimit] = []

    init(_ importer: Importer) { self.importer = importer }

    func draft() -> [DraftEntry] {
        var top: [DraftEntry] = []
        var lost: [ImportNote] = []
        for source in importer.sources {
            for section in ConfigText.ini(source, importer) { take(section, &top, &lost) }
        }
        if programs.isEmpty, !importer.reporter.hasErrors {
            // What only includes others says where the programs are.
            let include = lost.first { $0.what == "[include]" }
            importer.error(
                "empty", "there is no program in it",
                at: include?.position ?? Position(file: importer.sources[0].name, line: 1, column: 1),
                help: include?.help ?? "programs are sections such as  [program:web]")
        }
        guard !importer.reporter.hasErrors else { return [] }
        if !lost.isEmpty { top.append(.notes(lost)) }
        var services = programs.map { draft(of: $0) }
        order(&services)
        return top + [DraftEntry("services", .map(services))]
    }

    private func take(_ section: ConfigSection, _ top: inout [DraftEntry], _ lost: inout [ImportNote]) {
        let parts = section.name.split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first ?? "", parts.count) {
        case ("program", 2):
            let named = importer.name(for: parts[1], at: section.position)
            programs.append(
                Program(
                    wanted: parts[1], name: named.name, section: section, notes: named.notes,
                    priority: number("priority", section) ?? 999, count: number("numprocs", section) ?? 1,
                    first: number("numprocs_start", section) ?? 0))
        case ("supervisord", 1): top += own(section, &lost)
        case ("supervisorctl", _), ("unix_http_server", _), ("rpcinterface", _): break
        case ("inet_http_server", _):
            lost.append(lose(section, "orch listens on no network by itself"))
        case ("group", 2):
            lost.append(lose(section, "orch has no groups", "name its programs: orch restart A B"))
        case ("eventlistener", 2):
            if let limits = Self.memoryLimits(section) { return memoryLimits += limits }
            lost.append(lose(section, "orch has no listeners", "`orch events -f --json` prints what happens"))
        case ("fcgi-program", 2):
            lost.append(lose(section, "FastCGI sockets are not carried over", "write sockets: with its address"))
        case ("include", _):
            lost.append(
                lose(
                    section, "only what is named is read",
                    "name those files too: orch import supervisord FILE FILE…"))
        default: lost.append(lose(section, "it is no section that orch knows of supervisord"))
        }
    }

    private func lose(_ section: ConfigSection, _ why: String, _ instead: String? = nil) -> ImportNote {
        importer.lost("[\(section.name)]", at: section.position, because: why, instead: instead)
    }

    func number(_ key: String, _ section: ConfigSection) -> Int? { section[key].flatMap { Int($0.value) } }

    /// What supervisord is told of itself; only its environment reaches programs.
    private func own(_ section: ConfigSection, _ lost: inout [ImportNote]) -> [DraftEntry] {
        if let entry = section["user"], entry.value != "root" {
            lost.append(
                importer.lost("user", at: entry.position, because: "the daemon has the user who starts it"))
        }
        var notes: [ImportNote] = []
        guard let entry = section["environment"] else { return [] }
        let variables = self.environment(entry, of: nil, notes: &notes)
        return [DraftEntry("environment", .map(variables), at: entry.position, notes: notes)]
    }

    // MARK: Order

    /// Lower priorities start first, and nothing waits until they are up.
    private func order(_ services: inout [DraftEntry]) {
        let levels = Set(programs.map(\.priority)).sorted()
        guard levels.count > 1 else { return }
        for (index, program) in programs.enumerated() {
            guard let level = levels.firstIndex(of: program.priority), level > 0 else { continue }
            let before = programs.filter { $0.priority == levels[level - 1] }
            guard before.count <= 16 else { continue }
            let needs = before.map {
                DraftEntry(
                    $0.name,
                    .value(.object([Value.Member("condition", "started"), Value.Member("required", false)])))
            }
            var entry = DraftEntry("depends_on", .map(needs), at: program.section["priority"]?.position)
            entry.remarks = ["The order that priority gave; write condition: ready to wait until it is up."]
            services[index].children.append(entry)
        }
    }

    // MARK: Texts

    /// A value with its `%(…)s` as orch reads the same. `isPath`: relative is from the manifest's folder.
    func text(
        _ raw: String, of program: Program?, at position: Position, isPath: Bool = false, notes: inout [ImportNote]
    ) -> String {
        var pieces: [DollarText.Piece] = []
        var rest = raw[...]
        while let percent = rest.firstIndex(of: "%") {
            pieces.append(.text(Array(rest[..<percent].utf8)))
            let next = rest.index(after: percent)
            if next < rest.endIndex, rest[next] == "%" {
                pieces.append(.text([37]))
                rest = rest[rest.index(after: next)...]
                continue
            }
            guard next < rest.endIndex, rest[next] == "(", let close = rest[next...].firstIndex(of: ")"),
                let end = rest[close...].firstIndex(where: { $0.isLetter })
            else {
                pieces.append(.text([37]))
                rest = rest[next...]
                continue
            }
            let name = String(rest[rest.index(after: next)..<close])
            let format = String(rest[rest.index(after: close)...end])
            pieces.append(piece(name, format, program, position, isPath, &notes))
            rest = rest[rest.index(after: end)...]
        }
        pieces.append(.text(Array(rest.utf8)))
        return DollarText(pieces: pieces).orch(isText: false) { _ in true }.text
    }

    private func piece(
        _ name: String, _ format: String, _ program: Program?, _ position: Position, _ isPath: Bool,
        _ notes: inout [ImportNote]
    ) -> DollarText.Piece {
        func literal(_ text: String) -> DollarText.Piece { .text(Array(text.utf8)) }
        if name.hasPrefix("ENV_") {
            return .variable(name: String(name.dropFirst(4)), fallback: .none, takesEmpty: false)
        }
        switch name {
        case "here": return literal(isPath ? "." : importer.input.folder)
        case "program_name", "group_name": return literal(program?.wanted ?? "")
        case "process_num":
            guard let program, program.count > 1 else { return literal(String(program?.first ?? 0)) }
            if program.first != 1 || format != "d" {
                notes.append(
                    importer.changed(
                        "%(process_num)\(format) counted from \(program.first); ORCH_REPLICA counts from 1",
                        at: position))
            }
            return .variable(name: "ORCH_REPLICA", fallback: .none, takesEmpty: false)
        case "numprocs": return literal(String(program?.count ?? 1))
        default:
            notes.append(
                importer.lost(
                    "%(\(name))\(format)", at: position, because: "orch has no such variable",
                    instead: "write what it stands for"))
            return literal("%(\(name))\(format)")
        }
    }

    /// `KEY="value",KEY2='value'`, over any number of lines.
    func environment(
        _ entry: ConfigSection.Entry, of program: Program?, notes: inout [ImportNote]
    ) -> [DraftEntry] {
        var found: [DraftEntry] = []
        let bytes = Array(entry.value.utf8)
        var at = 0
        while at < bytes.count {
            while at < bytes.count, TextLine.isBlank(bytes[at]) || bytes[at] == 10 || bytes[at] == 44 { at += 1 }
            let start = at
            while at < bytes.count, bytes[at] != 61 { at += 1 }
            let name = String(decoding: TextLine.trimmed(bytes[start..<at]), as: UTF8.self)
            guard at < bytes.count else {
                if !name.isEmpty {
                    notes.append(importer.lost(name, at: entry.position, because: "it has no =value"))
                }
                break
            }
            at += 1
            while at < bytes.count, TextLine.isBlank(bytes[at]) { at += 1 }
            var value: [UInt8] = []
            if at < bytes.count, bytes[at] == 34 || bytes[at] == 39 {
                let quote = bytes[at]
                at += 1
                while at < bytes.count, bytes[at] != quote {
                    if bytes[at] == 92, quote == 34, at + 1 < bytes.count, bytes[at + 1] == 34 { at += 1 }
                    value.append(bytes[at])
                    at += 1
                }
                at += 1
            } else {
                while at < bytes.count, bytes[at] != 44, bytes[at] != 10 {
                    value.append(bytes[at])
                    at += 1
                }
                value = Array(TextLine.trimmed(value[...]))
            }
            let whole = text(
                String(decoding: value, as: UTF8.self), of: program, at: entry.position, notes: &notes)
            found.removeAll { $0.key == name }
            found.append(DraftEntry(name, YAMLSource.content(whole), at: entry.position))
        }
        return found
    }
}

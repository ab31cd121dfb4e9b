// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What an export has to say of one key.
struct ExportNote: Equatable {
    enum Kind { case lost, changed }
    var kind: Kind
    /// Empty for what is the stack's.
    var service: String
    var position: Position?
    /// One sentence without its full stop.
    var message: String
    var help: String?

    var diagnostic: Diagnostic {
        Diagnostic(.warning, code: kind == .lost ? "not-exported" : "changed", message, at: position, help: help)
    }
    /// As a comment.
    var text: String {
        (position.map { "\($0.file):\($0.line): " } ?? "") + message + (help.map { "; \($0)" } ?? "")
    }
}

/// What one export works on.
final class Exporter {
    let request: ApplyRequest
    let format: ExportFormat
    private(set) var notes: [ExportNote] = []

    var stack: Stack { request.stack }

    init(_ request: ApplyRequest, _ format: ExportFormat) {
        self.request = request
        self.format = format
    }

    var diagnostics: [Diagnostic] {
        notes.map(\.diagnostic).enumerated().sorted { a, b in
            let (x, y) = (a.element.position, b.element.position)
            return (x?.line ?? 0, x?.column ?? 0, a.offset) < (y?.line ?? 0, y?.column ?? 0, b.offset)
        }.map(\.element)
    }

    // MARK: Saying what is lost

    /// Where a key of a service stands: as it is or as it may have been spelt, else the service.
    private func position(_ service: String, _ path: String) -> Position? {
        let positions = request.positions
        var path = path
        let spellings = ["health": ["healthcheck"], "stop": ["stop_signal", "stop_grace_period"]]
        while !path.isEmpty {
            if let found = positions.position(of: "\(service).\(path)") { return found }
            for other in spellings[path] ?? [] {
                if let found = positions.position(of: "\(service).\(other)") { return found }
            }
            path = path.lastIndex(of: ".").map { String(path[..<$0]) } ?? ""
        }
        return positions.position(of: service)
    }

    private func add(_ note: ExportNote) { if !notes.contains(note) { notes.append(note) } }

    /// `"watch" of web is not carried over: why`.
    func lose(_ path: String, of service: String, because why: String, instead help: String? = nil) {
        add(
            ExportNote(
                kind: .lost, service: service, position: position(service, path),
                message: "\"\(path)\"\(service.isEmpty ? "" : " of \(service)") is not carried over: \(why)", help: help
            ))
    }

    /// `"restart.jitter" of web: how it differs`.
    func change(_ path: String, of service: String, _ how: String, help: String? = nil) {
        add(
            ExportNote(
                kind: .changed, service: service, position: position(service, path),
                message: "\"\(path)\"\(service.isEmpty ? "" : " of \(service)"): \(how)", help: help))
    }

    func notes(of service: String) -> [ExportNote] { notes.filter { $0.service == service } }

    /// Comments for the head of a file or a service, without the signs that make them comments.
    func remarks(of service: String) -> [String] { notes(of: service).map(\.text) }

    /// Lines of `# …`; nothing in them can end a comment.
    static func comment(_ text: String) -> [String] {
        let clean = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar == "\n" || scalar == "\t" ? " " : DraftText.isPrintable(scalar) ? scalar : "?"
                }))
        return DraftText.wrapped(clean, to: 118).enumerated().map { ($0 == 0 ? "# " : "#   ") + $1 }
    }

    // MARK: Fates

    /// Says of every key that is given what the table of fates says of it.
    func tellFates() {
        for member in stack.value.members ?? [] where member.key != "services" {
            if let field = Fields.stack[member.key] {
                tell(field, member.value, owner: Fields.stack.owner, path: member.key, of: "")
            }
        }
        for spec in stack.services {
            for member in spec.definition().members ?? [] {
                if member.key == "secrets" {
                    tellSecrets(spec)
                } else if let field = Fields.service[member.key] {
                    tell(field, member.value, owner: "service", path: member.key, of: spec.name)
                }
            }
        }
    }

    private func tell(_ field: Field, _ value: Value, owner: String, path: String, of service: String) {
        switch ExportFates.fate(of: "\(owner).\(field.name)", in: format) {
        case .lost(let why, let help): return lose(path, of: service, because: why, instead: help)
        case .differs(let how): change(path, of: service, how)
        case .carried, .partly, .whole: break
        case nil:
            return lose(path, of: service, because: "nobody has said what becomes of it", instead: "keep it in orch")
        }
        tell(inside: field.form, value, path: path, of: service)
    }

    private func tell(inside form: FieldForm, _ value: Value, path: String, of service: String) {
        if case .array(let items) = value {
            for item in items { tell(inside: form, item, path: path, of: service) }
            return
        }
        guard case .object(let members) = value else { return }
        let table = form.tables.first { table in members.allSatisfy { table[$0.key] != nil } }
        if let table {
            for member in members {
                guard let field = table[member.key] else { continue }
                let owner = table.owner
                tell(field, member.value, owner: owner, path: "\(path).\(member.key)", of: service)
            }
        } else if let table = form.entryTable {
            for member in members {
                tell(inside: .object(table), member.value, path: "\(path).\(member.key)", of: service)
            }
        }
    }

    private func tellSecrets(_ spec: ServiceSpec) {
        let given = spec.secrets.contains { !$0.files.isEmpty }
        guard given else { return }
        if case .lost(let why, let help) = ExportFates.fate(of: "service.secrets", in: format) {
            lose("secrets", of: spec.name, because: why, instead: help)
        }
    }
}

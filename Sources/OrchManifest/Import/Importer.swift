// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What one import works on.
final class Importer {
    let input: ImportInput
    var reporter = Reporter()
    private(set) var sources: [Source] = []
    /// The file of variables beside the source, if it is there and can be read.
    private(set) var dotEnv: EnvFile?
    /// Names of services that are given away.
    private var names: Set<String> = []

    init(_ input: ImportInput) { self.input = input }

    var errors: ManifestErrors { ManifestErrors(diagnostics: reporter.finished(sources)) }

    /// Looks at the bytes of all files; false when they are no text.
    func open() -> Bool {
        sources = input.files.map { Source(name: $0.name, bytes: $0.bytes) }
        for source in sources {
            if let flaw = source.flaw(what: input.format.title) { reporter.add(flaw) }
        }
        return !reporter.hasErrors && !sources.isEmpty
    }

    // MARK: Saying what is wrong

    func error(_ code: String, _ message: String, at position: Position, width: Int = 1, help: String? = nil) {
        reporter.add(Diagnostic(code: code, message, at: position, width: width, help: help))
    }

    /// `"volumes" is not carried over: why`.
    func lost(_ what: String, at position: Position, because why: String, instead help: String? = nil) -> ImportNote {
        ImportNote(
            kind: .lost, position: position, width: what.unicodeScalars.count, what: String(what.prefix(60)),
            reason: why,
            help: help)
    }

    func changed(_ message: String, at position: Position, help: String? = nil) -> ImportNote {
        ImportNote(kind: .changed, position: position, reason: message, help: help)
    }

    // MARK: What all imports need

    /// The nearest name that nobody else has; a note where it is not the one that was wanted.
    func name(for wanted: String, at position: Position) -> (name: String, notes: [ImportNote]) {
        let wish = Name.made(from: wanted) ?? "service"
        var name = wish
        var number = 2
        while !names.insert(name).inserted {
            name = "\(wish.prefix(56))-\(number)"
            number += 1
        }
        if name == wanted { return (name, []) }
        return (name, [changed("\"\(wanted.prefix(80))\" is named \"\(name)\" here", at: position)])
    }

    /// Looks for `.env`, which the source's own tool reads: its variables are then the stack's. What is wrong with it is a note.
    func readDotEnv() -> [DraftEntry] {
        guard let bytes = input.beside(".env") else { return [] }
        let place = Position(file: sources[0].name, line: 1, column: 1)
        let file = EnvFile(Source(name: ".env", bytes: bytes))
        if let flaw = file.flaws.first {
            let line = flaw.position.map { "line \($0.line): " } ?? ""
            let note = lost(
                ".env", at: place, because: "\(line)\(flaw.message)", instead: "mend it, then add  env_file: [.env]")
            return [.notes([note])]
        }
        dotEnv = file
        return [DraftEntry("env_file", .strings([".env"]))]
    }

    func isInDotEnv(_ name: String) -> Bool { dotEnv?.entries.contains { $0.name == name } ?? false }

    /// `inherit_environment` with what services have anyway and these names; nothing when there are none.
    func inheriting(_ names: Set<String>) -> [DraftEntry] {
        let usual = ["PATH", "HOME", "USER", "LANG", "LC_*", "TZ"]
        let more = names.filter { !usual.contains($0) && !$0.hasPrefix("LC_") }.sorted()
        return more.isEmpty ? [] : [DraftEntry("inherit_environment", .strings(usual + more))]
    }

    /// Whether more than one service has a setting that is no word of the source, but what its tool does without one: then it is taken
    /// away from all of them, to be said once.
    func shares(_ key: String, _ value: String, _ services: inout [DraftEntry]) -> Bool {
        func isUnsaid(_ entry: DraftEntry) -> Bool { entry.key == key && entry.text == value && entry.origin == nil }
        guard services.count(where: { !$0.isOut && $0.children.contains(where: isUnsaid) }) > 1 else { return false }
        for index in services.indices { services[index].children.removeAll(where: isUnsaid) }
        return true
    }

    /// Between an end and the next start always as long, or growing up to `most`.
    static func pause(_ span: String, upTo most: String? = nil, at place: Position) -> [DraftEntry] {
        var terms = [DraftEntry("delay", .value(.string(span)), at: place)]
        if most == nil { terms.append(DraftEntry("factor", 1)) }
        let isLong = Duration(text: span).map { $0 > RestartPolicy(.always).maxDelay } ?? false
        if let limit = most ?? (isLong ? span : nil) {
            terms.append(DraftEntry("max_delay", .value(.string(limit)), at: place))
        }
        return terms
    }

    /// Makes one map of all entries with this key, where the first of them stands.
    static func merge(_ key: String, in entries: inout [DraftEntry]) {
        guard let first = entries.firstIndex(where: { $0.key == key }) else { return }
        for entry in entries[(first + 1)...] where entry.key == key {
            let known = Set(entries[first].children.map(\.key))
            entries[first].children += entry.children.filter { !known.contains($0.key) }
            entries[first].notes += entry.notes
        }
        let kept = entries[...first] + entries[(first + 1)...].filter { $0.key != key }
        entries = Array(kept)
    }
}

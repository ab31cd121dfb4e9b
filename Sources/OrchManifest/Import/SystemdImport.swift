// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Unit files of systemd, several of which make one stack.
final class SystemdImport {
    struct Unit {
        /// `web.service`.
        var file: String
        /// `web`, or `web@1`.
        var base: String
        var name = ""
        var notes: [ImportNote] = []
        var sections: [ConfigSection]
        /// It runs to its end.
        var isTask = false

        /// All values of a key of a section, the lists that they are; an empty one forgets those before it.
        func values(_ key: String, in section: String) -> [ConfigSection.Entry] {
            var found: [ConfigSection.Entry] = []
            for entry in sections where entry.name == section {
                for entry in entry.entries where entry.key == key {
                    if entry.value.isEmpty { found = [] } else { found.append(entry) }
                }
            }
            return found
        }

        func last(_ key: String, in section: String = "Service") -> ConfigSection.Entry? {
            values(key, in: section).last
        }

        var position: Position {
            sections.first { $0.name == "Service" }?.position ?? sections.first?.position
                ?? Position(file: file, line: 1, column: 1)
        }
    }

    let importer: Importer
    private(set) var units: [Unit] = []
    private var timers: [Unit] = []
    private(set) var socketUnits: [Unit] = []
    /// Names that units take from the caller.
    var inherited: Set<String> = []

    init(_ importer: Importer) { self.importer = importer }

    func draft() -> [DraftEntry] {
        var lost: [ImportNote] = []
        for source in importer.sources { take(source, &lost) }
        if units.isEmpty, !importer.reporter.hasErrors {
            importer.error(
                "empty", "there is no service in it", at: Position(file: importer.sources[0].name, line: 1, column: 1),
                help: "a service's unit has a section [Service]")
        }
        guard !importer.reporter.hasErrors else { return [] }
        for index in units.indices {
            let type = units[index].last("Type")?.value
            units[index].isTask = type == "oneshot" || timer(of: units[index]) != nil
        }
        for socket in socketUnits where !isTaken(socket) {
            lost.append(
                importer.lost(
                    socket.file, at: socket.position, because: "none of these services is its own",
                    instead: "import that service too"))
        }
        var services = units.map { draft(of: $0) }
        var top: [DraftEntry] = lost.isEmpty ? [] : [.notes(lost)]
        top += importer.inheriting(inherited)
        top += defaults(&services)
        return top + [DraftEntry("services", .map(services))]
    }

    private func take(_ source: Source, _ lost: inout [ImportNote]) {
        let file = LexicalPath.lastPart(of: source.name)
        let sections = ConfigText.unit(source, importer)
        let place = Position(file: source.name, line: 1, column: 1)
        let dot = file.lastIndex(of: ".") ?? file.endIndex
        let kind = file[dot...]
        let unit = Unit(file: file, base: String(file[..<dot]), sections: sections)
        if sections.contains(where: { $0.name == "Service" }) {
            let isNameless = file.hasPrefix("<")
            let wanted = isNameless ? "service" : unit.base
            let named = importer.name(for: wanted, at: place)
            var unit = unit
            unit.name = named.name
            unit.notes = isNameless ? [] : named.notes
            units.append(unit)
        } else if sections.contains(where: { $0.name == "Timer" }) {
            timers.append(unit)
        } else if sections.contains(where: { $0.name == "Socket" }) {
            socketUnits.append(unit)
        } else if kind != ".target" {
            lost.append(
                importer.lost(file, at: place, because: "only services, their timers and their sockets can be"))
        }
    }

    func unit(named file: String) -> Unit? { units.first { $0.file == file } }

    /// The timer that starts a unit.
    func timer(of unit: Unit) -> Unit? {
        timers.first { timer in
            let named = timer.last("Unit", in: "Timer")?.value
            return named.map { $0 == unit.file } ?? (timer.base == unit.base)
        }
    }

    /// What systemd does where a unit says nothing.
    private func defaults(_ services: inout [DraftEntry]) -> [DraftEntry] {
        var entries: [DraftEntry] = []
        let hasLadder = services.contains { $0.children.contains { $0.key == "stop" } }
        for (key, value) in [("working_dir", "/"), ("restart", "no"), ("stop_grace_period", "90s")]
        where key != "stop_grace_period" || !hasLadder {
            if importer.shares(key, value, &services) { entries.append(DraftEntry(key, .value(.string(value)))) }
        }
        if entries.isEmpty { return [] }
        var defaults = DraftEntry("defaults", .map(entries))
        defaults.remarks = ["What systemd does where a unit says nothing else."]
        return [defaults]
    }

    // MARK: Texts

    /// A text with its specifiers (systemd.unit(5)) filled in. `expands`: whether variables are, too.
    func pieces(
        _ text: String, of unit: Unit, at position: Position, expands: Bool, notes: inout [ImportNote]
    ) -> [DollarText.Piece] {
        let filled = self.filled(text, of: unit, at: position, notes: &notes)
        guard expands else { return [.text(Array(filled.utf8))] }
        var pieces: [DollarText.Piece] = []
        // A variable without braces counts only as a word of its own.
        if filled.utf8.first == 36, filled.utf8.count > 1,
            filled.utf8.dropFirst().enumerated().allSatisfy({ ShellText.isNameByte($1, first: $0 == 0) })
        {
            notes.append(importer.changed("what \(filled) stands for is one word here, blanks or not", at: position))
            return [.variable(name: String(filled.dropFirst()), fallback: .none, takesEmpty: false)]
        }
        for piece in DollarText(filled.replacingBareDollars).pieces {
            guard case .variable(let name, _, _) = piece else {
                pieces.append(piece)
                continue
            }
            pieces.append(.variable(name: name, fallback: .none, takesEmpty: false))
        }
        return pieces
    }

    func filled(_ text: String, of unit: Unit, at position: Position, notes: inout [ImportNote]) -> String {
        guard text.contains("%") else { return text }
        let parts = unit.base.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let instance = parts.count > 1 ? parts[1] : ""
        let known: [Character: String] = [
            "%": "%", "n": unit.file, "N": unit.base, "p": parts[0], "i": instance, "I": instance,
            "j": parts[0].split(separator: "-").last.map(String.init) ?? parts[0], "t": "/run", "S": "/var/lib",
            "C": "/var/cache", "L": "/var/log", "E": "/etc", "T": "/tmp", "V": "/var/tmp", "h": "${HOME}",
            "u": "${USER}",
        ]
        var result = ""
        var isOpen = false
        for character in text {
            guard isOpen else {
                if character == "%" { isOpen = true } else { result.append(character) }
                continue
            }
            isOpen = false
            let isTemplate = "iI".contains(character) && instance.isEmpty
            guard let value = known[character], !isTemplate else {
                notes.append(
                    importer.lost(
                        "%\(character)", at: position,
                        because: isTemplate ? "the file is a template" : "orch has no such variable",
                        instead: isTemplate
                            ? "import it by the name of an instance, such as \(parts[0])@1.service"
                            : "write what it stands for"))
                result += "%\(character)"
                continue
            }
            result += value
        }
        return result + (isOpen ? "%" : "")
    }

    /// A text that is no command line.
    func text(_ raw: String, of unit: Unit, at position: Position, notes: inout [ImportNote]) -> String {
        let filled = self.filled(raw, of: unit, at: position, notes: &notes)
        // What stands for a home is a variable; all other dollars are dollars.
        guard filled.contains("${HOME}") || filled.contains("${USER}") else {
            return DollarText(literal: filled).orch(isText: true) { _ in true }.text
        }
        return DollarText(filled).orch(isText: true) { _ in true }.text
    }
}

extension String {
    /// With every dollar doubled that begins no `${NAME}`: those alone stand for something within a word.
    fileprivate var replacingBareDollars: String {
        let bytes = Array(utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            result.append(bytes[at])
            if bytes[at] == 36 {
                let next = at + 1 < bytes.count ? bytes[at + 1] : 0
                if next == 36 {
                    result.append(36)
                    at += 1
                } else if next != 123 {
                    result.append(36)
                }
            }
            at += 1
        }
        return String(decoding: result, as: UTF8.self)
    }
}

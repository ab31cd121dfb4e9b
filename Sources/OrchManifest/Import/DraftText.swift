// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A draft as the text that a person would have written, and which line is of which entry.
struct DraftText {
    private(set) var lines: [String] = []
    /// For each line the path of the innermost entry that it is of: an index for each level.
    private(set) var paths: [[Int]] = []
    /// A file's name is said only where several are imported.
    private let namesFiles: Bool

    var text: String { lines.joined(separator: "\n") + "\n" }

    init(_ entries: [DraftEntry], header: String, namesFiles: Bool) {
        self.namesFiles = namesFiles
        comment(header, indent: 0, path: [])
        for (index, entry) in entries.enumerated() {
            if index == 0 || isSpaced(entry) || isSpaced(entries[index - 1]) { add("", []) }
            append(entry, Place(indent: 0, path: [index]))
        }
    }

    /// Where an entry is written.
    private struct Place {
        var indent: Int
        var path: [Int]
        /// The column of the `#` of what is written as a comment; nil outside of it.
        var comment: Int?
        /// It is an item of a list, or the first key of a map that is one: what stands before it instead of the indentation.
        var opening: String?

        /// What a line begins with.
        var margin: String { opening ?? blanks(to: indent) }

        func blanks(to column: Int) -> String {
            guard let comment else { return String(repeating: " ", count: column) }
            return String(repeating: " ", count: comment) + "# " + String(repeating: " ", count: column - comment)
        }

        func inner(_ index: Int, indent: Int) -> Place { Place(indent: indent, path: path + [index], comment: comment) }
    }

    /// What has more than one line of its own at the top stands apart.
    private func isSpaced(_ entry: DraftEntry) -> Bool {
        !entry.notes.isEmpty || !entry.remarks.isEmpty || !entry.children.isEmpty
    }

    private mutating func add(_ line: String, _ path: [Int]) {
        lines.append(line)
        paths.append(path)
    }

    private mutating func append(_ entry: DraftEntry, _ place: Place) {
        var place = place
        if place.comment == nil {
            let isOne = entry.notes.count > 2 && entry.notes.allSatisfy { $0.reason == entry.notes[0].reason }
            if isOne, !entry.notes[0].what.isEmpty {
                comment(text(of: entry.notes), indent: place.indent, path: place.path)
            } else {
                for note in entry.notes { comment(text(of: note), indent: place.indent, path: place.path) }
            }
            for remark in entry.remarks { comment(remark, indent: place.indent, path: place.path) }
            if entry.isOut {
                place.comment = place.indent
                // An item of a list loses its dash with its text.
                place.opening = entry.key.isEmpty ? place.blanks(to: place.indent) + "- " : nil
            }
        }
        let isOut = place.comment != nil
        let name = entry.key.isEmpty ? "" : (Int64(entry.key) == nil ? YAMLText.scalar(entry.key) : entry.key) + ":"
        switch entry.content {
        case .nothing: break
        case .value(let value): scalar(value, name, place)
        case .plain(let text): add(place.margin + joined(name, text), place.path)
        case .map(let entries):
            if !isOut, !entries.contains(where: { $0.isLive }) {
                dead(entry, name, place)
            } else if name.isEmpty {
                item(entries, place)
            } else {
                add(place.margin + name, place.path)
                body(entries, place, isSpaced: place.path.count == 1)
            }
        case .list(let items):
            guard isOut || items.contains(where: { $0.isLive }) else { return dead(entry, name, place) }
            add(place.margin + name, place.path)
            for (index, item) in items.enumerated() {
                var inner = place.inner(index, indent: place.indent + 2)
                inner.opening = inner.blanks(to: inner.indent) + "- "
                append(item, inner)
            }
        }
    }

    private func joined(_ name: String, _ text: String) -> String { name.isEmpty ? text : "\(name) \(text)" }

    /// Many things that are lost for one reason are told together, where the first of them was.
    private static func gathered(_ entries: [DraftEntry]) -> [DraftEntry] {
        struct Reason: Hashable {
            var why: String
            var help: String?
        }
        var counts: [Reason: Int] = [:]
        func reason(_ entry: DraftEntry) -> Reason? {
            guard case .nothing = entry.content, entry.notes.count == 1, let note = entry.notes.first,
                !note.what.isEmpty
            else { return nil }
            return Reason(why: note.reason, help: note.help)
        }
        for entry in entries { if let reason = reason(entry) { counts[reason, default: 0] += 1 } }
        var places: [Reason: Int] = [:]
        var result = entries
        for (index, entry) in entries.enumerated() {
            guard let reason = reason(entry), counts[reason, default: 0] > 2 else { continue }
            guard let first = places[reason] else {
                places[reason] = index
                continue
            }
            result[first].notes += entry.notes
            result[index].notes = []
        }
        return result
    }

    private mutating func body(_ entries: [DraftEntry], _ place: Place, isSpaced: Bool) {
        let entries = Self.gathered(entries)
        for (index, entry) in entries.enumerated() {
            if isSpaced, index > 0, !entry.children.isEmpty || !entry.notes.isEmpty { add("", place.path) }
            append(entry, place.inner(index, indent: place.indent + 2))
        }
    }

    /// A map in a list: its first key stands behind the dash.
    private mutating func item(_ entries: [DraftEntry], _ place: Place) {
        var opening: String? = place.margin
        for (index, entry) in entries.enumerated() {
            var inner = place.inner(index, indent: place.indent + 2)
            if opening != nil, place.comment != nil || entry.isLive {
                inner.opening = opening
                opening = nil
            }
            append(entry, inner)
        }
    }

    /// A map or list of which nothing is left: only what must be there stays, empty; else its comments stand alone.
    private mutating func dead(_ entry: DraftEntry, _ name: String, _ place: Place) {
        let isServices = place.path.count == 1 && entry.key == "services"
        if entry.children.isEmpty || isServices {
            if case .list = entry.content {
                add(place.margin + joined(name, "[]"), place.path)
            } else {
                add(place.margin + joined(name, "{}"), place.path)
            }
        }
        for (index, inner) in entry.children.enumerated() {
            if isServices, index > 0 { add("", place.path) }
            append(inner, place.inner(index, indent: isServices ? place.indent + 2 : place.indent))
        }
    }

    private mutating func scalar(_ value: Value, _ name: String, _ place: Place) {
        if case .array(let items) = value, items.contains(where: { $0.string.flatMap(Self.block) != nil }) {
            add(place.margin + name, place.path)
            var inner = Place(indent: place.indent + 2, path: place.path, comment: place.comment)
            inner.opening = inner.blanks(to: inner.indent) + "- "
            for item in items { scalar(item, "", inner) }
            return
        }
        if case .string(let text) = value, !name.isEmpty || Self.block(text) != nil {
            guard let block = Self.block(text) else {
                return add(place.margin + joined(name, Self.scalar(text)), place.path)
            }
            add(place.margin + joined(name, block.mark), place.path)
            for line in block.lines {
                let isBare = line.isEmpty && place.comment == nil
                add(isBare ? "" : place.blanks(to: place.indent + 2) + line, place.path)
            }
            return
        }
        var lines = YAMLText(name.isEmpty ? value : .object([Value.Member("k", value)])).text
            .split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        if !name.isEmpty, let first = lines.first { lines[0] = name + first.dropFirst(2) }
        for (index, line) in lines.enumerated() {
            add((index == 0 ? place.margin : place.blanks(to: place.indent)) + line, place.path)
        }
    }

    /// As `YAMLText` has it, and plain also where only `{ }` and `[ ]` around it would forbid that.
    private static func scalar(_ text: String) -> String {
        let careful = YAMLText.scalar(text)
        guard careful.utf8.first == 34, let first = text.utf8.first, let last = text.utf8.last,
            ShellText.isNameByte(first, first: true) || [36, 46, 47].contains(first), last != 58, last != 32,
            CoreScalar(plain: text) == .text, !text.contains(": "), !text.contains(" #"), text.utf8.count <= 200,
            !["yes", "no", "on", "off", "y", "n"].contains(text.lowercased()),
            text.unicodeScalars.allSatisfy({ isPrintable($0) })
        else { return careful }
        return text
    }

    /// A text of several lines in literal style, where that gives back exactly the text; nil elsewhere.
    private static func block(_ text: String) -> (mark: String, lines: [Substring])? {
        guard text.utf8.contains(10), text.utf8.count < 16_384,
            text.unicodeScalars.allSatisfy({ $0 == "\n" || isPrintable($0) })
        else { return nil }
        let isEnded = text.utf8.last == 10
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if isEnded { lines.removeLast() }
        guard let first = lines.first?.utf8.first, first != 32, lines.last?.isEmpty == false,
            !lines.contains(where: { $0.utf8.last == 32 })
        else { return nil }
        return (isEnded ? "|" : "|-", lines)
    }

    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        (32...126).contains(scalar.value) || (0xA1...0x1FFF).contains(scalar.value)
            || (0x2010...0x2027).contains(scalar.value) || (0x2030...0x205F).contains(scalar.value)
            || (0x2070...0xD7FF).contains(scalar.value) || (0xE000...0xFEFE).contains(scalar.value)
            || (0xFF00...0xFFFD).contains(scalar.value) || (0x10000...0xEFFFF).contains(scalar.value)
    }

    // MARK: Comments

    /// Of several that are lost for the same reason.
    private func text(of notes: [ImportNote]) -> String {
        let numbers = notes.map { String($0.position.line) }.joined(separator: ", ")
        let place = namesFiles ? "\(notes[0].position.file):\(numbers)" : "lines \(numbers)"
        let things = notes.map { "\"\($0.what)\"" }.joined(separator: ", ")
        return "\(place): \(things) are not carried over: \(notes[0].reason)" + (notes[0].help.map { "; \($0)" } ?? "")
    }

    private func text(of note: ImportNote) -> String {
        let place = namesFiles ? "\(note.position.file):\(note.position.line)" : "line \(note.position.line)"
        return "\(place): \(note.message)" + (note.help.map { "; \($0)" } ?? "")
    }

    private mutating func comment(_ text: String, indent: Int, path: [Int]) {
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            clean.append(scalar == "\n" || scalar == "\t" ? " " : Self.isPrintable(scalar) ? scalar : "?")
        }
        let start = String(repeating: " ", count: indent) + "# "
        for (index, line) in Self.wrapped(String(clean), to: max(60, 118 - indent)).enumerated() {
            add(start + (index == 0 ? "" : "  ") + line, path)
        }
    }

    /// Its words on lines of so many characters at most, where no word is longer.
    static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        var count = 0
        for word in text.split(separator: " ") {
            let length = word.unicodeScalars.count
            if count > 0, count + 1 + length > width {
                lines.append(line)
                (line, count) = ("", 0)
            }
            line += (count > 0 ? " " : "") + word
            count += length + (count > 0 ? 1 : 0)
        }
        if count > 0 || lines.isEmpty { lines.append(line) }
        return lines
    }
}

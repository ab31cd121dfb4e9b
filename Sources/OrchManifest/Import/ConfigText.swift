// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A part of a file of `[sections]` with `key = value` lines.
struct ConfigSection {
    struct Entry {
        var key: String
        var value: String
        var position: Position
    }
    var name: String
    var position: Position
    var entries: [Entry] = []

    /// The last of this key, as both supervisord and systemd take it; nil when it is not there.
    subscript(key: String) -> Entry? { entries.last { $0.key == key } }
}

/// The two dialects of such files.
enum ConfigText {
    /// Python's configparser as supervisord sets it up: keys in any case, `;` and `#` begin comments, also behind a blank; an indented
    /// line goes on with the value above it.
    static func ini(_ source: Source, _ importer: Importer) -> [ConfigSection] {
        var sections: [ConfigSection] = []
        for line in TextLine.all(of: source) {
            guard let first = line.first, first != 59, first != 35 else { continue }
            let text = String(decoding: TextLine.trimmed(uncommented(line.bytes)), as: UTF8.self)
            if text.isEmpty { continue }
            if line.isIndented, let section = sections.indices.last, let entry = sections[section].entries.indices.last
            {
                sections[section].entries[entry].value += "\n\(text)"
                continue
            }
            if first == 91 {
                header(text, line, &sections, importer)
                continue
            }
            guard let (key, value) = pair(text, separators: [61, 58]) else {
                importer.error(
                    "import", "this line is neither [section] nor key=value", at: line.position(), width: text.count)
                continue
            }
            add(key.lowercased(), value, line, to: &sections, importer)
        }
        return sections
    }

    /// systemd.syntax(7): `#` and `;` begin comment lines only; a backslash at the end goes on with the next line, comments between.
    static func unit(_ source: Source, _ importer: Importer) -> [ConfigSection] {
        var sections: [ConfigSection] = []
        var whole = ""
        var start: TextLine?
        for line in TextLine.all(of: source) {
            if let first = line.first, first == 35 || first == 59 { continue }
            if start == nil, line.isBlank { continue }
            var part = String(decoding: TextLine.trimmed(line.bytes), as: UTF8.self)
            let goesOn = part.utf8.last == 92
            if goesOn { part.removeLast() }
            whole += part
            let first = start ?? line
            if goesOn {
                whole += " "
                start = first
                continue
            }
            start = nil
            statement(whole, first, &sections, importer)
            whole = ""
        }
        if let start { statement(whole, start, &sections, importer) }
        return sections
    }

    private static func statement(
        _ text: String, _ line: TextLine, _ sections: inout [ConfigSection], _ importer: Importer
    ) {
        if text.utf8.first == 91 { return header(text, line, &sections, importer) }
        guard let (key, value) = pair(text, separators: [61]) else {
            return importer.error(
                "import", "this line is neither [Section] nor Key=value", at: line.position(), width: text.count)
        }
        add(key, value, line, to: &sections, importer)
    }

    private static func header(
        _ text: String, _ line: TextLine, _ sections: inout [ConfigSection], _ importer: Importer
    ) {
        guard text.utf8.last == 93, text.utf8.count > 2 else {
            return importer.error("import", "this section has no name in [ ]", at: line.position(), width: text.count)
        }
        sections.append(ConfigSection(name: String(text.dropFirst().dropLast()), position: line.position()))
    }

    private static func add(
        _ key: String, _ value: String, _ line: TextLine, to sections: inout [ConfigSection], _ importer: Importer
    ) {
        guard let last = sections.indices.last else {
            return importer.error(
                "import", "\"\(key.prefix(60))\" stands before the first section", at: line.position(),
                width: key.unicodeScalars.count)
        }
        sections[last].entries.append(.init(key: key, value: value, position: line.position()))
    }

    private static func pair(_ text: String, separators: [UInt8]) -> (String, String)? {
        guard let split = text.utf8.firstIndex(where: { separators.contains($0) }), split > text.startIndex else {
            return nil
        }
        let key = text[..<split].drop { $0 == " " || $0 == "\t" }
        let trimmed = String(decoding: TextLine.trimmed(ArraySlice(Array(key.utf8))), as: UTF8.self)
        let rest = ArraySlice(Array(text[text.utf8.index(after: split)...].utf8))
        return (trimmed, String(decoding: TextLine.trimmed(rest), as: UTF8.self))
    }

    /// Without the comment that begins with `;` or `#` behind a blank.
    private static func uncommented(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        for at in bytes.indices.dropFirst() where bytes[at] == 59 || bytes[at] == 35 {
            if TextLine.isBlank(bytes[at - 1]) { return bytes[..<at] }
        }
        return bytes
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What `nssm dump` prints: one command line for each setting of a Windows service (nssm.cc/usage).
final class NSSMImport {
    struct Setting {
        /// In lower case; `shown` is as it was written.
        var name: String
        var shown: String
        /// All words behind the name.
        var values: [String]
        var position: Position
        var value: String { values.first ?? "" }
    }
    struct Service {
        var wanted: String
        var name: String
        var notes: [ImportNote]
        var position: Position
        var settings: [Setting] = []

        subscript(name: String) -> Setting? { settings.last { $0.name == name } }
        func all(_ name: String) -> [Setting] { settings.filter { $0.name == name } }
    }

    let importer: Importer
    private(set) var services: [Service] = []

    init(_ importer: Importer) { self.importer = importer }

    func draft() -> [DraftEntry] {
        for source in importer.sources {
            for line in TextLine.all(of: source) where !line.isBlank { take(line) }
        }
        if services.isEmpty, !importer.reporter.hasErrors {
            importer.error(
                "empty", "there is no service in it", at: Position(file: importer.sources[0].name, line: 1, column: 1),
                help: "it is made with  nssm dump NAME > FILE")
        }
        guard !importer.reporter.hasErrors else { return [] }
        return [DraftEntry("services", .map(services.map { draft(of: $0) }))]
    }

    private func take(_ line: TextLine) {
        let text = line.text
        if line.first == 58 || line.first == 35 || text.lowercased().hasPrefix("rem ") { return }
        var words = Self.words(text)
        // What the program is called, and where it lies, differs.
        let program = words.isEmpty ? "" : words.removeFirst().lowercased()
        guard LexicalPath.lastPart(of: program.replacing("\\", with: "/")).hasPrefix("nssm"), words.count >= 2 else {
            return importer.error(
                "import", "this line is no command of nssm", at: line.position(), width: text.unicodeScalars.count,
                help: "such as  nssm set NAME AppDirectory C:\\app")
        }
        let verb = words[0].lowercased()
        let wanted = words[1]
        let at: Int
        if let known = services.firstIndex(where: { $0.wanted.lowercased() == wanted.lowercased() }) {
            at = known
        } else {
            let named = importer.name(for: wanted, at: line.position())
            services.append(Service(wanted: wanted, name: named.name, notes: named.notes, position: line.position()))
            at = services.count - 1
        }
        switch verb {
        case "install":
            if words.count > 2 {
                services[at].settings.append(
                    .init(name: "application", shown: "Application", values: [words[2]], position: line.position()))
            }
            if words.count > 3 {
                let rest = words[3...].joined(separator: " ")
                services[at].settings.append(
                    .init(name: "appparameters", shown: "AppParameters", values: [rest], position: line.position()))
            }
        case "set":
            guard words.count > 2 else { return }
            services[at].settings.append(
                .init(
                    name: words[2].lowercased(), shown: words[2], values: Array(words[3...]), position: line.position())
            )
        default:
            importer.error(
                "import", "\"\(verb.prefix(40))\" is no command that nssm dumps", at: line.position(),
                width: text.unicodeScalars.count, help: "it dumps install and set")
        }
    }

    /// Words as cmd.exe and the C runtime of Windows see them: `^` takes the meaning of the next character, `\"` is a quote.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        var hasWord = false
        var isQuoted = false
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case 94 where at < bytes.count && (!isQuoted || bytes[at] == 34):
                // nssm writes ^" for a quote that the shell leaves alone.
                if bytes[at] == 34 {
                    isQuoted.toggle()
                    hasWord = true
                } else {
                    word.append(bytes[at])
                }
                at += 1
            case 92 where at < bytes.count && bytes[at] == 34:
                word.append(34)
                hasWord = true
                at += 1
            case 34:
                isQuoted.toggle()
                hasWord = true
            case 32, 9, 13:
                if isQuoted {
                    word.append(byte)
                } else if hasWord {
                    words.append(String(decoding: word, as: UTF8.self))
                    (word, hasWord) = ([], false)
                }
            default:
                word.append(byte)
                hasWord = true
            }
        }
        if hasWord { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }

    func service(named wanted: String) -> Service? {
        services.first { $0.wanted.lowercased() == wanted.lowercased() }
    }
}

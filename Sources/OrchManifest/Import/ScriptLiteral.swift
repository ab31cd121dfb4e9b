// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A value of JSON or of JavaScript's plain data, and where it stands. Nothing is executed.
struct ScriptLiteral {
    indirect enum Content {
        case text(String)
        /// A number, `true`, `false`: as it is written.
        case word(String)
        case null
        case list([ScriptLiteral])
        case map([Member])
        /// `process.env.NAME`, and the text behind `||` or `??`.
        case variable(String, fallback: String?)
        /// `__dirname`.
        case folder
        /// Something that would have to be computed, as it is written.
        case computed(String)
    }
    struct Member {
        var key: String
        var position: Position
        var value: ScriptLiteral
    }
    var content: Content
    var position: Position

    subscript(key: String) -> Member? {
        guard case .map(let members) = content else { return nil }
        return members.last { $0.key == key }
    }
    var members: [Member] { if case .map(let members) = content { members } else { [] } }
    var items: [ScriptLiteral] { if case .list(let items) = content { items } else { [] } }

    /// A list of texts and nothing else; nil when it is another thing.
    static func words(_ text: String) -> [String]? {
        var reader = Reader(source: Source(name: "", bytes: Array(text.utf8)))
        let value = reader.value(depth: 0)
        guard reader.flaw == nil, case .list(let items) = value.content else { return nil }
        let words = items.compactMap { item in
            if case .text(let text) = item.content { text } else { nil }
        }
        return words.count == items.count ? words : nil
    }

    /// The value that a file exports: behind `module.exports =` or `export default`, or all of it.
    static func exported(_ source: Source, _ importer: Importer) -> ScriptLiteral? {
        var reader = Reader(source: source)
        let bytes = source.bytes
        for mark in ["module.exports", "exports.default", "export default"] {
            guard let found = bytes.firstRange(of: Array(mark.utf8)) else { continue }
            reader.at = found.upperBound
            reader.skipBlanks()
            if reader.at < bytes.count, bytes[reader.at] == 61 { reader.at += 1 }
            break
        }
        reader.skipBlanks()
        guard reader.at < bytes.count, bytes[reader.at] == 123 || bytes[reader.at] == 91 else {
            importer.error(
                "import", "no plain data begins here", at: source.position(ofByte: min(reader.at, bytes.count)),
                help: "an ecosystem file is JSON, or  module.exports = { apps: [ … ] };  what is computed can't be read"
            )
            return nil
        }
        let value = reader.value(depth: 0)
        if let flaw = reader.flaw {
            importer.error("import", flaw.message, at: source.position(ofByte: min(flaw.at, bytes.count)))
            return nil
        }
        return value
    }
}

/// Reads one value from bytes; after the first flaw nothing is read any more.
private struct Reader {
    let source: Source
    var at = 0
    var flaw: (at: Int, message: String)?
    private var bytes: [UInt8] { source.bytes }
    private var hasMore: Bool { flaw == nil && at < source.bytes.count }

    init(source: Source) { self.source = source }

    private mutating func fail(_ message: String) { if flaw == nil { flaw = (at, message) } }

    /// Blanks, line ends and comments.
    mutating func skipBlanks() {
        while at < bytes.count {
            if bytes[at] <= 32 {
                at += 1
            } else if bytes[at...].starts(with: [47, 47]) {
                while at < bytes.count, bytes[at] != 10 { at += 1 }
            } else if bytes[at...].starts(with: [47, 42]) {
                at += 2
                while at < bytes.count, !bytes[at...].starts(with: [42, 47]) { at += 1 }
                at = min(at + 2, bytes.count)
            } else {
                return
            }
        }
    }

    mutating func value(depth: Int) -> ScriptLiteral {
        skipBlanks()
        let start = at
        let position = source.position(ofByte: min(at, bytes.count))
        func literal(_ content: ScriptLiteral.Content) -> ScriptLiteral {
            ScriptLiteral(content: content, position: position)
        }
        guard hasMore, depth < Limits.manifestDepth else {
            fail(depth < Limits.manifestDepth ? "a value is missing" : "nested more than \(Limits.manifestDepth) deep")
            return literal(.null)
        }
        let content: ScriptLiteral.Content
        switch bytes[at] {
        case 123: content = map(depth: depth)
        case 91: content = list(depth: depth)
        case 34, 39, 96: content = text().map { .text($0) } ?? .computed("")
        default: content = word()
        }
        // What goes on is an expression, but for a fallback of a variable.
        if case .variable(let name, nil) = content, let fallback = fallback() {
            return literal(.variable(name, fallback: fallback))
        }
        skipBlanks()
        if hasMore, ![44, 125, 93, 59].contains(bytes[at]), depth > 0 { return literal(computed(from: start)) }
        if case .computed = content { return literal(computed(from: start)) }
        return literal(content)
    }

    private mutating func map(depth: Int) -> ScriptLiteral.Content {
        var members: [ScriptLiteral.Member] = []
        at += 1
        while true {
            skipBlanks()
            guard hasMore else {
                fail("this is never closed")
                break
            }
            if bytes[at] == 125 {
                at += 1
                break
            }
            if bytes[at] == 44 {
                at += 1
                continue
            }
            let position = source.position(ofByte: at)
            let start = at
            guard let key = key() else {
                // A spread, a computed key, a method: it has no name that could be read.
                let text = computed(from: start)
                members.append(.init(key: "…", position: position, value: .init(content: text, position: position)))
                if at == start { fail("this is no plain data") }
                continue
            }
            skipBlanks()
            guard hasMore, bytes[at] == 58 else {
                let text = computed(from: start)
                members.append(.init(key: key, position: position, value: .init(content: text, position: position)))
                continue
            }
            at += 1
            members.append(.init(key: key, position: position, value: value(depth: depth + 1)))
        }
        return .map(members)
    }

    private mutating func list(depth: Int) -> ScriptLiteral.Content {
        var items: [ScriptLiteral] = []
        at += 1
        while true {
            skipBlanks()
            guard hasMore else {
                fail("this is never closed")
                break
            }
            if bytes[at] == 93 {
                at += 1
                break
            }
            if bytes[at] == 44 {
                at += 1
                continue
            }
            let start = at
            items.append(value(depth: depth + 1))
            if at == start { fail("this is no plain data") }
        }
        return .list(items)
    }

    private mutating func key() -> String? {
        if bytes[at] == 34 || bytes[at] == 39 { return text() }
        return name()
    }

    private mutating func name() -> String? {
        let start = at
        while at < bytes.count, ShellText.isNameByte(bytes[at], first: false) || bytes[at] == 36 { at += 1 }
        return at > start ? String(decoding: bytes[start..<at], as: UTF8.self) : nil
    }

    /// A quoted text; nil for a template with something in it.
    private mutating func text() -> String? {
        let quote = bytes[at]
        at += 1
        var result: [UInt8] = []
        var isPlain = true
        while at < bytes.count, bytes[at] != quote {
            if quote == 96, bytes[at...].starts(with: [36, 123]) { isPlain = false }
            if bytes[at] == 10, quote != 96 {
                fail("the quote is not closed in its line")
                return nil
            }
            guard bytes[at] == 92, at + 1 < bytes.count else {
                result.append(bytes[at])
                at += 1
                continue
            }
            let escapes: [UInt8: UInt8] = [110: 10, 114: 13, 116: 9, 98: 8, 102: 12, 118: 11, 48: 0]
            if bytes[at + 1] == 117, at + 5 < bytes.count,
                let number = UInt32(String(decoding: bytes[(at + 2)...(at + 5)], as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(number)
            {
                result += String(Character(scalar)).utf8
                at += 6
                continue
            }
            if bytes[at + 1] != 10 { result.append(escapes[bytes[at + 1]] ?? bytes[at + 1]) }
            at += 2
        }
        guard at < bytes.count else {
            fail("a quote is never closed")
            return nil
        }
        at += 1
        return isPlain ? String(decoding: result, as: UTF8.self) : nil
    }

    private mutating func word() -> ScriptLiteral.Content {
        let start = at
        while at < bytes.count, ShellText.isNameByte(bytes[at], first: false) || [36, 43, 45, 46].contains(bytes[at]) {
            at += 1
        }
        let word = String(decoding: bytes[start..<at], as: UTF8.self)
        switch word {
        case "null", "undefined": return .null
        case "true", "false": return .word(word)
        case "__dirname": return .folder
        case "": return .computed("")
        default: break
        }
        if word.hasPrefix("process.env."), word.utf8.count > 12 {
            return .variable(String(word.dropFirst(12)), fallback: nil)
        }
        switch CoreScalar(plain: word) {
        case .integer, .number: return .word(word)
        case .null, .boolean, .text: return .computed(word)
        }
    }

    /// The text or number behind `||` or `??`.
    private mutating func fallback() -> String? {
        let start = at
        skipBlanks()
        guard
            bytes[min(at, bytes.count)...].starts(with: [124, 124])
                || bytes[min(at, bytes.count)...].starts(with: [63, 63])
        else {
            at = start
            return nil
        }
        at += 2
        skipBlanks()
        let found: String?
        if hasMore, [34, 39, 96].contains(bytes[at]) {
            found = text()
        } else if case .word(let word) = word() {
            found = word
        } else {
            found = nil
        }
        if found == nil { at = start }
        return found
    }

    /// Goes past an expression, to the comma or bracket that ends it.
    private mutating func computed(from start: Int) -> ScriptLiteral.Content {
        at = start
        var depth = 0
        while at < bytes.count {
            switch bytes[at] {
            case 34, 39, 96:
                _ = text()
                continue
            case 40, 91, 123: depth += 1
            case 41, 93, 125:
                if depth == 0 { return written(start) }
                depth -= 1
            case 44, 59:
                if depth == 0 { return written(start) }
            default: break
            }
            at += 1
        }
        return written(start)
    }

    private func written(_ start: Int) -> ScriptLiteral.Content {
        .computed(String(decoding: bytes[start..<min(at, bytes.count)].prefix(60), as: UTF8.self))
    }
}

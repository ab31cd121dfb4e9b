// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// What the language says of one key, in words.
public struct KeyReference: Equatable, Sendable {
    /// Where it is written: `restart.delay` of a service, `environment` of the stack.
    public var path: String
    /// The kind of map that has it: `a service`.
    public var owner: String
    /// What may be given: `a duration`.
    public var form: String
    /// What holds when it is not given; empty when there is nothing to say.
    public var fallback: String
    /// One line on what it means.
    public var summary: String
    /// Whether this version has it.
    public var isBuilt: Bool
    /// What a change of it does to a running process; nil for keys that are not a service's.
    public var fate: Fate?
    /// The keys under it, those that this version has.
    public var keys: [KeyReference]
}

/// The reference of the language, made from the one table of keys.
public enum ManifestReference {
    /// A key by its path. A service's own keys are meant first (`restart.delay`), then the stack's (`services`); a whole path
    /// (`services.web.restart.delay`) does too. Nil: there is none.
    public static func key(_ path: String) -> KeyReference? {
        let words = path.split(separator: ".").map(String.init)
        guard !words.isEmpty else { return nil }
        return find(words, in: Fields.service, isOfService: true) ?? find(words, in: Fields.stack, isOfService: false)
    }

    /// What was probably meant by a path that no key has; nil when nothing is near.
    public static func suggestion(for path: String) -> String? {
        let words = path.split(separator: ".").map(String.init)
        guard let last = words.last else { return nil }
        let parent = words.dropLast().joined(separator: ".")
        let names = parent.isEmpty ? topKeys.map(\.path) : (key(parent)?.keys ?? []).map { lastWord($0.path) }
        return Suggestion.nearest(to: last, among: names).map { parent.isEmpty ? $0 : "\(parent).\($0)" }
    }

    /// The keys of a service and then those of the stack, as far as this version has them.
    public static var topKeys: [KeyReference] {
        entries(of: Fields.service, under: "", isOfService: true)
            + entries(of: Fields.stack, under: "", isOfService: false)
    }

    private static func lastWord(_ path: String) -> String { path.split(separator: ".").last.map(String.init) ?? path }

    private static func find(_ words: [String], in table: FieldTable, isOfService: Bool) -> KeyReference? {
        var table = table
        var isOfService = isOfService
        var path: [String] = []
        var index = 0
        while let field = table[words[index]] {
            path.append(field.name)
            index += 1
            if index == words.count { return reference(field, table, path.joined(separator: "."), isOfService) }
            if let inner = field.form.tables.first(where: { $0[words[index]] != nil }) {
                table = inner
            } else if let inner = field.form.entryTable, index + 1 < words.count {
                // The word between is a name of the author's: `services.web`, `depends_on.db`.
                if field.name == "services" { (isOfService, path) = (true, []) } else { path.append("NAME") }
                index += 1
                table = inner
            } else {
                return nil
            }
        }
        return nil
    }

    private static func reference(
        _ field: Field, _ table: FieldTable, _ path: String, _ isOfService: Bool
    ) -> KeyReference {
        var keys: [KeyReference] = []
        for inner in field.form.tables { keys += entries(of: inner, under: "\(path).", isOfService: isOfService) }
        if let inner = field.form.entryTable {
            let isServices = field.name == "services"
            keys += entries(
                of: inner, under: isServices ? "" : "\(path).NAME.", isOfService: isServices || isOfService)
        }
        return KeyReference(
            path: path, owner: table.title, form: field.form.words, fallback: field.fallback, summary: field.summary,
            isBuilt: field.isBuilt, fate: isOfService ? Fate.of(path) : nil, keys: keys)
    }

    private static func entries(of table: FieldTable, under prefix: String, isOfService: Bool) -> [KeyReference] {
        table.fields.filter(\.isBuilt).map { field in
            KeyReference(
                path: prefix + field.name, owner: table.title, form: field.form.words, fallback: field.fallback,
                summary: field.summary, isBuilt: true, fate: isOfService ? Fate.of(prefix + field.name) : nil, keys: [])
        }
    }
}

extension FieldForm {
    /// The maps with fixed keys that may stand here.
    var tables: [FieldTable] {
        switch self {
        case .object(let table): [table]
        case .list(let inner): inner.tables
        case .either(let forms): forms.flatMap(\.tables)
        case .map, .text, .boolean, .number, .duration, .size, .null, .anything, .integer, .word, .matching: []
        }
    }

    /// The map with fixed keys that each entry of a free map is.
    var entryTable: FieldTable? {
        switch self {
        case .map(let inner): inner.tables.first
        case .either(let forms): forms.lazy.compactMap(\.entryTable).first
        case .list, .object, .text, .boolean, .number, .duration, .size, .null, .anything, .integer, .word, .matching:
            nil
        }
    }

    /// As a person says it.
    var words: String {
        switch self {
        case .text, .matching: return "text"
        case .boolean: return "true or false"
        case .number: return "a number"
        case .duration: return "a duration"
        case .size: return "a size"
        case .null: return "null"
        case .anything: return "anything"
        case .integer(let range):
            return range.upperBound == .max ? "a whole number" : "\(range.lowerBound) to \(range.upperBound)"
        case .word(let words): return words.joined(separator: ", ")
        case .list(let inner): return "a list of \(inner.plural)"
        case .map(let inner): return "a map of \(inner.plural)"
        case .object(let table): return "a map (\(table.title.withoutArticle))"
        case .either(let forms): return forms.map(\.words).joined(separator: ", or ")
        }
    }

    private var plural: String {
        switch self {
        case .text, .matching: "texts"
        case .object(let table): "maps (\(table.title.withoutArticle))"
        case .either(let forms): tables.isEmpty ? (forms.allSatisfy(\.isScalar) ? "values" : words) : pieces(forms)
        case .boolean, .number, .duration, .size, .null, .anything, .integer, .word, .list, .map: words
        }
    }

    private var isScalar: Bool {
        switch self {
        case .text, .matching, .boolean, .number, .null: true
        case .duration, .size, .anything, .integer, .word, .list, .map, .object, .either: false
        }
    }

    /// Maps, and what else may stand there but null, which only says that all is left at its default.
    private func pieces(_ forms: [FieldForm]) -> String {
        forms.compactMap { if case .null = $0 { nil } else { $0.plural } }.joined(separator: " or ")
    }
}

extension String {
    /// `a probe` is the probe's table.
    fileprivate var withoutArticle: String {
        for article in ["a ", "an ", "the "] where hasPrefix(article) { return String(dropFirst(article.count)) }
        return self
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The forms that a value may take.
indirect enum FieldForm: Sendable {
    case text, boolean, number, duration, size, null, anything
    case integer(ClosedRange<Int>)
    /// Text that matches a regular expression of JSON Schema (ECMA-262).
    case matching(String)
    case word([String])
    case list(FieldForm)
    /// A map with free keys.
    case map(FieldForm)
    /// A map with the keys of a table.
    case object(FieldTable)
    case either([FieldForm])
}

/// One key of the language.
struct Field: Sendable {
    let name: String
    let form: FieldForm
    /// What holds when it is not given, in words.
    let fallback: String
    /// One line on what it means.
    let summary: String
    /// False: part of the language, but not in this version.
    let isBuilt: Bool

    init(_ name: String, _ form: FieldForm, default fallback: String = "", _ summary: String) {
        self.name = name
        self.form = form
        self.fallback = fallback
        self.summary = summary
        isBuilt = true
    }

    private init(later name: String, _ summary: String) {
        self.name = name
        form = .anything
        fallback = ""
        self.summary = summary
        isBuilt = false
    }

    static func later(_ name: String, _ summary: String) -> Field { Field(later: name, summary) }
}

/// The keys of one kind of map: decoding, suggestions and the schema come from here. Keys that begin with `x-` are free beside them.
struct FieldTable: Sendable {
    /// As messages speak of it: `a service`.
    let title: String
    let fields: [Field]
    private let index: [String: Int]

    init(_ title: String, _ fields: [Field]) {
        self.title = title
        self.fields = fields
        var index: [String: Int] = [:]
        for (at, field) in fields.enumerated() { index[field.name] = at }
        self.index = index
    }

    subscript(name: String) -> Field? { index[name].map { fields[$0] } }

    /// Whether this version has the key; nil when it is none.
    func isBuilt(_ name: String) -> Bool? { index[name].map { fields[$0].isBuilt } }

    /// For suggestions: what is built first.
    var names: [String] { fields.filter(\.isBuilt).map(\.name) + fields.filter { !$0.isBuilt }.map(\.name) }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What one load works on: the nodes, the files, what was found wrong, and where names get their values.
final class Decoder {
    let input: ManifestInput
    var tree = Tree()
    var reporter = Reporter()
    var sources: [Source] = []
    var envFiles: [String: EnvFile] = [:]
    /// What is in config files, by path.
    var configContents: [String: Digest] = [:]
    /// The scope in which texts are read now.
    var scope: Scope
    /// Folders of the files, absolute and as diagnostics show them, by index of the file.
    var folders: [Folder] = []
    /// Few different ones are written many times.
    private var durations: [String: Duration] = [:]
    var overlayIndex: OverlayIndex?
    /// Nodes of all files, aliases expanded.
    var expandedNodes = 0
    /// Manifests that others include, in the order of their reading, and whose services are whose: an index into them by name.
    var parts: [Part] = []
    var partOf: [String: Int] = [:]
    /// What the n-th service, by name, depends on.
    var connected: [Int: [Dependency]] = [:]
    /// What `secrets` declares.
    var secrets: [DeclaredSecret] = []
    /// The profiles that services name.
    var knownProfiles: [String] = []
    /// The definition that is being resolved: its own name means the next weaker source.
    var ownDefinition: OwnDefinition?
    /// What services get of the caller's variables, by name.
    var inheritance = ["PATH", "HOME", "USER", "LANG", "LC_*", "TZ"]
    /// The same, with their values, sorted.
    var inherited: [EnvironmentEntry] = []
    /// What was asked with `ManifestInput.explains`.
    var explained: [ExplainedVariable]?
    /// The outermost scope.
    let outermost: Scope
    /// How many definitions are being resolved inside of each other.
    var resolutionDepth = 0

    struct Folder {
        var absolute: String
        var shown: String
    }

    struct OwnDefinition {
        var name: String
        var layer: Int
    }

    init(_ input: ManifestInput) {
        self.input = input
        outermost = Scope(caller: input.callerEnvironment)
        scope = outermost
    }

    // MARK: Saying what is wrong

    func position(_ id: NodeID) -> Position {
        let node = tree[id]
        return Position(file: sources[Int(node.file)].name, line: Int(node.line), column: Int(node.column))
    }

    /// Nothing is refused without a word on what to do about it.
    func error(_ code: String, _ message: String, at id: NodeID, help: String) {
        reporter.add(Diagnostic(code: code, message, at: position(id), width: Int(tree[id].width), help: help))
    }

    func warn(_ code: String, _ message: String, at id: NodeID, help: String) {
        reporter.add(
            Diagnostic(.warning, code: code, message, at: position(id), width: Int(tree[id].width), help: help))
    }

    /// `"restart" must be a map, not a list`.
    func wrongForm(_ what: String, _ expected: String, _ id: NodeID, help: String? = nil) {
        let node = tree[id]
        let found =
            switch node.kind {
            case .mapping: "a map"
            case .sequence: "a list"
            case .scalar: tree.isNull(id) ? "null" : "\"\(node.text.prefix(60))\""
            }
        error(
            "type", "\"\(what)\" must be \(expected), not \(found)", at: id,
            help: help ?? formRemedy(expected, node))
    }

    private func formRemedy(_ expected: String, _ node: Node) -> String {
        switch node.kind {
        case .scalar where expected.hasPrefix("a list"):
            node.text.contains { ",:#[]{}&*!|>'\"%@`".contains($0) }
                ? "put it in brackets and quotes: [\"…\"]" : "write [\(node.text.prefix(60))]"
        case .scalar: "write \(expected)"
        case .sequence where expected.hasPrefix("a map"): "a map has keys, each with a colon, and no dashes"
        case .mapping where expected.hasPrefix("a list"): "the items of a list stand in [ ], or each behind a dash"
        case .sequence, .mapping: "write one value, and quotes around it if it holds a colon, a bracket or a brace"
        }
    }

    // MARK: Scalars

    /// A scalar after interpolation.
    struct Scalar {
        var text: String
        /// Unquoted, so it may be a number or a truth value.
        var isPlain: Bool
        var tag: Node.Tag
        var meaning: CoreScalar {
            switch tag {
            case .string: .text
            case .none where !isPlain: .text
            case .none, .integer, .number, .boolean, .null, .collection, .reset, .override: CoreScalar(plain: text)
            }
        }
    }

    /// The scalar at a node; nil after having said why not. Null is no scalar here: callers that take it ask before.
    func scalar(_ id: NodeID, _ what: String, _ expected: @autoclosure () -> String, mode: TextMode = .now) -> Scalar? {
        let node = tree[id]
        guard node.kind == .scalar, !tree.isNull(id) else {
            wrongForm(
                what, expected(), id,
                help: node.kind == .scalar ? "quote it if the text itself is meant: \"\(node.text)\"" : nil)
            return nil
        }
        guard !node.hasNUL else {
            error(
                "nul", "\"\(what)\" holds a NUL character, which no program can be given", at: id,
                help: "remove \\0; what is to hold it belongs into a file")
            return nil
        }
        guard node.hasDollar, mode != .shell else {
            return Scalar(text: node.text, isPlain: node.isPlain, tag: node.tag)
        }
        guard let text = render(node.text, mode: mode, at: id) else { return nil }
        return Scalar(text: text, isPlain: node.isPlain && !text.isEmpty, tag: node.tag)
    }

    func text(_ id: NodeID, _ what: String, mode: TextMode = .now) -> String? {
        scalar(id, what, "text", mode: mode)?.text
    }

    func flag(_ id: NodeID, _ what: String) -> Bool? {
        guard let scalar = scalar(id, what, "true or false") else { return nil }
        if case .boolean(let flag) = scalar.meaning { return flag }
        let yes = ["yes", "on", "y", "1"].contains(scalar.text.lowercased())
        let no = ["no", "off", "n", "0"].contains(scalar.text.lowercased())
        let quoted = CoreScalar.boolean(scalar.text) != nil
        wrongForm(
            what, "true or false", id,
            help: yes ? "write true" : no ? "write false" : quoted ? "remove the quotes" : nil)
        return nil
    }

    func integer(_ id: NodeID, _ what: String, in range: ClosedRange<Int>) -> Int? {
        guard let scalar = scalar(id, what, "a whole number") else { return nil }
        guard case .integer(let number) = scalar.meaning else {
            wrongForm(
                what, "a whole number", id, help: CoreScalar.integer(scalar.text) != nil ? "remove the quotes" : nil)
            return nil
        }
        guard let small = Int(exactly: number), range.contains(small) else {
            error(
                "range", "\"\(what)\" must be from \(range.lowerBound) to \(range.upperBound), not \(number)", at: id,
                help: number < range.lowerBound
                    ? "\(range.lowerBound) is the least that it can be"
                    : "\(range.upperBound) is the most that it can be")
            return nil
        }
        return small
    }

    /// A duration; with `none` it may also be that word, which gives `.some(nil)`.
    func duration(_ id: NodeID, _ what: String, none: Bool = false) -> Duration?? {
        guard let scalar = scalar(id, what, "a duration such as 5s") else { return nil }
        if none, scalar.text == "none" { return .some(nil) }
        if let known = durations[scalar.text] { return known }
        if let span = Duration(text: scalar.text) {
            durations[scalar.text] = span
            return span
        }
        if case .integer(let number) = CoreScalar(plain: scalar.text) {
            error(
                "duration", "\"\(what)\": \(scalar.text) has no unit", at: id,
                help: number >= 0 ? "did you mean \"\(scalar.text)s\"?" : "durations are never negative; such as 5s")
        } else {
            error(
                "duration", "\"\(what)\": \"\(scalar.text)\" is not a duration", at: id,
                help: "durations are 250ms, 5s, 1m30s, 2h, 7d\(none ? ", or none" : ""), at most 366d")
        }
        return nil
    }

    func span(_ id: NodeID, _ what: String) -> Duration? { duration(id, what) ?? nil }

    func size(_ id: NodeID, _ what: String) -> Int64? {
        guard let scalar = scalar(id, what, "a size such as 10MB") else { return nil }
        if let bytes = SizeText.parse(scalar.text) { return bytes }
        let isBare = CoreScalar.integer(scalar.text) != nil
        error(
            "size",
            isBare ? "\"\(what)\": \(scalar.text) has no unit" : "\"\(what)\": \"\(scalar.text)\" is not a size",
            at: id,
            help: isBare
                ? "did you mean \"\(scalar.text)B\" or \"\(scalar.text)MB\"?"
                : "sizes are 512B, 10MB (10^6), 10MiB (2^20)")
        return nil
    }

    func signal(_ id: NodeID, _ what: String) -> Signal? {
        guard let scalar = scalar(id, what, "a signal such as SIGTERM") else { return nil }
        if let signal = Signal(text: scalar.text) { return signal }
        let upper = scalar.text.uppercased()
        let isNumber = upper.contains(where: \.isNumber) && !upper.contains("RT")
        let nearest =
            isNumber
            ? nil : Suggestion.help(for: upper.hasPrefix("SIG") ? upper : "SIG\(upper)", among: Signal.allNames)
        error(
            "signal", "\"\(what)\": there is no signal \"\(scalar.text)\"", at: id,
            help: nearest ?? "signals are SIGTERM, TERM or numbers from 1 to 64")
        return nil
    }

    /// One of an enumeration's words.
    func word<T: RawRepresentable & CaseIterable>(_ id: NodeID, _ what: String, as type: T.Type = T.self) -> T?
    where T.RawValue == String {
        var words: [String] { T.allCases.map(\.rawValue) }
        guard let scalar = scalar(id, what, "one of \(words.joined(separator: ", "))") else { return nil }
        if let found = T(rawValue: scalar.text) { return found }
        badWord(id, what, scalar.text, words)
        return nil
    }

    func badWord(_ id: NodeID, _ what: String, _ text: String, _ words: [String]) {
        error(
            "value", "\"\(what)\" can't be \"\(text)\"", at: id,
            help: Suggestion.help(for: text, among: words)
                ?? (words.count == 1 ? "write \(words[0])" : "it is one of \(words.joined(separator: ", "))"))
    }

    // MARK: Lists

    /// The items of a list; nil after having said that it is none.
    func items(_ id: NodeID, _ what: String, of things: String) -> [NodeID]? {
        guard tree.kind(id) == .sequence else {
            wrongForm(what, "a list of \(things)", id)
            return nil
        }
        return Array(tree.slots(id))
    }

    func words(_ id: NodeID, _ what: String, mode: TextMode = .now) -> [String]? {
        guard let items = items(id, what, of: "words") else { return nil }
        var result: [String] = []
        result.reserveCapacity(items.count)
        var isWhole = true
        for item in items {
            if let word = text(item, what, mode: mode) { result.append(word) } else { isWhole = false }
        }
        return isWhole ? result : nil
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What an import has to say of one place of its source.
struct ImportNote: Equatable {
    enum Kind { case lost, changed }
    var kind: Kind
    var position: Position
    var width = 1
    /// What was written there; empty for what is no single thing.
    var what = ""
    /// Behind the name of what is lost the reason, else all of it: one sentence without its full stop.
    var reason: String
    /// What to do instead.
    var help: String?

    var message: String { what.isEmpty ? reason : "\"\(what)\" is not carried over: \(reason)" }

    var diagnostic: Diagnostic {
        let code =
            switch kind {
            case .lost: "not-imported"
            case .changed: "changed"
            }
        return Diagnostic(.warning, code: code, message, at: position, width: width, help: help)
    }
}

/// One entry of a manifest that is being put together from something else: a key or, in a list, an item.
struct DraftEntry {
    indirect enum Content {
        /// Nothing but the notes.
        case nothing
        case value(Value)
        /// A number or truth value whose spelling is kept.
        case plain(String)
        case map([DraftEntry])
        case list([DraftEntry])
    }
    var key: String
    var content: Content
    /// Comments above it, each also told on its own.
    var notes: [ImportNote] = []
    /// Comments above it that are for readers alone.
    var remarks: [String] = []
    /// Where it comes from.
    var origin: Position?
    /// Written as a comment: it can't stand as it is.
    var isOut = false

    init(_ key: String, _ content: Content, at origin: Position? = nil, notes: [ImportNote] = []) {
        self.key = key
        self.content = content
        self.origin = origin
        self.notes = notes
    }

    init(_ key: String, _ value: Value, at origin: Position? = nil) { self.init(key, .value(value), at: origin) }

    /// An item of a list.
    init(item value: Value, at origin: Position? = nil) { self.init("", .value(value), at: origin) }

    static func notes(_ notes: [ImportNote]) -> DraftEntry { DraftEntry("", .nothing, notes: notes) }

    /// Whether a reader of the manifest sees more of it than comments.
    var isLive: Bool {
        if isOut { return false }
        switch content {
        case .nothing: return false
        case .value, .plain: return true
        case .map(let entries), .list(let entries): return entries.isEmpty || entries.contains { $0.isLive }
        }
    }

    var children: [DraftEntry] {
        get {
            switch content {
            case .nothing, .value, .plain: []
            case .map(let entries), .list(let entries): entries
            }
        }
        set {
            switch content {
            case .nothing, .value, .plain: break
            case .map: content = .map(newValue)
            case .list: content = .list(newValue)
            }
        }
    }

    /// Makes a comment of it; what was to be said of its parts is said above it.
    mutating func takeOut(_ note: ImportNote) {
        isOut = true
        notes += children.flatMap(\.allNotes) + [note]
        children = children.map { child in
            var child = child
            child.strip()
            return child
        }
    }

    /// Without notes.
    mutating func strip() {
        notes = []
        remarks = []
        children = children.map { child in
            var child = child
            child.strip()
            return child
        }
    }

    /// Its own notes and all of those within.
    var allNotes: [ImportNote] { notes + children.flatMap(\.allNotes) }
}

extension [DraftEntry] {
    /// The entry at a path of indices, changed in place. The path is never empty and always leads somewhere.
    mutating func change(_ path: some Collection<Int>, _ body: (inout DraftEntry) -> Void) {
        guard let first = path.first, indices.contains(first) else { return }
        let rest = path.dropFirst()
        if rest.isEmpty {
            body(&self[first])
        } else {
            self[first].children.change(rest, body)
        }
    }

    func entry(at path: some Collection<Int>) -> DraftEntry? {
        guard let first = path.first, indices.contains(first) else { return nil }
        let rest = path.dropFirst()
        return rest.isEmpty ? self[first] : self[first].children.entry(at: rest)
    }
}

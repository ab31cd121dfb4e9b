// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The part of YAML that nearly all manifests keep to: ASCII, block maps and lists, flow collections, and scalars of one line without
/// escapes. It is read here several times faster than libyaml does. Whatever is not surely of that part, mistakes included, is left to
/// libyaml as a whole; what is read here is the same tree, marks and all, which a test holds against libyaml's.
struct PlainYAML {
    /// A step through the tree: a scalar, the beginning of a collection, or its end.
    struct Token {
        enum Kind: UInt8 { case plain, quoted, mapping, sequence, end }
        var kind: Kind
        var hasDollar = false
        /// The bytes of a scalar's text.
        var start: Int32 = 0
        var end: Int32 = 0
        /// Where it begins, from 1.
        var line: Int32 = 0
        var column: Int32 = 0
        /// Columns that it covers.
        var width: Int32 = 1
    }
    /// What follows a key or a dash.
    private enum Rest {
        case written
        /// It may be on the next lines; else this empty one stands for it.
        case below(Token)
        case foreign
    }
    /// A block collection that is open.
    private struct Level {
        var column: Int
        var isSequence: Bool
        /// A list that stands at the column of the map that it is a value of.
        var isIndentless = false
    }

    private let bytes: [UInt8]
    private var place = 0
    private var line: Int32 = 1
    private var lineStart = 0
    private var tokens: [Token] = []
    private var levels: [Level] = []

    /// Nil when it is for libyaml to read.
    static func tokens(of bytes: [UInt8]) -> [Token]? {
        guard bytes.count < Int(Int32.max), bytes.allSatisfy({ ($0 >= 32 && $0 < 127) || $0 == newline }) else {
            return nil
        }
        var reader = PlainYAML(bytes: bytes)
        return reader.run() && reader.tokens.count <= Limits.manifestNodes ? reader.tokens : nil
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        tokens.reserveCapacity(bytes.count / 8)
    }

    private mutating func run() -> Bool {
        var awaited: Token?
        skipDocumentStart()
        while let column = nextLine() {
            let isItem = isDash
            if column == 0, isDocumentMark { return false }
            if let empty = awaited {
                awaited = nil
                if !openBelow(column, isItem) { tokens.append(empty) }
            } else if tokens.isEmpty {
                guard column == 0 else { return false }
                open(Level(column: 0, isSequence: isItem))
            }
            guard closeAbove(column, isItem), levels.count < Self.depth else { return false }
            switch isItem ? item() : entry() {
            case .written: break
            case .below(let empty): awaited = empty
            case .foreign: return false
            }
        }
        if let awaited { tokens.append(awaited) }
        for _ in levels { tokens.append(Token(kind: .end)) }
        return !tokens.isEmpty
    }

    // MARK: Lines

    /// Goes to the first character of the next line that says something, and returns its column from 0; nil at the end.
    private mutating func nextLine() -> Int? {
        while place < bytes.count {
            switch bytes[place] {
            case newline: takeNewline()
            case blank: place += 1
            case UInt8(ascii: "#"): skipToLineEnd()
            default: return place - lineStart
            }
        }
        return nil
    }

    private mutating func takeNewline() {
        place += 1
        line += 1
        lineStart = place
    }

    private mutating func skipToLineEnd() { while place < bytes.count, bytes[place] != newline { place += 1 } }

    /// Nothing more but a comment; false when there is.
    private mutating func endsLine() -> Bool {
        let start = place
        while place < bytes.count, bytes[place] == blank { place += 1 }
        guard place < bytes.count, bytes[place] != newline else { return true }
        guard place > start, bytes[place] == UInt8(ascii: "#") else { return false }
        skipToLineEnd()
        return true
    }

    /// A first line of three dashes says nothing.
    private mutating func skipDocumentStart() {
        let dashes = [UInt8](repeating: UInt8(ascii: "-"), count: 3)
        if bytes.starts(with: dashes + [newline]) { place = 3 }
    }

    private var isDocumentMark: Bool {
        let mark = bytes[place]
        guard mark == UInt8(ascii: "-") || mark == UInt8(ascii: "."), place + 2 < bytes.count else { return false }
        return bytes[place + 1] == mark && bytes[place + 2] == mark
    }

    /// Whether the character at `index` ends a word.
    private func isSpace(_ index: Int) -> Bool {
        index >= bytes.count || bytes[index] == blank || bytes[index] == newline
    }

    private var isDash: Bool { bytes[place] == UInt8(ascii: "-") && isSpace(place + 1) }

    // MARK: Blocks

    private mutating func open(_ level: Level) {
        tokens.append(mark(level.isSequence ? .sequence : .mapping))
        levels.append(level)
    }

    /// Whether the awaited value begins at this line: deeper, or as a list right below its key.
    private mutating func openBelow(_ column: Int, _ isItem: Bool) -> Bool {
        guard let parent = levels.last else { return false }
        let isIndentless = isItem && column == parent.column && !parent.isSequence
        guard column > parent.column || isIndentless else { return false }
        open(Level(column: column, isSequence: isItem, isIndentless: isIndentless))
        return true
    }

    /// Closes what ends before a line of this column. False when the line does not go on with what is open then.
    private mutating func closeAbove(_ column: Int, _ isItem: Bool) -> Bool {
        while let top = levels.last {
            guard top.column > column || (top.column == column && top.isIndentless && !isItem) else { break }
            tokens.append(Token(kind: .end))
            levels.removeLast()
        }
        guard let top = levels.last else { return false }
        return top.column == column && top.isSequence == isItem
    }

    /// A dash and what stands behind it.
    private mutating func item() -> Rest {
        place += 1
        let empty = mark(.plain)
        guard !endsLine() else { return .below(empty) }
        guard !isDash else { return .foreign }
        if isFlowStart { return flow(0) && endsLine() ? .written : .foreign }
        var level = mark(.mapping)
        level.kind = .mapping
        let column = place - lineStart
        guard let scalar = scalar(inFlow: false) else { return .foreign }
        guard isKeyEnd else {
            tokens.append(scalar)
            return endsLine() ? .written : .foreign
        }
        tokens.append(level)
        levels.append(Level(column: column, isSequence: false))
        return value(of: scalar)
    }

    /// A key and what stands behind it.
    private mutating func entry() -> Rest {
        guard let key = scalar(inFlow: false), isKeyEnd else { return .foreign }
        return value(of: key)
    }

    private var isKeyEnd: Bool { place < bytes.count && bytes[place] == UInt8(ascii: ":") && isSpace(place + 1) }

    private mutating func value(of key: Token) -> Rest {
        guard key.end - key.start < Self.keyBytes else { return .foreign }
        tokens.append(key)
        place += 1
        let empty = mark(.plain)
        guard !endsLine() else { return .below(empty) }
        if isFlowStart { return flow(0) && endsLine() ? .written : .foreign }
        guard let scalar = scalar(inFlow: false) else { return .foreign }
        tokens.append(scalar)
        return endsLine() ? .written : .foreign
    }

    // MARK: Flow collections

    private var isFlowStart: Bool { bytes[place] == UInt8(ascii: "[") || bytes[place] == UInt8(ascii: "{") }

    private mutating func flow(_ depth: Int) -> Bool {
        guard depth < Self.flowDepth else { return false }
        let isMapping = bytes[place] == UInt8(ascii: "{")
        let end = isMapping ? UInt8(ascii: "}") : UInt8(ascii: "]")
        tokens.append(mark(isMapping ? .mapping : .sequence))
        place += 1
        while true {
            guard skipFlowSpace() else { return false }
            if bytes[place] == end { break }
            if isMapping {
                guard let key = scalar(inFlow: true), isKeyEnd, key.end - key.start < Self.keyBytes else {
                    return false
                }
                tokens.append(key)
                place += 1
                guard skipFlowSpace() else { return false }
            }
            if isFlowStart {
                guard flow(depth + 1) else { return false }
            } else {
                guard let scalar = scalar(inFlow: true) else { return false }
                tokens.append(scalar)
            }
            guard skipFlowSpace() else { return false }
            if bytes[place] == UInt8(ascii: ",") { place += 1 } else if bytes[place] != end { return false }
        }
        place += 1
        tokens.append(Token(kind: .end))
        return true
    }

    /// Goes to the next character within a flow collection; false when there is none, or a comment.
    private mutating func skipFlowSpace() -> Bool {
        while place < bytes.count {
            switch bytes[place] {
            case blank: place += 1
            case newline:
                takeNewline()
                if place < bytes.count, isDocumentMark { return false }
            case UInt8(ascii: "#"): return false
            default: return true
            }
        }
        return false
    }

    // MARK: Scalars

    /// The scalar here, without what stands behind it; nil for what libyaml is to judge.
    private mutating func scalar(inFlow: Bool) -> Token? {
        let first = bytes[place]
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") { return quoted(first) }
        guard
            Self.beginsPlain(first)
                || (first == UInt8(ascii: "-") && !isSpace(place + 1) && Self.beginsPlain(bytes[place + 1]))
                || isLongOption
        else { return nil }
        var token = mark(.plain)
        while place < bytes.count, bytes[place] != newline {
            let byte = bytes[place]
            if byte == UInt8(ascii: ":"), isSpace(place + 1) { break }
            if byte == UInt8(ascii: "#"), bytes[place - 1] == blank { break }
            if inFlow {
                if Self.endsFlowPlain(byte) { break }
                guard Self.isPlainInFlow(byte), byte != UInt8(ascii: ":") || Self.beginsPlain(bytes[place + 1]) else {
                    return nil
                }
            }
            if byte == UInt8(ascii: "$") { token.hasDollar = true }
            place += 1
        }
        while bytes[place - 1] == blank { place -= 1 }
        return ended(token, at: place)
    }

    /// `--port`.
    private var isLongOption: Bool {
        place + 2 < bytes.count && bytes[place] == UInt8(ascii: "-") && bytes[place + 1] == UInt8(ascii: "-")
            && Self.beginsPlain(bytes[place + 2])
    }

    private mutating func quoted(_ quote: UInt8) -> Token? {
        var token = mark(.quoted)
        place += 1
        token.start += 1
        while place < bytes.count, bytes[place] != quote {
            guard bytes[place] != newline, bytes[place] != UInt8(ascii: "\\") || quote == UInt8(ascii: "'") else {
                return nil
            }
            if bytes[place] == UInt8(ascii: "$") { token.hasDollar = true }
            place += 1
        }
        guard place < bytes.count else { return nil }
        let end = place
        place += 1
        // Two of them are one that is meant.
        if quote == UInt8(ascii: "'"), place < bytes.count, bytes[place] == quote { return nil }
        return ended(token, at: end)
    }

    private func ended(_ token: Token, at end: Int) -> Token? {
        guard end - Int(token.start) <= Limits.scalarBytes else { return nil }
        var token = token
        token.end = Int32(truncatingIfNeeded: end)
        token.width = max(1, Int32(truncatingIfNeeded: place - lineStart) + 1 - token.column)
        return token
    }

    /// Something that begins here and is empty so far.
    private func mark(_ kind: Token.Kind) -> Token {
        let offset = Int32(truncatingIfNeeded: place)
        return Token(
            kind: kind, start: offset, end: offset, line: line,
            column: offset - Int32(truncatingIfNeeded: lineStart) + 1)
    }

    private static func beginsPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "$"), UInt8(ascii: "~"), UInt8(ascii: "("), UInt8(ascii: "+"), UInt8(ascii: "<"),
            UInt8(ascii: "="):
            true
        default: false
        }
    }

    private static func endsFlowPlain(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
    }

    private static func isPlainInFlow(_ byte: UInt8) -> Bool {
        byte != UInt8(ascii: "[") && byte != UInt8(ascii: "{") && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#")
    }

    private static let depth = 40
    private static let flowDepth = 20
    /// A key of libyaml's has at most 1,024 characters.
    private static let keyBytes: Int32 = 1_000
}

private let newline = UInt8(ascii: "\n")
private let blank = UInt8(ascii: " ")

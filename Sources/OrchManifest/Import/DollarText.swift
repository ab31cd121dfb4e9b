// SPDX-License-Identifier: Apache-2.0

/// Text in which `$NAME` and `${NAME…}` stand for variables and `$$` for a dollar, as Docker Compose reads it (compose-spec, 12 Interpolation).
struct DollarText {
    enum Fallback: Equatable {
        case none
        /// `:-` and `-`.
        case text(String)
        /// `:?` and `?`.
        case message(String)
        /// `:+` and `+`: this instead of what it is.
        case instead(String)
    }
    enum Piece: Equatable {
        case text([UInt8])
        /// `takesEmpty`: the operator had no colon, so an empty value counts as one.
        case variable(name: String, fallback: Fallback, takesEmpty: Bool)
    }
    private(set) var pieces: [Piece] = []

    init(_ text: String) {
        let bytes = Array(text.utf8)
        var literal: [UInt8] = []
        var at = 0
        while at < bytes.count {
            guard bytes[at] == 36, at + 1 < bytes.count else {
                literal.append(bytes[at])
                at += 1
                continue
            }
            if bytes[at + 1] == 36 {
                literal.append(36)
                at += 2
            } else if let (piece, end) = Self.variable(bytes, at + 1) {
                if !literal.isEmpty { pieces.append(.text(literal)) }
                literal = []
                pieces.append(piece)
                at = end
            } else {
                literal.append(36)
                at += 1
            }
        }
        if !literal.isEmpty { pieces.append(.text(literal)) }
    }

    init(pieces: [Piece]) {
        for piece in pieces {
            // What is literal is one piece, so that each dollar in it sees what follows.
            if case .text(let next) = piece, case .text(let known) = self.pieces.last {
                self.pieces[self.pieces.count - 1] = .text(known + next)
            } else {
                self.pieces.append(piece)
            }
        }
    }

    /// A text in which a dollar is a dollar.
    init(literal text: String) { pieces = [.text(Array(text.utf8))] }

    /// For a shell: `$$` is a dollar, and what stands for a variable is left to the shell.
    static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        var isSecond = false
        for byte in text.utf8 {
            if byte == 36, isSecond {
                isSecond = false
                continue
            }
            isSecond = byte == 36
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func variable(_ bytes: [UInt8], _ start: Int) -> (Piece, end: Int)? {
        let isBraced = bytes[start] == 123
        let nameStart = isBraced ? start + 1 : start
        var at = nameStart
        while at < bytes.count, ShellText.isNameByte(bytes[at], first: at == nameStart) { at += 1 }
        guard at > nameStart else { return nil }
        let name = String(decoding: bytes[nameStart..<at], as: UTF8.self)
        guard isBraced else { return (.variable(name: name, fallback: .none, takesEmpty: false), at) }
        guard let close = closing(bytes, at) else { return nil }
        guard at < close else { return (.variable(name: name, fallback: .none, takesEmpty: false), close + 1) }
        let hasColon = bytes[at] == 58
        let mark = at + (hasColon ? 1 : 0)
        guard mark < close else { return nil }
        let rest = String(decoding: bytes[(mark + 1)..<close], as: UTF8.self)
        let fallback: Fallback
        switch bytes[mark] {
        case 45: fallback = .text(rest)
        case 63: fallback = .message(rest)
        case 43: fallback = .instead(rest)
        default: return nil
        }
        return (.variable(name: name, fallback: fallback, takesEmpty: !hasColon), close + 1)
    }

    /// The brace that closes, past those of references within.
    private static func closing(_ bytes: [UInt8], _ start: Int) -> Int? {
        var depth = 0
        for at in start..<bytes.count {
            if bytes[at] == 36, at + 1 < bytes.count, bytes[at + 1] == 123 { depth += 1 }
            guard bytes[at] == 125 else { continue }
            if depth == 0 { return at }
            depth -= 1
        }
        return nil
    }

    /// Names that it asks for, those in defaults included.
    var names: Set<String> {
        var found: Set<String> = []
        for case .variable(let name, let fallback, _) in pieces {
            found.insert(name)
            switch fallback {
            case .none, .message: break
            case .text(let text), .instead(let text):
                if text.utf8.contains(36) { found.formUnion(DollarText(text).names) }
            }
        }
        return found
    }

    var hasVariables: Bool { pieces.contains { if case .variable = $0 { true } else { false } } }

    /// The text without variables.
    var literal: String {
        var bytes: [UInt8] = []
        for case .text(let text) in pieces { bytes += text }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What orch reads as the same, and what it can't. `known`: names that have a value for sure. `isText`: what has no value is empty;
    /// else it must have one.
    func orch(isText: Bool, known: (String) -> Bool) -> (text: String, flaws: [String]) {
        var bytes: [UInt8] = []
        var flaws: [String] = []
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .text(let literal):
                let isLast = index + 1 == pieces.count
                for (at, byte) in literal.enumerated() {
                    bytes.append(byte)
                    guard byte == 36 else { continue }
                    let next = at + 1 < literal.count ? literal[at + 1] : isLast ? 0 : 36
                    if next == 36 || next == 123 { bytes.append(36) }
                }
            case .variable(let name, let fallback, let takesEmpty):
                bytes += Self.reference(name, fallback, takesEmpty, isText: isText, known: known, &flaws).utf8
            }
        }
        return (String(decoding: bytes, as: UTF8.self), flaws)
    }

    private static func reference(
        _ name: String, _ fallback: Fallback, _ takesEmpty: Bool, isText: Bool, known: (String) -> Bool,
        _ flaws: inout [String]
    ) -> String {
        switch fallback {
        case .none: return known(name) || !isText ? "${\(name)}" : "${\(name):-}"
        case .message(let message):
            if !message.utf8.contains(where: { $0 == 125 || $0 == 36 }) { return "${\(name):?\(message)}" }
            return "${\(name):?}"
        case .instead:
            flaws.append("orch has no ${\(name):+…}: it is read as ${\(name):-} here")
            return "${\(name):-}"
        case .text(let text):
            let inner = DollarText(text)
            if inner.hasVariables {
                flaws.append("a default can't hold another variable, so ${\(name)} falls back to what is left of it")
            } else if takesEmpty {
                flaws.append("${\(name)} falls back to its default also where it is empty")
            }
            let flat = inner.flattened
            guard !flat.utf8.contains(125), !flat.contains("${") else {
                flaws.append("the default of ${\(name)} can't be written here")
                return "${\(name):-}"
            }
            return "${\(name):-\(flat)}"
        }
    }

    /// The text with each variable as its innermost default.
    var flattened: String {
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let literal): text += String(decoding: literal, as: UTF8.self)
            case .variable(_, .text(let fallback), _): text += DollarText(fallback).flattened
            case .variable: break
            }
        }
        return text
    }
}

// SPDX-License-Identifier: Apache-2.0

/// One `${…}` in a text: `${NAME}`, `${NAME:-default}` or `${NAME:?message}`.
public struct VariableReference: Equatable, Sendable {
    /// What happens when the name is unset or empty.
    public enum Fallback: Equatable, Sendable {
        case none
        /// `:-`: this text instead.
        case text(String)
        /// `:?`: an error with this message.
        case message(String)
    }
    /// A `${` that begins no reference, and why.
    public struct Malformed: Error, Equatable, Sendable {
        public var reason: String
    }

    public var name: String
    public var fallback: Fallback
    /// The index behind the closing brace.
    public var end: Int

    /// Reads the reference whose `${` is at `start`. A default is literal text up to the next `}`.
    public init(in bytes: [UInt8], at start: Int) throws(Malformed) {
        guard let close = bytes[start...].firstIndex(of: UInt8(ascii: "}")) else {
            throw Malformed(reason: "the closing brace is missing")
        }
        let inside = bytes[(start + 2)..<close]
        let name = inside.prefix { Self.isNameByte($0) }
        guard let first = name.first else { throw Malformed(reason: "a name must follow the brace") }
        guard first < 48 || first > 57 else { throw Malformed(reason: "a name can't begin with a digit") }
        let rest = inside.dropFirst(name.count)
        self.name = String(decoding: name, as: UTF8.self)
        end = close + 1
        let tail = String(decoding: rest.dropFirst(2), as: UTF8.self)
        if rest.isEmpty {
            fallback = .none
        } else if rest.starts(with: [58, 45]) {
            fallback = .text(tail)
        } else if rest.starts(with: [58, 63]) {
            fallback = .message(tail)
        } else {
            throw Malformed(reason: "after the name there can be }, :-default} or :?message}")
        }
        if tail.utf8.contains(36), tail.contains("${") {
            throw Malformed(reason: "a default can't hold another reference")
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57) || byte == 95
    }
}

/// Text in which some variables are known only when a process is launched: `PORT` and every `ORCH_` name.
///
/// In such a text `${PORT}`, `${ORCH_X}` (with `:-default` if wanted) stand for those values, `$$` for one dollar, and any other dollar for
/// itself. Exec command words, environment values, log paths, and what probes and stop steps say outside of shell text have this form in a
/// `ServiceSpec`; shell text has not.
public enum LaunchTemplate {
    /// Whether `name` gets its value at launch: `PORT` or `ORCH_…`.
    public static func isLaunchName(_ name: String) -> Bool { name == "PORT" || name.utf8.starts(with: "ORCH_".utf8) }

    /// The text with its launch variables filled in. A name that is in `values` neither filled nor given a default stays as it is written.
    public static func resolve(_ text: String, with values: [String: String]) -> String {
        guard text.utf8.contains(36) else { return text }
        var result: [UInt8] = []
        walk(text) { piece in
            switch piece {
            case .byte(let byte): result.append(byte)
            case .reference(let reference, let written):
                if let value = values[reference.name], !value.isEmpty {
                    result.append(contentsOf: value.utf8)
                } else if case .text(let fallback) = reference.fallback {
                    result.append(contentsOf: fallback.utf8)
                } else if values[reference.name] == nil {
                    result.append(contentsOf: written)
                }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The launch variables of a text, in order.
    public static func references(in text: String) -> [VariableReference] {
        guard text.utf8.contains(36) else { return [] }
        var found: [VariableReference] = []
        walk(text) { if case .reference(let reference, _) = $0 { found.append(reference) } }
        return found
    }

    /// The template that resolves to exactly `text`, also when something is appended to it.
    public static func literal(_ text: String) -> String {
        guard text.utf8.contains(36) else { return text }
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            result.append(byte)
            guard byte == 36 else { continue }
            if index + 1 == bytes.count || bytes[index + 1] == 36 || bytes[index + 1] == 123 { result.append(36) }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private enum Piece {
        case byte(UInt8)
        case reference(VariableReference, written: ArraySlice<UInt8>)
    }

    private static func walk(_ text: String, _ visit: (Piece) -> Void) {
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            let next = at + 1 < bytes.count ? bytes[at + 1] : 0
            if bytes[at] == 36, next == 36 {
                visit(.byte(36))
                at += 2
            } else if bytes[at] == 36, next == 123, let reference = try? VariableReference(in: bytes, at: at),
                isLaunchName(reference.name)
            {
                visit(.reference(reference, written: bytes[at..<reference.end]))
                at = reference.end
            } else {
                visit(.byte(bytes[at]))
                at += 1
            }
        }
    }
}

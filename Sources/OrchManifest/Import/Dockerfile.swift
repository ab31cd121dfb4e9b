// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What an image executes, as its Dockerfile says (docs.docker.com/reference/dockerfile); nothing is built.
struct Dockerfile {
    enum Words: Equatable {
        case exec([String])
        /// For `/bin/sh -c`.
        case shell(String)

        var arguments: [String] {
            switch self {
            case .exec(let words): words
            case .shell(let text): CommandLine.standardShell + [text]
            }
        }
    }
    private(set) var entrypoint: Words?
    private(set) var command: Words?

    private struct Stage {
        var name: String
        var entrypoint: Words?
        var command: Words?
    }

    /// `target`: the stage that is meant; nil for the last one.
    init(_ bytes: [UInt8], target: String?) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return }
        var stages: [Stage] = []
        for line in Self.instructions(Source(name: "Dockerfile", bytes: bytes)) {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            let rest = parts[1].drop { $0 == " " }
            switch parts[0].uppercased() {
            case "FROM":
                let words = rest.split(separator: " ").map(String.init).filter { !$0.hasPrefix("--") }
                // An earlier stage hands on what it says.
                var stage = stages.last { $0.name == words.first } ?? Stage(name: "")
                stage.name = words.count > 2 && words[1].lowercased() == "as" ? words[2] : ""
                stages.append(stage)
            case "CMD" where !stages.isEmpty: stages[stages.count - 1].command = Self.words(String(rest))
            case "ENTRYPOINT" where !stages.isEmpty:
                stages[stages.count - 1].entrypoint = Self.words(String(rest))
                // What was inherited was for the former one.
                stages[stages.count - 1].command = nil
            default: break
            }
        }
        let stage = target.map { name in stages.last { $0.name == name } } ?? stages.last
        entrypoint = stage?.entrypoint
        command = stage?.command
    }

    /// What is executed where Compose says this much itself, as orch reads the same; nil when nothing says what.
    func arguments(entrypoint own: [String]?, command given: [String]?) -> Words? {
        // An entrypoint of Compose's forgets the image's command.
        let rest = given ?? (own == nil ? command.map(Self.literal) : nil) ?? []
        if let own { return own.isEmpty ? nil : .exec(own + rest) }
        switch entrypoint {
        case .shell?: return entrypoint
        case .exec?: return .exec(entrypoint.map(Self.literal).map { $0 + rest } ?? rest)
        case nil: break
        }
        if let given { return .exec(given) }
        if case .exec? = command { return .exec(rest) }
        return command
    }

    /// In a list a dollar is one for orch, too.
    private static func literal(_ words: Words) -> [String] {
        words.arguments.map { DollarText(literal: $0).orch(isText: true) { _ in true }.text }
    }

    /// Lines without comments, those that end with a backslash joined with the next ones.
    private static func instructions(_ source: Source) -> [String] {
        var found: [String] = []
        var whole = ""
        for line in TextLine.all(of: source) {
            if line.first == 35 || (line.isBlank && !whole.isEmpty) { continue }
            let text = String(decoding: TextLine.trimmed(line.bytes), as: UTF8.self)
            if text.utf8.last == 92 {
                whole += text.dropLast() + " "
                continue
            }
            whole += text
            if !whole.isEmpty { found.append(whole) }
            whole = ""
        }
        return whole.isEmpty ? found : found + [whole]
    }

    /// A list as JSON is executed, all else is a shell's.
    private static func words(_ text: String) -> Words? {
        guard text.hasPrefix("[") else { return text.isEmpty ? nil : .shell(text) }
        guard let words = ScriptLiteral.words(text) else { return .shell(text) }
        return words.isEmpty ? nil : .exec(words)
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Where the first word of a command leads, as the keeper would look for it: along the service's PATH if it has no slash.
struct ProgramSearch {
    enum Outcome: Equatable {
        case found(String)
        /// Nothing of that name is in any of those folders.
        case nowhere([String])
        case refused(String, PathObstacle)
        /// The first line of a script names an interpreter that can't be executed.
        case noInterpreter(String, interpreter: String, PathObstacle)
    }

    /// Absolute folders.
    var path: [String]
    var directory: String
    var person: Person?
    var examiner: any HostExaminer

    static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    init(_ spec: ServiceSpec, inherited: [EnvironmentEntry], person: Person?, examiner: any HostExaminer) {
        let declared = spec.environment.last { $0.name == "PATH" } ?? inherited.last { $0.name == "PATH" }
        let isUnset = spec.unset.contains("PATH")
        let text = isUnset ? "" : declared?.text ?? ""
        path = (text.isEmpty ? Self.standardPath : text).split(separator: ":").filter { $0.hasPrefix("/") }.map(
            String.init)
        directory = spec.workingDirectory
        self.person = person
        self.examiner = examiner
    }

    func find(_ word: String) -> Outcome {
        guard word.utf8.contains(UInt8(ascii: "/")) else { return alongPath(word) }
        let short = word.hasPrefix("./") ? String(word.dropFirst(2)) : word
        let file = word.hasPrefix("/") ? word : LogLayout.join(directory, short)
        if let obstacle = examiner.obstacle(to: .execute, of: file, as: person) { return .refused(file, obstacle) }
        return interpreted(file)
    }

    private func alongPath(_ word: String) -> Outcome {
        var refused: Outcome?
        for folder in path {
            let file = LogLayout.join(folder, word)
            guard let obstacle = examiner.obstacle(to: .execute, of: file, as: person) else { return interpreted(file) }
            if obstacle.kind != .missing, obstacle.kind != .closed { refused = refused ?? .refused(file, obstacle) }
        }
        return refused ?? .nowhere(path)
    }

    private func interpreted(_ file: String) -> Outcome {
        guard let interpreter = examiner.interpreter(of: file),
            let obstacle = examiner.obstacle(to: .execute, of: interpreter, as: person)
        else { return .found(file) }
        return .noInterpreter(file, interpreter: interpreter, obstacle)
    }

    // MARK: What a shell would execute

    /// The program that a text begins with, if that can be told without being the shell: a plain word that is none of its own.
    static func firstProgram(ofShell text: String) -> String? {
        var words = text.split(maxSplits: 8, omittingEmptySubsequences: true) { $0 == " " || $0 == "\t" || $0 == "\n" }[
            ...]
        while let word = words.first {
            // What precedes a command and leaves it what it is.
            guard word == "exec" || isAssignment(word) else { break }
            words = words.dropFirst()
        }
        guard let word = words.first, word.utf8.allSatisfy(isPlain), let last = word.utf8.last,
            last != UInt8(ascii: "=")
        else { return nil }
        return own.contains(String(word)) || word.hasPrefix("-") ? nil : String(word)
    }

    /// `NAME=value` without anything that a shell would read.
    private static func isAssignment(_ word: Substring) -> Bool {
        guard let sign = word.firstIndex(of: "="), sign != word.startIndex else { return false }
        return word.utf8.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "=") }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57)
            || "_./+-:@%,".utf8.contains(byte)
    }

    /// Reserved words and builtins of sh, and of what else is used as one.
    private static let own: Set<String> = [
        "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "time",
        "function",
        "select", "coproc", ".", ":", "alias", "bg", "bind", "break", "builtin", "cd", "command", "continue", "declare",
        "echo", "enable", "eval", "exit", "export", "false", "fc", "fg", "getopts", "hash", "jobs", "kill", "let",
        "local",
        "printf", "pwd", "read", "readonly", "return", "set", "shift", "shopt", "source", "suspend", "test", "times",
        "trap",
        "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait",
    ]
}

// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Names, calls and texts that don't belong here, each with what to do instead.
enum Words {
    struct Ban {
        var pattern: Regex<Substring>
        /// One of them is in whatever matches.
        var words: [String]
        var instead: String
        var applies: (SourceFile) -> Bool = { _ in true }
    }

    static var calls: [Ban] {
        [
            Ban(pattern: /\btry!/, words: ["try!"], instead: "handle the error, or make it impossible"),
            Ban(pattern: /\bas!/, words: ["as!"], instead: "use `as?` and say what happens otherwise"),
            Ban(
                pattern: /\bfatalError\s*\(/, words: ["fatalError"],
                instead: "use `precondition` for our own mistakes, a typed error for all others"),
            Ban(pattern: /@unchecked\s+Sendable\b/, words: ["@unchecked"], instead: "let the compiler prove it"),
            Ban(
                pattern: /\bnonisolated\s*\(\s*unsafe\s*\)/, words: ["nonisolated"],
                instead: "let the compiler prove it"),
            Ban(
                pattern: /\b(?:usleep|nanosleep|clock_nanosleep|sleep)\s*\(/, words: ["sleep"],
                instead: "wait for a fact, with a deadline: poll(2)"),
            // By number one may hit a stranger. Tests kill only what they started.
            Ban(
                pattern: /(?:^|[^.\w])(?:kill|killpg)\s*\([^)]*,/, words: ["kill"],
                instead: "signal through the pidfd: the number may have been given to another"
            ) {
                !$0.isTest && $0.isSwift
            },
        ]
    }

    static var typeNames: Regex<Substring> {
        /\b(?:struct|class|enum|actor|protocol|typealias)\s+\w*(?:Manager|Helper|Util|Utils|Utilities|Handler|Common|Base|Impl|Extras)\b/
    }

    static func bannedCalls(_ file: SourceFile) -> [Finding] {
        guard file.isSwift else { return [] }
        return calls.filter { $0.applies(file) }.flatMap { ban in
            file.findings(in: file.code, ban.pattern, words: ban.words) { "`\($0)`: \(ban.instead)" }
        }
    }

    static func bannedNames(_ file: SourceFile) -> [Finding] {
        guard file.isSwift else { return [] }
        return file.findings(
            in: file.code, typeNames,
            words: ["Manager", "Helper", "Util", "Handler", "Common", "Base", "Impl", "Extras"]
        ) {
            "`\($0)`: a name that says what it is, not that it is about something"
        }
    }

    /// Spelled in halves so that this file passes.
    static var unfinished: Regex<Substring>? { try? Regex<Substring>("\\b(?:TO" + "DO|FIX" + "ME|XX" + "X)\\b") }

    static func unfinishedWork(_ file: SourceFile) -> [Finding] {
        guard let unfinished else { return [] }
        return file.findings(in: file.lines, unfinished, words: ["TO" + "DO", "FIX" + "ME", "XX" + "X"]) {
            "`\($0)`: do it, or leave it out"
        }
    }

    /// Where this checkout and its builder live must not get into a file.
    static func machinePaths(_ file: SourceFile, root: String) -> [Finding] {
        let prefixes = privatePrefixes(root: root)
        return file.lines.enumerated().compactMap { index, line in
            let found = prefixes.first { line.has([$0]) }
            return found.map {
                Finding(path: file.path, line: index + 1, message: "`\($0)` exists on one machine only")
            }
        }
    }

    /// The checkout's own path, and its first folder when that is none of the usual ones (hier(7)).
    static func privatePrefixes(root: String) -> [String] {
        let usual = ["home", "root", "tmp", "usr", "opt", "srv", "var", "mnt", "media", "build", "workspace"]
        guard let first = root.split(separator: "/").first.map(String.init) else { return [] }
        return usual.contains(first) ? [root + "/"] : [root + "/", "/\(first)/"]
    }
}

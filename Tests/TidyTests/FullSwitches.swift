// SPDX-License-Identifier: Apache-2.0
import Testing

/// No switch over an enumeration of ours has a `default`, anywhere in `Sources`: it would hide the case that somebody adds next year.
/// Phase, event and effect are where that matters most.
///
/// The compiler knows the type of a switch and this rule does not; it takes a switch to be over one of our enumerations when all its
/// cases are cases of that one. What it takes wrongly is listed below, with the reason.
enum FullSwitches {
    /// Where a `default` may stand all the same, how many in a file, and why.
    static let reasoned: [(path: String, count: Int, reason: String)] = [
        ("Sources/OrchModel/FieldDifference.swift", 1, "pairs of values: all but four of the combinations are one")
    ]

    /// Cases of each enumeration of the sources; those of one name are told apart by where they are.
    static func enumerations(in files: [SourceFile]) -> [Set<String>] {
        var found: [Set<String>] = []
        for file in files where file.isSwift && !file.isTest {
            var open: [(indent: Int, cases: Set<String>)] = []
            for line in file.code where line.has(["enum ", "case ", "}"]) {
                let indent = line.prefix { $0 == " " }.count
                let text = line.dropFirst(indent)
                if let last = open.last, text.hasPrefix("}"), last.indent == indent {
                    found.append(last.cases)
                    open.removeLast()
                }
                if line.contains(/\benum\s+\w+[^{]*\{\s*$/) {
                    open.append((indent, []))
                } else if let match = text.firstMatch(of: /\benum\s+\w+[^{]*\{\s*case (.*)\}/) {
                    found.append(declared(in: String(match.1)))
                } else if let last = open.last, indent == last.indent + 4,
                    let match = text.firstMatch(of: /^(?:indirect )?case (.*)/)
                {
                    open[open.count - 1].cases.formUnion(declared(in: String(match.1)))
                }
            }
        }
        return found.filter { !$0.isEmpty }
    }

    /// `a, b` of `a(Int, String), b = 3`.
    private static func declared(in text: String) -> Set<String> {
        var depth = 0
        var plain = ""
        for character in text {
            if character == "(" { depth += 1 }
            if depth == 0 { plain.append(character) }
            if character == ")" { depth -= 1 }
        }
        return Set(plain.split(separator: ",").compactMap { $0.firstMatch(of: /^\s*`?(\w+)`?/).map { String($0.1) } })
    }

    static func findings(in file: SourceFile, enumerations: [Set<String>]) -> [Finding] {
        guard file.isSwift, !file.isTest else { return [] }
        let allowed = reasoned.first { $0.path == file.path }?.count ?? 0
        return Array(defaults(in: file, enumerations).dropFirst(allowed))
    }

    private static func defaults(in file: SourceFile, _ enumerations: [Set<String>]) -> [Finding] {
        struct Switch {
            var indent: Int
            /// The first name of each alternative; nil once a case is something else.
            var names: Set<String>? = []
        }
        var open: [Switch] = []
        var found: [Finding] = []
        for (index, line) in file.code.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            let text = line.dropFirst(indent)
            while let last = open.last, last.indent > indent, !text.isEmpty { open.removeLast() }
            if line.contains(/\bswitch\b.*\{\s*$/) {
                open.append(Switch(indent: indent))
                continue
            }
            guard let last = open.last, last.indent == indent else { continue }
            if text.hasPrefix("}") {
                open.removeLast()
            } else if text.hasPrefix("case ") {
                let names = firstNames(in: text.dropFirst(5))
                open[open.count - 1].names = names.isEmpty ? nil : last.names?.union(names)
            } else if text.hasPrefix("default:"), let names = last.names, !names.isEmpty,
                enumerations.contains(where: { names.isSubset(of: $0) })
            {
                let message = "`default` in a switch over an enumeration of ours: list the cases"
                found.append(Finding(path: file.path, line: index + 1, message: message))
            }
        }
        return found
    }

    /// `a`, `b` of `.a(let x), let .b:`; none when an alternative begins with something else.
    private static func firstNames(in text: Substring) -> Set<String> {
        guard let match = text.firstMatch(of: /^(?:let\s+)?\(*(?:let\s+)?(?:[A-Z]\w*)?\.([a-z]\w*)/) else { return [] }
        var names: Set = [String(match.1)]
        for more in text.matches(of: /,\s*(?:let\s+)?\.([a-z]\w*)/) where !text.hasPrefix("(") {
            names.insert(String(more.1))
        }
        return names
    }
}

@Suite struct FullSwitchTests {
    @Test func noSwitchOverAnEnumerationOfOursHasADefault() {
        let enumerations = FullSwitches.enumerations(in: SourceTree.sources)
        for known in [
            ["waiting", "backoff", "stuck"], ["launched", "exited", "emptied"], ["launch", "signal", "kill"],
        ] {
            #expect(enumerations.contains { Set(known).isSubset(of: $0) }, "phase, event and effect are seen: \(known)")
        }
        let findings = SourceTree.sources.flatMap { FullSwitches.findings(in: $0, enumerations: enumerations) }
        #expect(report(findings) == "")
    }

    @Test func enumerationsAreRead() {
        let text = """
            public enum Effect: Equatable {
                /// Go.
                case launch(Order, at: Int), kill(LaunchID)
                case `default`
                var isIt: Bool {
                    switch self {
                    case .other: true
                    }
                }
                enum Inner: String { case a = "x", b }
            }
            """
        let file = SourceFile(path: "Sources/OrchEngine/A.swift", text: text)
        #expect(FullSwitches.enumerations(in: [file]) == [["a", "b"], ["launch", "kill", "default"]])
    }

    @Test(arguments: [
        ("case .launch: 1", 1), ("case .launch(let a), .kill(let b): 1", 1), ("case let .launch(a): 1", 1),
        ("case (.launch, 3): 1", 1), ("case Effect.kill: 1", 1),
        ("case .foreign: 1", 0), ("case .launch, .foreign: 1", 0), ("case 3: 1", 0), ("case \"launch\": 1", 0),
    ]) func defaultsBesideOurCasesAreFound(line: String, count: Int) {
        let text = "switch a {\n\(line)\ndefault: 2\n}\n"
        let nested =
            "switch a {\ncase .launch:\n    switch b {\n    case 1: 1\n    default: 2\n    }\ncase .kill: 3\n}\n"
        for path in ["Sources/OrchEngine/A.swift", "Sources/OrchLinux/A.swift"] {
            let all: [Set<String>] = [["launch", "kill", "signal"]]
            #expect(FullSwitches.findings(in: SourceFile(path: path, text: text), enumerations: all).count == count)
            #expect(FullSwitches.findings(in: SourceFile(path: path, text: nested), enumerations: all).isEmpty)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Testing

/// docs/faults.md: every fault has its row, every row what shows it, and every test that is named is there.
enum FaultTable {
    /// Begin the last cell of a fault that no test shows as it is.
    static let excuses = ["comes with ", "simulated: ", "no test yet"]

    static func findings(in page: SourceFile, tests: Set<String>, faults: Int) -> [Finding] {
        var found: [Finding] = []
        var numbers: [Int] = []
        for (index, line) in page.lines.enumerated() {
            func complain(_ message: String) {
                found.append(Finding(path: page.path, line: index + 1, message: message))
            }
            guard let number = line.prefixMatch(of: /\| F(\d\d) \|/).flatMap({ Int($0.1) }) else { continue }
            numbers.append(number)
            let cells = line.split(separator: " | ", omittingEmptySubsequences: false)
            guard cells.count == 4, let shown = cells.last else {
                complain("a fault's row has four cells")
                continue
            }
            let named = shown.matches(of: /`(\w+\/\w+)`/).map { String($0.1) }
            for name in named where !tests.contains(name) { complain("there is no test \(name)") }
            if named.isEmpty && !excuses.contains(where: shown.hasPrefix) { complain("nothing shows it") }
        }
        if numbers != Array(1...faults) {
            found.append(
                Finding(path: page.path, line: 1, message: "the faults 1 to \(faults), each once and in order"))
        }
        return found
    }

    /// Every test as `Suite/test`.
    static func tests(in files: [SourceFile]) -> Set<String> {
        var names: Set<String> = []
        for file in files where file.isTest && file.isSwift {
            var parts: [[String]] = []
            for line in file.code {
                if line.firstMatch(of: /^(?:@Suite.* )?(?:struct|class|extension)\b/) != nil { parts.append([]) }
                if !parts.isEmpty { parts[parts.count - 1].append(line) }
            }
            for part in parts {
                guard let suite = part.first?.firstMatch(of: /(?:struct|class|extension) (\w+)/)?.1 else { continue }
                let text = SourceFile(path: file.path, text: part.joined(separator: "\n"))
                names.formUnion(RaceTable.testNames(in: [text]).map { "\(suite)/\($0)" })
            }
        }
        return names
    }
}

@Suite struct FaultTableTests {
    @Test func everyFaultHasItsRow() throws {
        let page = try #require(SourceTree.texts.first { $0.path == "docs/faults.md" })
        let tests = FaultTable.tests(in: SourceTree.sources)
        #expect(report(FaultTable.findings(in: page, tests: tests, faults: 60)) == "")
    }

    @Test func aTableThatLiesIsFound() {
        func count(_ rows: String...) -> Int {
            let page = SourceFile(path: "docs/faults.md", text: rows.joined(separator: "\n"))
            return FaultTable.findings(in: page, tests: ["A/a", "B/b"], faults: 1).count
        }
        #expect(count("| F01 | a | b | `A/a`, `B/b` |") == 0)
        #expect(count("| F01 | a | b | comes with c |") == 0)
        #expect(count("| F01 | a | b | no test yet; `A/a` |") == 0)
        #expect(count("| F01 | a | b | `A/b` |") == 1)
        #expect(count("| F01 | a | b | trust us |") == 1)
        #expect(count("| F01 | a | `A/a` |") == 1)
        #expect(count("| F02 | a | b | `A/a` |") == 1)
        #expect(count() == 1)
        let text =
            "@Suite(.serialized) struct A {\n    @Test func a() {}\n    func b() {}\n}\n@Suite struct B {\n    @Test\n    func b() {}\n}"
        #expect(FaultTable.tests(in: [SourceFile(path: "Tests/A/A.swift", text: text)]) == ["A/a", "B/b"])
    }
}

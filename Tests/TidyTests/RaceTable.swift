// SPDX-License-Identifier: Apache-2.0
import Testing

/// docs/races.md: every race has its row, and every test it names is there.
enum RaceTable {
    struct Row {
        var number: Int
        var line: Int
        var isSettled: Bool
        var tests: [String]
    }

    static func rows(of page: SourceFile) -> [Row] {
        page.lines.enumerated().compactMap { index, line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            guard cells.count == 7, let number = Int(cells[1].trimmed) else { return nil }
            let tests = cells[5].matches(of: /`(\w+)`/).map { String($0.1) }
            return Row(
                number: number, line: index + 1, isSettled: !cells[3].trimmed.hasPrefix("not yet"), tests: tests)
        }
    }

    static func findings(in page: SourceFile, tests: Set<String>, races: Int) -> [Finding] {
        let rows = rows(of: page)
        var found: [Finding] = []
        if rows.map(\.number) != Array(1...races) {
            found.append(Finding(path: page.path, line: 1, message: "the races 1 to \(races), each once and in order"))
        }
        for row in rows {
            for name in row.tests where !tests.contains(name) {
                found.append(Finding(path: page.path, line: row.line, message: "there is no test \(name)"))
            }
            if row.isSettled == row.tests.isEmpty {
                let message = row.isSettled ? "settled, but no test is named" : "not settled, but a test is named"
                found.append(Finding(path: page.path, line: row.line, message: message))
            }
        }
        let named = Set(rows.flatMap(\.tests))
        for name in tests.sorted() where name.contains(/^race\d\d/) && !named.contains(name) {
            found.append(Finding(path: page.path, line: 1, message: "the test \(name) is not named"))
        }
        return found
    }

    /// Names of functions that are tests: `@Test` stands on one of the few lines before them or on their own.
    static func testNames(in files: [SourceFile]) -> Set<String> {
        var names: Set<String> = []
        for file in files where file.isTest && file.isSwift {
            var isTest = false
            for line in file.code where line.has(["@Test", "func "]) {
                if line.has(["@Test"]) { isTest = true }
                guard let match = line.firstMatch(of: /func (\w+)/) else { continue }
                if isTest { names.insert(String(match.1)) }
                isTest = false
            }
        }
        return names
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

@Suite struct RaceTableTests {
    @Test func everyRaceHasItsTest() throws {
        let page = try #require(SourceTree.texts.first { $0.path == "docs/races.md" })
        let tests = RaceTable.testNames(in: SourceTree.sources)
        #expect(report(RaceTable.findings(in: page, tests: tests, races: 44)) == "")
    }

    @Test func aTableThatLiesIsFound() {
        let tests: Set = ["race01A", "other"]
        func count(_ rows: String...) -> Int {
            let page = SourceFile(path: "docs/races.md", text: rows.joined(separator: "\n"))
            return RaceTable.findings(in: page, tests: tests, races: 1).count
        }
        #expect(count("| 1 | a | b | mind | `race01A` |") == 0)
        #expect(count("| 1 | a | b | mind | `race01A`, `gone` |") == 1)
        #expect(count("| 1 | a | b | mind | `other` |") == 1, "a race's test that no row names")
        #expect(count("| 1 | a | b | mind | |") == 2, "no test, and race01A unnamed")
        #expect(count("| 1 | a | not yet: c | mind | `race01A` |") == 1)
        #expect(count("| 2 | a | b | mind | `race01A` |") == 1)
        let source = SourceFile(
            path: "Tests/A/A.swift", text: "@Test(arguments: [1])\nfunc one(a: Int) {}\nfunc two() {}")
        #expect(RaceTable.testNames(in: [source]) == ["one"])
    }
}

// SPDX-License-Identifier: Apache-2.0
import Testing

/// Each rule finds what it is for, and nothing beside it.
@Suite struct RuleTests {
    private func file(_ text: String, at path: String = "Sources/OrchEngine/Sample.swift") -> SourceFile {
        SourceFile(path: path, text: text)
    }

    @Test(arguments: [
        ("let a = 1 // try! {", "let a = 1          "),
        ("a /* x /* } */ y */ b", "a                   b"),
        (#"f("a{b\"}") {"#, #"f("      ") {"#),
        (#"f("\(g { "}" })}")"#, #"f("\(g { " " }) ")"#),
        (##"f(#"\("#)"##, ##"f(#"  "#)"##),
    ])
    func theScannerKeepsCodeOnly(text: String, code: String) {
        #expect(CodeScanner.blank(text) == code)
    }

    @Test func theScannerKeepsLines() {
        let text = "let a = \"\"\"\n  { \"x\" try!\n  \"\"\"\nlet b = 1"
        #expect(file(text).code.count == 4)
        #expect(file(text).code[1].allSatisfy { $0 == " " })
        #expect(file(text).code[3] == "let b = 1")
    }

    @Test(
        arguments: [
            ("import OrchModel", "OrchModel"), ("public import OrchModel", "OrchModel"),
            ("@testable import OrchWire", "OrchWire"),
            ("internal import struct Glibc.stat", "Glibc"), ("@_spi(A) import B", "B"), ("let important = 1", nil),
        ] as [(String, String?)])
    func importsAreRead(line: String, module: String?) {
        #expect(Arrows.importedModule(line) == module)
    }

    @Test func arrowsPointDown() {
        #expect(Arrows.findings(in: file("import OrchModel\ninternal import Glibc")).map(\.line) == [2])
        #expect(Arrows.findings(in: file("import Glibc", at: "Sources/Unheard/A.swift")).count == 1)
        #expect(Arrows.findings(in: file("import Glibc", at: "Tests/OrchEngineTests/A.swift")).isEmpty)
    }

    @Test func longFilesAreFound() {
        let long = String(repeating: "\n", count: 401)
        #expect(Sizes.overlongFile(file(long)).count == 1)
        #expect(Sizes.overlongFile(file(long, at: "Tests/A/B.swift")).isEmpty)
        #expect(Sizes.overlongFile(file(String(long.dropLast()))).isEmpty)
    }

    @Test func functionsAreMeasured() {
        let body = String(repeating: "    let a = \"}\"\n", count: 69)
        let swift = file("struct A {\nfunc f(\n  b: Int = { 1 }()\n) {\n\(body)}\nfunc g() { }\n}")
        #expect(Sizes.functions(in: swift).map(\.name) == ["f", "g"])
        #expect(Sizes.overlongFunctions(swift).map(\.line) == [2])
        let c = file("static int f(int a,\n             int b)\n{\n\(body)}\nint g(void);\n", at: "Sources/COrch/a.c")
        #expect(Sizes.overlongFunctions(c).map(\.line) == [1])
        let proto = file("protocol P {\n  func f()\n  func g() -> Int\n}\nstruct S {\n\(body)}")
        #expect(Sizes.functions(in: proto).isEmpty)
    }

    @Test(arguments: [
        "let a = try! b()", "fatalError()", "struct A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1",
        "usleep(1)",
        "kill(pid, 9)", "try await Task.sleep(for: .seconds(1))", "b as! C",
    ])
    func bannedCallsAreFound(line: String) {
        #expect(Words.bannedCalls(file(line)).count == 1)
    }

    @Test(arguments: [
        "// try! this", "let a = \"fatalError()\"", "case kill(LaunchID)", "effects.append(.kill(id))",
        "corch_kill(fd)",
    ])
    func whatOnlyLooksBannedIsLeftAlone(line: String) {
        #expect(Words.bannedCalls(file(line)).isEmpty)
    }

    @Test func bannedNamesAreFound() {
        #expect(Words.bannedNames(file("final class ServiceManager {}")).count == 1)
        #expect(Words.bannedNames(file("struct Database {}\nstruct Baseline {}\nenum Managed {}")).isEmpty)
    }

    @Test func unfinishedWorkIsFound() {
        #expect(Words.unfinishedWork(file("// TO" + "DO: later")).count == 1)
        #expect(Words.unfinishedWork(file("// to do")).isEmpty)
    }

    @Test func machinePathsAreFound() {
        let text = file("a\n/odd/place/x\n/usr/bin/env")
        #expect(Words.machinePaths(text, root: "/odd/checkout").map(\.line) == [2])
        #expect(Words.machinePaths(text, root: "/usr/src/orch").isEmpty)
    }

    @Test func licencesAreRead() {
        #expect(Shape.missingLicence(file("// \(Shape.licence)\n")).isEmpty)
        #expect(Shape.missingLicence(file("\n// \(Shape.licence)")).count == 1)
        #expect(
            Shape.missingLicence(file("// swift-tools-version: 6.2\n// \(Shape.licence)", at: "Package.swift")).isEmpty)
    }

    @Test func undocumentedTypesAreFound() {
        #expect(Shape.undocumented(file("/// A.\n@frozen\npublic struct A {}\n\npublic enum B {}")).map(\.line) == [5])
    }

    @Test func deadLinksAreFound() {
        let page = SourceFile(path: "docs/a.md", text: "[x](../README.md) [y](b.md#z) [w](https://x.y) [v](gone.md)")
        #expect(
            Shape.deadLinks(page) { ["README.md", "docs/b.md"].contains($0) }.map(\.message) == [
                "leads nowhere: gone.md"
            ])
    }
}

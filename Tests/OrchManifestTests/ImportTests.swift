// SPDX-License-Identifier: Apache-2.0
import Foundation
import OrchModel
import Testing

@testable import OrchManifest

/// Files of other tools, and what is made of them. Each file in `Imported` that is no result has its results beside it as approved text;
/// with ORCH_WRITE_DOCS=1 they are written anew.
@Suite struct ImportTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Imported")

    /// A file, and what lies beside it in its test: `compose-shop.env` as `.env`, `compose-build.Dockerfile` as `web/Dockerfile`.
    struct Case: CustomTestStringConvertible {
        var file: String
        var format: ImportFormat
        var testDescription: String { file }

        var stem: String { String(file.prefix { $0 != "." }) }

        static let all: [Case] = {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return names.sorted().compactMap { name in
                guard ![".env", ".Dockerfile", ".approved", ".notes"].contains(where: name.hasSuffix) else {
                    return nil
                }
                // `process-compose` begins with no other's name.
                let format = ImportFormat.allCases.first { name.hasPrefix($0.rawValue + "-") }
                return format.map { Case(file: name, format: $0) }
            }
        }()

        func bytes(_ name: String) -> [UInt8]? {
            (try? Data(contentsOf: folder.appending(path: name))).map { [UInt8]($0) }
        }

        /// `cut`: only so many bytes of it.
        func input(cut: Int? = nil) -> ImportInput {
            let whole = bytes(file) ?? []
            // Units of one stack are one file here, each behind a line with its name.
            let parts = whole.starts(with: "#### ".utf8) ? Self.parts(whole) : [(file, whole)]
            let files = parts.map { name, bytes in
                ImportInput.File(name: name, bytes: cut.map { Array(bytes.prefix($0)) } ?? bytes)
            }
            return ImportInput(format: format, files: files, folder: "/srv/shop") { [self] name in
                switch name {
                case ".env": self.bytes("\(stem).env")
                case "web/Dockerfile": self.bytes("\(stem).Dockerfile")
                default: nil
                }
            }
        }

        private static func parts(_ bytes: [UInt8]) -> [(String, [UInt8])] {
            String(decoding: bytes, as: UTF8.self).components(separatedBy: "#### ").dropFirst().map { part in
                let lines = part.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(lines[0]), Array((lines.count > 1 ? lines[1] : "").utf8))
            }
        }
    }

    /// Loads what was printed, where its variables are defined and its env files are empty.
    private static func load(_ imported: ImportedManifest, _ env: [UInt8]?) -> Result<LoadedManifest, ManifestErrors> {
        let caller = imported.variables.enumerated().map { EnvironmentEntry($1, String(1_000 + $0)) }
        return ManifestLoader.load(
            ManifestInput(files: ["orch.yaml"], currentDirectory: "/srv/shop", callerEnvironment: caller) {
                path throws(Fault) in
                path.hasSuffix("/orch.yaml") ? Array(imported.text.utf8) : path.hasSuffix("/.env") ? env ?? [] : []
            })
    }

    @Test func thereAreTwentyOfThem() { #expect(Case.all.count >= 20) }

    @Test(arguments: Case.all) func whatIsMadeOfItIsApproved(_ each: Case) throws {
        var manifest = ""
        var notes = ""
        switch ManifestImport.manifest(from: each.input()) {
        case .success(let imported):
            manifest = imported.text
            if !imported.variables.isEmpty { notes = "needs \(imported.variables.joined(separator: ", "))\n" }
            notes += imported.notes.map { DiagnosticText.render($0, color: false) }.joined()
            #expect(imported.notes.allSatisfy { $0.position != nil && $0.sourceLine != nil })
            switch Self.load(imported, each.bytes("\(each.stem).env")) {
            case .success(let loaded): #expect(loaded.request.stack.services.count == imported.services)
            case .failure(let errors):
                Issue.record("refused: \(errors.diagnostics.map { DiagnosticText.render($0, color: false) }.joined())")
            }
            // What is told is also in the manifest, at its place.
            for note in imported.notes {
                let line = note.position.map { String($0.line) } ?? ""
                let isTold = [":", ","].contains { imported.text.contains("\(line)\($0)") }
                #expect(isTold, "\(note.message)")
            }
        case .failure(let errors):
            notes = errors.diagnostics.map { DiagnosticText.render($0, color: false) }.joined()
            #expect(errors.diagnostics.allSatisfy { $0.position != nil })
        }
        try hold(manifest, "\(each.stem).approved")
        try hold(notes, "\(each.stem).notes")
    }

    private func hold(_ made: String, _ name: String) throws {
        let file = Self.folder.appending(path: name)
        if ProcessInfo.processInfo.environment["ORCH_WRITE_DOCS"] != nil {
            try Data(made.utf8).write(to: file)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == made, "\(name) is not what it was")
    }

    @Test(arguments: Case.all) func cutShortAnywhereItIsAManifestOrAnErrorWithItsPlace(_ each: Case) {
        let length = each.input().files.map(\.bytes.count).max() ?? 0
        for cut in stride(from: 0, to: length, by: max(1, length / 40)) {
            switch ManifestImport.manifest(from: each.input(cut: cut)) {
            case .success(let imported):
                if case .failure(let errors) = Self.load(imported, each.bytes("\(each.stem).env")) {
                    Issue.record("\(cut) bytes: \(errors.diagnostics.map(\.message))\n\(imported.text)")
                }
            case .failure(let errors):
                #expect(errors.diagnostics.contains { $0.severity == .error && $0.position != nil }, "\(cut) bytes")
            }
        }
    }

    @Test func theSameFileGivesTheSameManifest() {
        for each in Case.all {
            let results = (0..<2).map { _ in try? ManifestImport.manifest(from: each.input()).get() }
            #expect(results[0] == results[1])
        }
    }

    @Test(arguments: ImportFormat.allCases) func bytesThatAreNoTextAreAnError(_ format: ImportFormat) {
        for bytes in [[0xFF, 0xFE, 0x41], [0x41, 0x00], [0xC3, 0x28]] as [[UInt8]] {
            let input = ImportInput(format: format, files: [.init(name: "x", bytes: bytes)], folder: "/")
            guard case .failure(let errors) = ManifestImport.manifest(from: input) else {
                Issue.record("\(format) took \(bytes)")
                continue
            }
            #expect(errors.diagnostics.first?.code == "encoding")
        }
    }
}

/// The pieces that several imports share.
@Suite struct ImportTextTests {
    private func orch(_ text: String, isText: Bool = true) -> String {
        DollarText(text).orch(isText: isText) { $0 == "KNOWN" }.text
    }

    @Test func variablesStandForTheSame() {
        #expect(orch("a ${X} $X ${KNOWN}") == "a ${X:-} ${X:-} ${KNOWN}")
        #expect(orch("${X:-a b}${X-c}") == "${X:-a b}${X:-c}")
        #expect(orch("${X:?no X}${X?}") == "${X:?no X}${X:?}")
        #expect(orch("${X}", isText: false) == "${X}")
        #expect(DollarText("${X:+y}").orch(isText: true) { _ in false }.flaws.count == 1)
        #expect(orch("${A:-${B:-c}}") == "${A:-c}")
        #expect(DollarText("${A:-${B}}$C").names == ["A", "B", "C"])
    }

    @Test func dollarsStandForThemselves() {
        #expect(orch("$$X $${X} $ $1 $(x) $") == "$X $${X} $ $1 $(x) $")
        #expect(orch("$$${X}") == "$$${X:-}")
        #expect(orch("$$$$") == "$$$")
        #expect(orch("${X") == "$${X")
        // What orch makes of it is what Compose makes of it, where X is 1.
        let meanings = [
            "$$": "$", "$$$$x": "$$x", "a$$${X}b": "a$1b", "a$${X}b": "a${X}b", "$$$${X}": "$${X}", "${Y:-$$}": "$",
            "$$$X$": "$1$",
        ]
        for (text, meaning) in meanings {
            let yaml = "services: { a: { command: [a], environment: { V: '\(orch(text))' } } }"
            var fixture = Fixture(yaml)
            fixture.caller = [EnvironmentEntry("X", "1")]
            let made = (try? fixture.stack())?["a"]?.variable("V").map { LaunchTemplate.resolve($0, with: [:]) }
            #expect(made == meaning, "\(text)")
        }
    }

    @Test func wordsAreTheShells() {
        #expect(ShellText.words("a 'b c' \"d \\\" e\" f\\ g '' x\"y\"z") == ["a", "b c", "d \" e", "f g", "", "xyz"])
        #expect(ShellText.words("  ") == [])
        #expect(ShellText.words("a 'b") == nil)
        #expect(ShellText.words("a\\") == nil)
        #expect(ShellText.words("\"\\n\" \\n") == ["\\n", "n"])
    }

    @Test func aDockerfileSaysWhatItsLastStageExecutes() {
        func words(_ text: String, target: String? = nil, _ own: [String]? = nil, _ given: [String]? = nil) -> [String]?
        {
            Dockerfile(Array(text.utf8), target: target).arguments(entrypoint: own, command: given)?.arguments
        }
        let stages = """
            FROM --platform=x node:22 AS base
            ENTRYPOINT ["tini", "--"]
            CMD ["node", "${A}"]
            FROM base AS build
            CMD npm run \\
              # between
              build
            FROM base
            CMD [ "node",
            """
        #expect(words(stages, target: "base") == ["tini", "--", "node", "$${A}"])
        #expect(words(stages, target: "build") == ["tini", "--", "/bin/sh", "-c", "npm run  build"])
        #expect(words(stages) == ["tini", "--", "/bin/sh", "-c", "[ \"node\","], "what is no JSON is a shell's")
        #expect(words(stages, target: "base", nil, ["x"]) == ["tini", "--", "x"])
        #expect(words(stages, target: "base", ["y"]) == ["y"], "an entrypoint of Compose's forgets the command")
        #expect(words("FROM a\nENTRYPOINT exec b $C", nil, ["x"]) == ["/bin/sh", "-c", "exec b $C"])
        #expect(words("FROM a") == nil)
        #expect(words("CMD early") == nil)
    }

    @Test func variablesOfShellTextAreThoseItDoesNotSet() {
        #expect(ShellText.variables(in: "A=1; $A $B ${C:-d} $1 $e '$F'") == ["B", "C", "F"])
    }

    @Test func hostsAreFoundWhereHostsStand() {
        for text in ["redis://cache:6379", "u:p@cache/0", "cache:6379", "a,cache:1", "http://cache"] {
            #expect(ShellText.isHost("cache", in: text, alone: false), "\(text)")
        }
        for text in ["cache", "/cache:1", "mycache:1", "cache:x", "http://cache.example.org", "//cache-2", ""] {
            #expect(!ShellText.isHost("cache", in: text, alone: false), "\(text)")
        }
        #expect(ShellText.isHost("cache", in: "cache", alone: true))
    }

    /// Whatever text an entry has, the loader reads it back from the draft.
    @Test func whatIsDraftedReadsBack() {
        let texts = [
            "plain", "a: b", "a #b", "- x", "${X:-[y]}", "$(x) && y", "multi\nline\n", "multi\n  deep\nend", "\nfirst",
            "tab\there", " lead", "trail ", "é", "\u{1}", "yes", "null", "12", "0x1F", "1.5", "-1", "-p", "--", "---",
            "-", "*",
            "a\n\nb", "a\n \nb", "#x", "!x", "&x", "%x", "@x", "`x`", "'x'", "\"x\"", "{x}", "[x]", "a:", "?",
            "x\u{85}y", "\u{FEFF}",
            "a\r\nb", "| x", "> y", "~", ".inf", "12:30", "0755", "x: ", "<<", "=",
        ]
        for text in texts {
            let literal = text.replacing("$", with: "$$")
            let draft = DraftEntry(
                "services",
                .map([
                    DraftEntry(
                        "a",
                        .map([
                            DraftEntry("command", .strings(["x", literal])),
                            DraftEntry("environment", .map([DraftEntry("V", .value(.string(literal)))])),
                        ]))
                ]))
            let made = DraftText([draft], header: "made", namesFiles: false).text
            let spec = (try? Fixture(made).stack())?["a"]
            #expect(
                spec?.variable("V").map { LaunchTemplate.resolve($0, with: [:]) } == text || text == "\u{1}", "\(made)")
            #expect(spec != nil, "\(made)")
        }
    }
}

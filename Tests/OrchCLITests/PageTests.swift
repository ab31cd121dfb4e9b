// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchManifest
import OrchModel
import Testing

@testable import OrchCLI

/// Pages that are made from the programs are as the programs say, and what pages show is right. `make docs` writes them anew.
@Suite struct PageTests {
    @Test func theSchemaIsWhatTheTableOfKeysSays() throws {
        try hold("schemas/stack.schema.json", to: ManifestSchema.json)
    }

    @Test func theManifestsPageEndsWithTheTableOfKeys() throws {
        try hold("docs/manifest.md", endTo: ManifestReference.markdown)
    }

    @Test func theCommandsPageEndsWithTheirHelp() throws {
        try hold("docs/commands.md", endTo: CommandReference.markdown)
    }

    @Test func theExportsPageEndsWithWhatBecomesOfEachKey() throws {
        try hold("docs/exports.md", endTo: ManifestExport.markdown)
    }

    /// A manifest in a page is a block of YAML with `services`.
    @Test(arguments: ["README.md", "docs/guide.md", "docs/manifest.md", "docs/troubleshooting.md"])
    func manifestsInPagesAreRight(page: String) throws {
        let manifests = try Self.blocks(of: "yaml", in: read(page)).filter { "\n\($0)".contains("\nservices:") }
        #expect(!manifests.isEmpty || page == "docs/troubleshooting.md")
        for text in manifests {
            let input = ManifestInput(
                files: ["-"], currentDirectory: "/srv/shop",
                callerEnvironment: [EnvironmentEntry("HOME", "/home/ada"), EnvironmentEntry("PATH", "/usr/bin:/bin")]
            ) { _ throws(Fault) in Array(text.utf8) }
            switch ManifestLoader.load(input) {
            case .success(let loaded): #expect(loaded.warnings.map(\.message) == [], "\(text)")
            case .failure(let errors): #expect(errors.diagnostics.map(\.message) == [], "\(text)")
            }
        }
    }

    // MARK: -

    /// What is after it was made.
    private static let mark = "<!-- What follows is made by `make docs`. -->\n\n"

    private func hold(_ path: String, endTo made: String) throws {
        let text = try read(path)
        let end = try #require(text.firstRange(of: Self.mark), "\(path) has no line \(Self.mark)")
        try hold(path, to: text[..<end.upperBound] + made)
    }

    private func hold(_ path: String, to made: String) throws {
        // Every file but the schema ends with one line break.
        let made = made.hasSuffix("\n\n") ? String(made.dropLast()) : made
        if unsafe getenv("ORCH_WRITE_DOCS") != nil { try write(made, to: path) }
        #expect(try read(path) == made, "\(path) is stale: make docs writes it anew")
    }

    private static func blocks(of language: String, in page: String) -> [String] {
        var blocks: [String] = []
        var open: [Substring]?
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if let lines = open {
                open = line == "```" ? nil : lines + [line]
                if open == nil { blocks.append(lines.joined(separator: "\n") + "\n") }
            } else if line == "```\(language)" {
                open = []
            }
        }
        return blocks
    }

    private struct Unreadable: Error { var path: String }

    private func place(_ path: String) -> String {
        (#filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3) + [path[...]])
            .joined(separator: "/")
    }

    private func read(_ path: String) throws -> String {
        guard let file = unsafe fopen(place(path), "r") else { throw Unreadable(path: path) }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&piece, 1, piece.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }

    private func write(_ text: String, to path: String) throws {
        guard let file = unsafe fopen(place(path), "w") else { throw Unreadable(path: path) }
        defer { unsafe fclose(file) }
        let bytes = Array(text.utf8)
        guard unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw Unreadable(path: path) }
    }
}

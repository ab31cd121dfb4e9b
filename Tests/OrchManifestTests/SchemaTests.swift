// SPDX-License-Identifier: Apache-2.0
import Foundation
import OrchManifest
import Testing

/// The schema, held against manifests by a validator that others wrote (Tests/schema-judge.py): what an editor says of a manifest is
/// what orch will say. CI has the validator; elsewhere `make servers` installs it.
@Suite(.enabled("python3 has no jsonschema and ruamel.yaml; `make servers` installs them") { Judge.isThere })
struct SchemaTests {
    /// Examples, the manifests of all pages, and those that `orch import` makes.
    @Test func acceptsEveryExample() throws {
        let examples = try Judge.files(in: "examples").filter { $0.hasSuffix(".yaml") && !$0.contains("/.") }
        let imported = try Judge.files(in: "Tests/OrchManifestTests/Imported").filter {
            $0.hasSuffix(".approved") && (try? String(contentsOfFile: $0, encoding: .utf8))?.isEmpty == false
        }
        let pages = FileManager.default.temporaryDirectory.appending(path: "orch-pages-\(UUID()).txt")
        defer { try? FileManager.default.removeItem(at: pages) }
        let manifests = try Self.manifestsOfPages()
        try Data(manifests.joined().utf8).write(to: pages)
        let verdicts = try Judge.verdicts(on: examples + imported + [pages.path])
        #expect(examples.count >= 2 && imported.count > 20 && manifests.count > 5)
        #expect(verdicts.count == 1 + examples.count + imported.count + manifests.count)
        #expect(verdicts.filter { !$0.hasPrefix("accepted ") } == [])
    }

    @Test func rejectsWhatIsRefusedForItsShape() throws {
        let verdicts = try Judge.verdicts(on: [RefusedTests.folder.appending(path: "shape.txt").path])
        #expect(try verdicts.count == 1 + RefusedTests.Book.shape.cases.count)
        #expect(verdicts.dropFirst().filter { !$0.hasPrefix("rejected ") } == [])
    }

    /// Nothing that could be meant is underlined in an editor: the schema is not stricter than orch.
    @Test func leavesMeaningToOrch() throws {
        let verdicts = try Judge.verdicts(on: [RefusedTests.folder.appending(path: "meaning.txt").path])
        #expect(try verdicts.count == 1 + RefusedTests.Book.meaning.cases.count)
        #expect(verdicts.filter { !$0.hasPrefix("accepted ") } == [])
    }

    private static func manifestsOfPages() throws -> [String] {
        let pages = try Judge.files(in: "docs").filter { $0.hasSuffix(".md") } + [Judge.repository + "/README.md"]
        return try pages.flatMap { page in
            let parts = try String(contentsOfFile: page, encoding: .utf8).components(separatedBy: "```yaml\n")
                .dropFirst()
            return parts.compactMap { part in
                let text = part.components(separatedBy: "```")[0]
                return "\n\(text)".contains("\nservices:") ? "#### \(page)\n\(text)" : nil
            }
        }
    }
}

/// The validator.
private enum Judge {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private static let python: String? = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0) && (try? run($0, []))?.code == 0
    }

    /// In CI it must be.
    static var isThere: Bool { python != nil || ProcessInfo.processInfo.environment["CI"] != nil }

    static func files(in folder: String) throws -> [String] {
        let found = FileManager.default.enumerator(atPath: "\(repository)/\(folder)")
        return (found?.compactMap { ($0 as? String).map { "\(repository)/\(folder)/\($0)" } } ?? []).sorted()
    }

    /// One line for the schema itself, and one for each manifest.
    static func verdicts(on files: [String]) throws -> [String] {
        let (output, code) = try run(try #require(python), files)
        #expect(code == 0)
        return output.split(separator: "\n").map(String.init)
    }

    private static func run(_ python: String, _ files: [String]) throws -> (output: String, code: Int32) {
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments =
            ["\(repository)/Tests/schema-judge.py", "\(repository)/schemas/stack.schema.json"] + files
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (output, process.terminationStatus)
    }
}

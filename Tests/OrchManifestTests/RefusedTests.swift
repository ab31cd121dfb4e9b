// SPDX-License-Identifier: Apache-2.0
import Foundation
import OrchModel
import Testing

@testable import OrchManifest

/// Manifests as people really get them wrong. `Refused` holds them in three books: what is no YAML (`text`), what has keys or forms that
/// the language has not (`shape`), and what is well formed and can't be meant (`meaning`). What is said of each stands beside its book
/// as approved text; with ORCH_WRITE_DOCS=1 it is written anew.
@Suite struct RefusedTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Refused")

    struct Case {
        var name: String
        var text: String

        /// As a person would see it, with the files of `kept` beside the manifest and only root as a user.
        var fixture: Fixture {
            var fixture = Fixture(text)
            for name in ["db", "more.yaml", "broken.env"] {
                let bytes = try? Data(contentsOf: folder.appending(path: "kept/\(name)"))
                fixture.files["/srv/shop/kept/\(name)"] = bytes.map { [UInt8]($0) }
            }
            fixture.users = ["root"]
            fixture.secrets = ["/srv/shop/kept/db"]
            return fixture
        }

        var diagnostics: [Diagnostic] {
            switch fixture.load() {
            case .success(let loaded): loaded.warnings
            case .failure(let errors): errors.diagnostics
            }
        }
    }

    enum Book: String, CaseIterable {
        case text, shape, meaning

        var cases: [Case] {
            get throws {
                let whole = try String(contentsOf: folder.appending(path: "\(rawValue).txt"), encoding: .utf8)
                return whole.components(separatedBy: "#### ").dropFirst().map { part in
                    let end = part.firstIndex(of: "\n") ?? part.endIndex
                    return Case(name: String(part[..<end]), text: String(part[end...].dropFirst()))
                }
            }
        }
    }

    @Test func thereAreMoreThanAHundred() throws {
        let names = try Book.allCases.flatMap { book in try book.cases.map { "\(book) \($0.name)" } }
        #expect(names.count >= 100)
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: Book.allCases) func whatIsSaidOfEachIsApproved(_ book: Book) throws {
        let said = try book.cases.map { "#### \($0.name)\n\($0.fixture.rendered())" }.joined()
        let file = Self.folder.appending(path: "\(book.rawValue).approved")
        if ProcessInfo.processInfo.environment["ORCH_WRITE_DOCS"] != nil { try Data(said.utf8).write(to: file) }
        #expect(try String(contentsOf: file, encoding: .utf8) == said, "\(book) is not what it was")
    }

    /// A line that is there, a column in it, and what to do.
    @Test(arguments: Book.allCases) func eachNamesLineColumnAndRemedy(_ book: Book) throws {
        for each in try book.cases {
            let found = each.diagnostics
            #expect(found.contains { $0.severity == .error }, "\(book) \(each.name) is not refused")
            for diagnostic in found {
                #expect(diagnostic.help?.isEmpty == false, "\(each.name): no remedy: \(diagnostic.message)")
                let width = diagnostic.sourceLine?.unicodeScalars.count
                let column = diagnostic.position?.column ?? 0
                #expect(
                    column >= 1 && column <= (width ?? -1) + 1, "\(each.name): no such place: \(diagnostic.message)")
            }
        }
    }

    /// What the schema is to find stands in the book that the schema is held to.
    @Test func noFlawOfShapeHidesAmongMeanings() throws {
        for each in try Book.meaning.cases {
            for diagnostic in each.diagnostics {
                let isOfShape = ["type", "unknown-key", "not-yet", "duration", "size"].contains(diagnostic.code)
                #expect(!isOfShape, "\(each.name): \(diagnostic.message)")
            }
        }
    }
}

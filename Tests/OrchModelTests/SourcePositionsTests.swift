// SPDX-License-Identifier: Apache-2.0
import OrchModel
import Testing

@Suite struct SourcePositionsTests {
    private func place(_ path: String, _ line: Int, in file: String = "orch.yaml") -> SourcePosition {
        SourcePosition(path: path, position: Position(file: file, line: line, column: 3))
    }

    @Test func everyOneIsFoundAndNoOther() {
        let services = (0..<40).flatMap { number in
            ["", ".command", ".restart", ".restart.delay", ".labels.a b", "-x", "-x.command", ".environment.é"].map {
                place("s\(number)\($0)", number + 1, in: number % 3 == 0 ? "more/more.yaml" : "orch.yaml")
            }
        }
        let positions = SourcePositions(services.reversed())
        #expect(Set(positions.all.map(\.path)) == Set(services.map(\.path)) && positions.all.count == services.count)
        for one in services {
            #expect(positions.position(of: one.path) == one.position, "\(one.path)")
            #expect(positions.position(of: one.path + ".none") == nil && positions.position(of: one.path + " ") == nil)
            #expect(positions.nearest(to: one.path + ".none") == one.position)
        }
        #expect(positions.position(of: "") == nil && positions.nearest(to: "web.command") == nil)
        #expect(positions == SourcePositions(services), "in any order")
    }

    @Test func aKeyWithABarIsWhereItsMapIs() {
        let positions = SourcePositions([place("web.labels.a|b", 9), place("web.labels", 8), place("web", 7)])
        #expect(positions.all.map(\.path) == ["web", "web.labels"])
        #expect(positions.nearest(to: "web.labels.a|b")?.line == 8)
    }

    @Test func theListOfFormerReleasesIsRead() throws {
        let list: Value = ["positions": [["web.user", ["orch.yaml", 4, 5]], ["web", ["orch.yaml", 3, 3]]]]
        let positions = try ObjectReader(list).sourcePositions()
        #expect(positions.position(of: "web.user")?.text == "orch.yaml:4:5" && positions.all.count == 2)
        #expect(try ObjectReader([:]).sourcePositions().isEmpty)
        #expect(throws: ShapeError.self) { try ObjectReader(["positions": [["web"]]]).sourcePositions() }
    }

    /// They come from whoever connects.
    @Test(arguments: [
        "web", "|||", "web 1 1 9|", "web 99999999999999999999 1 0|", "web x 1 0|", " 1 1 0", "web 1 1 0|b",
    ])
    func whatIsNoneOfOursIsNowhere(_ text: String) throws {
        let positions = try SourcePositions(["files": ["orch.yaml"], "places": .string(text)])
        for path in ["web", "a", "z", "b", ""] { _ = positions.nearest(to: path) }
        #expect(positions.all.allSatisfy { $0.position.file == "orch.yaml" })
        #expect(positions.position(of: "other") == nil)
    }
}

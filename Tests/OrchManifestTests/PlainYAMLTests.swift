// SPDX-License-Identifier: Apache-2.0
import OrchModel
import Testing

@testable import OrchManifest

/// What is read without libyaml is what libyaml reads.
@Suite struct PlainYAMLTests {
    private struct Reading: Equatable {
        var nodes: [Node]
        var children: [NodeID]
        var root: NodeID?
        var diagnostics: [Diagnostic]
    }

    private func read(_ bytes: [UInt8], isAlwaysStream: Bool) -> Reading {
        var tree = Tree()
        var reporter = Reporter()
        let source = Source(name: "orch.yaml", bytes: bytes)
        let root = TreeBuilder.build(source, file: 0, into: &tree, reporter: &reporter, isAlwaysStream: isAlwaysStream)
        return Reading(nodes: tree.nodes, children: tree.children, root: root, diagnostics: reporter.diagnostics)
    }

    private func expectSame(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(read(bytes, isAlwaysStream: false) == read(bytes, isAlwaysStream: true), "\(text.debugDescription)")
    }

    static let plain = [
        "a: 1\n", "a: 1", "---\na: b\n", "# first\n\na:  b  # c\n  # d\nb: c#d\n", "- a\n- b\n",
        "- a: 1\n  b: 2\n- c: 3\n",
        "a:\n- x\n- y: 1\n  z: 2\nb: 3\n", "a:\n  - x\n  -\n  - z\nb:\n", "a:\nb:\n  c:\n    d:\n",
        "a: [1, two, 'three', \"four\"]\n",
        "a: {b: c, d: [e, {f: g}], h: {}}\n", "a: [\n  x,\n  y,\n]\nb: {c: d,\n  e: f}\n", "a: http://x:80/y?z=1&q\n",
        "command: [./server, --port, \"80$80\", -v]\n", "\"a b\": 'c: d'\n'e': f\n", "a: b c  d\ne: -1\nf: ~\n",
        "a: ${X:-y}\nb: ($x)\n", "<<: {a: b}\nc: d\n", "a: 1\na: 2\n", "a: {b: 1, b: 2}\n",
        "- {a: b}\n- [c]\n- \"d\"\n", "a:\n    b: 1\nc: 2\n",
        "a: don't\nb: say \"x\"\nc: x:y\nd: [x:y, don't]\n", "-\n  a: 1\n-\n", "a: x\n\n\n# end\n",
    ]
    static let foreign = [
        "", "# only\n", "a: |\n  x\n", "a: >\n  x\n", "a: b\n  c\n", "a: &x 1\nb: *x\n", "a: !!str 1\n",
        "a: \"x\\n\"\n", "a: 'it''s'\n",
        "a: b: c\n", "a: ü\n", "a:\tb\n", "? a\n: b\n", "a: b\n---\nc: d\n", "a: b\n...\n", " a: b\n", "a: [b\n",
        "a: {b}\n", "a: [b: c]\n",
        "a: {b: , c: d}\n", "a: {\"b\":c}\n", "a: [b # c\n]\n", "a: \"b\n c\"\n", "a: [b]c\n", "a: - b\n", "- - a\n",
        "a:\n  b: 1\n c: 2\n",
        "- a\nb: c\n", "a: 1\n- b\n", "a: @b\n", "a: `b`\n", "a: %b\n", "a: *\n", "a : b\n", "a: b #\u{7f}\n",
        "\u{feff}a: b\n", "a: [x?y]\n",
    ]

    @Test(arguments: plain) func thePlainFormNeedsNoLibrary(_ text: String) {
        #expect(PlainYAML.tokens(of: Array(text.utf8)) != nil)
        expectSame(text)
    }

    @Test(arguments: foreign) func allElseIsLeftToTheLibrary(_ text: String) {
        #expect(PlainYAML.tokens(of: Array(text.utf8)) == nil)
        expectSame(text)
    }

    @Test func largeManifestsAreRead() {
        #expect(PlainYAML.tokens(of: Array(ScaleTests.large(50).utf8)) != nil)
        expectSame(ScaleTests.large(50))
    }

    /// What is broken somewhere is read alike, or by the library.
    @Test(arguments: 0..<4) func mutatedTextsAreReadAlike(_ seed: Int) {
        var random = Lehmer(seed: UInt64(seed + 11))
        func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
        let pieces = [
            ":", ": ", "-", "- ", " ", "  ", "\n", "\n  ", "#", " #", "[", "]", "{", "}", ",", "\"", "'", "?", "$",
            "<<: ", "--- ", "...", "a",
            "b: c\n", "\n- ", "\n    - x", "|", ">", "&a", "*a", "!", "%", "@", "~", "0", "\\", ": \n", "{a: b}",
            "[c, d]",
        ].map { Array($0.utf8) }
        var alike = 0
        for _ in 0..<4_000 {
            var bytes = Array(Self.plain[below(Self.plain.count)].utf8)
            if below(8) == 0 { bytes = Array(ScaleTests.large(2).utf8) }
            for _ in 0...below(3) {
                let place = below(bytes.count + 1)
                switch below(4) {
                case 0: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(6)))
                case 1:
                    bytes.insert(
                        contentsOf: bytes[place..<min(bytes.count, place + below(12))], at: below(bytes.count + 1))
                default: bytes.insert(contentsOf: pieces[below(pieces.count)], at: place)
                }
            }
            guard PlainYAML.tokens(of: bytes) != nil else { continue }
            alike += 1
            expectSame(String(decoding: bytes, as: UTF8.self))
        }
        #expect(alike > 500)
    }
}

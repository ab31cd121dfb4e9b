// SPDX-License-Identifier: Apache-2.0

import OrchModel
@testable import OrchStore
import OrchWire
import Testing

@Suite struct SealedDocumentTests {
    private let content: Value = ["name": "s", "services": ["web": ["command": ["web", "ü\n"], "replicas": 3]]]

    @Test func whatIsWrittenReads() throws {
        #expect(try SealedDocument.content(of: SealedDocument.bytes(of: content)) == content)
    }

    /// No bit of it changes unseen: it is refused, or it means the same.
    @Test func noFlippedBitChangesIt() {
        let whole = SealedDocument.bytes(of: content)
        var refused = 0
        for place in whole.indices {
            for bit in 0..<8 {
                var flipped = whole
                flipped[place] ^= 1 << UInt8(bit)
                guard let found = try? SealedDocument.content(of: flipped) else {
                    refused += 1
                    continue
                }
                #expect(found == content)
            }
        }
        // All but some of those in the checksum itself, of which the digest knows better.
        #expect(refused >= (whole.count - 18) * 8)
    }

    @Test func whatAFormerReleaseWroteReads() throws {
        let former: Value = [
            "format": 1, "sha256": .string(Digest(of: content.canonicalBytes).hex), "content": content,
        ]
        #expect(try SealedDocument.content(of: JSON.bytes(of: former)) == content)
        let wrong: Value = ["format": 1, "sha256": .string(Digest(of: [1]).hex), "content": content]
        #expect(throws: SealedDocument.Problem.self) { try SealedDocument.content(of: JSON.bytes(of: wrong)) }
    }

    /// It looks for three keys by name, and for nothing else.
    @Test func aFormerReleaseFindsWhatItLooksFor() throws {
        let document = try JSON.parse(SealedDocument.bytes(of: content))
        #expect(document["format"] == 1)
        #expect(document["sha256"]?.string == Digest(of: content.canonicalBytes).hex)
        #expect(document["content"] == content)
    }

    /// Written in another way, it is as good as its digest.
    @Test func aFileThatWasFormattedAnewReads() throws {
        let text = String(decoding: SealedDocument.bytes(of: content), as: UTF8.self)
        let spaced = Array(text.split(separator: ",", omittingEmptySubsequences: false).joined(separator: " ,\n").utf8)
        #expect(try SealedDocument.content(of: spaced) == content)
    }
}

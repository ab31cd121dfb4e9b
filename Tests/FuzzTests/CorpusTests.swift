// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What fuzzing found worth keeping, and the examples of every shape that it starts from, once more at every test run.
@Suite struct CorpusTests {
    @Test(arguments: FuzzTarget.allCases) func whatWasKeptBreaksNoRule(_ target: FuzzTarget) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus/\(target.rawValue)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
        #expect(!files.isEmpty)
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: file))
            // Cut short anywhere, it is one more input of that kind.
            for length in [bytes.count, bytes.count / 2, bytes.count * 3 / 4] {
                let broken = target.feed(Array(bytes.prefix(length)))
                #expect(broken == nil, "\(file.lastPathComponent), \(length) bytes")
            }
        }
    }
}

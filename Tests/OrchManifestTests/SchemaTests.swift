// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchManifest
import Testing

@Suite struct SchemaTests {
    /// `ORCH_WRITE_SCHEMA=1 swift test --filter SchemaTests` writes the file anew.
    @Test func theFileIsWhatTheTableOfKeysSays() throws {
        let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        let path = (tests + ["schemas", "stack.schema.json"]).joined(separator: "/")
        if unsafe getenv("ORCH_WRITE_SCHEMA") != nil { try write(ManifestSchema.json, to: path) }
        #expect(try read(path) == ManifestSchema.json, "write it anew with ORCH_WRITE_SCHEMA=1")
    }

    private struct Unreadable: Error { var path: String }

    private func read(_ path: String) throws -> String {
        guard let file = unsafe fopen(path, "r") else { throw Unreadable(path: path) }
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
        guard let file = unsafe fopen(path, "w") else { throw Unreadable(path: path) }
        defer { unsafe fclose(file) }
        let bytes = Array(text.utf8)
        guard unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw Unreadable(path: path) }
    }
}

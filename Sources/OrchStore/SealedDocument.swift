// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchModel
import OrchWire

/// A JSON file that knows whether it is whole: `{"crc32": …, "format": 1, "sha256": …, "content": …}`. The digest is of what the content
/// means, however it is written, and takes as long as to read it; the checksum is of all bytes that come behind it, just as they are.
/// Where that one is right the digest is not asked; where it isn't, or there is none as in files of former releases, the digest decides.
enum SealedDocument {
    enum Problem: Error {
        /// In words.
        case damaged(String)
        /// Written by a later orch.
        case newer(Int64)

        /// In words.
        var text: String {
            switch self {
            case .damaged(let reason): "it is damaged (\(reason))"
            case .newer(let format): "it is of format \(format), written by a later orch"
            }
        }
    }

    static let format: Int64 = 1

    static func bytes(of content: Value) -> [UInt8] {
        let rest = JSON.bytes(of: [
            "format": .int(format), "sha256": .string(Digest(of: content.canonicalBytes).hex), "content": content,
        ])
        // Behind the brace.
        let sum = CRC32.checksum(of: rest.span.extracting(1...))
        return opening + hex(of: sum) + middle + rest[1...]
    }

    private static let opening = Array(#"{"crc32":""#.utf8)
    private static let middle = Array(#"","#.utf8)

    /// Eight digits.
    private static func hex(of sum: UInt32) -> [UInt8] {
        let digits = String(sum, radix: 16)
        return Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
    }

    /// Just as it was written.
    private static func isUntouched(_ bytes: [UInt8]) -> Bool {
        let start = opening.count + 8 + middle.count
        guard bytes.count > start else { return false }
        let sum = hex(of: CRC32.checksum(of: bytes.span.extracting(start...)))
        return bytes[..<start].elementsEqual(opening + sum + middle)
    }

    static func content(of bytes: [UInt8]) throws(Problem) -> Value {
        let document: Value
        do { document = try JSON.parse(bytes) } catch { throw .damaged(error.text) }
        guard let written = document["format"]?.int, let content = document["content"],
            let seal = document["sha256"]?.string
        else { throw .damaged("a part is missing") }
        guard written <= format else { throw .newer(written) }
        if isUntouched(bytes) { return content }
        guard Digest(of: content.canonicalBytes).hex == seal else { throw .damaged("the checksum is wrong") }
        return content
    }
}

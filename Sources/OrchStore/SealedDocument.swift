// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire

/// A JSON file that knows whether it is whole: `{"format": 1, "sha256": …, "content": …}`.
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
        JSON.bytes(of: [
            "format": .int(format), "sha256": .string(Digest(of: content.canonicalBytes).hex), "content": content,
        ])
    }

    static func content(of bytes: [UInt8]) throws(Problem) -> Value {
        let document: Value
        do { document = try JSON.parse(bytes) } catch { throw .damaged(error.text) }
        guard let written = document["format"]?.int, let content = document["content"],
            let seal = document["sha256"]?.string
        else { throw .damaged("a part is missing") }
        guard written <= format else { throw .newer(written) }
        guard Digest(of: content.canonicalBytes).hex == seal else { throw .damaged("the checksum is wrong") }
        return content
    }
}

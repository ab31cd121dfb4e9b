// SPDX-License-Identifier: Apache-2.0

/// A secret as one service has it: where its value is read at each start, and in what form the process gets it. Never the value.
public struct SecretUse: Equatable, Sendable {
    /// Its name among the manifest's `secrets`.
    public var name: String
    /// Absolute: the file that holds it.
    public var file: String
    /// A keyed digest of what the file held when the manifest was read, by which a change is seen; nil: nobody looked.
    public var content: Digest?
    /// Variables that hold it, sorted.
    public var variables: [String] = []
    /// Files that hold it, in the folder named by `ORCH_SECRETS`, sorted.
    public var files: [String] = []

    public init(_ name: String, file: String, content: Digest? = nil) {
        self.name = name
        self.file = file
        self.content = content
    }
}

extension SecretUse {
    /// The member of a service's `secrets` under its name.
    var written: Value {
        var w = ObjectWriter()
        w.set("file", file)
        w.set("content", content?.hex)
        if !variables.isEmpty { w.set("variables", strings: variables) }
        if !files.isEmpty { w.set("files", strings: files) }
        return w.value
    }

    init(_ name: String, _ value: Value) throws(ShapeError) {
        do {
            let r = try ObjectReader(value)
            self.init(name, file: try r.string("file"))
            if r.has("content") { content = try r.digest("content") }
            variables = try r.strings("variables", or: [])
            files = try r.strings("files", or: [])
        } catch { throw error.under(name).under("secrets") }
    }
}

extension Digest {
    /// A keyed digest: who does not know the key can't tell from it what was digested, not even by trying (HMAC-SHA-256, RFC 2104). O(n).
    public init(sealing bytes: [UInt8], key: [UInt8]) {
        var block = key.count > 64 ? Digest(of: key).octets : key
        block += [UInt8](repeating: 0, count: 64 - block.count)
        let inner = Digest(of: block.map { $0 ^ 0x36 } + bytes)
        self.init(of: block.map { $0 ^ 0x5C } + inner.octets)
    }

    /// Its 32 bytes.
    private var octets: [UInt8] {
        let digits = Array(hex.utf8).map { $0 <= 57 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

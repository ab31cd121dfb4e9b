// SPDX-License-Identifier: Apache-2.0

/// A file that counts as part of a service's definition: what was in it when the manifest was read.
public struct ConfigFile: Equatable, Sendable {
    /// Absolute.
    public var path: String
    public var content: Digest
    public init(_ path: String, content: Digest) {
        self.path = path
        self.content = content
    }
}

extension ServiceSpec {
    /// The files' names and contents, for a service that can reload; of another one they are part of `definitionDigest`. Nil without files.
    public var configurationDigest: Digest? {
        guard reload != nil, !configFiles.isEmpty else { return nil }
        return Digest(of: configurationValue.canonicalBytes)
    }

    /// Each file's content by its path.
    var configurationValue: Value { .object(configFiles.map { .init($0.path, .string($0.content.hex)) }) }
}

extension ConfigFile {
    /// Reads what `configurationValue` wrote.
    static func all(in value: Value?) throws(ShapeError) -> [ConfigFile] {
        var files: [ConfigFile] = []
        for member in value?.members ?? [] {
            guard let content = member.value.string.flatMap({ Digest(hex: $0) }) else {
                throw ShapeError(path: "config_files.\(member.key)", expected: "a digest")
            }
            files.append(ConfigFile(member.key, content: content))
        }
        return files
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchManifest
internal import OrchModel
internal import OrchWire

/// Sees whether a manifest would be read as it was the last time, without reading it: its text, and the answers to all that the reading
/// asked of the world.
final class ManifestSight {
    private let platform: any Platform
    /// As they were given.
    private let manifests: [String]
    private let overrides: [String]
    private let profiles: [String]
    private(set) var files: [String] = []
    private(set) var users: [String] = []
    private(set) var zones: [String] = []
    private(set) var secrets: [String] = []
    private var seals: [Value] = []
    /// Whether a key for secrets is made where there is none.
    var makesKey = false
    /// Digests of what was read, or why it could not be, in the order of reading.
    private var texts: [Value] = []

    init(_ platform: any Platform, manifests: [String], overrides: [String], profiles: [String]) {
        self.platform = platform
        self.manifests = manifests
        self.overrides = overrides
        self.profiles = profiles
    }

    // MARK: Reading through it remembers what was seen

    func read(_ path: String, isManifest: Bool) throws(Fault) -> [UInt8] {
        if !isManifest { files.append(path) }
        do throws(Fault) {
            let bytes = try platform.read(path)
            texts.append(.string(Digest(of: bytes).hex))
            return bytes
        } catch {
            texts.append(.string(error.reason))
            throw error
        }
    }

    func isKnownUser(_ name: String) -> Bool {
        users.append(name)
        return platform.isKnownUser(name)
    }

    func isKnownTimeZone(_ name: String) -> Bool {
        zones.append(name)
        return platform.isKnownTimeZone(name)
    }

    /// What the reading of `loaded` saw. Nil where it can't be repeated, or where it has something to say each time.
    func origin(of loaded: LoadedManifest) -> ManifestOrigin? {
        guard !manifests.contains("-"), loaded.warnings.isEmpty, !seals.contains(.null) else { return nil }
        var origin = ManifestOrigin(
            digest: Digest(of: []), files: files, variables: loaded.variables, inheritance: loaded.inheritance,
            users: users, zones: zones, secrets: secrets)
        origin.digest = digest(texts, origin)
        return origin
    }

    /// A keyed digest of what a secret's file holds; nil without a key.
    func secret(_ path: String) throws(Fault) -> Digest? {
        secrets.append(path)
        let (bytes, key) = (try Self.secret(path, platform), try platform.secretKey(making: makesKey))
        let digest = key.map { Digest(sealing: bytes, key: $0) }
        seals.append(.optional(digest?.hex))
        return digest
    }

    /// What a secret's file holds, if it may be one.
    static func secret(_ path: String, _ platform: any Platform) throws(Fault) -> [UInt8] {
        let bytes: [UInt8]
        do throws(Fault) { bytes = try platform.read(path) } catch {
            throw Fault(step: "read the secret", subject: path, reason: error.reason)
        }
        guard bytes.count <= Limits.secretBytes else {
            throw Fault(
                step: "use the secret", subject: path,
                reason: "it has more than \(SizeText.format(Int64(Limits.secretBytes)))")
        }
        return bytes
    }

    // MARK: Looking again

    /// Whether all is as it was when `origin` was seen. `paths`: the manifests, absolute.
    func isSame(as origin: ManifestOrigin, paths: [String]) -> Bool {
        (texts, seals) = ([], [])
        for path in paths { _ = try? read(path, isManifest: true) }
        for path in origin.files { _ = try? read(path, isManifest: false) }
        for path in origin.secrets { if (try? secret(path)) == nil { return false } }
        return digest(texts, origin) == origin.digest
    }

    private func digest(_ texts: [Value], _ origin: ManifestOrigin) -> Digest {
        let environment = platform.environment
        func answer(_ name: String) -> Value { .optional(environment.first { $0.name == name }?.text) }
        let inherited = ManifestLoader.inherited(origin.inheritance, from: environment)
        let seen: Value = [
            "version": .string(OrchVersion.text), "folder": .string(platform.workingDirectory),
            "manifests": .strings(manifests), "overrides": .strings(overrides), "profiles": .strings(profiles),
            "texts": .array(texts),
            "files": .strings(origin.files), "file_limit": platform.fileLimit.map { .unsigned($0) } ?? .null,
            "variables": .array(origin.variables.map { [.string($0), answer($0)] }),
            "inherited": .array(inherited.map(\.value)),
            "users": .array(origin.users.map { .bool(platform.isKnownUser($0)) }),
            "secrets": .array(seals), "zones": .array(origin.zones.map { .bool(platform.isKnownTimeZone($0)) }),
        ]
        return Digest(of: seen.canonicalBytes)
    }
}

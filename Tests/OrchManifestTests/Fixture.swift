// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel

/// A file system of texts, and a caller.
struct Fixture {
    var files: [String: [UInt8]] = [:]
    var caller: [EnvironmentEntry] = [EnvironmentEntry("HOME", "/home/me"), EnvironmentEntry("PATH", "/usr/bin:/bin")]
    var overrides: [EnvironmentEntry] = []
    var manifests = ["orch.yaml"]
    var users: Set<String>?
    var profiles: [String] = []
    var explains: String?
    /// Files of secrets that are there; nil: nobody looks.
    var secrets: Set<String>?

    static func content(of path: String) -> Digest { Digest(of: Array(path.utf8)) }

    init(_ text: String = "", files: [String: String] = [:]) {
        self.files = files.mapValues { Array($0.utf8) }
        self.files["/srv/shop/orch.yaml"] = Array(text.utf8)
    }

    func load() -> Result<LoadedManifest, ManifestErrors> {
        let files = files
        let users = users
        var input = ManifestInput(
            files: manifests, currentDirectory: "/srv/shop", callerEnvironment: caller, overrides: overrides,
            profiles: profiles,
            isKnownUser: users.map { users in { users.contains($0) } },
            isKnownTimeZone: { ["UTC", "Europe/Paris"].contains($0) },
            patternFlaw: { $0.contains("[") && !$0.contains("]") ? "unmatched [" : nil }
        ) { path throws(Fault) in
            guard let bytes = files[path] else {
                throw Fault(step: "read", subject: path, reason: "no such file or directory (ENOENT)")
            }
            return bytes
        }
        input.explains = explains
        if let secrets {
            input.secret = { path throws(Fault) in
                guard secrets.contains(path) else {
                    throw Fault(
                        step: "read the secret", subject: path, reason: "no such file or directory (ENOENT)")
                }
                return Self.content(of: path)
            }
        }
        return ManifestLoader.load(input)
    }

    func request() throws -> ApplyRequest { try load().get().request }
    func stack() throws -> Stack { try request().stack }

    /// Every diagnostic as `line:column severity[code] message`.
    func complaints() -> [String] {
        let found: [Diagnostic]
        switch load() {
        case .success(let loaded): found = loaded.warnings
        case .failure(let errors): found = errors.diagnostics
        }
        return found.map { d in
            let place = d.position.map { $0.file == "orch.yaml" ? "\($0.line):\($0.column)" : $0.text } ?? "-"
            return "\(place) \(d.severity.rawValue)[\(d.code)] \(d.message)"
        }
    }

    /// As a person would see it.
    func rendered() -> String {
        switch load() {
        case .success(let loaded): loaded.warnings.map { DiagnosticText.render($0, color: false) }.joined()
        case .failure(let errors): errors.diagnostics.map { DiagnosticText.render($0, color: false) }.joined()
        }
    }
}

extension Stack {
    subscript(_ name: String) -> ServiceSpec? { service(name) }
}

extension ServiceSpec {
    func variable(_ name: String) -> String? { environment.first { $0.name == name }?.text }
}

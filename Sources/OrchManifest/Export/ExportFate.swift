// SPDX-License-Identifier: Apache-2.0

/// What becomes of a key of the manifest in another tool's files.
enum ExportFate: Equatable, Sendable {
    /// It means the same there, written so.
    case carried(String)
    /// Some of its values mean the same there; of the others it is said what becomes of them.
    case partly(String)
    /// It is there and means something else, which is said wherever it is given.
    case differs(String)
    /// It is not there, which is said wherever it is given: why, and what to do instead.
    case lost(String, String?)
    /// It goes the way of the key that it belongs to.
    case whole
}

/// The fates of all keys, by target. The keys are those of `Fields.keys`.
enum ExportFates {
    /// The fate of a key; nil: nobody has said. A row `OWNER.*` is only for what goes the way of the key above it.
    static func fate(of key: String, in format: ExportFormat) -> ExportFate? {
        let table = table(of: format)
        if let fate = table[key] { return fate }
        return table["\(key.prefix { $0 != "." }).*"]
    }

    static func table(of format: ExportFormat) -> [String: ExportFate] {
        switch format {
        case .systemd: systemd
        case .compose: compose
        case .kubernetes: kubernetes
        case .nomad: nomad
        }
    }

    /// What is true of every target: what is read, merged and filled in before anything is exported.
    static let read: [String: ExportFate] = [
        "manifest.include": .carried("merged into one stack"),
        "manifest.defaults": .carried("merged into each service"),
        "manifest.services": .carried("one by one"),
        "manifest.environment": .carried("merged into each service's"),
        "manifest.env_file": .carried("read now, and merged into each service's environment"),
        "include.*": .whole, "env_file.*": .whole,
        "service.env_file": .carried("read now, and merged into environment"),
        "service.profiles": .partly("as enabled: with --profile the export has them"),
        "service.healthcheck": .carried("as health.readiness"),
        "healthcheck.*": .whole,
        "service.stop_signal": .carried("as stop"),
        "service.stop_grace_period": .carried("as stop"),
        "dependency.restart": .carried("as on_restart"),
        "service.renamed_from": .lost("it names what runs under orch", "apply it first, then export"),
        "secret-use.secret": .whole,
        "http.port": .carried("as part of the address"), "http.path": .carried("as part of the address"),
        "host.*": .whole, "disk.*": .whole, "memory.*": .whole, "stack-stop.*": .whole,
        "levels.*": .whole, "action.*": .whole, "on_failure.*": .whole,
    ]
}

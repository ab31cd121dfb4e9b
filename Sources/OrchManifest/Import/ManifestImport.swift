// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// What a manifest can be made from.
public enum ImportFormat: String, CaseIterable, Sendable {
    case compose
    case processCompose = "process-compose"
    case procfile, supervisord, pm2, systemd, nssm

    /// Whether several files make one stack.
    public var takesSeveral: Bool { self == .supervisord || self == .systemd || self == .nssm }
    /// As messages speak of such a file.
    var title: String {
        switch self {
        case .compose: "a Compose file"
        case .processCompose: "a process-compose file"
        case .procfile: "a Procfile"
        case .supervisord: "a configuration of supervisord"
        case .pm2: "an ecosystem file of PM2"
        case .systemd: "a unit file"
        case .nssm: "what `nssm dump` printed"
        }
    }
}

/// What is to be imported; this module itself opens nothing.
public struct ImportInput {
    /// A file as it was read.
    public struct File {
        /// As notes speak of it.
        public var name: String
        public var bytes: [UInt8]
        public init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }
    public var format: ImportFormat
    /// At least one.
    public var files: [File]
    /// Absolute: the folder of the first file, in which the manifest is to lie.
    public var folder: String
    /// Reads a file beside the first one by its name, such as `.env`; nil when there is none.
    public var beside: (String) -> [UInt8]?

    public init(
        format: ImportFormat, files: [File], folder: String, beside: @escaping (String) -> [UInt8]? = { _ in nil }
    ) {
        self.format = format
        self.files = files
        self.folder = folder
        self.beside = beside
    }
}

/// A manifest that was made from something else.
public struct ImportedManifest: Equatable, Sendable {
    /// YAML with comments; the loader takes it.
    public var text: String
    /// What could not be carried over and what means something else now, in the order of the source.
    public var notes: [Diagnostic]
    /// How many services it has.
    public var services: Int
    /// Variables that it asks the caller for, without a default: without them it is refused, as its source would be. Sorted.
    public var variables: [String]
}

/// Foreign files to a manifest.
public enum ManifestImport {
    /// Any bytes give a manifest that the loader takes, or errors with their place. The same input gives the same result.
    public static func manifest(from input: ImportInput) -> Result<ImportedManifest, ManifestErrors> {
        let importer = Importer(input)
        guard importer.open() else { return .failure(importer.errors) }
        let draft: [DraftEntry]
        switch input.format {
        case .procfile: draft = importer.procfile()
        case .compose: draft = ComposeImport(importer)?.draft() ?? []
        case .processCompose: draft = ProcessComposeImport(importer)?.draft() ?? []
        case .supervisord: draft = SupervisordImport(importer).draft()
        case .pm2: draft = PM2Import(importer).draft()
        case .systemd: draft = SystemdImport(importer).draft()
        case .nssm: draft = NSSMImport(importer).draft()
        }
        guard !importer.reporter.hasErrors else { return .failure(importer.errors) }
        return importer.settled(draft)
    }
}

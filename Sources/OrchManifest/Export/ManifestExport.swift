// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// What a manifest can be made into.
public enum ExportFormat: String, CaseIterable, Sendable {
    case systemd, compose, kubernetes, nomad

    /// As messages speak of it.
    public var title: String {
        switch self {
        case .systemd: "systemd"
        case .compose: "Compose"
        case .kubernetes: "Kubernetes"
        case .nomad: "Nomad"
        }
    }

    /// What stands before the name of each file where all of them are one text; in the comments of the format.
    public static let fileMark = "# ---- "
}

/// Another tool's files that were made of a manifest.
public struct ExportedStack: Equatable, Sendable {
    public struct File: Equatable, Sendable {
        /// Without a folder.
        public var name: String
        public var text: String
        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }
    /// At least one; what was not carried over stands in them as comments.
    public var files: [File]
    /// What could not be carried over, and what means something else now, in the order of the manifest.
    public var notes: [Diagnostic]
    public var services: Int

    /// All files as one text: one file as it is, several each behind a line with its name.
    public var text: String {
        if files.count == 1 { return files[0].text }
        return files.map { "\(ExportFormat.fileMark)\($0.name)\n\($0.text)" }.joined(separator: "\n")
    }
}

/// A stack to the files of another tool.
public enum ManifestExport {
    /// Any stack gives files that the tool reads. What it can't say is a note; the same stack gives the same files.
    public static func stack(_ request: ApplyRequest, as format: ExportFormat) -> ExportedStack {
        let exporter = Exporter(request, format)
        exporter.tellFates()
        let files: [ExportedStack.File]
        switch format {
        case .systemd: files = SystemdExport(exporter).files()
        case .compose: files = [ComposeExport(exporter).file()]
        case .kubernetes: files = [KubernetesExport(exporter).file()]
        case .nomad: files = NomadExport(exporter).files()
        }
        return ExportedStack(files: files, notes: exporter.diagnostics, services: request.stack.services.count)
    }
}

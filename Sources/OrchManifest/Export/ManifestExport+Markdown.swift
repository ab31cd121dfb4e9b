// SPDX-License-Identifier: Apache-2.0

extension ManifestExport {
    /// The end of docs/exports.md: what becomes of each key, by target.
    public static var markdown: String {
        ExportFormat.allCases.map { format in
            let rows = Fields.keys.compactMap { key -> String? in
                // Of a service, which most are about, the key alone.
                let name = key.hasPrefix("service.") ? String(key.dropFirst(8)) : key
                return ExportFates.fate(of: key, in: format)?.markdown.map { "| `\(name)` | \($0) |" }
            }
            return "## \(format.title)\n\n| key | becomes |\n|---|---|\n\(rows.joined(separator: "\n"))\n\n"
        }.joined()
    }
}

extension ExportFate {
    /// Nil for what goes the way of another key.
    fileprivate var markdown: String? {
        switch self {
        case .carried(let text): text.cell
        case .partly(let text): "**partly:** \(text.cell)"
        case .differs(let text): "**differs:** \(text.cell)"
        case .lost(let why, let help): "**lost:** \(why.cell)\(help.map { "; \($0.cell)" } ?? "")"
        case .whole: nil
        }
    }
}

extension String {
    fileprivate var cell: String { replacing("|", with: "\\|").replacing("<", with: "&lt;") }
}

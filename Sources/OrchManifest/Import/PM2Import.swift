// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Ecosystem files of PM2 (pm2.keymetrics.io/docs/usage/application-declaration), as far as they are plain data.
final class PM2Import {
    typealias Member = ScriptLiteral.Member

    let importer: Importer
    init(_ importer: Importer) { self.importer = importer }

    func draft() -> [DraftEntry] {
        guard let root = ScriptLiteral.exported(importer.sources[0], importer) else { return [] }
        var lost: [ImportNote] = []
        let apps: [ScriptLiteral]
        if case .list(let items) = root.content {
            apps = items
        } else if let member = root["apps"] ?? root["pm2"] {
            apps = member.value.items.isEmpty ? [member.value] : member.value.items
        } else {
            apps = root["script"] == nil ? [] : [root]
        }
        if root["script"] == nil {
            for member in root.members where member.key != "apps" && member.key != "pm2" {
                lost.append(
                    importer.lost(
                        member.key, at: member.position,
                        because: member.key == "deploy"
                            ? "orch copies nothing to other machines" : "it is no key that orch knows of PM2"))
            }
        }
        var services: [DraftEntry] = []
        for app in apps {
            guard case .map = app.content else {
                lost.append(
                    importer.lost("apps", at: app.position, because: "this app is computed", instead: "write it out"))
                continue
            }
            services.append(draft(of: app))
        }
        guard !services.isEmpty else {
            importer.error(
                "empty", "there is no app in it", at: root.position,
                help: "such as  apps: [{ name: 'web', script: 'server.js' }]")
            return []
        }
        var top: [DraftEntry] = lost.isEmpty ? [] : [.notes(lost)]
        var defaults: [DraftEntry] = []
        for (key, value) in [("restart", "always"), ("stop_signal", "SIGINT"), ("stop_grace_period", "1600ms")]
        where importer.shares(key, value, &services) {
            defaults.append(DraftEntry(key, .value(.string(value))))
        }
        if !defaults.isEmpty {
            var entry = DraftEntry("defaults", .map(defaults))
            entry.remarks = ["What PM2 does where nothing else is said."]
            top.append(entry)
        }
        return top + [DraftEntry("services", .map(services), at: root.position)]
    }

    // MARK: Values

    /// A value as a text that orch reads the same; nil for what is none, with a note where it is computed.
    func text(_ literal: ScriptLiteral, notes: inout [ImportNote]) -> String? {
        switch literal.content {
        case .text(let text): return DollarText(literal: text).orch(isText: true) { _ in true }.text
        case .word(let word): return word
        case .variable(let name, let fallback):
            let usable = fallback.map { !$0.contains("}") && !$0.contains("${") } ?? true
            return usable ? "${\(name):-\(fallback ?? "")}" : "${\(name):-}"
        case .folder: return importer.input.folder
        case .computed(let written):
            notes.append(
                importer.lost(
                    written.split(separator: "\n").first.map(String.init) ?? written, at: literal.position,
                    because: "it is computed, and nothing is executed to read a file", instead: "write the value"))
            return nil
        case .null, .list, .map: return nil
        }
    }

    /// Milliseconds, or a duration as PM2 writes them.
    func span(_ literal: ScriptLiteral, notes: inout [ImportNote]) -> String? {
        guard let text = text(literal, notes: &notes) else { return nil }
        if let number = Int64(text), number < 1 << 40 { return Duration.milliseconds(number).text }
        return UnitText.duration(text) ?? text
    }

    /// A path: relative is from the manifest's folder, as it was from the ecosystem file's.
    func path(_ literal: ScriptLiteral, notes: inout [ImportNote]) -> String? {
        if case .folder = literal.content { return "." }
        return text(literal, notes: &notes)
    }

    func isOn(_ member: Member?) -> Bool {
        if case .word("true") = member?.value.content { true } else { false }
    }
}

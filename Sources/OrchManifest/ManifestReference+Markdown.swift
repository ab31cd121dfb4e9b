// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension ManifestReference {
    /// The tables of `docs/manifest.md`: every key of this version under the kind of map that has it, each table once.
    public static var markdown: String {
        var queue = [Fields.stack, Fields.service]
        var known = Set(queue.map(\.title))
        var text = ""
        var at = 0
        while at < queue.count {
            let table = queue[at]
            at += 1
            text += section(table)
            for field in table.fields where field.isBuilt {
                for inner in field.form.tables + [field.form.entryTable].compactMap({ $0 })
                where known.insert(inner.title).inserted { queue.append(inner) }
            }
        }
        return text + later
    }

    private static func section(_ table: FieldTable) -> String {
        let isService = table.title == Fields.service.title
        var text = "## \(heading(table.title))\n\n"
        text +=
            isService
            ? "| key | form | default | meaning | fate |\n|---|---|---|---|---|\n"
            : "| key | form | default | meaning |\n|---|---|---|---|\n"
        for field in table.fields where field.isBuilt {
            let cells = ["`\(field.name)`", field.form.words, field.fallback, field.summary]
            let fate = isService ? [Fate.of(field.name).rawValue] : []
            text += "| " + (cells + fate).map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
        }
        return text + "\n"
    }

    /// `a service` becomes `A service`.
    private static func heading(_ title: String) -> String { title.prefix(1).uppercased() + title.dropFirst() }

    private static var later: String {
        var text =
            "## Not in this version\n\nThese keys are part of the language; a manifest that has one is refused with its place.\n\n"
        for table in [Fields.stack, Fields.service] {
            let names = table.fields.filter { !$0.isBuilt }.map { "`\($0.name)`" }.joined(separator: ", ")
            text += "- of \(table.title): \(names)\n"
        }
        return text
    }
}

// SPDX-License-Identifier: Apache-2.0

extension FieldTable {
    /// What it is called before the dot of a key: `a stop step` is `stop-step`.
    var owner: String {
        title.replacing("'s", with: "").split(separator: " ").filter { !["a", "an", "the"].contains($0) }
            .joined(separator: "-")
    }
}

extension Fields {
    /// Every key that this version has, as `OWNER.KEY`: `service.restart`, `probe.tcp`. What is to be said of each key is held against it.
    static let keys: [String] = {
        var seen: Set<String> = []
        var found: [String] = []
        func walk(_ table: FieldTable) {
            guard seen.insert(table.title).inserted else { return }
            for field in table.fields where field.isBuilt {
                found.append("\(table.owner).\(field.name)")
                for inner in field.form.tables { walk(inner) }
                if let inner = field.form.entryTable { walk(inner) }
            }
        }
        walk(Fields.stack)
        return found
    }()
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// `watch`: the folder of the app, or what is listed, below it.
extension PM2Import {
    func watch(_ app: ScriptLiteral) -> [DraftEntry] {
        guard let member = app["watch"] else { return [] }
        var notes: [ImportNote] = []
        var paths: [String] = []
        switch member.value.content {
        case .word("true"): paths = ["."]
        case .text(let path): paths = [path]
        case .list(let items): paths = items.compactMap { text($0, notes: &notes) }
        case .word, .null, .map, .variable, .folder, .computed: break
        }
        guard !paths.isEmpty else { return notes.isEmpty ? [] : [.notes(notes)] }
        var ignored: [String] = []
        if let member = app["ignore_watch"] {
            switch member.value.content {
            case .text(let pattern): ignored = [pattern]
            case .list(let items): ignored = items.compactMap { text($0, notes: &notes) }
            case .word, .null, .map, .variable, .folder, .computed: break
            }
        }
        // These nobody means anyway.
        ignored.removeAll { WatchRule.alwaysIgnored.contains($0) }
        let folder = app["cwd"].flatMap { path($0.value, notes: &notes) }
        let rules = paths.map { path in
            let isOwn = path == "." || path == "./"
            let place = folder.map { isOwn ? $0 : path.hasPrefix("/") ? path : "\($0)/\(path)" } ?? path
            var terms = [DraftEntry("path", .value(.string(place)), at: member.position)]
            if !ignored.isEmpty { terms.append(DraftEntry("ignore", .value(.strings(ignored)))) }
            if let delay = app["watch_delay"], let span = span(delay.value, notes: &notes) {
                terms.append(DraftEntry("debounce", .value(.string(span))))
            }
            return DraftEntry("", .map(terms), at: member.position)
        }
        return [DraftEntry("watch", .list(rules), at: member.position, notes: notes)]
    }
}

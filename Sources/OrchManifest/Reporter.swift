// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Collects what is wrong, each thing once: a mistake in `defaults` is one mistake, however many services it reaches.
struct Reporter {
    private struct Place: Hashable {
        var file: String
        var line: Int
        var column: Int
        var code: String
        var message: String
    }
    private(set) var diagnostics: [Diagnostic] = []
    private var seen: Set<Place> = []

    mutating func add(_ diagnostic: Diagnostic) {
        let position = diagnostic.position
        let place = Place(
            file: position?.file ?? "", line: position?.line ?? 0, column: position?.column ?? 0, code: diagnostic.code,
            message: diagnostic.message)
        if seen.insert(place).inserted { diagnostics.append(diagnostic) }
    }

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    /// Everything with its source line, by file in the order of `sources` and then by position; at most `Limits.diagnostics` of it.
    func finished(_ sources: [Source]) -> [Diagnostic] {
        var rank: [String: Int] = [:]
        for (index, source) in sources.enumerated() where rank[source.name] == nil { rank[source.name] = index }
        let order = diagnostics.indices.sorted { a, b in
            guard let p = diagnostics[a].position, let q = diagnostics[b].position else {
                return diagnostics[a].position == nil && diagnostics[b].position != nil
                    || (diagnostics[b].position == nil) == (diagnostics[a].position == nil) && a < b
            }
            let ranks = (rank[p.file] ?? .max, rank[q.file] ?? .max)
            return (ranks.0, p.line, p.column, a) < (ranks.1, q.line, q.column, b)
        }
        var result = order.prefix(Limits.diagnostics).map { diagnostics[$0] }
        for source in sources {
            let numbers = Set(result.compactMap { $0.position?.file == source.name ? $0.position?.line : nil })
            guard !numbers.isEmpty else { continue }
            let lines = source.lines(numbers)
            for index in result.indices {
                guard let position = result[index].position, position.file == source.name else { continue }
                result[index].sourceLine = lines[position.line]
            }
        }
        if order.count > result.count {
            result.append(
                Diagnostic(
                    code: "more", "from here on \(order.count - result.count) more are not shown",
                    at: diagnostics[order[result.count]].position, help: "mend these first"))
        }
        return result
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A graph as lines: layer by layer, each service with what it waits for.
struct GraphText {
    var graph: ServiceGraph
    /// Nil: as wide as it gets.
    var width: Int?

    func lines() -> [Line] {
        guard !graph.nodes.isEmpty else { return [Line(graph.title, .strong), Line("  no services", .faint)] }
        let names = graph.nodes.reduce(0) { max($0, DisplayWidth.of($1.name)) }
        let phases = graph.nodes.reduce(0) { max($0, DisplayWidth.of(Self.word(of: $1))) }
        var result = [Line(graph.title, .strong)]
        var layer = -1
        for (index, node) in graph.nodes.enumerated() {
            let number = node.layer == layer ? "" : "\(node.layer + 1)"
            layer = node.layer
            var line = Line(number, .faint).padded(to: 4, alignedRight: true) + "  "
            line += Line(node.name, node.isEnabled ? .plain : .faint).padded(to: names) + "  "
            line += Line(Self.word(of: node), Self.style(of: node)).padded(to: phases)
            for (place, edge) in graph.edges.filter({ $0.from == index }).enumerated() {
                line += Line(place == 0 ? "  ◀─ " : ", ", .faint) + Line(graph.nodes[edge.to].name)
                line += Line(" \(edge.condition.rawValue)\(edge.isRequired ? "" : "?")", .faint)
            }
            result.append(line.fitted(to: width))
        }
        return result
    }

    static func word(of node: ServiceGraph.Node) -> String {
        node.phase?.rawValue ?? (node.isEnabled ? node.kind == .task ? "task" : "" : "disabled")
    }

    private static func style(of node: ServiceGraph.Node) -> Style { node.phase.map(PhaseText.style) ?? .faint }
}

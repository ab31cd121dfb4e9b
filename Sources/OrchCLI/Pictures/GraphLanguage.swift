// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A graph for programs that draw: https://mermaid.js.org and https://graphviz.org.
enum GraphLanguage {
    static func mermaid(_ graph: ServiceGraph) -> String {
        var text = "flowchart LR\n"
        for (index, node) in graph.nodes.enumerated() {
            let word = GraphText.word(of: node)
            let label = word.isEmpty ? node.name : "\(node.name)<br/>\(word)"
            let (open, close) = node.kind == .task ? ("([\"", "\"])") : ("[\"", "\"]")
            text += "  n\(index)\(open)\(label)\(close)\(colour(of: node).map { ":::\($0.name)" } ?? "")\n"
        }
        for edge in graph.edges {
            text += "  n\(edge.to) \(edge.isRequired ? "-->" : "-.->")|\(edge.condition.rawValue)| n\(edge.from)\n"
        }
        for tint in PictureColour.allCases where graph.nodes.contains(where: { colour(of: $0) == tint }) {
            text += "  classDef \(tint.name) stroke:\(tint.light),stroke-width:2px\n"
        }
        return text
    }

    static func dot(_ graph: ServiceGraph) -> String {
        var text =
            "digraph \"\(graph.title)\" {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
        for node in graph.nodes {
            let word = GraphText.word(of: node)
            var attributes = ["label=\"\(node.name)\(word.isEmpty ? "" : "\\n\(word)")\""]
            if let tint = colour(of: node) { attributes.append("color=\"\(tint.light)\"") }
            if node.kind == .task { attributes.append("shape=oval") }
            text += "  \"\(node.name)\" [\(attributes.joined(separator: ", "))];\n"
        }
        for edge in graph.edges {
            let style = edge.isRequired ? "" : ", style=dashed"
            text +=
                "  \"\(graph.nodes[edge.to].name)\" -> \"\(graph.nodes[edge.from].name)\" [label=\"\(edge.condition.rawValue)\"\(style)];\n"
        }
        return text + "}\n"
    }

    private static func colour(of node: ServiceGraph.Node) -> PictureColour? { node.phase.flatMap(PictureColour.init) }
}

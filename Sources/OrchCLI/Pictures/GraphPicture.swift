// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A graph as SVG: what is waited for on the left, who waits on the right.
struct GraphPicture {
    var graph: ServiceGraph

    private static let boxHeight = 40
    private static let rowHeight = 64
    private static let margin = 16
    /// Wide enough for the longest condition.
    private static let gap = 96
    private static let letter = 8

    func svg() -> String {
        let layout = GraphLayout(graph)
        let widths = (0..<graph.layers).map { layer in
            graph.nodes.filter { $0.layer == layer }.reduce(60) {
                max($0, 24 + Self.letter * max(DisplayWidth.of($1.name), DisplayWidth.of(GraphText.word(of: $1))))
            }
        }
        var lefts: [Int] = []
        var next = Self.margin
        for width in widths {
            lefts.append(next)
            next += width + Self.gap
        }
        let width = max(200, next - Self.gap + Self.margin)
        let height = 2 * Self.margin + max(1, layout.rows) * Self.rowHeight
        var body =
            "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">"
            + "<path d=\"M0 0L8 4L0 8z\" fill=\"var(--faint)\"/></marker></defs>\n"
        for (edge, way) in zip(graph.edges, layout.ways) { body += line(edge, way, layout, lefts, widths) }
        for place in layout.places where place.node != nil { body += box(place, lefts, widths) }
        let style =
            "path.way{fill:none;stroke:var(--faint)}path.soft{stroke-dasharray:4 3}"
            + "rect{fill:var(--box);stroke:var(--c);stroke-width:1.5}.off{opacity:.5}"
        return Picture.document(
            width: width, height: height, title: "\(graph.title): who waits for whom", style: style, body)
    }

    private func middle(of place: GraphLayout.Place) -> Int {
        Self.margin + place.row * Self.rowHeight + Self.rowHeight / 2
    }

    private func box(_ place: GraphLayout.Place, _ lefts: [Int], _ widths: [Int]) -> String {
        guard let index = place.node else { return "" }
        let node = graph.nodes[index]
        let (left, top, width) = (lefts[place.layer], middle(of: place) - Self.boxHeight / 2, widths[place.layer])
        let word = GraphText.word(of: node)
        let tint = node.phase.flatMap(PictureColour.init)?.name ?? ""
        let radius = node.kind == .task ? Self.boxHeight / 2 : 6
        var text = "<g class=\"\(tint)\(node.isEnabled ? "" : " off")\">"
        text += "<rect x=\"\(left)\" y=\"\(top)\" width=\"\(width)\" height=\"\(Self.boxHeight)\" rx=\"\(radius)\"/>"
        let centre = left + width / 2
        let name = Picture.escaped(node.name)
        if word.isEmpty {
            text += "<text x=\"\(centre)\" y=\"\(top + 25)\" text-anchor=\"middle\">\(name)</text>"
        } else {
            text += "<text x=\"\(centre)\" y=\"\(top + 17)\" text-anchor=\"middle\">\(name)</text>"
            text += "<text class=\"tinted\" x=\"\(centre)\" y=\"\(top + 32)\" text-anchor=\"middle\">\(word)</text>"
        }
        return text + "</g>\n"
    }

    private func line(
        _ edge: ServiceGraph.Edge, _ way: [Int], _ layout: GraphLayout, _ lefts: [Int], _ widths: [Int]
    ) -> String {
        let stops = way.map { layout.places[$0] }
        guard let first = stops.first, let last = stops.last else { return "" }
        var (x, y) = (lefts[first.layer] + widths[first.layer], middle(of: first))
        var path = "M\(x) \(y)"
        var label = (x: x, y: y)
        for stop in stops.dropFirst() {
            let (left, middle) = (lefts[stop.layer], middle(of: stop))
            let bend = (left - x) / 2
            path += "C\(x + bend) \(y) \(left - bend) \(middle) \(left) \(middle)"
            label = ((x + left) / 2, (y + middle) / 2 - 4)
            (x, y) = (left, middle)
            // A line goes straight through a layer that it only passes.
            if stop != last {
                x += widths[stop.layer]
                path += "L\(x) \(y)"
            }
        }
        let soft = edge.isRequired ? "" : " soft"
        return "<path class=\"way\(soft)\" d=\"\(path)\" marker-end=\"url(#tip)\"/>"
            + "<text class=\"faint\" x=\"\(label.x)\" y=\"\(label.y)\" text-anchor=\"middle\">\(edge.condition.rawValue)</text>\n"
    }
}

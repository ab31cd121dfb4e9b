// SPDX-License-Identifier: Apache-2.0

/// Where the boxes of a layered graph stand and which way its lines take, after Sugiyama: a line that passes a layer has a place there, the
/// places of a layer are ordered by those that they are joined with, and the order with the fewest crossings stays.
struct GraphLayout: Equatable {
    /// A place in a layer: a box, or a line that passes.
    struct Place: Equatable {
        /// The node's index; nil for a line.
        var node: Int?
        var layer: Int
        /// From the top, in rows.
        var row = 0
    }
    private(set) var places: [Place] = []
    /// For each edge the places that it goes through, from whom is waited for to who waits.
    private(set) var ways: [[Int]] = []
    private var layers: [[Int]] = []
    var rows: Int { layers.reduce(0) { max($0, $1.count) } }

    /// How often the order is improved, there and back.
    private static let sweeps = 8

    init(_ graph: ServiceGraph) {
        layers = [[Int]](repeating: [], count: graph.layers)
        for (index, node) in graph.nodes.enumerated() { _ = add(Place(node: index, layer: node.layer)) }
        for edge in graph.edges {
            var way = [edge.to]
            let (first, last) = (graph.nodes[edge.to].layer + 1, graph.nodes[edge.from].layer)
            for layer in first..<max(first, last) { way.append(add(Place(node: nil, layer: layer))) }
            ways.append(way + [edge.from])
        }
        order()
        for layer in layers {
            // Short layers stand in the middle.
            let start = (rows - layer.count) / 2
            for (row, place) in layer.enumerated() { places[place].row = start + row }
        }
    }

    private mutating func add(_ place: Place) -> Int {
        places.append(place)
        layers[place.layer].append(places.count - 1)
        return places.count - 1
    }

    private mutating func order() {
        var (before, behind) = ([Int: [Int]](), [Int: [Int]]())
        for way in ways {
            for (near, far) in zip(way, way.dropFirst()) {
                behind[near, default: []].append(far)
                before[far, default: []].append(near)
            }
        }
        var best = layers
        var fewest = crossings(behind)
        for sweep in 0..<Self.sweeps where fewest > 0 {
            let isForward = sweep % 2 == 0
            for layer in isForward ? Array(layers.indices.dropFirst()) : layers.indices.dropLast().reversed() {
                arrange(layer, by: isForward ? before : behind, beside: isForward ? layer - 1 : layer + 1)
            }
            let now = crossings(behind)
            if now < fewest { (best, fewest) = (layers, now) }
        }
        layers = best
    }

    /// By the mean row of those that each is joined with; who is joined with nobody keeps its row.
    private mutating func arrange(_ layer: Int, by neighbours: [Int: [Int]], beside other: Int) {
        let rows = rank(layers[other])
        let keyed = layers[layer].enumerated().map { row, place in
            let joined = (neighbours[place] ?? []).compactMap { rows[$0] }
            let key = joined.isEmpty ? Double(row) : Double(joined.reduce(0, +)) / Double(joined.count)
            return (key: key, row: row, place: place)
        }
        layers[layer] = keyed.sorted { ($0.key, $0.row) < ($1.key, $1.row) }.map(\.place)
    }

    private func rank(_ layer: [Int]) -> [Int: Int] {
        var rows: [Int: Int] = [:]
        for (row, place) in layer.enumerated() { rows[place] = row }
        return rows
    }

    /// Between each layer and the next; O(lines²) of each, so big graphs count none and stay as they are.
    private func crossings(_ behind: [Int: [Int]]) -> Int {
        var count = 0
        for (layer, next) in zip(layers, layers.dropFirst()) {
            let rows = rank(next)
            var ends: [(Int, Int)] = []
            for (row, place) in layer.enumerated() {
                for far in behind[place] ?? [] { rows[far].map { ends.append((row, $0)) } }
            }
            guard ends.count <= 500 else { return 0 }
            for (index, one) in ends.enumerated() {
                for other in ends[(index + 1)...] where (one.0 - other.0) * (one.1 - other.1) < 0 { count += 1 }
            }
        }
        return count
    }
}

// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// Graphs of manifests, with and without states.
@Suite struct GraphTests {
    private static let manifest = """
        name: shop
        services:
          db: { command: a }
          cache: { command: a, enabled: false }
          seed: { kind: task, command: a, depends_on: [db] }
          api: { command: a, depends_on: { db: { condition: healthy }, seed: {}, cache: { condition: started, required: false } } }
          web: { command: a, depends_on: [api, db] }
        """

    private func platform(_ instances: [InstanceStatus]? = nil) -> ScriptedPlatform {
        let platform = ScriptedPlatform { command in
            switch command {
            case .status: [.reply(.status([.shop(instances ?? [])]))]
            default: []
            }
        }
        platform.isDaemonThere = instances != nil
        platform.files["/home/ada/shop/orch.yaml"] = Self.manifest
        return platform
    }

    @Test func layersFollowTheNeeds() {
        let platform = platform()
        #expect(run("graph", on: platform) == .success)
        #expect(
            platform.output == """
                shop
                   1  cache  disabled
                      db
                   2  seed   task      ◀─ db ready
                   3  api              ◀─ cache started?, db healthy, seed succeeded
                   4  web              ◀─ db ready, api ready

                """, "\(platform.output)")
    }

    @Test func statesAreThoseOfTheDaemon() {
        let platform = platform([
            .sample("db", .ready), .sample("api", .ready, replica: 1), .sample("api", .backoff, replica: 2),
            .sample("seed", .done),
        ])
        #expect(run("graph", on: platform) == .success)
        #expect(
            platform.output.contains("db     ready") && platform.output.contains("api    backoff"), "\(platform.output)"
        )
    }

    @Test func otherProgramsCanDrawIt() throws {
        let platform = platform([.sample("db", .ready)])
        #expect(run("graph --format mermaid", on: platform) == .success)
        #expect(platform.output.hasPrefix("flowchart LR\n"))
        #expect(
            platform.output.contains("  n1[\"db<br/>ready\"]:::good\n")
                && platform.output.contains("  n0 -.->|started| n3\n"))
        platform.forgetOutput()
        #expect(run("graph --format dot", on: platform) == .success)
        #expect(platform.output.contains("  \"db\" -> \"api\" [label=\"healthy\"];\n"))
        #expect(platform.output.contains("\"cache\" -> \"api\" [label=\"started\", style=dashed];"))
        platform.forgetOutput()
        #expect(run("graph --json", on: platform) == .success)
        let value = try JSON.parse(platform.output)
        #expect(value["services"]?.array?.map { $0["layer"]?.int ?? -1 } == [0, 0, 1, 2, 3])
        #expect(value["needs"]?.array?.count == 6)
    }

    @Test func thePictureIsWellFormedAndTheSameEachTime() {
        let platform = platform([.sample("db", .ready)])
        #expect(run("graph --format svg", on: platform) == .success)
        let first = platform.output
        platform.forgetOutput()
        _ = run("graph --format svg", on: platform)
        #expect(platform.output == first)
        #expect(MarkupCheck.flaw(in: first) == nil)
        for name in ["db", "cache", "seed", "api", "web"] { #expect(first.contains(">\(name)</text>")) }
        #expect(first.contains("prefers-color-scheme:dark") && first.contains("class=\"good\""))
    }

    /// Boxes of a layer don't lie on each other, and every line goes from layer to layer.
    @Test func aLargeGraphIsLaidOut() {
        let names = (0..<60).map { "s\($0)" }
        let services = names.enumerated().map { index, name in
            var spec = ServiceSpec(name: name, command: .exec(["a"]), workingDirectory: "/")
            spec.dependsOn = [index - 1, index - 7, index / 2].filter { $0 >= 0 && $0 < index && index % 6 != 0 }
                .reduce(into: []) { found, place in
                    if !found.contains(place) { found.append(place) }
                }.map { Dependency(on: names[$0]) }
            return spec
        }
        let graph = ServiceGraph(Stack(name: "large", services: services), instances: [])
        let layout = GraphLayout(graph)
        var taken: Set<String> = []
        for place in layout.places {
            #expect(taken.insert("\(place.layer)/\(place.row)").inserted && place.row < layout.rows)
        }
        for (edge, way) in zip(graph.edges, layout.ways) {
            let layers = way.map { layout.places[$0].layer }
            #expect(layers == Array(graph.nodes[edge.to].layer...graph.nodes[edge.from].layer))
        }
        #expect(MarkupCheck.flaw(in: GraphPicture(graph: graph).svg()) == nil)
        #expect(layout == GraphLayout(graph))
    }

    @Test func linesThatCrossAreTurned() {
        var (a, b) = (
            ServiceSpec(name: "x", command: .exec(["a"]), workingDirectory: "/"),
            ServiceSpec(name: "y", command: .exec(["a"]), workingDirectory: "/")
        )
        a.dependsOn = [Dependency(on: "q")]
        b.dependsOn = [Dependency(on: "p")]
        let needs = ["p", "q"].map { ServiceSpec(name: $0, command: .exec(["a"]), workingDirectory: "/") }
        let graph = ServiceGraph(Stack(name: "s", services: needs + [a, b]), instances: [])
        let layout = GraphLayout(graph)
        func row(_ name: String) -> Int {
            layout.places.first { $0.node.map { graph.nodes[$0].name } == name }?.row ?? -1
        }
        #expect((row("p") < row("q")) == (row("y") < row("x")))
    }

    @Test func whatIsAppliedIsDrawnWhereNoManifestIs() {
        let platform = platform()
        platform.files = [:]
        #expect(run("graph", on: platform) == .failed)
        var stack = Stack(name: "shop", services: [])
        stack.services = [ServiceSpec(name: "stored", command: .exec(["true"]), workingDirectory: "/")]
        let pointer: Value = [
            "format": 1,
            "content": ["stack": "shop", "revision": "ab12", "manifest_path": "/m/orch.yaml", "applied_at": 0],
        ]
        platform.files["/state/stacks/shop.json"] = String(decoding: JSON.bytes(of: pointer), as: UTF8.self)
        let revision: Value = ["format": 1, "content": stack.value]
        platform.files["/state/revisions/ab12.json"] = String(decoding: JSON.bytes(of: revision), as: UTF8.self)
        #expect(run("graph", on: platform) == .success)
        #expect(platform.output.contains("stored"))
    }
}

/// Whether elements of a text are closed in the order of their opening.
enum MarkupCheck {
    /// What is wrong; nil: nothing.
    static func flaw(in text: String) -> String? {
        var open: [Substring] = []
        var rest = text[...]
        while let start = rest.firstIndex(of: "<") {
            guard let end = rest[start...].firstIndex(of: ">") else { return "an element has no end" }
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.count(where: { $0 == "\"" }) % 2 != 0 { return "an attribute has no end: \(tag)" }
            if tag.hasPrefix("/") {
                guard open.popLast() == tag.dropFirst() else { return "\(tag) closes nothing" }
            } else if !tag.hasSuffix("/") {
                open.append(tag.prefix { $0 != " " && $0 != "\n" })
            }
        }
        return open.isEmpty ? nil : "\(open) is not closed"
    }
}

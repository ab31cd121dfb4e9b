// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire
import Testing

/// docs/json.md is a contract: what the programs print has the keys that it lists, and no others.
@Suite(.serialized) struct JSONShapeTests {
    private static let manifest = """
        name: shop
        host: { disk: {}, memory: {} }
        services:
          once: { kind: task, command: "echo done; exit 3" }
          tick: { kind: task, command: [/bin/true], schedule: { every: 1s } }
          web:
            command: "while :; do echo hello; sleep 1; done"
            ports: [{ name: main, port: auto }]
            resources: { memory: 1GB }
            sockets: [./web.sock]
            health: { readiness: { command: [/bin/true] } }
        """

    @Test func whatIsPrintedIsWhatIsWritten() throws {
        let page = try ShapePage(contents(repository() + "/docs/json.md"))
        let place = try Workplace()
        try place.write("name: shop\nservices:\n  web: { commnd: x }\n")
        try page.hold("orch validate --json", to: [place.orch("validate", "--json").output])
        try place.write("environment: { A: 1 }\nservices:\n  web: { command: x, environment: { A: 2 } }\n")
        try page.hold(
            "orch config --explain-env --json", to: [place.orch("config", "--explain-env", "web", "--json").output])
        try page.hold("orch doctor --json", to: [place.orch("doctor", "--json").output])
        try place.write(Self.manifest)
        #expect(try place.orch("apply").status == 1)
        #expect(try place.orch("wait", "web").status == 0)
        try place.eventually("a line is written") { try place.orch("logs", "web").output.contains("hello") }
        try place.eventually("a scheduled run is over") { try place.rows()["tick"]?["runs"]?.array?.isEmpty == false }
        try page.hold("orch status --json", to: [place.orch("status", "--json").output])
        try page.hold("orch top --json", to: [place.orch("top", "--json").output])
        try page.hold("orch graph --json", to: [place.orch("graph", "--json").output])
        try page.hold("orch timeline --json", to: [place.orch("timeline", "--json").output])
        try page.hold("orch tree --json", to: [place.orch("tree", "--json").output])
        try page.hold("orch ports --json", to: [place.orch("ports", "--json").output])
        try page.hold("orch events --json", to: lines(place.orch("events", "--json")))
        try page.hold("orch rehearse --json", to: lines(place.orch("rehearse", "--json")))
        try page.hold("orch logs --json", to: lines(place.orch("logs", "--json")))
        try page.hold("orch logs rotate --json", to: [place.orch("logs", "rotate", "--json").output])
        try page.hold("orch daemon status --json", to: [place.orch("daemon", "status", "--json").output])
        let stories = try JSON.parse(place.orch("why", "web", "--json").output).array ?? []
        #expect(stories.map { $0.members?.map(\.key) ?? [] } == [["instance", "chain"]])
        try place.write(Self.manifest.replacing("sleep 1", with: "sleep 2"))
        try page.hold("orch diff --json", to: [place.orch("diff", "--json").output])
        #expect(try place.orch("apply", "--detach").status == 0)
        #expect(try place.orch("rollback", "--detach").status == 0)
        #expect(try place.orch("wait", "web").status == 0)
        try page.hold("orch history --json", to: [place.orch("history", "web", "--json").output])
        #expect(try place.end() == "")
    }

    private func lines(_ outcome: Workplace.Outcome) -> [String] {
        outcome.output.split(separator: "\n").map(String.init)
    }
}

/// The tables of keys of docs/json.md, by heading.
private struct ShapePage {
    private var tables: [String: [String: String]] = [:]

    init(_ text: String) throws {
        var heading = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("## ") { heading = String(line.dropFirst(3)) }
            guard line.hasPrefix("| `") else { continue }
            let cells = line.split(separator: "|").map { $0.trimmingSpaces }
            guard cells.count >= 2 else { throw Broken("a row of docs/json.md is torn: \(line)") }
            tables[heading, default: [:]][String(cells[0].dropFirst().dropLast())] = cells.last ?? ""
        }
    }

    /// Every key that was printed is in the table, and every key of the table was printed, but for those that may be absent.
    func hold(_ heading: String, to outputs: [String], at place: SourceLocation = #_sourceLocation) throws {
        let table = try #require(tables[heading], "docs/json.md lacks \(heading)", sourceLocation: place)
        try #require(!outputs.isEmpty, sourceLocation: place)
        var seen: Set<String> = []
        for output in outputs { try Self.collect(JSON.parse(output), "", table, &seen) }
        let unknown = seen.filter { table[$0] == nil }.sorted()
        #expect(unknown == [], "printed by \(heading), but not in docs/json.md", sourceLocation: place)
        let missing = table.keys.filter { table[$0] != "absent" && !seen.contains($0) }.sorted()
        #expect(missing == [], "in docs/json.md, but not printed by \(heading)", sourceLocation: place)
    }

    private static func collect(_ value: Value, _ path: String, _ table: [String: String], _ seen: inout Set<String>) {
        switch value {
        case .object(let members):
            for member in members {
                collect(member.value, path.isEmpty ? member.key : "\(path).\(member.key)", table, &seen)
            }
            // An object that has a row of its own is seen as well.
            if table[path] != nil { seen.insert(path) }
        case .array(let items):
            if table[path] != nil {
                seen.insert(path)
            } else {
                for item in items { collect(item, "\(path)[]", table, &seen) }
            }
        case .null, .bool, .int, .double, .string: seen.insert(path)
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

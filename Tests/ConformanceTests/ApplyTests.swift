// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire
import Testing

/// Obligations of apply and diff on real processes.
@Suite(.serialized) struct ApplyTests {
    private func manifest(
        port: String = "1", delay: String = "200ms", keep: Int = 5, grace: String = "10s", interval: String = "10s"
    ) -> String {
        """
        name: shop
        services:
          db:
            command: [sleep, "1000"]
          web:
            command: [sleep, "1000"]
            depends_on: [db]
            environment: { PORT_OF_WEB: "\(port)" }
            restart: { policy: always, delay: \(delay) }
            logging: { rotate: { size: 1MB, keep: \(keep) } }
            stop_grace_period: \(grace)
            health:
              readiness: { command: [/bin/true], interval: \(interval) }
        """
    }

    @Test func applyMovesOnlyWhatThePlanNames() throws {
        let place = try Workplace()
        try place.write(manifest())
        let first = try place.orch("apply")
        #expect(first.status == 0, "\(first)")
        let before = try place.rows()
        #expect(before["db"]?["phase"] == "ready")
        #expect(before["web"]?["phase"] == "ready")

        let again = try place.orch("apply")
        #expect(again.status == 0, "\(again)")
        #expect(try place.orch("diff").status == 0)

        try place.write(manifest(port: "2"))
        let diff = try place.orch("diff", "--json")
        #expect(diff.status == 2, "\(diff)")
        let changes = try JSON.parse(diff.output)["changes"]?.array ?? []
        #expect(changes.count == 1)
        #expect(changes.first?["service"] == "web")
        #expect(changes.first?["action"] == "restart")
        let fields = changes.first?["fields"]?.array ?? []
        #expect(fields.map { $0["path"] } == ["environment.PORT_OF_WEB"])
        #expect(fields.first?["fate"] == "restart")
        #expect(try place.rows().mapValues { $0["pid"] } == before.mapValues { $0["pid"] }, "diff touches nothing")

        #expect(try place.orch("apply").status == 0)
        let after = try place.rows()
        #expect(after["db"]?["pid"] == before["db"]?["pid"])
        #expect(after["web"]?["pid"] != before["web"]?["pid"])

        try place.write(manifest(port: "2", delay: "3s", keep: 9, grace: "3s", interval: "5s"))
        let live = try JSON.parse(try place.orch("diff", "--json").output)
        let fates = live["changes"]?.array?.first?["fields"]?.array?.compactMap { $0["fate"]?.string } ?? []
        #expect(fates.count >= 4)
        #expect(Set(fates) == ["live"], "\(live)")
        #expect(try place.orch("apply").status == 0)
        #expect(try place.rows().mapValues { $0["pid"] } == after.mapValues { $0["pid"] })
        #expect(try place.orch("diff").status == 0)
        #expect(try place.orch("down").status == 0)
        #expect(try place.end() == "")
    }

    @Test func aWrongManifestChangesNothing() throws {
        let place = try Workplace()
        try place.write(manifest())
        #expect(try place.orch("apply").status == 0)
        let before = try place.rows()
        try place.write(
            """
            name: Shop!
            nonsense: 1
            services:
              db:
                comand: [sleep, "1"]
                restart: sometimes
                start_timeout: 5
              web:
                command: [sleep, "1000"]
                command: [sleep, "1"]
                depends_on: [bd]
                replicas: many
                stop_signal: SIGFOO
                ports: [99999]
                health: { readiness: { interval: 1s } }
                logging: { format: xml, rotate: { size: 10 } }
            """)
        let outcome = try place.orch("apply")
        #expect(outcome.status == 3, "\(outcome)")
        let located = outcome.errors.split(separator: "\n").filter {
            $0.contains("orch.yaml:") && $0.contains(": error[")
        }
        #expect(located.count >= 12, "\(outcome)")
        #expect(outcome.errors.contains("did you mean"))
        #expect(try place.rows().mapValues { $0["pid"] } == before.mapValues { $0["pid"] })
        #expect(try place.end() == "")
    }

    @Test func anAliasBombIsRefused() throws {
        let place = try Workplace()
        var text = "x-a: &a0 [z, z, z, z, z, z, z, z, z]\n"
        for level in 1...8 {
            text +=
                "x-\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
                + "]\n"
        }
        try place.write(text + "services: { a: { command: *a8 } }\n")
        let outcome = try place.orch("validate")
        #expect(outcome.status == 3, "\(outcome)")
        #expect(try place.end() == "")
    }
}

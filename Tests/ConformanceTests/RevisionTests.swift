// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire
import Testing

/// Obligations of history, rollback and `apply --rollback-on-failure` on real processes.
@Suite(.serialized) struct RevisionTests {
    private let good = """
        name: shop
        services:
          db:
            command: [sleep, "1000"]
          web:
            command: "echo $VALUE ${PORT_OF_WEB} > seen; exec sleep 1000"
            env_file: values.env
            environment: { PORT_OF_WEB: "80" }
        """

    /// Web is never ready, and given up after three seconds.
    private let bad = """
        name: shop
        services:
          db:
            command: [sleep, "1000"]
          web:
            command: "echo bad of bad; exec sleep 1000"
            restart: "no"
            start_timeout: 3s
            health: { readiness: { command: [/bin/false], interval: 1s } }
        """

    private func history(_ place: Workplace, _ name: String = "shop") throws -> [Value] {
        let outcome = try place.orch("history", name, "--json")
        guard outcome.status == 0 else { throw Broken("history: \(outcome)") }
        return try JSON.parse(outcome.output)["revisions"]?.array ?? []
    }

    private func seen(_ place: Workplace) -> String { contents(place.folder + "/seen") }

    @Test func aRollbackIsExactAndAnEntryOfTheHistory() throws {
        let place = try Workplace()
        try place.write("VALUE=one\n", to: "values.env")
        try place.write(good)
        #expect(try place.orch("apply").status == 0)
        let nothing = try place.orch("rollback")
        #expect(nothing.status == 5 && nothing.errors.contains("nothing to go back to"), "\(nothing)")
        try place.write("VALUE=two\n", to: "values.env")
        #expect(try place.orch("apply").status == 0)
        try place.eventually("web has its second value") { seen(place) == "two 80\n" }
        try place.write("VALUE=three\n", to: "values.env")
        try place.write(good.replacing("\"80\"", with: "\"81\""))
        let db = try place.pid("db")

        let two = try history(place)
        #expect(two.map { $0["current"] } == [true, false])
        #expect(two.map { $0["author"] } == ["root", "root"])
        #expect(two[0]["changes"] == [["action": "restart", "service": "web"]])
        let outcome = try place.orch("rollback")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.output.contains("~ web") && outcome.output.contains("environment.VALUE"), "\(outcome)")
        try place.eventually("web has its first value again") { seen(place) == "one 80\n" }
        #expect(try place.pid("db") == db)

        let three = try history(place)
        #expect(three.map { $0["origin"] } == ["rollback", "apply", "apply"])
        #expect(three[0]["revision"] == two[1]["revision"] && three[0]["left"] == two[0]["revision"])
        let first = two[1]["revision"]?.string ?? ""
        let already = try place.orch("rollback", String(first.prefix(12)))
        #expect(already.status == 5 && already.errors.contains("already"), "\(already)")
        let unknown = try place.orch("rollback", "shop", "0123456789abcdef0")
        #expect(unknown.status == 1 && unknown.errors.contains("orch history shop"), "\(unknown)")

        let second = two[0]["revision"]?.string ?? ""
        #expect(try place.orch("rollback", "--detach", String(second.prefix(9))).status == 0)
        try place.eventually("web has its second value again") { seen(place) == "two 80\n" }
        #expect(try place.orch("wait", "web").status == 0)
        let service = try place.orch("history", "web")
        #expect(service.status == 0 && service.output.contains("LAUNCH"), "\(service)")

        let before = try history(place)
        #expect(try place.orch("daemon", "stop").status == 0)
        #expect(try history(place) == before)
        let without = try place.orch("rollback")
        #expect(without.status == 4, "\(without)")
        #expect(try place.orch("daemon", "start").status == 0)
        #expect(try place.orch("down", "shop").status == 0)
        #expect(try history(place).count == 4)
        #expect(try place.end() == "")
    }

    @Test func whatFailsIsTakenBack() throws {
        let place = try Workplace()
        try place.write("VALUE=one\n", to: "values.env")
        try place.write(good)
        #expect(try place.orch("apply", "--rollback-on-failure").status == 0)
        let before = try place.pid("db")
        try place.write(bad)
        let outcome = try place.orch("apply", "--rollback-on-failure")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.output.contains("bad of bad"), "\(outcome)")
        #expect(outcome.errors.contains("going back to revision"), "\(outcome)")
        #expect(outcome.errors.contains("was taken back"), "\(outcome)")
        #expect(try place.phase("web") == "ready")
        #expect(try place.pid("db") == before)
        let entries = try history(place)
        #expect(entries.map { $0["origin"] } == ["automatic-rollback", "apply", "apply"])
        #expect(entries[0]["author"] == "orch" && entries[0]["because"]?.string?.hasPrefix("web: ") == true)
        #expect(try place.orch("events").output.contains("rolled-back"))
        #expect(try place.orch("why", "web").output.contains("rolled back to revision"))
        let text = try place.orch("history")
        #expect(text.output.contains("rolled back by itself"), "\(text)")

        let late = try place.orch("apply", "--rollback-on-failure", "--wait-timeout", "1s")
        #expect(late.status == 1 && late.errors.contains("not everything was ready within 1s"), "\(late)")
        #expect(try place.phase("web") == "ready")
        #expect(try place.end() == "")
    }

    @Test func theFirstRevisionIsLeftAsItIs() throws {
        let place = try Workplace()
        try place.write(bad)
        let outcome = try place.orch("apply", "--rollback-on-failure")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.contains("nothing to go back to"), "\(outcome)")
        #expect(try place.phase("web") == "failed")
        #expect(try place.end() == "")
    }

    @Test func thePromiseOutlivesTheClientAndTheDaemon() throws {
        let place = try Workplace()
        try place.write("VALUE=one\n", to: "values.env")
        try place.write(good)
        #expect(try place.orch("apply").status == 0)
        let db = try place.pid("db")
        try place.write(bad)
        let client = try place.start([program("orch"), "apply", "--rollback-on-failure"])
        try place.eventually("the failing revision is under way") { try place.phase("web") == "starting" }
        _ = try place.shell("kill -9 \(client)")
        let status = try JSON.parse(try place.orch("daemon", "status", "--json").output)
        _ = try place.shell("kill -9 \(status["pid"]?.int ?? 0)")
        try place.eventually("the daemon that came after went back") {
            try history(place).first?["origin"] == "automatic-rollback"
        }
        try place.eventually("web is there as it was") { try place.phase("web") == "ready" }
        #expect(try place.pid("db") == db)
        #expect(seen(place) == "one 80\n")
        #expect(try place.end() == "")
    }
}

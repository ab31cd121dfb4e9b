// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// Every example is run: what its README promises, a person who types it sees.
@Suite(.serialized) struct ExampleTests {
    @Test func quickstart() throws {
        let place = try Workplace()
        _ = try place.shell("cp -r '\(repository())/examples/quickstart/.' . && rm -rf kitchen")
        let apply = try place.orch("apply")
        #expect(apply.status == 0, "\(apply)")
        let rows = try place.rows()
        #expect(rows["shopping"]?["phase"] == "done")
        for label in ["oven", "baker", "radio"] { #expect(rows[label]?["phase"] == "ready", "\(label)") }
        #expect(rows["oven"]?["restarts"] == 1)
        let why = try place.orch("why", "oven")
        #expect(why.status == 0 && why.output.contains("exit"), "\(why)")
        #expect(try place.orch("diff").status == 0)
        try place.eventually("the radio's log was rotated") {
            try place.shell("ls kitchen/logs/radio.log.1").status == 0
        }
        _ = try place.shell("sed -i 's/BREAD: rye/BREAD: wheat/' orch.yaml")
        let diff = try place.orch("diff")
        #expect(diff.status == 2 && diff.output.contains("environment.BREAD"), "\(diff)")
        #expect(try place.orch("apply").status == 0)
        #expect(try place.rows()["radio"]?["pid"] == rows["radio"]?["pid"])
        #expect(try place.orch("down").status == 0)
        #expect(try place.end() == "")
    }

    /// As root, with `user`; then as somebody without rights, from the same folder.
    @Test func booking() throws {
        let place = try Workplace()
        let example = place.folder
        let setup = try place.shell(
            "cp -r '\(repository())/examples/booking/.' . && rm -rf .venv .env state && ./setup")
        #expect(setup.status == 0, "\(setup)")
        guard setup.status == 0 else { return }
        try live(at: place, example, ["--env", "BOOKING_STATE=\(place.home)/booking"])
        guard
            try place.shell(
                "[ $(id -u) = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups test -x '\(program("orch"))'"
            ).status == 0
        else {
            print("not run as nobody: that takes root, and programs that nobody may execute")
            #expect(try place.end() == "")
            return
        }
        let humble = try Workplace(isNobody: true)
        try live(at: humble, example, ["--env", "BOOKING_STATE=\(humble.home)/booking", "--env", "BOOKING_USER="])
        #expect(try humble.end() == "")
        #expect(try place.end() == "")
    }

    /// What its README does under load: no request is lost by a restart, an update, or the daemon's death.
    @Test func socketActivation() throws {
        let place = try Workplace()
        _ = try place.shell(
            "cp -r '\(repository())/examples/socket-activation/.' . && rm -f web.sock && sed -i 's/:-8080/:-23195/' orch.yaml"
        )
        let apply = try place.orch("apply")
        #expect(apply.status == 0, "\(apply)")
        let words = [
            "/usr/bin/hey", "-n", "500", "-c", "5", "-q", "10", "-t", "120", "-disable-keepalive",
            "http://127.0.0.1:23195/",
        ]
        let report = "\(place.home)/report"
        let hey = try place.start(words, output: report, errors: report)
        #expect(try place.orch("restart", "web").status == 0)
        #expect(try place.shell("sed -i 's/hello/good morning/' orch.yaml").status == 0)
        let update = try place.orch("apply")
        #expect(update.status == 0, "\(update)")
        let daemon = try place.daemon()
        kill(daemon, SIGKILL)
        try place.eventually("another daemon serves") { try place.daemon() != daemon }
        #expect(try place.orch("restart", "web").status == 0)
        let answer = try place.shell("curl -sS --unix-socket web.sock http://localhost/")
        #expect(answer.output.hasPrefix("good morning from "), "\(answer)")
        var status: Int32 = 0
        unsafe waitpid(hey, &status, 0)
        let text = contents(report)
        #expect(text.contains("[200]\t500 responses") && !text.contains("Error distribution"), "\(text)")
        #expect(try place.orch("stop", "web").status == 0)
        // CURLE_COULDNT_CONNECT
        #expect(try place.shell("curl -sS http://127.0.0.1:23195/").status == 7)
        #expect(try place.end() == "")
    }

    /// The examples are played by the real program, which starts nothing for it.
    @Test(arguments: ["quickstart", "booking", "socket-activation"]) func rehearsal(_ example: String) throws {
        let place = try Workplace()
        let manifest = "\(repository())/examples/\(example)/orch.yaml"
        let play = try place.orch("rehearse", manifest)
        #expect(play.status == 0, "\(play)")
        #expect(play.output.contains("all is up after") && play.output.contains("all is gone after"), "\(play)")
        #expect(try place.orch("rehearse", manifest).output == play.output)
        #expect(try place.shell("ls '\(place.home)' | grep -v '^out'").output == "stack\n", "nothing was made for it")
        if let task = ["quickstart": "shopping", "booking": "folders"][example] {
            let wish = try place.orch("rehearse", manifest, "--if", "\(task) never ends", "--for", "2m")
            #expect(wish.status == 0 && wish.output.contains("would wait for ever for \(task)"), "\(wish)")
        }
        #expect(try place.orch("rehearse", manifest, "--if", "nobody dies").status == 64)
        try place.write("services: 3\n")
        #expect(try place.orch("rehearse").status == 3)
        #expect(try place.end() == "")
    }

    private func live(at place: Workplace, _ example: String, _ more: [String]) throws {
        let state = "\(place.home)/booking"
        let settings =
            more + [
                "--env", "BOOKING_PORT=58180", "--env", "BOOKING_DB_PORT=55532", "--env", "BOOKING_QUEUE_PORT=56479",
            ]
        func apply(_ more: String...) throws -> Workplace.Outcome {
            try place.orch(["apply", "\(example)/orch.yaml"] + settings + more)
        }
        let first = try apply()
        let shown = try place.orch("status")
        #expect(first.status == 0, "\(first)\n\(shown)")
        #expect(try health(place)["status"] == "healthy")

        let before = try place.rows()
        let killed = try place.shell("kill -9 \(before["db"]?["pid"]?.int ?? 0)")
        #expect(killed.status == 0)
        try place.eventually("all is ready again without a human") {
            let rows = try place.rows()
            return rows["db"]?["pid"] != before["db"]?["pid"]
                && rows.values.allSatisfy { $0["phase"] == "ready" || $0["phase"] == "done" }
        }
        let why = try place.orch("why", "booking/db")
        #expect(why.output.contains("SIGKILL"), "\(why)")
        try place.eventually("the application is healthy again") { try health(place)["status"] == "healthy" }

        let greeted = try place.rows()
        let diff = try place.orch(
            ["diff", "--json", "\(example)/orch.yaml"] + settings + ["--env", "BOOKING_DISK_DEGRADED_ABOVE=96"])
        #expect(diff.status == 2, "\(diff)")
        #expect(try apply("--env", "BOOKING_DISK_DEGRADED_ABOVE=96").status == 0)

        let sick = try place.rows()
        #expect(sick["app"]?["pid"] != greeted["app"]?["pid"])
        _ = try place.shell(
            "printf '{\"disk_degraded_above\": 0}' > '\(state)/health.json'; chmod 644 '\(state)/health.json'")
        try place.eventually("three degraded answers restart the application") {
            let row = try place.rows()["app"]
            return row?["pid"] != sick["app"]?["pid"] && row?["phase"] == "ready"
        }
        #expect(try place.orch("why", "booking/app").output.contains("degraded"))
        #expect(try place.orch("down", "booking").status == 0)
    }

    private func health(_ place: Workplace) throws -> Value {
        let answer = try place.shell(
            "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:58180/health\", timeout=3).read().decode())' 2>/dev/null || echo null"
        )
        return (try? JSON.parse(answer.output)) ?? .null
    }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// The examples of what people assemble by hand elsewhere: each does what its README says.
@Suite struct OriginExampleTests {
    private func place(_ example: String) throws -> Workplace {
        let place = try Workplace()
        let copied = try place.shell("cp -r '\(repository())/examples/\(example)/.' .")
        #expect(copied.status == 0, "\(copied)")
        return place
    }

    /// All logs of a stack, as they are on disk.
    private func logs(_ place: Workplace) throws -> String {
        try place.shell("find '\(place.home)/state/logs' -type f -exec cat {} +").output
    }

    private func isThere(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    private func apply(_ place: Workplace, _ more: String...) throws {
        let apply = try place.orch(["apply"] + more)
        #expect(apply.status == 0, "\(apply)")
    }

    @Test(arguments: [
        "wrapped-program", "polite-stop", "health-json", "live-reload", "ports", "nightly", "leaky", "warm-up",
    ])
    func isRehearsed(_ example: String) throws {
        let place = try Workplace()
        let play = try place.orch("rehearse", "\(repository())/examples/\(example)/orch.yaml")
        #expect(play.status == 0 && play.output.contains("all is up after"), "\(play)")
        #expect(try place.end() == "")
    }

    @Test func wrappedProgram() throws {
        let place = try place("wrapped-program")
        _ = try place.shell("sed -i 's/size: 10MB/size: 4KiB/' orch.yaml")
        try apply(place)
        let pid = try #require(try place.pid("station"))
        #expect(try place.shell("ps -o ni= -p \(pid)").output.trimmed == "10")
        #expect(try place.shell("readlink /proc/\(pid)/cwd").output.trimmed == "\(place.folder)/data")
        try place.eventually("errors stand alone, and the log was rotated") {
            contents("\(place.folder)/logs/errors.log").contains("ERROR reading 10")
                && isThere("\(place.folder)/logs/station.log.1")
        }
        let errors = contents("\(place.folder)/logs/errors.log").split(separator: "\n")
        #expect(errors.allSatisfy { $0.hasPrefix("ERROR ") }, "\(errors)")
        try place.write("3", to: "data/end")
        try place.eventually("3 restarts it") { try place.pid("station").map { $0 != pid } ?? false }
        try place.write("7", to: "data/end")
        try place.eventually("7 leaves it done") { try place.phase("station") == "done" }
        #expect(
            try place.shell("cat logs/station.log logs/station.log.* | grep -c 'told to end'").output.trimmed != "0")
        #expect(try place.end() == "")
    }

    @Test func politeStop() throws {
        let place = try place("polite-stop")
        try apply(place)
        try place.eventually("all of them listen to what they listen to") {
            let said = try logs(place)
            return said.contains("page 1") && said.contains("press Ctrl-C")
                && !contents("\(place.folder)/scratch/hidden.pid").isEmpty
        }
        let hidden = contents("\(place.folder)/scratch/hidden.pid").trimmed
        #expect(try place.shell("kill -0 \(hidden)").status == 0)
        let down = try place.orch("down")
        #expect(down.status == 0, "\(down)")
        let said = try logs(place)
        for words in ["the ink is put away", "Ctrl-C: goodbye", "post_stop: cleaned up"] {
            #expect(said.contains(words), "\(said)")
        }
        #expect(!isThere("\(place.folder)/scratch/press.ink"))
        #expect(try place.shell("kill -0 \(hidden)").status != 0, "what hid is gone too")
        #expect(try place.end() == "")
    }

    @Test func healthJSON() throws {
        let place = try place("health-json")
        try apply(place, "--env", "APP_PORT=23471")
        let pid = try place.pid("app")
        #expect(try place.shell("curl -sS http://127.0.0.1:23471/health").output.contains("\"status\": \"healthy\""))
        try place.write("degraded", to: "mood")
        try place.eventually("it is restarted, and ready") {
            try place.pid("app") != pid && place.phase("app") == "ready"
        }
        let why = try place.orch("why", "app")
        #expect(why.output.contains("liveness") && why.output.contains("status"), "\(why)")
        #expect(contents("\(place.folder)/mood") == "healthy")
        #expect(try place.end() == "")
    }

    @Test func liveReload() throws {
        let place = try place("live-reload")
        try apply(place)
        try place.eventually("it says hello") { try logs(place).contains("hello") }
        try place.write("no source", to: "notes.txt")
        try place.write("TEXT = \"good morning\"\n", to: "greeting.py")
        try place.eventually("it says what is new") { try logs(place).contains("good morning") }
        let why = try place.orch("why", "app")
        #expect(why.output.contains("greeting.py") && !why.output.contains("notes.txt"), "\(why)")
        let ends = try place.orch("events", "--json").output.split(separator: "\n").filter { $0.contains("\"exited\"") }
        #expect(ends.count == 1, "\(ends)")
        #expect(try place.end() == "")
    }

    @Test func ports() throws {
        let place = try place("ports")
        let other = try place.start(["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1", "23472"])
        try place.eventually("somebody else has the door") {
            try place.shell("curl -s -o /dev/null http://127.0.0.1:23472/").status == 0
        }
        try apply(place, "--detach", "--env", "DOOR=23472", "--env", "BELL=23473")
        try place.eventually("it says who has the port") {
            let reason = try place.rows()["shop"]?["reason"]?.string ?? ""
            return reason.contains("23472") && reason.contains("\(other)")
        }
        kill(other, SIGKILL)
        var status: Int32 = 0
        unsafe waitpid(other, &status, 0)
        try place.eventually("the next try succeeds") { try place.phase("shop") == "ready" }
        let ports = try place.orch("ports")
        #expect(ports.output.contains("23472") && ports.output.contains("23473"), "\(ports)")
        let pid = try #require(try place.pid("shop"))
        let helper = try place.shell("pgrep -P \(pid)").output.trimmed
        #expect(try place.orch("tree", "shop").output.contains("sleep 100000"))
        kill(pid_t(pid), SIGKILL)
        try place.eventually("another one is there") { try place.pid("shop") != pid && place.phase("shop") == "ready" }
        #expect(try place.shell("kill -0 \(helper)").status != 0, "what was left of it is gone")
        #expect(try place.end() == "")
    }

    @Test func nightly() throws {
        let place = try place("nightly")
        _ = try place.shell(
            "sed -i 's/cron: \"[^\"]*\"/every: 1s/; s/retry_delay: 5m/retry_delay: 1s/; s/jitter: 1m/jitter: 0s/' orch.yaml && touch away"
        )
        try apply(place)
        let journal = { contents("\(place.folder)/journal").split(separator: "\n").map(String.init) }
        try place.eventually("both have worked, more than once, and the failure was made up for") {
            let lines = journal()
            return ["end backup", "end tidy"].allSatisfy { line in lines.count { $0 == line } > 2 }
                && isThere("\(place.folder)/copies/data.txt")
        }
        let lines = journal()
        for (first, second) in zip(lines, lines.dropFirst()) where first.hasPrefix("begin") {
            #expect(second == first.replacing("begin", with: "end"), "they share a lock: \(lines)")
        }
        #expect(try place.orch("stop", "backup", "tidy").status == 0)
        let run = try place.orch("run", "backup")
        #expect(run.status == 0, "\(run)")
        #expect(try place.end() == "")
    }

    @Test func leaky() throws {
        let place = try place("leaky")
        try apply(place)
        try place.eventually("what has too much is restarted") {
            try (place.rows()["memory"]?["restarts"]?.int ?? 0) > 0
        }
        let why = try place.orch("why", "memory")
        #expect(why.output.contains("memory"), "\(why)")
        try place.eventually("what has too many is stopped, or could start no more") {
            let row = try place.rows()["processes"]
            return row?["phase"]?.string == "done" || (row?["restarts"]?.int ?? 0) > 0
        }
        #expect(try place.end() == "")
    }

    @Test func warmUp() throws {
        let place = try place("warm-up")
        try apply(place, "--env", "SERVER_PORT=23474")
        #expect(contents("\(place.folder)/result") == "served\n")
        #expect(contents("\(place.folder)/attempts").hasPrefix("attempt "))
        try place.write("", to: "broken")
        _ = try place.orch("restart", "server")
        try place.eventually("it is given up") { try place.phase("server") == "failed" }
        let why = try place.orch("why", "server")
        #expect(why.output.contains("3"), "\(why)")
        _ = try place.shell("rm broken")
        try place.eventually("it gets another chance, and takes it") { try place.phase("server") == "ready" }
        #expect(try place.end() == "")
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What sd_notify(3) has beside READY=1, said by real processes, and probes that are about what a service says, writes and leaves behind.
@Suite(.serialized) struct NotifyTests {
    /// `say.py WORDS…` says each word, and for `-NAME` waits until the file of that name is there, for `+NAME` makes it.
    private static let speaker = """
        import array, os, socket, sys, time
        def say(text, *fds):
            address = os.environ["NOTIFY_SOCKET"]
            address = "\\0" + address[1:] if address[0] == "@" else address
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s: s.sendmsg([text.encode()], rights, 0, address)
        def store(name, content):
            fd = os.memfd_create(name)
            os.write(fd, content.encode())
            say(f"FDSTORE=1\\nFDNAME={name}", fd)
        def given():
            count = int(os.environ.get("LISTEN_FDS", "0"))
            names = os.environ.get("LISTEN_FDNAMES", "").split(":")
            return [names[i] + "=" + (os.pread(3 + i, 100, 0).decode() if names[i] != "web" else "socket") for i in range(count)]
        for word in sys.argv[1:]:
            if word[0] == "-":
                while not os.path.exists(word[1:]): time.sleep(0.02)
            elif word[0] == "+": open(word[1:], "w").write("\\n".join(f"{k}={v}" for k, v in os.environ.items()) + f"\\npid={os.getpid()}\\n")
            elif word[0] == "%":
                for _ in range(int(word[1:])): time.sleep(0.05); say("WATCHDOG=1")
            elif word == "beats":
                while not os.path.exists("silent"): time.sleep(0.05); say("WATCHDOG=1")
            elif word == "ends": sys.exit(0)
            elif word == "keeps":
                with open("given", "a") as f: f.write(f"{' '.join(given())} {os.environ.get('LISTEN_PID') == str(os.getpid())}\\n")
                if len(given()) < 2:
                    store("one", "first")
                    store("two", "second")
                    store("gone", "third")
                    say("FDSTOREREMOVE=1\\nFDNAME=gone")
            else: say(word)
        while True: time.sleep(60)
        """

    private func workplace(_ manifest: String) throws -> Workplace {
        let place = try Workplace()
        try place.write(Self.speaker, to: "say.py")
        try place.write(manifest)
        return place
    }

    private func restarts(_ label: String, _ place: Workplace) throws -> Int64 {
        try place.rows()[label]?["restarts"]?.int ?? 0
    }

    /// The time is told to the process that it is meant for, and whoever speaks in time lives.
    @Test func silenceIsAFailure() throws {
        let place = try workplace(
            """
            name: dog
            defaults: { restart: { delay: 10ms }, ready: { notify: true } }
            services:
              beats:
                command: [/usr/bin/python3, say.py, +told, READY=1, beats]
                health: { liveness: { notify: true, interval: 2s, failure_threshold: 2 } }
              mute:
                command: [/usr/bin/python3, say.py, READY=1, WATCHDOG=1]
                health: { liveness: { notify: true, interval: 100ms, failure_threshold: 2 } }
              sick:
                command: [/usr/bin/python3, say.py, READY=1, -sick, WATCHDOG=trigger]
                health: { liveness: { notify: true, on_failure: report } }
            """)
        try place.apply()
        let told = lines(place, "told")
        #expect(told.contains("WATCHDOG_USEC=4000000"), "\(told)")
        let pid = told.first { $0.hasPrefix("pid=") }?.dropFirst(4) ?? "?"
        #expect(told.contains("WATCHDOG_PID=\(pid)"), "\(told)")
        try place.eventually("the mute one is restarted") { try restarts("mute", place) > 1 }
        let why = try place.orch("why", "mute")
        #expect(why.output.contains("no WATCHDOG=1 within 200ms"), "\(why)")
        #expect(try restarts("beats", place) == 0)
        #expect(try place.rows()["beats"]?["health"] == "healthy")
        try place.write("", to: "sick")
        try place.eventually("it is reported") { try place.phase("sick") == "unhealthy" }
        #expect(try place.rows()["sick"]?["reason"]?.string?.contains("WATCHDOG=trigger") == true)
        try place.write("", to: "silent")
        try place.eventually("who falls silent is restarted") { try restarts("beats", place) > 0 }
        #expect(try place.end() == "")
    }

    @Test func itSaysHowLongItMayBeSilent() throws {
        let place = try workplace(
            """
            name: own
            defaults: { restart: { delay: 10ms }, ready: { notify: true } }
            services:
              web:
                command: [/usr/bin/python3, say.py, READY=1, WATCHDOG=1, -go, WATCHDOG_USEC=100000]
                health: { liveness: { notify: true, interval: 1h } }
            """)
        try place.apply()
        try place.eventually("it is well") { try place.rows()["web"]?["health"] == "healthy" }
        try place.write("", to: "go")
        try place.eventually("it is restarted") { try restarts("web", place) > 0 }
        #expect(try place.orch("why", "web").output.contains("no WATCHDOG=1 within 100ms"))
        #expect(try place.end() == "")
    }

    /// Its start, its own stop and the steps of its ladder.
    @Test func itAsksForTime() throws {
        let place = try workplace(
            """
            name: time
            defaults: { ready: { notify: true }, restart: no }
            services:
              slow:
                command: [/usr/bin/python3, say.py, EXTEND_TIMEOUT_USEC=3600000000, +asked, -go, READY=1]
                start_timeout: 1s
              leaving:
                command: [/usr/bin/python3, say.py, READY=1, -leave, STATUS=goodbye, STOPPING=1, EXTEND_TIMEOUT_USEC=3600000000, -left, ends]
                stop_grace_period: 100ms
              stays:
                command: [/usr/bin/python3, say.py, READY=1, -leave, STOPPING=1]
                stop_grace_period: 100ms
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        for name in ["leaving", "stays"] {
            try place.eventually("\(name) is ready") { try place.phase(name) == "ready" }
        }
        try place.write("", to: "leave")
        try place.eventually("it is ended") { try place.phase("stays") == "failed" }
        #expect(try place.rows()["stays"]?["reason"]?.string?.contains("after it said STOPPING=1") == true)
        try place.eventually("it says so") { try place.rows()["leaving"]?["reason"] == "it said STOPPING=1" }
        #expect(try place.phase("leaving") == "stopping")
        // By now its start would have been over long ago: what it asked for holds.
        let old = try place.daemon()
        kill(pid_t(old), SIGKILL)
        try place.eventually("another daemon") { try place.daemon() != old }
        #expect(try place.phase("slow") == "starting")
        #expect(try place.phase("leaving") == "stopping")
        try place.write("", to: "left")
        try place.write("", to: "go")
        try place.eventually("how it ends decides: exit 0 is no failure") { try place.phase("leaving") == "done" }
        try place.eventually("the slow one is ready") { try place.phase("slow") == "ready" }
        #expect(try place.end() == "")
    }

    /// Kept over restarts, and over the death of the daemon; given back behind the sockets. A stop ends it.
    @Test func whatItHandsOverComesBack() throws {
        let place = try workplace(
            """
            name: keep
            services:
              web:
                command: [/usr/bin/python3, say.py, keeps, READY=1]
                ready: { notify: true }
                sockets: [{ name: web, listen: './web.sock' }]
            """)
        let (empty, both) = ("web=socket True", "web=socket one=first two=second True")
        try place.apply()
        #expect(lines(place, "given") == [empty])
        #expect(try place.orch("restart", "web").status == 0)
        try place.eventually("it was given them") { lines(place, "given") == [empty, both] }
        let old = try place.daemon()
        kill(pid_t(old), SIGKILL)
        try place.eventually("another daemon") { try place.daemon() != old }
        let pid = try place.pid("web") ?? 0
        kill(pid_t(pid), SIGKILL)
        try place.eventually("a crash gives them back, too") { lines(place, "given") == [empty, both, both] }
        try place.eventually("it is ready") { try place.phase("web") == "ready" }
        #expect(try place.orch("stop", "web").status == 0)
        #expect(try place.orch("start", "web").status == 0)
        try place.eventually("after a stop there is nothing") { lines(place, "given") == [empty, both, both, empty] }
        #expect(try place.orch("down").status == 0)
        try place.until("nothing is on record") { try place.shell("ls '\(place.home)/run/stored'").output == "" }
        #expect(try place.end() == "")
    }

    @Test func readinessIsWhatItSays() throws {
        let place = try workplace(
            """
            name: says
            services:
              web:
                command: [/usr/bin/python3, say.py, -go, READY=1, -reload, RELOADING=1, -again, READY=1]
                health: { startup: { notify: true }, readiness: { notify: true } }
              user: { command: [sleep, '4511'], depends_on: [web] }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("it says what is missing") {
            try place.rows()["web"]?["reason"]?.string?.contains("it has not said READY=1 yet") == true
        }
        #expect(try place.phase("user") == "waiting")
        try place.write("", to: "go")
        try place.eventually("both are ready") { try place.phase("user") == "ready" }
        try place.write("", to: "reload")
        try place.eventually("it is not ready while it reloads") { try place.rows()["web"]?["health"] == "unhealthy" }
        try place.write("", to: "again")
        try place.eventually("it is ready again") { try place.rows()["web"]?["health"] == "healthy" }
        #expect(try place.end() == "")
    }

    /// A file is there or not; a path may hold what is only known at the start.
    @Test func aFileIsThere() throws {
        let place = try workplace(
            """
            name: file
            services:
              web:
                command: [sleep, '4512']
                health: { readiness: { file: 'up-${ORCH_SERVICE}', interval: 50ms, failure_threshold: 1 } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("it says what is missing") {
            try place.rows()["web"]?["reason"]?.string?.hasSuffix("/up-web: no such file or directory (ENOENT)") == true
        }
        try place.write("", to: "up-web")
        try place.eventually("it is ready") { try place.phase("web") == "ready" }
        _ = unsafe unlink(place.folder + "/up-web")
        try place.eventually("it is not any more") { try place.phase("web") == "unhealthy" }
        #expect(try place.end() == "")
    }

    /// A line counts as soon as it is there, wherever it goes, and lines that go on coming keep it well; the file gets them all.
    @Test func aLineIsASign() throws {
        let place = try workplace(
            """
            name: line
            defaults: { restart: { delay: 10ms } }
            services:
              starts:
                command: 'echo begins; until [ -e go ]; do sleep 0.02; done; echo "now up"; exec sleep 4513'
                health: { startup: { log: 'up$', interval: 10m } }
              beats:
                command: 'until [ -e silent ]; do echo "beat $((n = n + 1))" >&2; sleep 0.05; done; exec sleep 4513'
                health: { liveness: { log: '^beat [0-9]+$', interval: 500ms } }
                logging: { stdout: null, stderr: null }
              mute:
                command: 'echo beat; exec sleep 4513'
                health: { liveness: { log: beat, interval: 100ms, on_failure: report } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("its log is written meanwhile") {
            try place.orch("logs", "starts").output.contains("begins")
        }
        #expect(try place.phase("starts") == "starting")
        try place.write("", to: "go")
        try place.eventually("it is ready") { try place.phase("starts") == "ready" }
        #expect(try place.orch("logs", "starts").output.contains("now up"))
        try place.eventually("it is not heard of any more") { try place.phase("mute") == "unhealthy" }
        let reason = try place.rows()["mute"]?["reason"]?.string ?? ""
        #expect(reason.contains(#"no line that it wrote matched "beat" within 100ms"#), "\(reason)")
        #expect(try place.rows()["beats"]?["health"] == "healthy")
        let old = try place.daemon()
        kill(pid_t(old), SIGKILL)
        try place.eventually("another daemon hears it") {
            try place.daemon() != old && place.rows()["beats"]?["health"] == "healthy"
        }
        #expect(try restarts("beats", place) == 0)
        try place.write("", to: "silent")
        try place.eventually("who falls silent is restarted") { try restarts("beats", place) > 0 }
        #expect(try place.end() == "")
    }
}

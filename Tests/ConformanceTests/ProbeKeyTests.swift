// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of probes, asked of real servers and processes.
@Suite(.serialized) struct ProbeKeyTests {
    /// Writes what it is asked to `asked`, and its port to `port`.
    private static let server = """
        import http.server, os
        class Answers(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            bodies = {"/ok": b'{"status": "healthy", "disk": {"free": 7}}', "/sick": b'{"status": "degraded"}', "/text": b"one\\nall fine\\n"}
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                with open("asked", "a") as asked:
                    asked.write(f"{self.command} {self.path} {self.headers.get('X-Token', '-')} {body or '-'}\\n")
                body = self.bodies.get(self.path, b"")
                self.send_response(418 if self.path.startswith("/teapot") else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            do_GET = do_POST = answer
            def log_message(self, *words): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        with open("port.new", "w") as file: file.write(str(server.server_port))
        os.rename("port.new", "port")
        server.serve_forever()
        """

    /// The server runs beside orch, until the body is over.
    private func withServer(_ place: Workplace, _ body: (String) throws -> Void) throws {
        try place.write(Self.server, to: "server.py")
        let server = try place.start(["/usr/bin/python3", "server.py"])
        defer {
            kill(server, SIGKILL)
            waitpid(server, nil, 0)
        }
        try place.until("the server serves") { !contents(place.folder + "/port").isEmpty }
        try body(contents(place.folder + "/port"))
    }

    @Test func questionsAreAskedAsTheyAreWritten() throws {
        let place = try Workplace()
        try withServer(place) { port in
            let url = "http://127.0.0.1:\(port)"
            let asks = [
                "posts": #"{ url: "\#(url)/ok", method: POST, headers: { X-Token: t1 }, body: ping }"#,
                "short": "{ port: \(port), path: /ok }",
                "status": #"{ url: "\#(url)/teapot", expect: { status: [200, 418] } }"#,
                "line": #"{ url: "\#(url)/text", expect: { body: "^all fine$" } }"#,
                "json": #"{ url: "\#(url)/ok", expect: { json: { status: healthy, disk.free: 7 } } }"#,
                "no-status": #"{ url: "\#(url)/teapot2" }"#,
                "no-line": #"{ url: "\#(url)/text", expect: { body: "^fine$" } }"#,
                "no-json": #"{ url: "\#(url)/sick", expect: { json: { status: healthy } } }"#,
            ]
            var text = "name: asks\ndefaults: { command: [sleep, '4502'] }\nservices:\n"
            for (name, http) in asks {
                text += "  \(name): { health: { readiness: { http: \(http), interval: 50ms } } }\n"
            }
            text += "  tcp: { health: { readiness: { tcp: '127.0.0.1:\(port)' } } }\n"
            text += "  no-tcp: { health: { readiness: { tcp: '127.0.0.1:1', interval: 50ms } } }\n"
            text += "  words: { health: { readiness: { command: [test, -e, port] } } }\n"
            text +=
                "  script: { health: { readiness: { command: 'open(\"by-python\", \"w\")', shell: [/usr/bin/python3, -c] , timeout: 30s } } }\n"
            try place.write(text)
            #expect(try place.orch("apply", "--detach").status == 0)
            let ready = ["posts", "short", "status", "line", "json", "tcp", "words", "script"]
            for name in ready { try place.eventually("\(name) is ready") { try place.phase(name) == "ready" } }
            try place.until("who is refused was asked again") {
                lines(place, "asked").count { $0 == "GET /teapot2 - -" } > 1
            }
            #expect(lines(place, "asked").contains("POST /ok t1 ping"))
            #expect(unsafe access(place.folder + "/by-python", F_OK) == 0)
            for name in ["no-status", "no-line", "no-json", "no-tcp"] {
                try place.eventually("\(name) says why") {
                    try place.rows()[name]?["reason"]?.string?.isEmpty == false
                }
                #expect(try place.phase(name) == "starting", "\(name)")
            }
        }
        #expect(try place.end() == "")
    }

    @Test func questionsComeWhenTheyAreDue() throws {
        let place = try Workplace()
        try place.write(
            """
            name: due
            services:
              late:
                command: 'date +%s%N > late; exec sleep 4503'
                health: { readiness: { command: 'date +%s%N >> late', initial_delay: 1500ms } }
              often:
                command: [sleep, '4503']
                health: { readiness: { command: 'echo x >> often', interval: 50ms, success_threshold: 12 } }
              hangs:
                command: [sleep, '4503']
                health: { readiness: { command: 'sleep 4504 & setsid sleep 4504; wait', timeout: 150ms, interval: 50ms } }
              sick:
                command: [sleep, '4503']
                health: { liveness: { command: '! [ -e sick ] || { echo x >> failed; exit 1; }', interval: 50ms, failure_threshold: 5 } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        // With the default interval it would take two minutes.
        for name in ["late", "often"] { try place.eventually("\(name) is ready") { try place.phase(name) == "ready" } }
        let late = lines(place, "late").compactMap { Int($0) }
        #expect(late.count >= 2 && late[1] - late[0] >= 1_400_000_000, "\(late)")
        #expect(lines(place, "often").count >= 12)
        try place.eventually("it says so") {
            try place.rows()["hangs"]?["reason"]?.string?.contains("within 150ms") == true
        }
        try place.write("", to: "sick")
        try place.eventually("it is restarted") { try place.rows()["sick"]?["restarts"]?.int ?? 0 > 0 }
        #expect(lines(place, "failed").count >= 5)
        #expect(try place.orch("down").status == 0)
        #expect(try place.shell("pgrep -f '[s]leep 4504'").status == 1, "what a probe starts is gone with it")
        #expect(try place.end() == "")
    }

    @Test func whatAFailureDoesIsSaid() throws {
        let place = try Workplace()
        let sick = "command: '! [ -e sick ]', interval: 50ms, failure_threshold: 1"
        try place.write(
            """
            name: reacts
            services:
              restarts: { command: [sleep, '4505'], health: { liveness: { \(sick), on_failure: restart } } }
              stops: { command: [sleep, '4505'], health: { liveness: { \(sick), on_failure: stop } } }
              reports: { command: [sleep, '4505'], health: { liveness: { \(sick), on_failure: report } } }
              signals:
                command: 'trap "echo x >> heard" USR1; while :; do sleep 0.02; done'
                health: { liveness: { \(sick), on_failure: { signal: USR1 } } }
              held:
                command: [sleep, '4505']
                health:
                  startup: { command: 'echo x >> startup; [ -e begun ]', interval: 50ms, failure_threshold: 1000 }
                  readiness: { command: 'echo x >> readiness', interval: 50ms }
                  liveness: { command: 'echo x >> liveness', interval: 50ms }
              lapses: { command: [sleep, '4505'], health: { readiness: { \(sick) } } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("all but one are ready") {
            try place.rows().allSatisfy { $0.value["phase"] == ($0.key == "held" ? "starting" : "ready") }
        }
        try place.until("startup is asked") { lines(place, "startup").count > 5 }
        #expect(lines(place, "readiness").isEmpty && lines(place, "liveness").isEmpty, "the others wait for it")
        try place.write("", to: "begun")
        try place.eventually("then they are asked") {
            try place.phase("held") == "ready" && !lines(place, "liveness").isEmpty
        }
        let before = try place.rows().mapValues { $0["pid"]?.int }
        try place.write("", to: "sick")
        try place.eventually("it is stopped") { try place.pid("stops") == nil }
        try place.eventually("it is restarted") { try place.rows()["restarts"]?["restarts"]?.int ?? 0 > 0 }
        try place.until("it heard the signal") { !lines(place, "heard").isEmpty }
        for name in ["reports", "lapses"] {
            try place.eventually("\(name) is seen to be unhealthy") { try place.phase(name) == "unhealthy" }
        }
        for name in ["reports", "signals", "lapses", "held"] {
            #expect(try place.pid(name) == before[name]!, "\(name) runs on")
        }
        #expect(try place.end() == "")
    }

    /// Compose's form.
    @Test func aHealthcheckIsReadiness() throws {
        let place = try Workplace()
        try place.write(
            """
            name: compose
            services:
              test:
                command: [sleep, '4506']
                healthcheck: { test: [CMD-SHELL, 'echo x >> asked; [ $(wc -l < asked) -gt 9 ]'], interval: 50ms, retries: 1000 }
              off: { command: [sleep, '4506'], healthcheck: { test: [CMD, 'false'], disable: true } }
              hangs: { command: [sleep, '4506'], healthcheck: { test: [CMD, sleep, '4507'], timeout: 170ms, interval: 50ms } }
              late: { command: 'date +%s%N > late; trap "date +%s%N >> late; exit" TERM; while :; do sleep 0.02; done', restart: no, healthcheck: { test: [CMD, 'false'], interval: 50ms, start_period: 7s } }
              lapses: { command: [sleep, '4506'], healthcheck: { test: '! [ -e sick ] || { echo x >> lapsed; exit 1; }', interval: 50ms, retries: 6 } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        for name in ["test", "off", "lapses"] {
            try place.eventually("\(name) is ready") { try place.phase(name) == "ready" }
        }
        #expect(lines(place, "asked").count >= 10, "every thirty seconds it would have taken minutes")
        try place.eventually("it says so") {
            try place.rows()["hangs"]?["reason"]?.string?.contains("within 170ms") == true
        }
        try place.write("", to: "sick")
        try place.eventually("it lapses") { try place.phase("lapses") == "unhealthy" }
        #expect(lines(place, "lapsed").count >= 6)
        try place.until("it was given a minute and start_period", within: 240) { lines(place, "late").count == 2 }
        let late = lines(place, "late").compactMap { Int($0) }
        #expect(late[1] - late[0] > 66_500_000_000, "\(late)")
        #expect(try place.end() == "")
    }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of ends, as those hear it who are ended.
@Suite(.serialized) struct StopKeyTests {
    /// Ends, and says by what, when it is asked in one of the ways that a ladder has.
    private static let polite = """
        import http.server, os, signal, sys, threading, time
        def end(why):
            with open(os.environ["ORCH_SERVICE"], "w") as file: file.write(why)
            os._exit(0)
        class Answers(http.server.BaseHTTPRequestHandler):
            def do_POST(self): end("http " + self.path)
        server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
        with open(os.environ["ORCH_SERVICE"] + ".port", "w") as file: file.write(str(server.server_port))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        def read():
            line = sys.stdin.readline().strip()
            if line: end("stdin " + line)
        threading.Thread(target=read, daemon=True).start()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, lambda number, frame: end("signal " + signal.Signals(number).name))
        print("up", flush=True)
        while True:
            time.sleep(0.02)
            if os.path.exists("please"): end("command " + open("please").read().strip())
        """

    @Test func eachStepIsHeard() throws {
        let place = try Workplace()
        try place.write(Self.polite, to: "polite.py")
        let ask =
            "import urllib.request as u; u.urlopen(u.Request(\"http://127.0.0.1:\" + open(\"asks.port\").read(), method=\"POST\"))"
        try place.write(
            """
            name: steps
            defaults: { command: [/usr/bin/python3, polite.py], ready: { log: '^up' } }
            services:
              interrupt: { stop: [{ signal: INT, wait: 100s }] }
              word: { stop_signal: SIGQUIT, stop_grace_period: 100s }
              default: {}
              speaks: { stop: [{ stdin: "bye\\n", wait: 100s }] }
              asks: { stop: [{ command: '\(ask)', shell: [/usr/bin/python3, -c], wait: 100s }] }
              map: { stop: { steps: [{ signal: INT, to: main, wait: 100s }, { kill: tree }], scope: main } }
            """)
        try place.apply()
        #expect(try place.orch("stop", "interrupt", "word", "default", "speaks", "asks", "map").status == 0)
        let said = [
            "interrupt": "signal SIGINT", "word": "signal SIGQUIT", "default": "signal SIGTERM", "speaks": "stdin bye",
        ]
        for (name, what) in said { #expect(contents("\(place.folder)/\(name)") == what, "\(name)") }
        #expect(contents(place.folder + "/asks") == "http /")
        #expect(contents(place.folder + "/map") == "signal SIGINT")
        #expect(try place.end() == "")
    }

    @Test func aRequestIsAStep() throws {
        let place = try Workplace()
        try place.write(Self.polite, to: "polite.py")
        try place.write(
            """
            name: request
            services:
              web: { command: [/usr/bin/python3, polite.py], ready: { log: '^up' } }
            """)
        try place.apply()
        let port = contents(place.folder + "/web.port")
        let text = contents(place.folder + "/orch.yaml").replacing(
            "log: '^up' }",
            with: "log: '^up' }, stop: [{ http: { url: 'http://127.0.0.1:\(port)/bye', method: POST }, wait: 100s }]")
        try place.write(text)
        let pid = try place.pid("web")
        try place.apply()
        #expect(try place.pid("web") == pid, "a ladder is taken up live")
        #expect(try place.orch("stop", "web").status == 0)
        #expect(contents(place.folder + "/web") == "http /bye")
        #expect(try place.end() == "")
    }

    @Test func waitsEndAndTheRestIsKilled() throws {
        let place = try Workplace()
        let deaf = "trap '' TERM INT HUP; while :; do sleep 0.05; done"
        try place.write(
            """
            name: deaf
            stop: { timeout: 700ms }
            services:
              waits: { command: "\(deaf)", stop: [{ signal: TERM, wait: 300ms }, { kill: tree }] }
              grace: { command: "\(deaf)", stop_grace_period: 300ms }
              scope: { command: "(trap '' TERM; exec sleep 4521) & exec sleep 4522", stop: { scope: main, steps: [{ signal: TERM, to: main, wait: 1000s }] } }
              group: { command: "(trap 'echo group >> told; exit' TERM; while :; do sleep 0.02; done) & wait", stop: [{ signal: TERM, to: group, wait: 100s }] }
              tree: { command: "setsid sh -c \\"trap 'echo tree >> told; exit' TERM; while :; do sleep 0.02; done\\" & exec sleep 4523", stop: [{ signal: TERM, to: tree, wait: 100s }] }
              last: { command: "\(deaf)", stop: [{ signal: TERM, wait: 1000s }] }
            """)
        try place.apply()
        let begun = time(nil)
        #expect(try place.orch("stop", "waits", "grace", "scope", "group", "tree").status == 0)
        #expect(time(nil) - begun < 90, "no step was waited for that nobody needs")
        for name in ["waits", "grace"] {
            let row = try place.rows()[name]
            #expect(row?["exit"]?["signal"] == "SIGKILL", "\(name)")
        }
        #expect(lines(place, "told").sorted() == ["group", "tree"])
        #expect(try place.orch("down").status == 0, "its deadline skips to the kill")
        #expect(try place.shell("pgrep -f '[s]leep 452[123]'").status == 1)
        #expect(try place.end() == "")
    }
}

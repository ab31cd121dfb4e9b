// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// What `orch export` writes, held against the tools that it is for, where they are there, and against processes that orch starts.
@Suite struct ExportTests {
    private static let manifest = """
        name: shop
        description: a shop
        secrets: { token: { file: ./token } }
        services:
          db:
            description: 100% of the "database"
            command: [/bin/sleep, "1000"]
            user: daemon
            environment: { A: "it's 100% $HOME", B: "a  b\\n\\"c\\" \\\\" }
            secrets: [token]
            health: { readiness: { tcp: "127.0.0.1:5432", interval: 1s } }
            ports: [{ name: sql, port: 5432 }]
            ulimits: { nofile: 4096 }
            resources: { memory: 512MB, cpus: 0.5, pids: 100 }
            security: { no_new_privileges: true, capabilities: [net_bind_service] }
            logging: { stdout: /var/log/db.log, stderr: merge }
            stop: [{ command: [/bin/true], wait: 3s }, { signal: INT, wait: 5s }, { signal: TERM, wait: 5s }]
          web:
            command: 'exec sleep 1000; echo "$$ 100% done"'
            replicas: 2
            depends_on: { db: { on_restart: restart }, "file:/etc/passwd": {} }
            restart: { policy: always, delay: 1s, factor: 1, max_attempts: 5 }
            reload: { signal: HUP }
            hooks: { pre_start: { command: [/bin/true] }, post_stop: { command: "true" } }
            health: { liveness: { http: { port: 8080, path: /health } } }
            labels: { team: shop }
            nice: 5
            io_class: idle
            cpu_affinity: [0]
            umask: "0027"
          edge:
            command: [/bin/sleep, "1000"]
            sockets: ["tcp://127.0.0.1:8443", { name: admin, listen: /run/shop-admin.sock, mode: "0660" }]
            ready: { notify: true }
          nightly:
            kind: task
            command: [/bin/true]
            schedule: { cron: "30 2 1,15 * mon-fri", timezone: Europe/Paris, retries: 3, missed: run-once, jitter: 5m }
          poll: { kind: task, command: [/bin/true], schedule: { every: 30m } }
          setup: { kind: task, command: [/bin/true], timeout: 1m, depends_on: [db] }
        """

    private static let tools = ["systemd-analyze": "systemd", "docker-compose": "docker-compose"]

    /// Whether a tool is there; says what installs it where it is not.
    private static func has(_ tool: String) -> Bool {
        for folder in ["/usr/bin", "/usr/local/bin", "/bin"] where unsafe access("\(folder)/\(tool)", X_OK) == 0 {
            return true
        }
        print(
            "not run: there is no \(tool); \(tools[tool].map { "apt-get install \($0)" } ?? "pip install \(tool)") installs it"
        )
        return false
    }

    private func exported(_ tool: String, at place: Workplace) throws -> Workplace.Outcome {
        try place.write(Self.manifest)
        try place.write("secret", to: "token")
        let made = try place.orch("export", tool, "--to", "made")
        #expect(made.status == 0 && made.output.contains("made/"), "\(made)")
        return made
    }

    @Test func systemdTakesTheUnits() throws {
        guard Self.has("systemd-analyze") else { return }
        let place = try Workplace()
        _ = try exported("systemd", at: place)
        // Instances of a template are named, not the template.
        _ = try place.shell("cd made && for n in 1 2; do ln -s shop-web@.service shop-web@$n.service; done")
        let verdict = try place.shell(
            "cd made && SYSTEMD_LOG_LEVEL=warning systemd-analyze --man=no verify shop.target shop-[!w]* shop-web@1.service shop-web@2.service 2>&1"
        )
        // 254 has them; older ones say so and go on.
        let flaws = verdict.output.split(separator: "\n").filter { line in
            !["RestartSteps", "RestartMaxDelaySec"].contains { line.contains($0) } && line.contains("shop")
        }
        #expect(flaws.isEmpty, "\(verdict)")
        #expect(verdict.status == 0, "\(verdict)")
        let broken = try place.shell(
            "cd made && sed -i 's/^ExecStart=.*/ExecStart=/' shop-poll.service && systemd-analyze --man=no verify shop-poll.service 2>&1"
        )
        #expect(broken.status != 0, "what is wrong is seen: \(broken)")
        #expect(try place.end() == "")
    }

    @Test func systemdKnowsWhenTimersElapse() throws {
        guard Self.has("systemd-analyze") else { return }
        let place = try Workplace()
        _ = try exported("systemd", at: place)
        let events = try place.shell("sed -n 's/^OnCalendar=//p' made/shop-nightly.timer")
        #expect(events.output == "*-*-01,15 02:30:00 Europe/Paris\nMon,Tue,Wed,Thu,Fri *-*-* 02:30:00 Europe/Paris\n")
        for event in events.output.split(separator: "\n") {
            let next = try place.shell(
                "TZ=UTC systemd-analyze calendar --base-time='2026-08-01 00:00:00 UTC' '\(event)'")
            // 02:30 in Paris on the first of August 2026, a Saturday; the first weekday after it is the third.
            let expected = event.hasPrefix("*") ? "2026-08-01 00:30:00 UTC" : "2026-08-03 00:30:00 UTC"
            #expect(next.status == 0 && next.output.contains(expected), "\(next)")
        }
        #expect(try place.end() == "")
    }

    @Test func composeTakesTheFile() throws {
        guard Self.has("docker-compose") else { return }
        let place = try Workplace()
        _ = try exported("compose", at: place)
        let shown = try place.shell("docker-compose -f made/compose.yaml config")
        #expect(shown.status == 0, "\(shown)")
        // It shows dollars as they are to be written in a file: doubled.
        #expect(shown.output.contains("it's 100% $$HOME"), "\(shown)")
        #expect(
            try place.shell("docker-compose -f made/compose.yaml config --services | sort | tr '\\n' ' '").output
                == "db edge nightly poll setup web ")
        #expect(try place.end() == "")
    }

    @Test func kubernetesTakesTheObjects() throws {
        guard Self.has("kubernetes-validate") else { return }
        let place = try Workplace()
        _ = try exported("kubernetes", at: place)
        let verdict = try place.shell("kubernetes-validate --strict made/shop.yaml 2>&1")
        #expect(verdict.status == 0, "\(verdict)")
        #expect(try place.end() == "")
    }

    /// Words, variables and the folder of a unit are what orch gives the process.
    @Test func aUnitExecutesWhatOrchExecutes() throws {
        let place = try Workplace()
        try place.write(
            """
            #!/usr/bin/python3
            import json, os, sys
            names = ["ONE", "TWO", "THREE", "PORT", "ORCH_PORT_WEB_UI"]
            print(json.dumps([sys.argv[1:], {name: os.environ.get(name) for name in names}, os.getcwd()]), flush=True)
            """, to: "tell", mode: 0o755)
        let words = [
            "", " ", "a b", "it's", "\"q\"", "back\\slash\\n", "100%", "%i", "%%", "$", "$$", "$$$${X}", "$(x)", ";",
            "#",
            "tab\there", "line\nbreak", "é€", "-", "@x", "{}", "*",
        ]
        let pairs = [("\\", "\\\\"), ("\"", "\\\""), ("\n", "\\n"), ("\t", "\\t")]
        let list = words.map { word in "\"\(pairs.reduce(word) { $0.replacing($1.0, with: $1.1) })\"" }
        try place.write(
            """
            name: told
            services:
              direct:
                kind: task
                command: [./tell, "port ${PORT}", \(list.joined(separator: ", "))]
                ports: [{ name: web-ui, port: 23391 }]
                environment: { ONE: "it's 100% of \\"$HOME\\"", TWO: "back\\\\slash  two", THREE: "port ${PORT} of ${ORCH_SERVICE}" }
                logging: { stdout: "\(place.home)/direct.out" }
              shell:
                kind: task
                command: |
                  ./tell "$ONE" '100% $ONE' "$((1 + 1))" "a\\\\b" $$ | sed "s/, \\"$$\\"\\\\]/]/"
                environment: { ONE: "a;b" }
                logging: { stdout: "\(place.home)/shell.out" }
            """)
        #expect(try place.orch("apply").status == 0)
        let made = try place.orch("export", "systemd", "--to", "made")
        #expect(made.status == 0, "\(made)")
        for name in ["direct", "shell"] {
            try place.eventually("\(name) has spoken") { contents("\(place.home)/\(name).out").hasSuffix("\n") }
            let unit = try place.shell("python3 '\(repository())/Tests/unit-reader.py' made/told-\(name).service")
            let direct = contents("\(place.home)/\(name).out")
            #expect(unit.status == 0, "\(unit)")
            if name == "shell" {
                #expect(unit.output.contains("100% $ONE") && direct.contains("100% $ONE"), "\(unit) \(direct)")
            }
            #expect(unit.output == direct, "\(unit)")
        }
        #expect(try place.end() == "")
    }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// Services that say that they are ready, with real processes.
@Suite(.serialized) struct ReadinessTests {
    /// The line comes when the test says so; meanwhile `status` and `why` name what is waited for, and where it is asked for.
    @Test func aLineMakesItReady() throws {
        let place = try Workplace()
        try place.write(
            """
            name: line
            services:
              db:
                command: 'echo begins; until [ -e go ]; do sleep 0.02; done; echo "[7] ready to serve"; exec sleep 4301'
                ready:
                  log: '^\\[[0-9]+\\] ready'
              web: { command: [sleep, '4302'], depends_on: [db] }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("it runs") { try place.phase("db") == "starting" }
        try place.until("its log is written meanwhile") {
            try place.orch("logs", "db").output.contains("begins")
        }
        let row = try place.rows()["db"]
        #expect(row?["reason"]?.string == #"no line that it wrote has matched "^\[[0-9]+\] ready" yet"#)
        let why = try place.orch("why", "db")
        #expect(why.output.contains("orch.yaml:6"), "\(why)")
        #expect(try place.phase("web") == "waiting")
        try place.write("", to: "go")
        try place.eventually("both are ready") { try place.phase("web") == "ready" }
        #expect(try place.orch("why", "db").output.contains("a line that it wrote matched"))
        #expect(try place.orch("logs", "db").output.contains("[7] ready to serve"))
        #expect(try place.end() == "")
    }

    /// Nothing is written anywhere, and the line is seen all the same; a line that is masked in every view is compared as it was written.
    @Test func whereTheLineGoesDoesNotMatter() throws {
        let place = try Workplace()
        let command = #"command: 'seq 100000; echo "token=abc up" >&2; exec sleep 4303'"#
        try place.write(
            """
            name: where
            services:
              none: { \(command), ready: { log: 'up$' }, logging: { stdout: null, stderr: null } }
              merged: { \(command), ready: { log: 'up$' }, logging: { stderr: merge, format: json } }
              hidden: { \(command), ready: { log: '=abc up' }, logging: { redact: ['token=[a-z]+'] } }
            """)
        try place.apply()
        for label in ["none", "merged", "hidden"] { #expect(try place.phase(label) == "ready", "\(label)") }
        #expect(try !place.orch("why", "hidden").output.contains("token=abc"))
        #expect(try place.end() == "")
    }

    @Test func neverWrittenIsAFailedStart() throws {
        let place = try Workplace()
        try place.write(
            """
            name: never
            services:
              a: { command: [sh, -c, 'echo almost; exec sleep 4304'], ready: { log: listening }, start_timeout: 300ms, restart: { max_attempts: 0 } }
            """)
        let apply = try place.orch("apply")
        #expect(apply.status != 0, "\(apply)")
        #expect(
            "\(apply)".contains(#"not ready within 300ms: no line that it wrote has matched "listening" yet"#),
            "\(apply)")
        #expect(try place.end() == "")
    }

    /// What is written there without a newline says nothing yet. Path locks are inherited beside it.
    @Test func aNewlineOnADescriptorMakesItReady() throws {
        let place = try Workplace()
        try place.write(
            """
            name: descriptor
            services:
              db:
                command: 'printf soon >&7; echo begins; until [ -e go ]; do sleep 0.02; done; echo >&7; exec sleep 4306'
                ready:
                  fd: 7
                locks: [./lock]
              web: { command: [sleep, '4307'], depends_on: [db] }
              closed: { command: 'echo >&3; exec 3>&-; exec sleep 4308', ready: { fd: 3 } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.until("its log is written") { try place.orch("logs", "db").output.contains("begins") }
        try place.eventually("whoever closes it has spoken all the same") { try place.phase("closed") == "ready" }
        #expect(try place.rows()["db"]?["reason"]?.string == "it has not written a newline to descriptor 7 yet")
        let why = try place.orch("why", "db")
        #expect(why.output.contains("orch.yaml:6"), "\(why)")
        #expect(try place.phase("web") == "waiting")
        try place.write("", to: "go")
        try place.eventually("both are ready") { try place.phase("web") == "ready" }
        #expect(try place.orch("why", "db").output.contains("it wrote a newline to descriptor 7"))
        #expect(try place.end() == "")
    }

    /// The daemon dies at every step between the word and the note of it; each time the next one knows.
    @Test(arguments: KeeperDeathTests.trackings, ["log: 'is up$'", "fd: 3"])
    func whateverDiesTheWordIsFound(tracking: String?, ready: String) throws {
        let place = try Workplace(tracking: tracking)
        try place.write(
            """
            name: dies
            services:
              a:
                command: 'until [ -e go ]; do sleep 0.01; done; echo it is up; echo and on; echo >&3; exec sleep 4305'
                ready: { \(ready) }
                start_timeout: 2m
            """)
        for round in 0..<6 {
            _ = try place.shell("rm -f go")
            #expect(try place.orch("apply", "--detach").status == 0)
            try place.eventually("it runs") { try place.phase("a") == "starting" }
            let pid = try place.pid("a")
            let (keeper, daemon) = (try place.keeper(), try place.daemon())
            if round < 2 {
                // Nobody is there when it is written.
                kill(keeper, SIGSTOP)
                kill(daemon, SIGKILL)
                try place.write("", to: "go")
                _ = poll(nil, 0, 50)
                kill(keeper, SIGCONT)
            } else {
                try place.write("", to: "go")
                _ = poll(nil, 0, Int32(round - 2) * 4)
                kill(daemon, SIGKILL)
            }
            try place.eventually("it is ready") { try place.phase("a") == "ready" }
            #expect(try place.pid("a") == pid)
            try place.eventually("all that it wrote is there") {
                try place.orch("logs", "a", "--stdout").output.hasSuffix("it is up\nand on\n")
            }
            #expect(try place.orch("down").status == 0)
        }
        #expect(try place.end() == "")
    }

    /// Redis and nginx as they are, without a probe.
    @Test func realServersSayIt() throws {
        let place = try Workplace()
        try place.write(
            """
            name: servers
            services:
              redis:
                command: [redis-server, --port, '56391', --bind, 127.0.0.1, --save, '', --dir, .]
                ready: { log: Ready to accept connections }
              ping:
                kind: task
                command: [redis-cli, -p, '56391', ping]
                depends_on: [redis]
            """)
        let apply = try place.orch("apply")
        #expect(apply.status == 0, "\(apply)")
        #expect(try place.orch("logs", "ping").output == "PONG\n")
        #expect(
            try place.orch("why", "redis").output.contains(
                #"a line that it wrote matched "Ready to accept connections""#))
        #expect(try place.end() == "")
    }
}

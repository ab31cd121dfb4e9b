// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire
import Testing

/// `orch logs` over what real launches wrote.
@Suite(.serialized) struct LogCommandTests {
    @Test func theLaunchBeforeIsShownFromCompressedSegmentsToo() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: "seq 2000; echo launch $ORCH_LAUNCH; exec sleep 1000"
                logging: { stdout: web.log, rotate: { size: 1kB, keep: 100, compress: gzip } }
            """)
        #expect(try place.orch("apply").status == 0)
        try place.eventually("all is written") { try place.orch("logs", "web", "-n1").output.hasPrefix("launch ") }
        let first = try place.orch("logs", "web", "-n1").output
        #expect(try place.orch("logs", "web", "--previous").status == 1, "there is none before the first")
        #expect(try place.orch("restart", "web").status == 0)
        try place.eventually("the new launch has written") {
            let last = try place.orch("logs", "web", "-n1").output
            return last.hasPrefix("launch ") && last != first
        }
        try place.eventually("its segments are compressed") {
            try place.shell("ls web.log.*").output.split(separator: "\n").allSatisfy { $0.hasSuffix(".gz") }
        }
        #expect(try place.orch("logs", "web", "--previous", "-n1").output == first)
        let before = try place.orch("logs", "web", "--previous", "-n", "5000").output.split(separator: "\n")
        #expect(before.count == 2001 && before.first == "1" && before.dropLast().last == "2000")
        #expect(try place.end() == "")
    }

    @Test func whatIsRedactedIsInTheFileAndInNoView() throws {
        let place = try Workplace()
        func manifest(_ redact: String) -> String {
            """
            name: shop
            services:
              web:
                command: "printf 'login token=s3cret-%d ok\\\\n' 1; printf 'caf\\\\303 token=\\\\377x\\\\n'; exec sleep 1000"
                logging: { stdout: web.log, redact: \(redact) }
              broken:
                command: "echo 'token=s3cret-2 was refused'; exit 3"
                kind: task
                logging: { redact: ['token=[^ ]+'] }
            """
        }
        try place.write(manifest("[]"))
        let failed = try place.orch("apply")
        #expect(failed.status == 1 && failed.output.contains("│ [redacted] was refused"), "\(failed)")
        try place.eventually("it is written") { try place.orch("logs", "web", "-n1").output.contains("token=") }
        #expect(try place.orch("logs", "web").output.contains("s3cret-1"))
        let (pid, bytes) = (try place.pid("web"), contents(place.folder + "/web.log"))
        try place.write(manifest("['token=[^ ]+']"))
        #expect(try place.orch("apply", "--detach").status == 0)
        let after = try place.pid("web")
        #expect(after == pid, "taken up by a running service")
        for words in [["logs", "web"], ["logs", "web", "--json"], ["logs", "web", "--grep", "login"], ["logs"]] {
            let shown = try place.orch(words)
            #expect(shown.status == 0 && shown.output.contains("login [redacted] ok"), "\(words): \(shown)")
            #expect(!shown.output.contains("s3cret"), "\(words): \(shown)")
        }
        #expect(try place.orch("logs", "web", "--grep", "s3cret").output == "", "what is hidden can't be searched for")
        #expect(contents(place.folder + "/web.log") == bytes, "the file is as it was")
        #expect(try !place.orch("status", "--json").output.contains("s3cret"))
        #expect(try !place.orch("why", "broken").output.contains("s3cret"))
        #expect(try place.orch("daemon", "stop").status == 0)
        let alone = try place.orch("logs", "web")
        #expect(alone.output.contains("login [redacted] ok"), "without a daemon too: \(alone)")
        try place.write(manifest("['(']"))
        let refused = try place.orch("validate")
        #expect(refused.status == 3 && refused.errors.contains("orch.yaml:5:"), "\(refused)")
        #expect(refused.errors.contains("regex(7)"), "\(refused)")
        #expect(try place.end() == "")
    }

    @Test func whatASecretHoldsIsInNoView() throws {
        let place = try Workplace()
        try place.write("s3cret-of-the-web\n", to: "token")
        try place.write(
            """
            name: shop
            secrets: { token: { file: ./token } }
            services:
              web: { command: 'echo "my token is $TOKEN"; exec sleep 1000', environment: { TOKEN: { secret: token } } }
              broken: { command: 'cat "$ORCH_SECRETS/token"; exit 3', secrets: [token], kind: task }
            """)
        let applied = try place.orch("apply")
        #expect(applied.status != 0 && !"\(applied)".contains("s3cret"), "\(applied)")
        try place.eventually("it has said it") { try place.orch("logs", "web").output.contains("my token is") }
        for words in [["logs"], ["logs", "--json"], ["logs", "web", "--grep", "token is"], ["why", "broken"]] {
            let shown = try place.orch(words)
            #expect(!"\(shown)".contains("s3cret"), "\(words): \(shown)")
        }
        #expect(try place.orch("logs").output.contains("my token is [redacted]"))
        #expect(try place.orch("daemon", "stop").status == 0)
        #expect(try place.orch("logs", "web").output == "my token is [redacted]\n", "without a daemon too")
        #expect(try place.end() == "")
    }

    @Test func errorsAreCopiedThoughDaemonsDie() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); case $i in *7) echo \\"ERROR $i\\";; *) echo \\"INFO $i\\";; esac; done; exec sleep 1000"
                logging:
                  stdout: web.log
                  rotate: { size: 20kB, keep: 1000 }
                  levels: { from: prefix, error_file: errors.log }
            """)
        #expect(try place.orch("apply").status == 0)
        let pid = try place.pid("web")
        for _ in 0..<5 {
            let status = try JSON.parse(place.orch("daemon", "status", "--json").output)
            let daemon = try #require(status["pid"]?.int)
            #expect(try place.shell("kill -9 \(daemon)").status == 0)
            try place.eventually("the next daemon is there") {
                let next = try? JSON.parse(place.orch("daemon", "status", "--json").output)["pid"]?.int
                return next != nil && next != daemon
            }
        }
        let all = "(ls -v errors.log.* 2>/dev/null | xargs -r cat; cat errors.log)"
        try place.eventually("the last error is copied") {
            try place.shell("\(all) | tail -n1").output == "ERROR 19997\n"
        }
        let copied = try place.shell("\(all) | grep -c . ; \(all) | grep '^ERROR [0-9]*7$' | sort -u | wc -l")
        let counts = copied.output.split(separator: "\n").compactMap { Int($0) }
        #expect(counts.count == 2 && counts[1] == 2_000 && counts[0] >= 2_000, "\(copied)")
        let whole = "(ls -v web.log.* 2>/dev/null | xargs -r cat; cat web.log)"
        let exact = try place.shell("\(whole) | awk '{ if ($2 != NR) exit 1 } END { if (NR != 20000) exit 1 }'")
        #expect(exact.status == 0, "the log itself is exact")
        let now = try place.pid("web")
        #expect(now == pid)
        #expect(try place.end() == "")
    }

    @Test func logsAreRotatedOnDemandWhileServicesWrite() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: "i=0; while :; do i=$((i+1)); echo line $i; done"
                logging: { stdout: web.log, rotate: { size: none, keep: 1000 } }
              quiet:
                command: "exec sleep 1000"
              rotate:
                command: "exec sleep 1000"
            """)
        #expect(try place.orch("apply").status == 0)
        try place.eventually("lines are written") { try place.orch("logs", "web", "-n1").output.hasPrefix("line ") }
        let pid = try place.pid("web")
        let text = try place.orch("logs", "rotate", "web")
        #expect(text.status == 0 && text.output.contains("web.log → web.log.1"), "\(text)")
        let empty = try place.orch("logs", "rotate", "quiet")
        #expect(empty.status == 0 && empty.output.contains("is empty, left alone"), "\(empty)")
        #expect(try place.orch("logs", "shop/rotate").status == 0, "a service may be called as the command is")
        let json = try JSON.parse(place.orch("logs", "rotate", "--json").output)
        let files = json["files"]?.array ?? []
        #expect(files.count == 6)
        let web = files.first { $0["service"]?.string == "web" && $0["output"]?.string == "stdout" }
        #expect(web?["segment"]?.string == place.folder + "/web.log.2", "\(json)")
        #expect(files.count { $0["outcome"]?.string == "empty" } == 5)
        #expect(try place.orch("logs", "rotate", "wbe").status == 1)
        let now = try place.pid("web")
        #expect(now == pid, "the service runs on")
        #expect(try place.orch("stop", "web").status == 0)
        let whole = try place.shell("cat web.log.1 web.log.2 web.log | awk '$0 != \"line \" NR { print; exit 1 }'")
        #expect(whole.status == 0, "lost, doubled or torn: \(whole)")
        #expect(try place.orch("daemon", "stop").status == 0)
        #expect(try place.orch("logs", "rotate", "web").status == 4)
        #expect(try place.end() == "")
    }
}

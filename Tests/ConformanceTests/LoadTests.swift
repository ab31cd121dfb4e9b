// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// A real server (gunicorn) under a real load generator (hey): 50 requests a second, each on a connection of its own, while what serves
/// them is replaced again and again. Every one is answered.
@Suite(.serialized) struct LoadTests {
    private static let requests = 600

    private func begin(port: Int, _ more: String) throws -> Workplace {
        let place = try Workplace()
        for tool in ["/usr/bin/gunicorn", "/usr/bin/hey"] where unsafe access(tool, X_OK) != 0 {
            throw Broken("\(tool) is missing: make servers installs it")
        }
        try place.write(
            """
            import os
            def app(environ, start_response):
                body = f"{os.environ['VERSION']}\\n".encode()
                start_response("200 OK", [("Content-Length", str(len(body)))])
                return [body]
            """, to: "app.py")
        try write(place, port, version: 1, more)
        try place.apply()
        return place
    }

    private func write(_ place: Workplace, _ port: Int, version: Int, _ more: String) throws {
        try place.write(
            """
            name: load
            services:
              web:
                command: [/usr/bin/gunicorn, --workers, '2', --graceful-timeout, '30', --timeout, '120', app:app]
                environment: { VERSION: '\(version)' }
                sockets: ['tcp://127.0.0.1:\(port)']
                ready: { notify: true }
                start_timeout: 2m
                stop_grace_period: 1m
                \(more)
            """)
    }

    /// `deed` is done as often as it can be while requests come; how often that was.
    private func load(_ place: Workplace, _ port: Int, _ deed: (Int) throws -> Void) throws -> Int {
        let words = [
            "/usr/bin/hey", "-n", "\(Self.requests)", "-c", "5", "-q", "10", "-t", "120", "-disable-keepalive",
            "http://127.0.0.1:\(port)/",
        ]
        let report = "\(place.home)/report"
        let hey = try place.start(words, output: report, errors: report)
        var status: Int32 = 0
        var count = 0
        var failure: (any Error)?
        while unsafe waitpid(hey, &status, WNOHANG) == 0 {
            do { try deed(count) } catch {
                failure = error
                kill(hey, SIGKILL)
                unsafe waitpid(hey, &status, 0)
                break
            }
            count += 1
        }
        if let failure { throw failure }
        let text = contents(report)
        #expect(text.contains("[200]\t\(Self.requests) responses"), "\(text)")
        #expect(!text.contains("Error distribution"), "\(text)")
        return count
    }

    @Test func aRestartDropsNoRequest() throws {
        let place = try begin(port: 23190, "")
        let count = try load(place, 23190) { _ in
            let restart = try place.orch("restart", "web")
            #expect(restart.status == 0, "\(restart)")
        }
        #expect(count > 1)
        #expect(try place.end() == "")
    }

    @Test func aRestartWithADaemonThatIsKilledDropsNoRequest() throws {
        let place = try begin(port: 23191, "")
        let count = try load(place, 23191) { _ in
            let daemon = try place.daemon()
            let pid = try place.pid("web") ?? 0
            let restart = try place.start([program("orch"), "restart", "web"])
            // Nobody but the keeper has the socket now.
            try place.until("the service is gone") { unsafe access("/proc/\(pid)", F_OK) != 0 }
            kill(daemon, SIGKILL)
            var status: Int32 = 0
            unsafe waitpid(restart, &status, 0)
            try place.eventually("another daemon has it up") {
                try place.daemon() != daemon && place.phase("web") == "ready"
            }
        }
        #expect(count > 1)
        #expect(try place.end() == "")
    }

    /// Two at a time have the socket, and both definitions do while one takes over from the other.
    @Test func startFirstReplicasDropNoRequest() throws {
        let more = "replicas: 2\n    update: { order: start-first }"
        let place = try begin(port: 23192, more)
        let count = try load(place, 23192) { turn in
            try write(place, 23192, version: turn + 2, more)
            let apply = try place.orch("apply")
            #expect(apply.status == 0, "\(apply)")
            let restart = try place.orch("restart", "web")
            #expect(restart.status == 0, "\(restart)")
        }
        #expect(count > 0)
        #expect(try place.end() == "")
    }
}

// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

/// What gates a start, and what an end leads to, as a manifest says it.
@Suite struct GateTests {
    @Test func exitActionsReachTheModel() throws {
        let web = try #require(
            try Fixture(
                "services: { web: { command: a, essential: true, on_exit: { SEGV: restart, 3: stop, 0: stop-stack, default: ignore } } }"
            ).stack()["web"])
        #expect(web.essential)
        #expect(
            web.onExit
                == ExitActions(
                    [
                        .init(.code(0), .stopStack), .init(.code(3), .stop),
                        .init(.signal(Signal(number: 11)), .restart),
                    ],
                    fallback: .ignore))
    }

    @Test(arguments: [
        ("256: stop", "[range] \"on_exit\": an exit code is from 0 to 255, not 256"),
        ("SIGFOO: stop", "[value] \"on_exit\": \"SIGFOO\" is neither an exit code nor a signal"),
        ("0: quit", "[value] \"on_exit.0\" can't be \"quit\""),
        ("TERM: stop, SIGTERM: stop", "[duplicate-key] \"on_exit\" says twice what \"SIGTERM\" leads to"),
    ]) func wrongExitActionsAreTold(text: String, message: String) {
        let found = Fixture("services: { web: { command: a, on_exit: { \(text) } } }").complaints()
        #expect(found.count == 1 && found[0].contains("error\(message)"), "\(found)")
    }

    @Test func aTaskIsNeverUp() {
        #expect(
            Fixture("services: { web: { command: a, kind: task, on_exit: { 0: ignore } } }").complaints() == [
                "1:58 error[value] \"on_exit.0\" can't be \"ignore\" here: a task is never up, it is done"
            ])
    }

    @Test func locksAreNamesAndPaths() throws {
        let web = try #require(
            try Fixture("services: { web: { command: a, locks: [gpu, ./x.lock, /run/../var/y] } }").stack()["web"])
        #expect(web.locks == ["/srv/shop/x.lock", "/var/y", "gpu"])
        let names = (0...Limits.lockFilesPerService).map { "/l/\($0)" }.joined(separator: ", ")
        #expect(
            Fixture("services: { web: { command: a, locks: [\(names)] } }").complaints() == [
                "1:39 error[limit] \"locks\" has 9 paths, and a service holds at most 8"
            ])
        #expect(
            Fixture("services: { web: { command: a, locks: [x, x] } }").complaints() == [
                "1:43 error[duplicate-key] \"x\" is given twice"
            ])
    }

    @Test func whatWouldWaitForEverIsTold() {
        let found = Fixture(
            "services: { db: { command: a, locks: [x] }, web: { command: a, locks: [x], depends_on: [db] } }"
        ).complaints()
        #expect(
            found == [
                "1:89 error[lock-cycle] \"web\" would wait for ever: it needs \"db\" up, which holds the lock \"x\" meanwhile"
            ])
    }

    @Test func whatIsNoServiceCanBeWaitedFor() throws {
        var fixture = Fixture(
            """
            services:
              web:
                command: a
                depends_on:
                  "tcp://${HOST}:5432": { timeout: 30s }
                  http://10.0.0.1/up: { required: false, timeout: 5s }
                  file:ready: {}
              api: { command: a, depends_on: [file:///run/x, "tcp://[::1]:80"] }
            """)
        fixture.caller.append(EnvironmentEntry("HOST", "db"))
        let stack = try fixture.stack()
        let needs = try #require(stack["web"]).dependsOn
        #expect(needs.map(\.on) == ["file:/srv/shop/ready", "http://10.0.0.1/up", "tcp://db:5432"])
        #expect(needs.map(\.timeout) == [nil, .seconds(5), .seconds(30)])
        #expect(needs.map(\.required) == [true, false, true])
        #expect(stack["api"]?.dependsOn.map(\.on) == ["file:/run/x", "tcp://[::1]:80"])
        #expect(fixture.complaints() == [])
    }

    @Test(arguments: [
        ("[tcp://db]", "[value] \"depends_on\": \"db\" is not host:port"),
        ("[http:///x]", "[value] \"depends_on\": \"http:///x\" names no host"),
        ("[udp://db:1]", "[value] \"depends_on\": \"udp://db:1\" is neither a service nor"),
        ("{ tcp://db:1: { condition: ready } }", "[misplaced] \"condition\" is for services"),
        ("[file:/x, file:///x]", "[duplicate-key] \"file:/x\" is given twice"),
    ]) func wrongNeedsAreTold(text: String, message: String) {
        let found = Fixture("services: { web: { command: a, depends_on: \(text) } }").complaints()
        #expect(found.count == 1 && found[0].contains("error\(message)"), "\(found)")
    }

    @Test func whatNeverGatesIsAWarning() {
        let found = Fixture("services: { web: { command: a, depends_on: { tcp://db:1: { required: false } } } }")
            .complaints()
        #expect(found.count == 1 && found[0].contains("warning[no-effect]"), "\(found)")
    }
}

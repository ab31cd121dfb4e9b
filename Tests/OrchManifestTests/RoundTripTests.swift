// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct RoundTripTests {
    private func reloaded(_ fixture: Fixture) throws -> (Stack, Stack, String) {
        let request = try fixture.request()
        let text = ManifestWriter.yaml(request)
        var again = Fixture(text)
        again.caller = []
        return (request.stack, try again.stack(), text)
    }

    @Test func aResolvedManifestLoadsAgainAsTheSameStack() throws {
        let (first, second, text) = try reloaded(Fixture(full))
        #expect(first == second, "\(text)")
    }

    @Test func dollarsAndOddTextsSurvive() throws {
        var fixture = Fixture(
            """
            description: "a $${X} $$ b $"
            services:
              web:
                command: 'echo $$ ${HOME} "x" # y'
                shell: [/bin/bash, -c, "$$"]
                title: "$${PORT}: yes"
                labels: { a: "no", b: "", c: " x ", d: "1.0", e: "é\\u2028\\t\\"", f: "- a", g: "#", h: "a: b", i: "null", j: "12:30" }
                working_dir: "/a$$$${b}"
                environment: { V: "$${PORT}", W: "${VALUE}", N: null, P: "${PORT}", M: "a\\nb\\n" }
                ports: [auto]
                sockets: ["@$$x", { name: "$${a}", listen: "/run/$$$${b}", mode: "0666" }, { name: t, listen: "tcp://[::]:80" }]
                health:
                  liveness: { command: "test $$ -gt 0", shell: [/bin/sh, -c] }
                  readiness: { http: { url: "http://h:${PORT}/$$x", headers: { A: "$${B}" }, expect: { body: "^a$$", json: { a.b: "$${C}", n: null, f: 1.5 } } } }
                reload: { command: "kill -HUP $$", timeout: 5s }
                stop: [{ stdin: "$${X}\\x03" }, { command: [a, "$${Y}"] }]
                logging: { stdout: "/l/${ORCH_REPLICA}$$${X:-}.log", rotate: { size: none }, redact: ["a$$", "$${TOKEN}", 'b\\d+$'], levels: { from: '^E$$', error_file: "/l/${ORCH_REPLICA}$$${X:-}.err" } }
                start_timeout: none
              off: { command: [a, " b", "", "*", "&c", "!d", "%e", "@f", "|", ">", "'", "?", "-", "a:", "[", "~"], replicas: 0, stop: [] }
            """)
        fixture.caller = [EnvironmentEntry("VALUE", "${PORT}$$ $")]
        let (first, second, text) = try reloaded(fixture)
        #expect(first == second, "\(text)")
        #expect(first["web"]?.variable("W").map { LaunchTemplate.resolve($0, with: ["PORT": "1"]) } == "${PORT}$$ $")
    }

    @Test func theTextIsForPeople() throws {
        let request = try Fixture(
            "services: { web: { command: [./web, -p, \"80\"], restart: { policy: always, delay: 1s } } }"
        ).request()
        #expect(
            ManifestWriter.yaml(request) == """
                name: shop
                services:
                  web:
                    command: [./web, -p, "80"]
                    working_dir: /srv/shop
                    restart:
                      policy: always
                      delay: 1s

                """)
    }
}

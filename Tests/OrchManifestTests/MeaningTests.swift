// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct MeaningTests {
    /// YAML 1.2's core meaning, seen through a JSON expectation, which keeps the type.
    @Test(arguments: [
        ("no", "no" as Value), ("on", "on"), ("12:30", "12:30"), ("007", "007"), ("0755", "0755"), ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3), ("+3", 3), ("0", 0), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("01.5", "01.5"), ("true", true),
        ("False", false),
        ("~", nil), ("null", nil), ("Null", nil), ("\"5\"", "5"), ("'true'", "true"), ("\"\"", ""), ("!!str 5", "5"),
        ("2001-01-01", "2001-01-01"),
        ("1_000", "1_000"), ("99999999999999999999", 99999999999999999999.0), ("'${N}'", "5"), ("${N}", 5),
        ("$${N}", "${N}"), ("$N", "$N"),
    ])
    func scalarsMeanWhatTheCoreSchemaSays(_ written: String, _ meant: Value) throws {
        var fixture = Fixture(
            """
            services:
              web:
                command: a
                health:
                  liveness:
                    http:
                      port: 80
                      expect:
                        json:
                          it: \(written)
            """)
        fixture.caller = [EnvironmentEntry("N", "5")]
        guard case .http(let probe)? = try fixture.stack()["web"]?.health.liveness?.action else {
            throw ShapeError(path: "", expected: "http")
        }
        #expect(probe.json == [JSONExpectation(path: "it", expected: meant)])
    }

    @Test func numbersAreTextWhereTextIsWanted() throws {
        let web = try #require(
            try Fixture(
                "services: { web: { command: [sleep, 1.50, 0x10], environment: { A: 010, B: yes, C: true, D: 1e3 } } }"
            ).stack()["web"])
        #expect(web.command == .exec(["sleep", "1.50", "0x10"]))
        #expect(web.environment.map(\.text) == ["010", "yes", "true", "1e3"])
    }

    @Test(arguments: [
        ("${A}", "a"), ("x${A}y", "xay"), ("${MISSING:-d}", "d"), ("${EMPTY:-d}", "d"), ("${EMPTY}", ""),
        ("${MISSING:-}", ""),
        ("$$", "$"), ("$", "$"), ("$A", "$A"), ("$${A}", "${A}"), ("a$", "a$"), ("${REF}", "${A}"), ("${A}${A}", "aa"),
        ("$$$${A}", "$${A}"), ("${MISSING:-a b:c}", "a b:c"),
    ])
    func interpolationReplacesOnce(_ written: String, _ meant: String) throws {
        var fixture = Fixture(
            "services: { web: { command: [a, '\(written)'], title: '\(written)', environment: { V: '\(written)' } } }")
        fixture.caller = [EnvironmentEntry("A", "a"), EnvironmentEntry("EMPTY", ""), EnvironmentEntry("REF", "${A}")]
        let web = try #require(try fixture.stack()["web"])
        #expect(web.title == meant)
        guard case .exec(let words) = web.command else { throw ShapeError(path: "", expected: "words") }
        #expect(words.map { LaunchTemplate.resolve($0, with: [:]) } == ["a", meant])
        #expect(web.variable("V").map { LaunchTemplate.resolve($0, with: [:]) } == meant)
    }

    @Test(arguments: [
        ("${MISSING}", "error[undefined-variable] ${MISSING} is not defined"),
        ("${MISSING:?say it}", "error[undefined-variable] ${MISSING}: say it"),
        ("${EMPTY:?}", "error[undefined-variable] ${EMPTY} is required"),
        ("${", "error[interpolation] \"${\" begins no variable: the closing brace is missing"),
        ("${}", "error[interpolation] \"${\" begins no variable: a name must follow the brace"),
        ("${1}", "error[interpolation] \"${\" begins no variable: a name can't begin with a digit"),
        (
            "${A-b}",
            "error[interpolation] \"${\" begins no variable: after the name there can be }, :-default} or :?message}"
        ),
        ("${A:-${B}}", "error[interpolation] \"${\" begins no variable: a default can't hold another reference"),
        ("${PORT}", "error[launch-variable] ${PORT} is known only at launch and can't be used here"),
    ])
    func brokenReferencesAreTold(_ written: String, _ complaint: String) {
        var fixture = Fixture("services: { web: { command: a, title: '\(written)' } }")
        fixture.caller = [EnvironmentEntry("A", "a"), EnvironmentEntry("EMPTY", "")]
        #expect(fixture.complaints() == ["1:39 \(complaint)"])
    }

    @Test func shellTextIsLeftAlone() throws {
        let web = try #require(
            try Fixture(
                """
                services:
                  web:
                    command: echo ${NOT_OURS} $$ ${PORT:-1}
                    health: { liveness: { command: 'test $$ -gt ${X}' } }
                    stop: [{ command: 'kill ${Y}', wait: 1s }]
                """
            ).stack()["web"])
        #expect(web.command.arguments.last == "echo ${NOT_OURS} $$ ${PORT:-1}")
        #expect(web.health.liveness?.action == .command(.shell("test $$ -gt ${X}", shell: CommandLine.standardShell)))
        #expect(web.stop.steps.first?.action == .command(.shell("kill ${Y}", shell: CommandLine.standardShell)))
    }

    @Test func launchVariablesStay() throws {
        let web = try #require(
            try Fixture(
                """
                services:
                  web:
                    command: [serve, "$${X}", "${PORT}", "${ORCH_SECRETS}/key", "5$${PORT}"]
                    ports: [auto]
                    environment: { URL: "http://localhost:${PORT}/", COPY: "${URL}x" }
                    logging: { stdout: "logs/${ORCH_REPLICA}.log" }
                """
            ).stack()["web"])
        #expect(web.command == .exec(["serve", "$${X}", "${PORT}", "${ORCH_SECRETS}/key", "5$${PORT}"]))
        #expect(web.variable("COPY") == "http://localhost:${PORT}/x")
        #expect(web.logging.stdout == .file("/srv/shop/logs/${ORCH_REPLICA}.log"))
        let values = ["PORT": "80", "ORCH_SECRETS": "/s"]
        #expect(
            web.command.arguments.map { LaunchTemplate.resolve($0, with: values) } == [
                "serve", "${X}", "80", "/s/key", "5${PORT}",
            ])
        #expect(LaunchTemplate.resolve("${PORT:-9}${ORCH_A:-}${ORCH_B}", with: [:]) == "9${ORCH_B}")
        #expect(
            Fixture("services: { web: { command: [a, '${PORT}'] } }").complaints() == [
                "1:33 error[undefined-variable] ${PORT} has no value: this service has no ports"
            ])
        #expect(
            try Fixture("services: { web: { command: [a, '${PORT}'], environment: { PORT: 1 } } }").stack()["web"]?
                .command == .exec(["a", "1"]))
    }

    @Test func theStrongestSourceWins() throws {
        var fixture = Fixture(
            """
            env_file: stack.env
            environment: { B: stack, C: stack, D: stack, E: stack, PATH: "/x:${PATH}", GONE: null, OWN: "${OWN}+stack" }
            services:
              web:
                command: [a, "${A} ${B} ${C} ${D} ${E} ${F:-none}"]
                env_file: [web.env, { path: missing.env, required: false }]
                environment: { D: web, E: web, PATH: "/y:${PATH}", OWN: "${OWN}+web", GONE2: null }
              other:
                command: a
            """,
            files: [
                "/srv/shop/stack.env": "A=stackfile\nB=stackfile\nOWN=file\n",
                "/srv/shop/web.env": "C='web $file'\nD=webfile\nOWN=webfile\n",
            ])
        fixture.caller += [EnvironmentEntry("A", "caller"), EnvironmentEntry("F", "caller")]
        fixture.overrides = [EnvironmentEntry("E", "cli")]
        let stack = try fixture.stack()
        let web = try #require(stack["web"])
        #expect(web.command == .exec(["a", "stackfile stack web $file web cli caller"]))
        let expected = [
            "A=stackfile", "B=stack", "C=web $file", "D=web", "E=cli", "OWN=webfile+web", "PATH=/y:/x:/usr/bin:/bin",
        ]
        #expect(web.environment.map { "\($0.name)=\($0.text)" } == expected)
        #expect(web.unset == ["GONE", "GONE2"])
        let other = try #require(stack["other"])
        #expect(other.variable("E") == "cli")
        #expect(other.variable("OWN") == "file+stack")
        #expect(other.unset == ["GONE"])
    }

    @Test func definitionsInCirclesAreTold() {
        #expect(
            Fixture("services: { web: { command: a, environment: { A: '${B}', B: '${A}' } } }").complaints() == [
                "1:61 error[variable-loop] ${A} is defined by way of itself"
            ])
    }

    @Test func envFilesAreReadAndTold() throws {
        let text = """
            \u{FEFF}# comment
            export A=1
              B = two words # comment
            C="q\\n\\"x\\" $A" # comment
            D='lit\\n ${X}'
            E=
            F="two
            lines"
            G=a#b

            """
        let fixture = Fixture(
            "services: { web: { command: a, env_file: a.env } }",
            files: ["/srv/shop/a.env": text.replacing("\n", with: "\r\n")])
        let entries = try #require(try fixture.stack()["web"]).environment
        #expect(
            entries.map { "\($0.name)=\(LaunchTemplate.resolve($0.text, with: [:]))" } == [
                "A=1", "B=two words", "C=q\n\"x\" $A", "D=lit\\n ${X}", "E=", "F=two\r\nlines", "G=a#b",
            ])
        #expect(
            Fixture(
                "env_file: a.env\nservices: { web: { command: a } }",
                files: ["/srv/shop/a.env": "A=1\nnonsense\n =x\nB='x' y\nC=\"open\n"]
            )
            .complaints() == [
                "a.env:2:1 error[env-file] this line is not KEY=VALUE",
                "a.env:3:2 error[env-file] a name is missing before =",
                "a.env:4:7 error[env-file] nothing can follow the closing quote",
                "a.env:5:3 error[env-file] the quote that begins here is never closed",
            ])
        #expect(
            Fixture("env_file: a.env\nservices: {}").complaints() == [
                "1:11 error[env-file] cannot read /srv/shop/a.env: no such file or directory (ENOENT)"
            ])
    }

    @Test func mergeKeysBringWhatIsNotThere() throws {
        let stack = try Fixture(
            """
            x-a: &a { A: 1, B: 1 }
            x-b: &b { <<: *a, B: 2, C: 2 }
            x-service: &service { command: run, environment: { <<: [*b, *a], C: 3 } }
            services:
              web: { <<: *service, replicas: 2 }
              api: { <<: *service, command: [api] }
            """
        ).stack()
        #expect(stack["web"]?.environment.map { "\($0.name)\($0.text)" } == ["A1", "B2", "C3"])
        #expect(stack["web"]?.replicas == 2)
        #expect(stack["api"]?.command == .exec(["api"]))
        #expect(Fixture("<<: 5\nservices: {}").complaints() == ["1:5 error[merge] << takes a map or a list of maps"])
    }

    @Test func defaultsLieUnderEveryService() throws {
        let stack = try Fixture(
            """
            defaults:
              restart: { policy: always, delay: 5s }
              logging: { format: json, rotate: { size: 1MB, keep: 2 } }
              stop: { scope: main, steps: [{ signal: INT, wait: 1s }] }
              environment: { A: default, B: default, PATH: "/d:${PATH}" }
              health: { readiness: { tcp: "localhost:1", interval: 7s } }
              start_timeout: 9s
            services:
              plain: { command: a }
              word: { command: a, restart: on-failure, logging: { rotate: { keep: 9 } }, environment: [B=own, "PATH=/s:${PATH}"] }
              more: { command: a, restart: { delay: 1s }, stop: [{ signal: TERM, wait: 2s }], health: { readiness: { command: [x] } } }
              short: { command: a, stop_signal: HUP, restart: null }
              job: { kind: task, command: a }
            """
        ).stack()
        var policy = RestartPolicy(.always)
        policy.delay = .seconds(5)
        let plain = try #require(stack["plain"])
        #expect(plain.restart == policy)
        #expect(plain.startTimeout == .seconds(9))
        #expect(plain.stop.scope == .main)
        #expect(plain.environment.map(\.text) == ["default", "default", "/d:/usr/bin:/bin"])
        policy.policy = .onFailure
        let word = try #require(stack["word"])
        #expect(word.restart == policy)
        #expect(word.logging.rotate.keep == 9)
        #expect(word.logging.rotate.size == 1_000_000)
        #expect(word.logging.format == .json)
        #expect(word.environment.map(\.text) == ["default", "own", "/s:/d:/usr/bin:/bin"])
        let more = try #require(stack["more"])
        #expect(more.restart.policy == .always)
        #expect(more.restart.delay == .seconds(1))
        #expect(more.stop == StopSpec(scope: .main, steps: [.init(.signal(.terminate, to: .group), wait: .seconds(2))]))
        #expect(more.health.readiness?.action == .command(.exec(["x"])))
        #expect(more.health.readiness?.interval == .seconds(7))
        let short = try #require(stack["short"])
        #expect(short.stop == .standard(for: short.command, signal: .hangup))
        #expect(short.restart == RestartPolicy(.onFailure))
        #expect(stack["job"]?.health == HealthSpec())
        #expect(stack["job"]?.startTimeout == nil)
        #expect(
            Fixture("defaults: { restart: nope, typo: 1 }\nservices: { a: { command: a }, b: { command: a } }")
                .complaints() == [
                    "1:22 error[value] \"restart\" can't be \"nope\"",
                    "1:28 error[unknown-key] \"typo\" is not a key of a service",
                ])
    }

    @Test func laterFilesLieOverEarlierOnes() throws {
        var fixture = Fixture(
            """
            environment: { A: 1, B: 1 }
            services:
              web: { command: [a, b], title: x, depends_on: [db], ports: [80, 81], environment: { X: 1 }, restart: always }
              db: { command: db }
              old: { command: old }
            """)
        fixture.files["/srv/over/more.yaml"] = Array(
            """
            environment: { B: 2 }
            services:
              web:
                command: [c]
                title: null
                depends_on: { cache: { condition: started } }
                ports: [{ port: 81, host: 127.0.0.1 }]
                environment: !override { Y: 2 }
                restart: { delay: 3s }
              cache: { command: cache, working_dir: data }
              old: !reset
              typo: { comand: x, command: y }
            """.utf8)
        fixture.manifests = ["orch.yaml", "../over/more.yaml"]
        #expect(
            fixture.complaints() == ["../over/more.yaml:12:11 error[unknown-key] \"comand\" is not a key of a service"])
        fixture.files["/srv/over/more.yaml"]?.removeLast("  typo: { comand: x, command: y }".utf8.count)
        let stack = try fixture.stack()
        #expect(stack.name == "shop")
        #expect(stack.services.map(\.name) == ["cache", "db", "web"])
        let web = try #require(stack["web"])
        #expect(web.command == .exec(["c"]))
        #expect(web.title == "")
        #expect(web.dependsOn.map(\.on) == ["cache", "db"])
        #expect(web.ports.map(\.port) == [80, 81])
        #expect(web.ports.map(\.host) == ["any", "127.0.0.1"])
        #expect(web.environment.map { "\($0.name)\($0.text)" } == ["A1", "B2", "Y2"])
        #expect(web.restart.policy == .always)
        #expect(web.restart.delay == .seconds(3))
        #expect(stack["cache"]?.workingDirectory == "/srv/over/data")
    }

    @Test func onlyNamedVariablesAreInherited() throws {
        var fixture = Fixture("inherit_environment: [LC_*, KEEP]\nservices: {}")
        fixture.caller = [
            EnvironmentEntry("LC_TIME", "x"), EnvironmentEntry("KEEP", "y"), EnvironmentEntry("KEEPER", "z"),
            EnvironmentEntry("LC_ALL", "w"),
        ]
        #expect(try fixture.request().inherited.map(\.name) == ["KEEP", "LC_ALL", "LC_TIME"])
    }
}

// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct IncludeTests {
    @Test func servicesOfOtherManifestsArePartOfTheStack() throws {
        let fixture = Fixture(
            """
            include: ./obs/observe.yaml
            environment: { TZ: Europe/Paris, LEVEL: info }
            defaults: { restart: always, title: plain }
            services:
              web: { command: web, depends_on: [metrics] }
            """,
            files: [
                "/srv/shop/obs/observe.yaml": """
                name: observe
                env_file: own.env
                environment: { LEVEL: "debug-${TZ}" }
                defaults: { title: seen }
                services:
                  metrics: { command: ["${FROM_FILE}", "${LEVEL}"], logging: { stdout: m.log } }

                """,
                "/srv/shop/obs/own.env": "FROM_FILE=yes\n",
            ])
        #expect(fixture.complaints() == [])
        let request = try fixture.request()
        #expect(request.stack.name == "shop" && request.manifestPath == "/srv/shop/orch.yaml")
        let metrics = try #require(request.stack["metrics"])
        #expect(metrics.workingDirectory == "/srv/shop/obs" && metrics.logging.stdout == .file("/srv/shop/obs/m.log"))
        #expect(metrics.command == .exec(["yes", "debug-Europe/Paris"]))
        #expect(
            metrics.environment.map { "\($0.name)=\($0.text)" } == [
                "FROM_FILE=yes", "LEVEL=debug-Europe/Paris", "TZ=Europe/Paris",
            ])
        #expect(metrics.title == "seen" && metrics.restart.policy == .always)
        let web = try #require(request.stack["web"])
        #expect(web.environment.map { "\($0.name)=\($0.text)" } == ["LEVEL=info", "TZ=Europe/Paris"])
        #expect(web.title == "plain" && web.workingDirectory == "/srv/shop")
        // Every value is where it was written.
        let places = request.positions.all.map { "\($0.path) \($0.position.text)" }
        #expect(places.contains("metrics obs/observe.yaml:6:3") && places.contains("web orch.yaml:5:3"))
        #expect(places.contains("metrics.logging obs/observe.yaml:6:53"))
        #expect(places.contains("metrics.title obs/observe.yaml:4:13"))
    }

    @Test func entriesHaveManyForms() throws {
        var fixture = Fixture(
            """
            include:
              - "${WHERE}/a.yaml"
              - { path: [parts/b.yaml, parts/b-local.yaml], env_file: [b.env, { path: none.env, required: false }] }
            services: {}
            """,
            files: [
                "/srv/shop/parts/a.yaml": "services: { a: { command: a } }",
                "/srv/shop/parts/b.yaml":
                    "env_file: own.env\nservices: { b: { command: [b, \"${X}\", \"${Y}\"], title: one, profiles: [p] } }",
                "/srv/shop/parts/b-local.yaml": "services: { b: { title: two, profiles: !reset } }",
                "/srv/shop/parts/own.env": "X=own\nY=own\n",
                "/srv/shop/b.env": "X=outer\n",
            ])
        fixture.overrides = [EnvironmentEntry("WHERE", "parts")]
        #expect(fixture.complaints() == [])
        let b = try #require(try fixture.stack()["b"])
        #expect(b.command == .exec(["b", "outer", "own"]) && b.title == "two" && b.enabled)
        #expect(b.workingDirectory == "/srv/shop/parts")
        fixture.overrides.append(EnvironmentEntry("X", "given"))
        #expect(try fixture.stack()["b"]?.command == .exec(["b", "given", "own"]))
    }

    @Test func whatTwoIncludeIsThereOnce() throws {
        let files = [
            "/srv/shop/a.yaml": "include: db/db.yaml\nservices: { a: { command: a, depends_on: [db] } }",
            "/srv/shop/b.yaml": "include: [./db/db.yaml]\nservices: { b: { command: b, depends_on: [db] } }",
            "/srv/shop/db/db.yaml": "services: { db: { command: db } }",
        ]
        let fixture = Fixture("include: [a.yaml, b.yaml]", files: files)
        #expect(fixture.complaints() == [])
        #expect(try fixture.stack().services.map(\.name) == ["a", "b", "db"])
        let other = Fixture("include: [a.yaml, { path: db/db.yaml, env_file: x.env }]\nservices: {}", files: files)
        #expect(other.complaints() == ["1:19 error[conflict] db/db.yaml is included twice, with other env files"])
    }

    @Test func twoOfOneNameAreAConflict() throws {
        var fixture = Fixture(
            "include: [a.yaml, b.yaml]\nservices:\n  web: { command: web }",
            files: [
                "/srv/shop/a.yaml": "services:\n  web: { command: a }\n  x: { command: x }",
                "/srv/shop/b.yaml": "services: { x: { command: x } }",
            ])
        #expect(
            fixture.complaints() == [
                "a.yaml:2:3 error[conflict] \"web\" is also defined at orch.yaml:3:3",
                "b.yaml:1:13 error[conflict] \"x\" is also defined at a.yaml:3:3",
            ])
        // What is laid over it is none.
        fixture.files["/srv/shop/orch.yaml"] = Array("include: a.yaml".utf8)
        fixture.files["/srv/over/over.yaml"] = Array("services: { web: { title: over }, new: { command: new } }".utf8)
        fixture.manifests = ["orch.yaml", "../over/over.yaml"]
        #expect(fixture.complaints() == [])
        let stack = try fixture.stack()
        #expect(stack["web"]?.title == "over" && stack["web"]?.command == .shell("a", shell: CommandLine.standardShell))
        #expect(stack["web"]?.workingDirectory == "/srv/shop" && stack["new"]?.workingDirectory == "/srv/over")
        #expect(stack.services.map(\.name) == ["new", "web", "x"])
    }

    @Test func laterFilesIncludeMoreOrOthers() throws {
        var fixture = Fixture(
            "include: a.yaml\nservices: { web: { command: web } }",
            files: [
                "/srv/shop/a.yaml": "services: { a: { command: a } }",
                "/srv/shop/b.yaml": "services: { b: { command: b } }",
                "/srv/shop/more.yaml": "include: b.yaml",
            ])
        fixture.manifests = ["orch.yaml", "more.yaml"]
        #expect(try fixture.stack().services.map(\.name) == ["a", "b", "web"])
        fixture.files["/srv/shop/more.yaml"] = Array("include: !override [b.yaml]".utf8)
        #expect(try fixture.stack().services.map(\.name) == ["b", "web"])
        fixture.files["/srv/shop/more.yaml"] = Array("include: !reset".utf8)
        fixture.files["/srv/shop/a.yaml"] = nil
        #expect(try fixture.stack().services.map(\.name) == ["web"])
    }

    @Test func whatCannotBeIncludedIsToldWhereItIsNamed() {
        #expect(
            Fixture(
                "include: [none.yaml, sub/x.yaml]\nservices: {}", files: ["/srv/shop/sub/x.yaml": "include: y.yaml"]
            )
            .complaints() == [
                "1:11 error[include] cannot read /srv/shop/none.yaml: no such file or directory (ENOENT)",
                "sub/x.yaml:1:10 error[include] cannot read /srv/shop/sub/y.yaml: no such file or directory (ENOENT)",
            ])
        #expect(
            Fixture("include: a.yaml", files: ["/srv/shop/a.yaml": "- 1"]).complaints().contains(
                "a.yaml:1:1 error[type] an included manifest is a map of its keys"))
        #expect(
            Fixture(
                "include: a.yaml\nservices: {}",
                files: ["/srv/shop/a.yaml": "servces: {}\nservices: { a: { comand: 1 } }"]
            )
            .complaints() == [
                "a.yaml:1:1 error[unknown-key] \"servces\" is not a key of a manifest",
                "a.yaml:2:16 error[missing] a service needs a command",
                "a.yaml:2:18 error[unknown-key] \"comand\" is not a key of a service",
            ])
        #expect(
            Fixture("include: a.yaml\nservices: {}", files: ["/srv/shop/a.yaml": "a: [\n"]).complaints().first?
                .hasPrefix(
                    "a.yaml:2:1 error[syntax]") == true)
        #expect(
            Fixture(
                "include: [{ env_file: a }, { path: a, pth: b }, [a]]\nservices: {}", files: ["/srv/shop/a": "x-a: 1"]
            )
            .complaints() == [
                "1:11 error[missing] an include needs a path",
                "1:39 error[unknown-key] \"pth\" is not a key of an include",
                "1:49 error[type] \"include\" must be text, not a list",
            ])
        #expect(
            Fixture("include: \"${NOPE}.yaml\"\nservices: {}").complaints() == [
                "1:10 error[undefined-variable] ${NOPE} is not defined"
            ])
    }

    @Test func includesThatNeverEndAreRefused() {
        #expect(
            Fixture(
                "include: a.yaml\nservices: {}",
                files: ["/srv/shop/a.yaml": "include: [b/b.yaml]", "/srv/shop/b/b.yaml": "include: ../a.yaml"]
            ).complaints() == [
                "b/b.yaml:1:10 error[cycle] manifests include each other in a loop: a.yaml -> b.yaml -> a.yaml"
            ])
        #expect(
            Fixture("include: orch.yaml\nservices: {}").complaints() == [
                "1:10 error[cycle] manifests include each other in a loop: orch.yaml -> orch.yaml"
            ])
        var deep = Fixture("include: 0.yaml\nservices: {}")
        for level in 0..<40 { deep.files["/srv/shop/\(level).yaml"] = Array("include: \(level + 1).yaml".utf8) }
        #expect(
            deep.complaints() == ["15.yaml:1:10 error[too-large] manifests include each other more than 16 deep"])
        var wide = Fixture("include: [\((0..<300).map { "\($0).yaml" }.joined(separator: ", "))]\nservices: {}")
        for number in 0..<300 { wide.files["/srv/shop/\(number).yaml"] = Array("x-a: 1".utf8) }
        #expect(wide.complaints().first?.hasSuffix("error[too-large] a stack has at most 256 manifests") == true)
    }

    @Test func whatBelongsToTheWholeStackHasNoEffectInAPart() {
        #expect(
            Fixture("include: a.yaml\nservices: {}", files: ["/srv/shop/a.yaml": "stop: { timeout: 1s }"]).complaints()
                == [
                    "a.yaml:1:1 warning[no-effect] \"stop\" has no effect here: it belongs to the manifest that includes this one"
                ])
    }
}

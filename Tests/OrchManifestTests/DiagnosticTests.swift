// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct DiagnosticTests {
    @Test func twelveMistakesGiveTwelveLocatedDiagnostics() {
        let fixture = Fixture(
            """
            name: Shop Front
            services:
              web:
                comand: ./web
                command: ./web
                start_timeout: 30
                restart: on-failur
                depends_on: [dbb, cache]
              db:
                command: []
                stop_signal: SIGTREM
                environment: { URL: "${NOWHERE}" }
              cache:
                command: exec cache
                depends_on: { web: { condition: succeeded } }
                logging: { rotate: { size: 10 } }
                logging: { format: raw }
            """)
        #expect(
            fixture.complaints() == [
                "1:7 error[name] \"Shop Front\" can't name a stack",
                "4:5 error[unknown-key] \"comand\" is not a key of a service",
                "6:20 error[duration] \"start_timeout\": 30 has no unit",
                "7:14 error[value] \"restart\" can't be \"on-failur\"",
                "8:18 error[unknown-service] there is no service \"dbb\"",
                "10:14 error[value] \"command\" is empty",
                "11:18 error[signal] \"stop_signal\": there is no signal \"SIGTREM\"",
                "12:25 error[undefined-variable] ${NOWHERE} is not defined",
                "15:19 error[cycle] services wait for each other in a loop: cache -> web -> cache",
                "15:37 error[condition] \"web\" is a service, and only a task has succeeded",
                "16:32 error[size] \"size\": 10 has no unit",
                "17:5 error[duplicate-key] \"logging\" is given twice",
            ])
        let text = fixture.rendered()
        #expect(
            text.hasPrefix(
                """
                orch.yaml:1:7: error[name]: "Shop Front" can't name a stack
                 1 | name: Shop Front
                   |       ^~~~~~~~~~
                  help: did you mean "shop-front"?
                orch.yaml:4:5: error[unknown-key]: "comand" is not a key of a service
                 4 |     comand: ./web
                   |     ^~~~~~
                  help: did you mean "command"?
                orch.yaml:6:20: error[duration]: "start_timeout": 30 has no unit
                 6 |     start_timeout: 30
                   |                    ^~
                  help: did you mean "30s"?

                """))
        #expect(text.contains("  help: did you mean \"SIGTERM\"?\n"))
        #expect(text.contains("  help: did you mean \"db\"?\n"))
    }

    @Test func whatIsNotThereYetSaysSo() {
        let tail = "is part of the language, but this version of orch does not have it yet"
        #expect(
            Fixture("services: { web: { command: a, container: x } }").complaints()
                == ["1:32 error[not-yet] \"container\" \(tail)"])
    }

    @Test(arguments: [
        ("", "1:1 error[empty] the file is empty"),
        ("# nothing\n", "1:1 error[empty] the file is empty"),
        ("- a\n", "1:1 error[type] a manifest is a map, not a list"),
        ("web\n", "1:1 error[type] a manifest is a map, not a single value"),
        ("services: {}\n---\nservices: {}\n", "2:1 error[documents] a second document begins here"),
        (
            "name: [a\nb: c\n",
            "2:2 error[syntax] did not find expected ',' or ']' while parsing a flow sequence that begins at line 1"
        ),
        (
            "services:\n\tweb: a\n",
            "2:1 error[syntax] found character that cannot start any token while scanning for the next token"
        ),
        ("services: *x\n", "1:11 error[alias] there is no anchor &x before this"),
        ("services: &x { a: *x }\n", "1:19 error[alias] *x stands inside of what it names, which would be endless"),
        ("name: a\n", "1:1 error[missing] a manifest needs services"),
        ("services: [a]\n", "1:11 error[type] \"services\" must be a map of services by name, not a list"),
        ("services: { web: }\n", "1:13 error[missing] the service \"web\" has no definition"),
        ("services: { web: ./web }\n", "1:18 error[type] \"web\" must be a map, not \"./web\""),
        (
            "services: { web: { command: \"a\\0b\" } }\n",
            "1:29 error[nul] \"command\" holds a NUL character, which no program can be given"
        ),
        ("services: { web: { command: !foo a } }\n", "1:29 error[tag] the tag !foo means nothing here"),
        ("? [a]\n: b\nservices: {}\n", "1:3 error[key] a key must be a word"),
    ])
    func brokenFilesAreToldPrecisely(_ text: String, _ complaint: String) {
        #expect(Fixture(text).complaints() == [complaint])
    }

    @Test func bytesThatAreNoTextAreToldPrecisely() {
        func complaints(_ bytes: [UInt8]) -> [String] {
            var fixture = Fixture()
            fixture.files["/srv/shop/orch.yaml"] = bytes
            return fixture.complaints()
        }
        #expect(complaints(Array("a: b\nc: é".utf8) + [0xFF]) == ["2:5 error[encoding] byte 0xFF is not valid UTF-8"])
        #expect(complaints(Array("a: b\nc: ".utf8) + [0]) == ["2:4 error[encoding] a NUL byte"])
        #expect(complaints([0xFF, 0xFE, 0x61, 0x00]) == ["1:1 error[encoding] a manifest is UTF-16"])
        #expect(complaints(Array("a: \u{1}".utf8)) == ["1:4 error[encoding] control characters are not allowed"])
        let good = [0xEF, 0xBB, 0xBF] + Array("services:\r\n  web:\r\n    command: ./web\r\n    typo: 1\r\n".utf8)
        #expect(complaints(good) == ["4:5 error[unknown-key] \"typo\" is not a key of a service"])
        let large = [UInt8](repeating: 35, count: Limits.manifestBytes + 1)
        #expect(complaints(large) == ["1:1 error[too-large] a manifest has 8388609 bytes; the limit is 8MiB"])
    }

    @Test func anAliasBombIsRefusedBeforeItGrows() {
        var text = "x0: &x0 [a, a, a, a, a, a, a, a, a]\n"
        // 9^60 nodes: whoever expands them first never comes to the answer.
        for level in 1...60 {
            text += "x\(level): &x\(level) [\(Array(repeating: "*x\(level - 1)", count: 9).joined(separator: ", "))]\n"
        }
        let fixture = Fixture(text)
        let complaints = fixture.complaints()
        #expect(complaints.count == 1)
        #expect(complaints.first?.contains("error[alias-bomb]") == true)
    }

    @Test(arguments: [65, 900, 100_000])
    func deepNestingIsRefused(_ depth: Int) {
        let complaints = Fixture("services: " + String(repeating: "[", count: depth)).complaints()
        #expect(complaints == ["1:74 error[depth] nested more than 64 deep"])
    }

    @Test func loopsAndUnknownNamesAreTold() {
        #expect(
            Fixture(
                """
                services:
                  api: { command: a, depends_on: [db] }
                  db: { command: a, depends_on: [queue] }
                  queue: { command: a, depends_on: [db, queue] }
                  lone: { command: a, depends_on: { nobody: { required: false } } }
                """
            ).complaints() == [
                "3:34 error[cycle] services wait for each other in a loop: db -> queue -> db",
                "4:41 error[self-dependency] \"queue\" depends on itself",
            ])
    }

    @Test func portsAndFilesThatClashAreTold() {
        #expect(
            Fixture(
                """
                services:
                  a: { command: a, ports: [8080, 9090/udp], logging: { stdout: x.log } }
                  b: { command: a, ports: [8080], logging: { stdout: ./x.log } }
                  c: { command: a, ports: [9090], replicas: 2 }
                  d: { command: a, ports: [8080], enabled: false }
                  e: { command: a, ports: [{ port: 7, host: 10.0.0.1 }] }
                  f: { command: a, ports: [{ port: 7, host: 10.0.0.2 }] }
                  g: { command: a, logging: { stdout: y.log, stderr: y.log } }
                """
            ).complaints() == [
                "3:28 error[port-conflict] \"b\" and \"a\" both have the tcp port 8080",
                "3:54 error[log-conflict] \"b\" and \"a\" both write to /srv/shop/x.log",
                "4:28 error[port-conflict] 2 replicas can't share the fixed port 9090",
                "8:54 error[log-conflict] both streams write to /srv/shop/y.log, which would mix them up",
            ])
    }

    @Test func patternsThatCannotBeUsedAreTold() {
        #expect(
            Fixture(
                """
                services:
                  a: { command: a, logging: { redact: ["ok", "", "a[", '(x)\\1', "(a{999}){999}"] } }
                  b: { command: b, logging: { redact: token } }
                  c: { command: c, logging: { redact: [[x]] } }
                """
            ).complaints() == [
                "2:46 error[value] \"redact\" has an empty pattern, which would match everywhere",
                "2:50 error[value] \"redact\": \"a[\" is no regular expression: unmatched [",
                "2:56 error[value] \"redact\": \"(x)\\1\" has a back-reference, which can take for ever to match",
                "2:65 error[limit] \"redact\": \"(a{999}){999}\" repeats too much: its size is more than 10000",
                "3:39 error[type] \"redact\" must be a list of regular expressions, not \"token\"",
                "4:40 error[type] \"redact\" must be text, not a list",
            ])
    }

    @Test func levelsThatCannotBeHeldAreTold() {
        #expect(
            Fixture(
                """
                services:
                  a: { command: a, logging: { levels: json } }
                  b: { command: b, logging: { levels: { from: json } } }
                  c: { command: c, logging: { levels: { from: "a[", error_file: c.log } } }
                  d: { command: d, logging: { stdout: d.log, levels: { from: prefix, error_file: ./d.log } } }
                  e: { command: e, logging: { levels: { from: prefix, error_file: logs/ } } }
                  f: { command: f, logging: { stdout: null, stderr: null, levels: { from: prefix, error_file: f.log } } }
                  g: { command: g, logging: { levels: { from: prefix, error_file: d.log } } }
                  h: { command: h, logging: { levels: none, forward: none } }
                  i: { command: i, logging: { levels: { from: json }, forward: syslog } }
                  j: { command: j, logging: { forward: rsyslog } }
                  k: { command: k, logging: { stdout: null, stderr: merge, forward: journald } }
                """
            ).complaints() == [
                "2:39 error[value] \"levels\" can't be \"json\"",
                "3:39 error[missing] \"levels\" needs \"error_file\" where nothing is forwarded",
                "4:47 error[value] \"from\": \"a[\" is no regular expression: unmatched [",
                "5:82 error[log-conflict] \"error_file\" is the file of an output, where its lines are already",
                "6:67 error[value] \"error_file\": \"logs/\" is a folder",
                "7:67 error[conflict] \"levels\" has nothing to read: both outputs are discarded",
                "8:67 error[log-conflict] \"g\" and \"d\" both write to /srv/shop/d.log",
                "11:40 error[value] \"forward\" can't be \"rsyslog\"",
                "12:69 error[conflict] \"forward\" has nothing to read: both outputs are discarded",
            ])
    }

    @Test func patternsHaveLimits() {
        let many = (0...Limits.redactions).map { "p\($0)" }.joined(separator: ", ")
        let found = Fixture("services: { a: { command: a, logging: { redact: [\(many)] } } }").complaints()
        #expect(found.count == 1 && found[0].contains("error[limit] \"redact\" has 33 patterns; the limit is 32"))
        let long = String(repeating: "x", count: Limits.patternBytes + 1)
        let other = Fixture("services: { a: { command: a, logging: { redact: [\(long)] } } }").complaints()
        #expect(other.count == 1 && other[0].contains("a pattern of 1001 bytes; the limit is 1000"))
    }

    @Test func updatesAndRenamesAreHeldAgainstTheRest() {
        #expect(
            Fixture(
                """
                services:
                  a: { command: a, ports: [8080], update: { order: start-first } }
                  b: { command: b, ports: [auto, { port: 81, on_conflict: next }], update: { order: start-first } }
                  c: { command: c, renamed_from: a }
                  d: { command: d, renamed_from: d }
                  e: { command: e, renamed_from: old }
                  f: { command: f, renamed_from: old }
                  g: { command: g, kind: task, update: { parallelism: 2 } }
                  h: { command: h, update: { parallelism: 0, on_failure: roll-back } }
                """
            ).complaints() == [
                "2:52 error[port-conflict] with start-first the old and the new \"a\" run side by side, and only one can have the fixed port 8080",
                "4:34 error[renamed-from] \"c\" can't be renamed from \"a\", which is still a service here",
                "5:34 error[renamed-from] \"d\" can't be renamed from itself",
                "7:34 error[renamed-from] \"e\" and \"f\" are both renamed from \"old\"",
                "8:40 error[misplaced] \"update\" is for services, and this is a task",
                "9:43 error[range] \"parallelism\" must be from 1 to 1000, not 0",
                "9:58 error[value] \"on_failure\" can't be \"roll-back\"",
            ])
    }

    @Test func aReloadIsOneWay() {
        #expect(
            Fixture(
                """
                services:
                  a: { command: a, reload: { signal: HUP, command: b } }
                  b: { command: b, reload: {} }
                  c: { command: c, reload: { signal: SIGHPU } }
                  d: { command: d, reload: { notify: true } }
                  e: { command: e, kind: task, reload: { signal: HUP } }
                  f: { command: f, reload: { signal: HUP, timeout: 5s } }
                  g: { command: g, reload: { notify: false } }
                  h: { command: h, reload: SIGHUP }
                """
            ).complaints() == [
                "2:43 error[conflict] \"reload\" has both \"signal\" and \"command\"",
                "3:28 error[missing] \"reload\" needs one of signal, command and notify",
                "4:38 error[signal] \"signal\": there is no signal \"SIGHPU\"",
                "5:30 error[missing] \"reload\" with notify needs a service that speaks by sd_notify",
                "6:40 error[misplaced] \"reload\" is for services, and this is a task",
                "7:43 warning[no-effect] \"timeout\" never takes effect: nobody can tell when a reload by signal is done",
                "8:28 error[missing] \"reload\" needs one of signal, command and notify",
                "9:28 error[type] \"reload\" must be a map, not \"SIGHUP\"",
            ])
    }

    @Test func tasksAndServicesKeepTheirOwnWords() {
        #expect(
            Fixture(
                """
                services:
                  job: { kind: task, command: a, start_timeout: 5s }
                  web: { command: a, timeout: 5s, depends_on: { job: { condition: ready } } }
                """
            ).complaints() == [
                "2:34 error[misplaced] \"start_timeout\" is for services, and this is a task",
                "3:22 error[misplaced] \"timeout\" is for tasks, and this is a service",
                "3:67 error[condition] \"job\" is a task, and a task is never ready",
            ])
    }

    @Test func whatNeverTakesEffectIsAWarning() throws {
        let fixture = Fixture(
            """
            services:
              web:
                command: a
                restart: { policy: no, delay: 5s }
                health: { readiness: { tcp: "a:1", on_failure: stop } }
                depends_on: [off]
              off: { command: a, enabled: false, restart: { window: 5m } }
            """)
        _ = try fixture.stack()
        #expect(
            fixture.complaints() == [
                "4:28 warning[no-effect] \"delay\" never takes effect: the policy is no",
                "5:40 warning[no-effect] only a liveness probe acts on failure; \"on_failure\" does nothing here",
                "6:18 warning[disabled-dependency] \"off\" is not enabled, so \"web\" will wait until it is started by hand",
                "7:49 warning[no-effect] \"window\" never takes effect without max_attempts",
            ])
    }

    @Test func aUserThatTheHostDoesNotKnowIsTold() throws {
        var fixture = Fixture("services: { web: { command: a, user: \"${WHO}:staff\" } }")
        fixture.caller = [EnvironmentEntry("WHO", "nobody")]
        #expect(try fixture.stack()["web"]?.user == "nobody:staff")
        fixture.users = ["root"]
        #expect(fixture.complaints() == ["1:38 error[unknown-user] this host has no user \"nobody\""])
    }

    @Test func aMissingFileIsTold() {
        var fixture = Fixture()
        fixture.manifests = ["nowhere.yaml"]
        #expect(
            fixture.complaints() == [
                "- error[unreadable] nowhere.yaml: cannot read /srv/shop/nowhere.yaml: no such file or directory (ENOENT)"
            ])
    }
}

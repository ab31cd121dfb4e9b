// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// The real daemon plays, on the simulator's machine; the words are what a person sees.
@Suite struct RehearseTests {
    private static let shop = """
        name: shop
        services:
          migrate:
            kind: task
            command: ./migrate
            depends_on: [db]
          db:
            command: ./db
            ready: { notify: true }
            restart: { delay: 200ms, jitter: 0 }
          web:
            command: ./web
            replicas: 2
            depends_on: { migrate: { condition: succeeded }, cache: { condition: ready } }
            stop_grace_period: 4s
          cache:
            command: ./cache
            restart: { policy: on-failure, max_attempts: 1, jitter: 0 }
        """

    private func play(_ words: [String], terminal: TerminalSize? = nil) -> (ExitCode, ScriptedPlatform) {
        let platform = ScriptedPlatform(terminal: terminal)
        platform.files["/home/ada/shop/orch.yaml"] = Self.shop
        platform.isDaemonThere = false
        let exit = runOrch(["rehearse"] + words, on: platform)
        #expect(platform.commands.isEmpty && platform.daemonStarts == 0, "a rehearsal talks to nobody")
        return (exit, platform)
    }

    @Test func aScoreIsTheSameEveryTime() {
        let (exit, platform) = play(["--if", "db dies twice"])
        #expect(exit == .success, "\(platform.errors)")
        #expect(platform.output == Self.score, "\n\(platform.output)")
        #expect(play(["--if", "db dies twice"]).1.output == platform.output)
    }

    @Test(arguments: [
        ("web never ready", "counts as ready as soon as it is executed"),
        ("db never ends", "is a service and is not to end"),
        ("migrate never ready", "is a task"),
        ("cache fails its probes", "has neither a readiness nor a liveness probe"),
        ("dv dies", "did you mean \"db\"?"),
        ("nobody-of-that-name dies", "it has cache, db, migrate, web"),
        ("db dys", "did you mean \"SERVICE dies\"?"),
        ("the demon dies", "did you mean \"the daemon dies\"?"),
        ("db exits 300", "'SERVICE exits 3'"),
        ("web.3 dies", "web has 2 replicas"),
        ("db dies 0 times", "at least once"),
        ("the daemon dies always", "say how often"),
        ("", "nothing is known"),
    ])
    func whatMakesNoSenseIsAnswered(_ phrase: String, _ answer: String) {
        let (exit, platform) = play(["--if", phrase])
        #expect(exit == .usage)
        #expect(platform.output.isEmpty)
        #expect(platform.errors.contains(answer), "\(platform.errors)")
    }

    @Test(
        arguments: [
            ("db dies", Mishap.Kind.ends(.signal(.kill, coreDumped: false)), 1),
            ("db crashes 5 times", .ends(.signal(.kill, coreDumped: false)), 5),
            ("db exits 3 thrice", .ends(.code(3)), 3),
            ("db exits with SIGSEGV", .ends(.signal(Signal(number: 11), coreDumped: false)), 1),
            ("db exits 3 every time", .ends(.code(3)), nil),
            ("db never ready", .neverReady, nil),
            ("db is never ready once", .neverReady, 1),
            ("web.2 is deaf", .isDeaf, nil),
            ("web leaves children", .leavesChildren, nil),
            ("migrate hangs", .neverEnds, nil),
            ("cache fails to launch twice", .failsToLaunch, 2),
            ("the machine reboots", .machineReboots, 1),
            ("the keeper dies twice", .keeperDies, 2),
            ("the disk is full", .diskIsFull, 1),
            ("1d passes twice", .timePasses(.seconds(86_400)), 2),
        ] as [(String, Mishap.Kind, Int?)])
    func phrasesAreRead(_ phrase: String, _ kind: Mishap.Kind, _ times: Int?) throws {
        var stack = Stack(name: "shop", services: [])
        for name in ["migrate", "db", "web", "cache"] {
            var spec = ServiceSpec(
                name: name, kind: name == "migrate" ? .task : .service, command: .exec(["/x"]), workingDirectory: "/")
            if name == "db" { spec.ready = .notify }
            if name == "web" { spec.replicas = 2 }
            stack.services.append(spec)
        }
        stack.services.sort { $0.name < $1.name }
        let mishap = try MishapPhrase.mishap(phrase, in: stack)
        #expect(mishap.kind == kind && mishap.times == times)
        #expect(
            mishap.service
                == (phrase.hasPrefix("the ") || phrase.hasPrefix("1d")
                    ? nil : phrase.split { $0 == " " || $0 == "." }.first.map(String.init)))
        #expect(mishap.replica == (phrase.hasPrefix("web.2") ? 2 : nil))
    }

    /// Each way to say something is understood as it is listed.
    @Test func everyPhraseThatIsShownIsUnderstood() throws {
        var task = ServiceSpec(name: "t", kind: .task, command: .exec(["/x"]), workingDirectory: "/")
        task.dependsOn = []
        var service = ServiceSpec(name: "s", command: .exec(["/x"]), workingDirectory: "/")
        service.health.readiness = Probe(.tcp("localhost:1"))
        let stack = Stack(name: "shop", services: [task, service])
        for phrase in MishapPhrase.all {
            let said = phrase.form.replacing("SERVICE", with: "s").replacing("TASK", with: "t")
            let mishap = try MishapPhrase.mishap(said, in: stack)
            let blank = phrase.isOfMachine ? "10m" : "3"
            #expect(mishap.kind == phrase.kind(blank), "\(said)")
            for way in phrase.words {
                let who = phrase.isOfMachine ? "" : phrase.form.hasPrefix("TASK") ? "t " : "s "
                _ = try MishapPhrase.mishap(who + way.replacing("#", with: blank) + " twice", in: stack)
            }
        }
    }

    // MARK: What comes of it

    @Test func waitingForEverIsSaidWithItsLine() {
        let text = play(["--if", "migrate never ends"]).1.output
        #expect(text.contains("nothing more will happen by itself: migrate is running"), "\(text)")
        #expect(
            text.contains(
                "would wait for ever for migrate, which still runs: depends_on.migrate.timeout is not set  orch.yaml:14:"
            ),
            "\(text)")
        #expect(text.contains("still at work: `timeout` is not set"))
    }

    @Test func whatIsGivenUpSaysSo() {
        let text = play(["--if", "cache exits 3 every time"]).1.output
        #expect(text.contains("given up ("), "\(text)")
        #expect(text.contains("restart.retry_after is not set"))
    }

    @Test func aDeafServiceTakesItsGracePeriod() {
        let text = play(["--if", "web.2 is deaf"]).1.output
        #expect(text.contains("SIGKILL was needed, 4.000s after it was asked to stop"), "\(text)")
        #expect(text.split(separator: "\n").filter { $0.contains("SIGKILL was needed") }.count == 1)
    }

    @Test func servicesOutliveTheDaemon() {
        let text = play(["--if", "the daemon dies twice"]).1.output
        #expect(text.contains("the daemon dies; services run on"))
        #expect(text.contains("; nobody was away"), "\(text)")
    }

    @Test func aMishapThatNeverComesIsSaid() {
        let text = play(["--if", "db fails to launch", "--if", "web is deaf"]).1.output
        #expect(text.contains("'web is deaf' never came about"), "\(text)")
    }

    @Test func withoutAWishEveryServiceDiesOnce() {
        let text = play([]).1.output
        for title in ["cache dies", "db dies", "web.1 dies"] { #expect(text.contains("  \(title)\n"), "\(text)") }
        #expect(!text.contains("migrate dies"))
    }

    @Test func takesIsWhenItIsReady() {
        #expect(play(["--takes", "db=20s"]).1.output.contains("  20.001s  "))
        for wrong in ["db", "db=20", "dv=20s", "web=20s"] { #expect(play(["--takes", wrong]).0 == .usage, "\(wrong)") }
    }

    /// Schedules, runs beside each other, and a zone that the machine in memory does not have.
    @Test func timePassesForSchedules() {
        let platform = ScriptedPlatform()
        platform.files["/home/ada/shop/orch.yaml"] = """
            name: shop
            services:
              report: { kind: task, command: ./r, schedule: { every: 20m, overlap: allow } }
              night: { kind: task, command: ./n, schedule: { cron: "30 2 * * *", timezone: Asia/Tokyo } }
            """
        let words = ["rehearse", "orch.yaml", "--if", "2h passes", "--if", "1d passes", "--takes", "report=50m"]
        #expect(runOrch(words, on: platform) == .success, "\(platform.errors)")
        #expect(platform.output.contains("report.3"), "\(platform.output)")
        #expect(platform.output.contains("  night     launching"), "\(platform.output)")
    }

    @Test func oneObjectALine() throws {
        let text = play(["--if", "db dies", "--json", "--seed", "7"]).1.output
        let lines = try text.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }
        #expect(lines.filter { $0["act"] != nil }.map { $0["act"]?.string } == ["orch apply", "db dies", "orch down"])
        #expect(lines.filter { $0["outcome"] != nil }.map { $0["outcome"]?.string } == ["settled", "settled", "gone"])
        #expect(lines.contains { $0["world"]?.string == "dies" && $0["instance"]?.string == "db.1" })
        #expect(
            lines.contains { $0["event"]?.string == "ready" && $0["position"]?.string?.hasPrefix("orch.yaml:") == true }
        )
        #expect(lines.filter { $0["phase"] != nil }.count == 5)
        #expect(lines.last?["end"]?.string == "played" && lines.last?["seed"]?.string == "7")
    }

    @Test func fitsNarrowTerminals() {
        let text = play([], terminal: TerminalSize(columns: 72, rows: 40)).1.output
        for line in text.split(separator: "\n") {
            var plain = String(line)
            while let start = plain.firstRange(of: "\u{1B}["), let end = plain[start.upperBound...].firstIndex(of: "m")
            {
                plain.removeSubrange(start.lowerBound...end)
            }
            #expect(DisplayWidth.of(plain) <= 72, "\(plain)")
        }
    }

    @Test func aWrongManifestIsNotPlayed() {
        let platform = ScriptedPlatform()
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\nservices: { web: { comand: x } }\n"
        #expect(runOrch(["rehearse", "orch.yaml"], on: platform) == .manifest)
        #expect(platform.output.isEmpty && platform.errors.contains("comand"))
    }

    @Test func aBrokenRuleIsABugOfOrch() {
        let platform = ScriptedPlatform()
        platform.files["/home/ada/shop/orch.yaml"] = Self.shop
        platform.violation = "1.2s: shop/db is launched twice"
        #expect(runOrch(["rehearse", "orch.yaml", "--seed", "9"], on: platform) == .failed)
        #expect(platform.errors.contains("orch broke a rule of its own: 1.2s: shop/db is launched twice"))
        #expect(platform.errors.contains("a bug of orch, not of the manifest") && platform.errors.contains("seed 9"))
    }

    private static let score = """
        Rehearsal of shop  4 services, played in memory: nothing is touched  seed 1

                 1 2s                    │2 2.6s                  │3 200ms
        cache    ░███████████████████████│████████████████████████│████████████▼▼▼▼▼▼▼▼▼▼▼▼
        db       ░░░░░░░░░░░░████████████│✝~░░░░░░░░░✝~~~░░░░░░░░░│▼▼▼▼▼▼▼▼▼▼▼▼
        migrate  ············▒▒▒▒▒▒▒▒▒▒▒▒│────────────────────────│
        web.1    ························│████████████████████████│▼▼▼▼▼▼▼▼▼▼▼▼
        web.2    ························│████████████████████████│▼▼▼▼▼▼▼▼▼▼▼▼

                 · waiting  ~ backoff  ░ starting  ▒ running  █ ready  ▼ stopping  ─ done  ✝ mishap

        1  orch apply
            0.000s    cache    launching  wanted by the manifest  orch.yaml:16:3
            0.000s    db       launching  wanted by the manifest  orch.yaml:7:3
            0.000s    migrate  waiting    waiting for db to be ready  orch.yaml:6:5
            0.000s    web.1    waiting    waiting for cache to be ready  orch.yaml:14:54
            0.000s    web.2    waiting    waiting for cache to be ready  orch.yaml:14:54
            0.001s    cache    ready      ready after 0us  orch.yaml:16:3
            1.001s    db       ready      it said READY=1 after 1s  orch.yaml:7:3
            1.001s    migrate  launching  wanted by the manifest  orch.yaml:3:3
            2.002s    migrate  done       ended with exit 0  orch.yaml:3:3
            2.002s    web.1    launching  wanted by the manifest  orch.yaml:11:3
            2.002s    web.2    launching  wanted by the manifest  orch.yaml:11:3
            2.003s    web.1    ready      ready after 0us  orch.yaml:11:3
            2.003s    web.2    ready      ready after 0us  orch.yaml:11:3
           → all is up after 2.003s

        2  db dies twice
            2.003s  ✝ db       dies
            2.003s    db       backoff    retry 1 in 200ms after SIGKILL  orch.yaml:10:5
            2.203s    db       launching  restart 1 after SIGKILL  orch.yaml:7:3
            3.204s    db       ready      it said READY=1 after 1s  orch.yaml:7:3
            3.204s  ✝ db       dies
            3.204s    db       backoff    retry 2 in 400ms after SIGKILL  orch.yaml:10:5
            3.604s    db       launching  restart 2 after SIGKILL  orch.yaml:7:3
            4.605s    db       ready      it said READY=1 after 1s  orch.yaml:7:3
           → all is up again after 2.602s; db was away for 2.602s; web ran on

        3  orch down
            4.605s    db       stopping   the stack is going down  orch.yaml:7:3
            4.605s    db       step       step 1 of 2: SIGTERM to group, waiting up to 10s  orch.yaml:7:3
            4.605s    web.1    stopping   the stack is going down  orch.yaml:11:3
            4.605s    web.1    step       step 1 of 2: SIGTERM to group, waiting up to 4s  orch.yaml:11:3
            4.605s    web.2    stopping   the stack is going down  orch.yaml:11:3
            4.605s    web.2    step       step 1 of 2: SIGTERM to group, waiting up to 4s  orch.yaml:11:3
            4.705s    db       stopped    the stack is going down  orch.yaml:7:3
            4.705s    web.1    stopped    the stack is going down  orch.yaml:11:3
            4.705s    web.2    stopped    the stack is going down  orch.yaml:11:3
            4.705s    cache    stopping   the stack is going down  orch.yaml:16:3
            4.705s    cache    step       step 1 of 2: SIGTERM to group, waiting up to 10s  orch.yaml:16:3
            4.805s    cache    stopped    the stack is going down  orch.yaml:16:3
           → all is gone after 0.200s

        INSTANCE  IN THE END  UP AFTER    AWAY  LAUNCHES
        cache     ready         0.001s       –         1
            counts as ready as soon as it is executed, and web starts then: it has no readiness probe  orch.yaml:16:3
        db        ready         1.001s  2.602s         3
        migrate   done          2.002s       –         1
        web.1     ready         2.003s       –         1
        web.2     ready         2.003s       –         1
        """ + "\n"
}

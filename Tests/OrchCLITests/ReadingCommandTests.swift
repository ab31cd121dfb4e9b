// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

@Suite struct ReadingCommandTests {
    private static func instances() -> [InstanceStatus] {
        var api = InstanceStatus.sample("api", .ready, since: .seconds(192), pid: 4711)
        api.health = .healthy
        api.restarts = 2
        api.cpuPercent = 0.34
        api.memoryBytes = 45_300_000
        api.ports = [AssignedPort(name: nil, port: 8000, transport: .tcp)]
        var db = InstanceStatus.sample("db", .backoff, since: .seconds(2), reason: "exit 1, the third time")
        db.until = ScriptedPlatform.start + .seconds(3)
        db.position = Position(file: "orch.yaml", line: 14, column: 3)
        return [api, db]
    }

    private func platform(terminal: TerminalSize? = nil) -> ScriptedPlatform {
        let platform = ScriptedPlatform(terminal: terminal) { command in
            switch command {
            case .status: [.reply(.status([.shop(Self.instances(), .degraded)]))]
            case .why(let target):
                [.reply(.why([Explanation(status: Self.instances()[1], chain: Self.chain(target))]))]
            case .events: [.reply(.occurrence(Self.chain(Target(stack: "shop"))[0])), .reply(.end)]
            default: []
            }
        }
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\n"
        return platform
    }

    private static func chain(_ target: Target) -> [Occurrence] {
        let id = InstanceID(service: ServiceID(stack: "shop", service: "db"))
        return [
            Occurrence(
                time: ScriptedPlatform.start + .seconds(-2), stack: "shop", service: "db", instance: id,
                launch: LaunchID(7), kind: .backoff,
                cause: "the next attempt comes after 5s", position: Position(file: "orch.yaml", line: 15, column: 5)),
            Occurrence(
                time: ScriptedPlatform.start + .seconds(-2), stack: "shop", service: "db", instance: id,
                launch: LaunchID(7), kind: .exited,
                cause: "it ended by itself", exit: .code(1)),
        ]
    }

    @Test func warnsOfProcessesThatNobodySupervises() {
        let platform = platform()
        platform.isDaemonThere = false
        platform.orphanCount = 2
        #expect(run("status", on: platform) == .success)
        #expect(platform.errors.hasPrefix("orch: no daemon runs, but 2 processes of its services: somebody killed it."))
        #expect(run("stop web", on: platform) == .daemon)
        #expect(platform.errors.contains("help: `orch daemon start` starts it again, which takes them over"))
    }

    @Test func failsWhereItsWordsCanNotBeWritten() {
        let platform = platform()
        platform.outputFault = Fault(step: "write to", subject: "standard output", reason: "no space left on device")
        #expect(run("status --json", on: platform) == .failed)
        #expect(platform.errors == "orch: cannot write to standard output: no space left on device\n")
        #expect(run("--version", on: platform) == .failed)
    }

    @Test func statusSaysWhatMadeItEnd() {
        let instances = [
            InstanceStatus.sample("job", .done, reason: "ended with exit 0"),
            .sample("leak", .done, reason: "memory: 612 MB, and its limit is 512 MB (on_exceed: stop)"),
        ]
        let platform = ScriptedPlatform(terminal: nil) { command in
            guard case .status = command else { return [] }
            return [.reply(.status([.shop(instances)]))]
        }
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\n"
        #expect(run("status", on: platform) == .success)
        #expect(platform.output.contains("memory: 612 MB, and its limit is 512 MB (on_exceed: stop)"))
        #expect(!platform.output.contains("ended with exit 0"))
    }

    @Test func statusAlignsAndSaysWhy() {
        let platform = platform()
        #expect(run("status", on: platform) == .success)
        #expect(
            platform.output == """
                shop  degraded  revision ab12ab12ab12  /home/ada/shop/orch.yaml
                  SERVICE  PHASE    SINCE   PID  RESTARTS  HEALTH    CPU    MEM  PORTS
                  api      ready    3m12s  4711         2  healthy  0.3%  45 MB  8000
                  db       backoff     2s               0
                    exit 1, the third time; next step in 3s  orch.yaml:14:3

                """)
    }

    @Test(arguments: [20, 40, 60, 72])
    func statusFitsNarrowTerminals(columns: Int) {
        let platform = platform(terminal: TerminalSize(columns: columns, rows: 24))
        platform.environment = [EnvironmentEntry("NO_COLOR", "1")]
        _ = run("ps", on: platform)
        for line in platform.output.split(separator: "\n") {
            #expect(DisplayWidth.of(line) <= max(columns, 24), "\(line)")
        }
        #expect(!platform.output.contains("\u{1B}"))
    }

    @Test func statusIsColouredOnATerminalOnly() {
        let platform = platform(terminal: TerminalSize(columns: 100, rows: 24))
        _ = run("status", on: platform)
        #expect(platform.output.contains("\u{1B}[32mready\u{1B}[0m"))
    }

    @Test func statusJSONIsTheDaemonsOwnText() throws {
        let platform = platform()
        #expect(run("status --json", on: platform) == .success)
        let value = try JSON.parse(platform.output)
        #expect(value == ["stacks": .array([StackStatus.shop(Self.instances(), .degraded).value])])
    }

    @Test func statusOfOneServiceShowsNoOther() {
        let platform = platform()
        #expect(run("status db --check", on: platform) == .failed)
        #expect(!platform.output.contains("api"))
    }

    @Test func statusWithoutADaemonSaysSoAndSucceeds() {
        let platform = platform()
        platform.isDaemonThere = false
        var stack = Stack(name: "shop", services: [])
        stack.services = [ServiceSpec(name: "web", command: .exec(["true"]), workingDirectory: "/")]
        let pointer: Value = [
            "format": 1,
            "content": ["stack": "shop", "revision": "ab12", "manifest_path": "/m/orch.yaml", "applied_at": 0],
        ]
        platform.files["/state/stacks/shop.json"] = JSON.text(of: pointer)
        platform.files["/state/revisions/ab12.json"] = JSON.text(of: ["format": 1, "content": stack.value])
        #expect(run("status", on: platform) == .success)
        #expect(
            platform.output == "shop  not running  revision ab12  /m/orch.yaml\n  SERVICE  PHASE\n  web      idle\n")
        #expect(platform.errors.contains("no daemon runs"))
        #expect(platform.daemonStarts == 0)
    }

    @Test func whyTellsTheStory() {
        let platform = platform()
        #expect(run("why db", on: platform) == .success)
        #expect(
            platform.output == """
                db is backoff, since 09:04:58 (2s ago)
                  exit 1, the third time; next step in 3s  orch.yaml:14:3

                  09:04:58  2s ago  backoff  the next attempt comes after 5s  launch 7  orch.yaml:15:5
                  09:04:58  2s ago  exited   it ended by itself (exit 1)  launch 7

                """)
    }

    @Test func eventsAreOneLineEach() throws {
        let platform = platform()
        #expect(run("events --json", on: platform) == .success)
        #expect(try JSON.parse(platform.output)["event"] == "backoff")
    }

    @Test func unknownServicesAreSuggested() {
        let platform = platform()
        #expect(run("why dbb", on: platform) == .failed)
        #expect(platform.errors == "orch: shop has no service \"dbb\"\nhelp: did you mean \"db\"?\n")
    }

    @Test(arguments: [
        "frobnicate", "status --nope", "apply a b", "stop", "stauts", "apply --wait-timeout 5",
        "events --since yesterday",
    ])
    func wrongUsageIs64(words: String) {
        let platform = platform()
        #expect(run(words, on: platform) == .usage)
        #expect(!platform.errors.isEmpty && platform.commands.isEmpty)
    }

    @Test(arguments: ["--version", "--help", "help", "apply --help", "daemon --help", "completion bash"])
    func answersAboutItselfSucceed(words: String) {
        let platform = platform()
        #expect(run(words, on: platform) == .success)
        #expect(!platform.output.isEmpty && platform.errors.isEmpty)
    }
}

// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

@Suite struct LogsCommandTests {
    private func platform(terminal: TerminalSize? = nil) -> ScriptedPlatform {
        var web = InstanceStatus.sample("web", .ready)
        web.stdoutLog = "/logs/web/stdout.log"
        var db = InstanceStatus.sample("db", .ready)
        db.stdoutLog = "/logs/db/stdout.log"
        let platform = ScriptedPlatform(terminal: terminal) { command in
            if case .status = command { [.reply(.status([.shop([db, web])]))] } else { [] }
        }
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\n"
        platform.files["/logs/web/stdout.log"] = "one\n\u{1B}[31mtwo\u{1B}[0m\nthree"
        platform.files["/logs/db/stdout.log"] = "ready\n"
        return platform
    }

    @Test func aPipeGetsTheBytesOfASingleService() {
        let platform = platform()
        #expect(run("logs web", on: platform) == .success)
        #expect(platform.output == "one\n\u{1B}[31mtwo\u{1B}[0m\nthree")
    }

    @Test func aTerminalIsNotDrivenByALog() {
        let platform = platform(terminal: TerminalSize(columns: 80, rows: 24))
        _ = run("logs web", on: platform)
        #expect(platform.output == "one\n\\e[31mtwo\\e[0m\nthree\n")
    }

    @Test func severalServicesAreNamed() {
        let platform = platform()
        _ = run("logs --grep o", on: platform)
        #expect(platform.output == "web | one\nweb | \u{1B}[31mtwo\u{1B}[0m\n")
    }

    @Test func theNewestLinesAreCounted() {
        let platform = platform()
        _ = run("logs web -n 1", on: platform)
        #expect(platform.output == "three")
    }

    @Test func aLaunchBeforeIsAskedForAndMayBeMissing() {
        let platform = platform()
        #expect(run("logs web --previous", on: platform) == .failed)
        #expect(platform.errors.contains("no earlier launch"))
        #expect(run("logs web --previous -f", on: platform) == .usage)
    }

    @Test func whatIsRedactedIsNeitherShownNorFoundNorSent() throws {
        let platform = ScriptedPlatform { command in
            var web = InstanceStatus.sample("web", .ready)
            web.stdoutLog = "/logs/web/stdout.log"
            web.redactedLog = ["hunter2", "er2tail"]
            if case .status = command { return [.reply(.status([.shop([web])]))] }
            return []
        }
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\n"
        platform.files["/logs/web/stdout.log"] = "user=ada password=hunter2\nhunter2tail and hunter2\nplain\n"
        #expect(run("logs web", on: platform) == .success)
        #expect(platform.output == "user=ada password=[redacted]\n[redacted] and [redacted]\nplain\n")
        let shown = platform.output
        #expect(run("logs web --grep hunter", on: platform) == .success)
        #expect(platform.output == shown, "grepping must not tell what is hidden")
        #expect(run("logs web --grep user --json", on: platform) == .success)
        #expect(
            try JSON.parse(String(platform.output.dropFirst(shown.count)))["line"] == "user=ada password=[redacted]")
    }

    @Test func secretsAreMaskedLineByLine() throws {
        let platform = ScriptedPlatform { command in
            var web = InstanceStatus.sample("web", .ready)
            web.stdoutLog = "/logs/web/stdout.log"
            web.secretFiles = ["/run/token", "/run/gone"]
            if case .status = command { return [.reply(.status([.shop([web])]))] }
            return []
        }
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\n"
        platform.files["/run/token"] = "first-half\r\nsecond\nab\n"
        platform.files["/logs/web/stdout.log"] = "a first-half, secosecond\nab first-hal\nsecond"
        #expect(run("logs web", on: platform) == .success)
        #expect(platform.output == "a [redacted], seco[redacted]\nab first-hal\n[redacted]")
        let shown = platform.output
        #expect(run("logs web --grep first-half", on: platform) == .success)
        #expect(platform.output == shown, "nobody finds by guessing")
        platform.files["/run/token"] = String(repeating: "x", count: Limits.secretBytes + 1)
        #expect(run("logs web", on: platform) == .failed)
        #expect(platform.output == shown && platform.errors.contains("/run/token"))
    }

    @Test func aPatternThatCannotBeReadHidesEverything() {
        let platform = ScriptedPlatform { command in
            var web = InstanceStatus.sample("web", .ready)
            web.stdoutLog = "/logs/web/stdout.log"
            web.redactedLog = ["["]
            if case .status = command { return [.reply(.status([.shop([web])]))] }
            return []
        }
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\n"
        platform.files["/logs/web/stdout.log"] = "secret\n"
        #expect(run("logs web", on: platform) == .failed)
        #expect(platform.output == "" && platform.errors.contains("unmatched ["))
        #expect(platform.errors.contains("logging.redact of web"))
    }

    @Test func halfALineAtTheCutOfATailIsNotShownWhereSomethingIsMasked() {
        let mask = Redaction([
            { line, start in
                let text = String(decoding: line[start...], as: UTF8.self)
                return text.hasPrefix("key=") ? start..<line.count : nil
            }
        ])
        let cut = Array(
            ("rest-of-a-key\n" + String(repeating: "x", count: FailureView.tailBytes) + "\nkey=1\nend\n").utf8)
        #expect(FailureView.lastLines(of: Array(cut.suffix(FailureView.tailBytes)), mask) == ["[redacted]", "end"])
        #expect(FailureView.lastLines(of: Array("first\nkey=1\n".utf8), mask) == ["first", "[redacted]"])
        #expect(FailureView.lastLines(of: Array("key=1\n".utf8), Redaction()) == ["key=1"])
    }

    @Test func jsonSaysWhose() throws {
        let platform = platform()
        _ = run("logs db --json", on: platform)
        let line = try JSON.parse(platform.output)
        #expect(line["service"] == "db" && line["stream"] == "stdout" && line["line"] == "ready")
    }
}

@Suite struct UpCommandTests {
    private func platform(isRunning: Bool, _ life: [ScriptedPlatform.Step]) -> ScriptedPlatform {
        let platform = ScriptedPlatform { command in
            switch command {
            case .status: [.reply(.status(isRunning ? [.shop([.sample("db", .ready)])] : []))]
            case .diff: [.reply(.plan(Plan(stack: "shop", revision: "", changes: [])))]
            case .apply: [.reply(.accepted(nil, text: nil))]
            case .follow(_, .forever, _): life
            case .follow(_, .gone, _): [.reply(.verdict(.reached))]
            case .down: [.reply(.accepted(nil, text: nil))]
            default: []
            }
        }
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\nservices:\n  db: { command: [sleep, inf] }\n"
        return platform
    }

    @Test func ctrlCStopsInOrder() {
        let platform = platform(
            isRunning: false, [.reply(.instance(.sample("db", .ready))), .pause(.seconds(1)), .interrupt])
        #expect(run("up", on: platform) == .interrupted)
        #expect(platform.commands.contains(.down(stack: "shop", timeout: nil)))
        #expect(platform.errors.contains("orch: shop is down"))
    }

    @Test func ctrlCOnlyLeavesWhatRanBefore() {
        let platform = platform(isRunning: true, [.reply(.instance(.sample("db", .ready))), .interrupt])
        #expect(run("up", on: platform) == .interrupted)
        #expect(!platform.commands.contains(.down(stack: "shop", timeout: nil)))
        #expect(platform.errors.contains("shop runs on"))
    }

    @Test func aSecondCtrlCKills() {
        let platform = platform(isRunning: false, [.reply(.instance(.sample("db", .ready))), .interrupt, .interrupt])
        #expect(run("up", on: platform) == .interrupted)
        #expect(platform.commands.contains(.down(stack: "shop", timeout: .zero)))
    }

    @Test(
        arguments: [
            (Exit.code(0), ExitCode.success), (.code(3), ExitCode(rawValue: 3)),
            (.signal(.kill, coreDumped: false), ExitCode(rawValue: 137)),
            (nil, .failed),
        ] as [(Exit?, ExitCode)]) func itHasTheCodeOfTheEndThatStoppedTheStack(exit: Exit?, code: ExitCode)
    {
        var isOver = false
        let platform = ScriptedPlatform { command in
            switch command {
            case .status:
                defer { isOver = true }
                var stack = StackStatus.shop([])
                let db = InstanceStatus.sample("db", .done).id
                stack.stoppedBy = StackStop(instance: db, reason: "db is done: ended with exit 0", exit: exit)
                return [.reply(.status(isOver ? [stack] : []))]
            case .diff: return [.reply(.plan(Plan(stack: "shop", revision: "", changes: [])))]
            case .apply: return [.reply(.accepted(nil, text: nil))]
            case .follow(_, .forever, _): return [.reply(.instance(.sample("db", .done)))]
            default: return []
            }
        }
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\nservices:\n  db: { command: [sleep, inf] }\n"
        #expect(run("up", on: platform) == code)
        #expect(platform.errors.contains("orch: shop stopped: db is done: ended with exit 0"))
    }

    @Test func endsWhenEverythingHasFailed() {
        let platform = platform(isRunning: false, [.reply(.instance(.sample("db", .failed, reason: "exit 1")))])
        #expect(run("up", on: platform) == .failed)
        #expect(platform.errors.contains("`orch why db` tells the story"))
    }
}

@Suite struct OtherCommandTests {
    @Test func downNamesWhatItWaitsFor() {
        let platform = ScriptedPlatform { command in
            switch command {
            case .status: [.reply(.status([.shop([.sample("db", .ready), .sample("web", .ready)])]))]
            case .down: [.reply(.accepted(nil, text: nil))]
            case .follow:
                [
                    .reply(.instance(.sample("db", .stopping, reason: "step 1 of 2: SIGTERM, waiting up to 10s"))),
                    .pause(.seconds(1)),
                    .reply(.gone(InstanceStatus.sample("db", .idle).id)), .reply(.verdict(.reached)),
                ]
            default: []
            }
        }
        #expect(run("down --timeout 5s", on: platform) == .success)
        #expect(platform.commands.contains(.down(stack: "shop", timeout: .seconds(5))))
        #expect(platform.output.contains("db   stopping   step 1 of 2: SIGTERM, waiting up to 10s\n"))
        #expect(platform.output.hasSuffix("shop: down in 1.0s; logs and history stay\n"))
    }

    @Test(arguments: [("reached", ExitCode.success), ("failed", .failed), ("late", .deadline)])
    func waitHasAnExitCodeForEachEnd(end: String, code: ExitCode) {
        let platform = ScriptedPlatform { command in
            switch command {
            case .status: [.reply(.status([.shop([.sample("db", .starting)])]))]
            case .follow(_, let goal, _):
                goal == .reached(.healthy)
                    ? end == "reached"
                        ? [.reply(.verdict(.reached))]
                        : end == "failed" ? [.reply(.verdict(.failed("db is failed")))] : [.pause(.seconds(100))] : []
            default: []
            }
        }
        #expect(run("wait db --for healthy --timeout 3s", on: platform) == code)
    }

    @Test(arguments: ["stop db", "down", "restart db", "start db", "wait db"])
    func whatNeedsADaemonSaysSo(words: String) {
        let platform = ScriptedPlatform()
        platform.isDaemonThere = false
        let starts = words.hasPrefix("restart") || words.hasPrefix("start")
        let exit = run(words, on: platform)
        if !starts { #expect(exit == .daemon) }
        #expect(platform.daemonStarts == (starts ? 1 : 0))
    }

    @Test func diffExitsTwoOnChanges() throws {
        let plan = ApplyCommandTests.plan
        let platform = ScriptedPlatform { command in if case .diff = command { [.reply(.plan(plan))] } else { [] } }
        platform.files["/home/ada/shop/orch.yaml"] = ApplyCommandTests.manifest
        #expect(run("diff --json", on: platform) == .changes)
        #expect(try JSON.parse(platform.output) == plan.value)
    }

    @Test func diffWithoutADaemonComparesWithWhatIsStored() {
        let platform = ScriptedPlatform()
        platform.isDaemonThere = false
        platform.files["/home/ada/shop/orch.yaml"] = ApplyCommandTests.manifest
        #expect(run("plan", on: platform) == .changes)
        #expect(platform.output.contains("2 to create."))
        #expect(platform.errors.contains("no daemon runs") && platform.daemonStarts == 0)
    }

    @Test func validateFindsWhatIsWrong() {
        let platform = ScriptedPlatform()
        platform.files["/home/ada/shop/orch.yaml"] = ApplyCommandTests.manifest
        #expect(run("validate", on: platform) == .success)
        #expect(platform.output == "orch.yaml: ok, stack shop with 2 services\n")
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\nname: shop\n"
        #expect(run("validate --json", on: platform) == .manifest)
    }

    @Test func configLoadsAgain() {
        let platform = ScriptedPlatform()
        platform.files["/home/ada/shop/orch.yaml"] = ApplyCommandTests.manifest
        #expect(run("config", on: platform) == .success)
        platform.files["/home/ada/shop/again.yaml"] = platform.output
        #expect(run("validate again.yaml", on: platform) == .success)
    }
}

// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

@Suite struct ApplyCommandTests {
    static let manifest = "name: shop\nservices:\n  web: { command: [sleep, inf] }\n  db: { command: [sleep, inf] }\n"
    static let plan = Plan(
        stack: "shop", revision: "ab12cd34ef567890",
        changes: [Change(.create, "db", because: ["it is new"]), Change(.create, "web", because: ["it is new"])])

    private func platform(
        terminal: TerminalSize? = nil, plan: Plan = plan, _ life: [ScriptedPlatform.Step]
    ) -> ScriptedPlatform {
        let platform = ScriptedPlatform(terminal: terminal) { command in
            switch command {
            case .diff: [.reply(.plan(plan))]
            case .apply: [.reply(.accepted(plan, text: nil))]
            case .follow: life
            default: []
            }
        }
        platform.files["/home/ada/shop/orch.yaml"] = Self.manifest
        return platform
    }

    @Test func tellsEveryChangeWhenItIsNotOnATerminal() {
        let platform = platform([
            .reply(.instance(.sample("db", .starting))),
            .reply(.instance(.sample("web", .waiting, reason: "waits for db to be ready"))),
            .pause(.milliseconds(1200)), .reply(.instance(.sample("db", .ready))),
            .reply(.instance(.sample("web", .starting))),
            .pause(.milliseconds(500)), .reply(.instance(.sample("web", .ready))), .reply(.verdict(.reached)),
        ])
        #expect(run("apply", on: platform) == .success)
        #expect(
            platform.output == """
                Plan for shop  revision ab12cd34ef56

                  + db   create  because it is new
                  + web  create  because it is new

                2 to create.
                   0.0s  db   starting
                   0.0s  web  waiting    waits for db to be ready
                   1.2s  db   ready
                   1.2s  web  starting
                   1.7s  web  ready
                shop: 2 of 2 ready in 1.7s

                """)
        #expect(platform.errors == "")
    }

    @Test func handsTheCallerOn() {
        let platform = platform([.reply(.verdict(.reached))])
        _ = run("apply --adopt --env PORT=1", on: platform)
        guard case .apply(let request) = platform.commands[1] else {
            Issue.record("no apply was sent: \(platform.commands)")
            return
        }
        #expect(request.adopt && request.fileLimit == 1024)
        #expect(request.manifestPath == "/home/ada/shop/orch.yaml")
    }

    @Test func startsTheDaemonThatIsNotThere() {
        let platform = platform([.reply(.verdict(.reached))])
        platform.isDaemonThere = false
        #expect(run("apply", on: platform) == .success)
        #expect(platform.daemonStarts == 1)
    }

    @Test func namesWhatFailedAndWhatItWroteLast() {
        var broken = InstanceStatus.sample("web", .failed, reason: "exit 1 five times within 10m")
        broken.stderrLog = "/state/logs/shop/web/stderr.log"
        broken.position = Position(file: "orch.yaml", line: 3, column: 3)
        let platform = platform([
            .reply(.instance(.sample("db", .ready))), .reply(.instance(.sample("web", .starting))), .pause(.seconds(2)),
            .reply(.instance(broken)), .reply(.verdict(.failed("web is failed"))),
        ])
        platform.files["/state/logs/shop/web/stderr.log"] = "Traceback\nValueError: \u{1B}[31mno\n"
        #expect(run("apply", on: platform) == .failed)
        let end = platform.output.split(separator: "\n").suffix(5).joined(separator: "\n")
        #expect(
            end == """
                  ✗ web  failed: exit 1 five times within 10m  orch.yaml:3:3
                      log: /state/logs/shop/web/stderr.log
                      │ Traceback
                      │ ValueError: \\e[31mno
                      `orch why web` tells the story
                """)
        #expect(platform.errors == "orch: shop: 1 of 2 failed after 2.0s\n")
    }

    @Test func leavesItGoingOnCtrlC() {
        let platform = platform([.reply(.instance(.sample("db", .starting))), .pause(.seconds(1)), .interrupt])
        #expect(run("apply", on: platform) == .interrupted)
        #expect(platform.errors.hasPrefix("orch: shop: 0 of 1 ready; it goes on\n"))
        #expect(!platform.commands.contains { if case .down = $0 { true } else { false } })
    }

    @Test func givesUpWaitingAtTheDeadline() {
        let platform = platform([.reply(.instance(.sample("db", .starting))), .pause(.seconds(1000))])
        #expect(run("apply --wait-timeout 5s", on: platform) == .deadline)
        #expect(platform.errors.contains("0 of 1 ready after 5.0s"))
        #expect(platform.now.instant == Instant(nanoseconds: 1_005_000_000_000))
    }

    @Test(arguments: [("y", ExitCode.success), ("", .refused)])
    func asksBeforeServicesAreRemoved(answer: String, exit: ExitCode) {
        let removal = Plan(
            stack: "shop", revision: "ab", changes: [Change(.remove, "old", because: ["it is not in the manifest"])])
        let platform = platform(
            terminal: TerminalSize(columns: 80, rows: 24), plan: removal, [.reply(.verdict(.reached))])
        platform.answerToQuestion = answer
        #expect(run("apply", on: platform) == exit)
        let isApplied = platform.commands.contains { if case .apply = $0 { true } else { false } }
        #expect(isApplied == (exit == .success))
        #expect(platform.output.contains("This removes old. Go on? [y/N] "))
    }

    @Test func goesOnWithTheNextDaemon() {
        let platform = platform([])
        var follows = 0
        platform.script = { command in
            switch command {
            case .diff: return [.reply(.plan(Self.plan))]
            case .apply: return [.reply(.accepted(Self.plan, text: nil))]
            case .follow:
                follows += 1
                if follows == 1 { return [.reply(.instance(.sample("db", .starting))), .replace] }
                return [.reply(.instance(.sample("db", .ready))), .reply(.verdict(.reached))]
            default: return []
            }
        }
        #expect(run("apply", on: platform) == .success)
        #expect(follows == 2)
        #expect(platform.output.hasSuffix("shop: 1 of 1 ready in 0.0s\n"))
        #expect(platform.errors == "")
    }

    @Test func saysThatTheDaemonEndedForGood() {
        let platform = platform([.reply(.instance(.sample("db", .starting))), .hangUp])
        #expect(run("apply", on: platform) == .daemon)
        #expect(platform.errors.hasPrefix("orch: the daemon ended the connection\n"))
    }

    @Test func showsThePlanAnewWhenAnotherApplyCameBetween() {
        let platform = platform([.reply(.verdict(.reached))])
        let other = Plan(stack: "shop", revision: "ab", changes: [Change(.restart, "web", because: ["it changed"])])
        let script = platform.script
        platform.script = { command in
            if case .apply = command { return [.reply(.accepted(other, text: nil))] }
            return script(command)
        }
        #expect(run("apply", on: platform) == .success)
        #expect(platform.errors == "orch: the stack changed meanwhile; this is what is done:\n")
        #expect(platform.output.contains("~ web  restart  because it changed"))
    }

    @Test func printsEveryMistakeAndChangesNothing() {
        let platform = platform([])
        platform.files["/home/ada/shop/orch.yaml"] = "name: shop\nservices:\n  web: { comand: x, restart: sometimes }\n"
        #expect(run("apply", on: platform) == .manifest)
        #expect(platform.commands.isEmpty)
        #expect(platform.errors.contains("orch.yaml:3:10: error[unknown-key]"))
        #expect(platform.errors.contains("did you mean \"command\"?"))
    }

    @Test func refusesToChangeADaemonOfAnotherVersion() {
        let platform = platform([])
        platform.version = "9.9.9"
        #expect(run("apply --detach", on: platform) == .refused)
        #expect(platform.errors.contains("orch daemon upgrade"))
    }
}

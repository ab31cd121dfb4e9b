// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// `config_files`: what is in them is part of the definition.
@Suite struct ConfigFileRules {
    private let command = ReloadSpec.command(.exec(["/bin/reload"]), timeout: .seconds(3))

    private func file(_ content: UInt8) -> [ConfigFile] {
        [ConfigFile("/etc/web.conf", content: Digest(of: [content]))]
    }

    private func web(_ reload: ReloadSpec?, _ adjust: (inout ServiceSpec) -> Void = { _ in }) -> ServiceSpec {
        service("web") {
            $0.reload = reload
            $0.configFiles = file(1)
            adjust(&$0)
        }
    }

    @Test func aChangeIsTakenUpByAReload() {
        timeline("apply executes the reload, and waits for it") {
            web(command)
            world("web", "r---y--")
            orch("web", "L-R----")
            phases("web", "rrllrrr")
            change("web", at: 2) { $0.configFiles = file(2) }
            told("web", .reloading, at: 2, "its config files changed")
            verdict(on: .settled, at: 3, is: .pending)
            verdict(on: .settled, at: 4, is: .reached)
            asleep
        }
        timeline("by a signal") {
            web(.signal(.hangup))
            world("web", "r---")
            orch("web", "L-H-")
            change("web", at: 2) { $0.configFiles = file(2) }
            verdict(on: .settled, at: 2, is: .reached)
        }
    }

    @Test func withoutAReloadItRestarts() {
        timeline("the definition changed") {
            web(nil)
            orch("web", "L-T--")
            orch("web", "--L--")
            change("web", at: 2) { $0.configFiles = file(2) }
        }
    }

    @Test func nothingElseMakesItReload() {
        timeline("the same once more, and live changes") {
            web(command)
            world("web", "r----")
            orch("web", "L----")
            applyAgain(at: 2)
            change("web", at: 3) { $0.title = "The shop" }
            change("web", at: 4) { $0.reload = .signal(.hangup) }
        }
    }

    @Test func aRestartTakesThemUpToo() {
        timeline("one that starts anew has read what is there") {
            web(command)
            orch("web", "L-T--")
            orch("web", "--L--")
            change("web", at: 2) {
                $0.configFiles = file(2)
                $0.environment = [EnvironmentEntry("A", "1")]
            }
        }
    }

    @Test func whatIsRefusedIsTriedAgainByAnApply() {
        timeline("not by itself, nor by the next daemon") {
            web(command)
            world("web", "r--q-----y-")
            orch("web", "L-R-----R--")
            daemon("-----✝=----")
            phases("web", "rrlrr==rlrr")
            change("web", at: 2) { $0.configFiles = file(2) }
            verdict(on: .settled, at: 4, is: .failed("web: its reload failed: exit 1: no such port"))
            reason("web", at: 4, "its reload failed: exit 1: no such port")
            applyAgain(at: 8)
            verdict(on: .settled, at: 9, is: .reached)
        }
        timeline("the content from before asks for nothing") {
            web(command)
            world("web", "r--q---")
            orch("web", "L-R----")
            change("web", at: 2) { $0.configFiles = file(2) }
            change("web", at: 5) { $0.configFiles = file(1) }
            verdict(on: .settled, at: 5, is: .reached)
        }
    }

    @Test func theNewestContentIsTakenUpLast() {
        timeline("a change during the reload is one more") {
            web(command)
            world("web", "r--y-y-")
            orch("web", "L-RR---")
            change("web", at: 2) { $0.configFiles = file(2) }
            change("web", at: 3) { $0.configFiles = file(3) }
            verdict(on: .settled, at: 5, is: .reached)
        }
    }

    @Test func theNextDaemonKnowsWhatWasTakenUp() {
        timeline("and does again what the former one did not see end") {
            web(command)
            world("web", "r---y-----")
            orch("web", "L-R-------")
            daemon("------✝=--")
            change("web", at: 2) { $0.configFiles = file(2) }
            verdict(on: .settled, at: 8, is: .reached)
        }
        timeline("the daemon dies before the reload") {
            web(command)
            world("web", "r----y--")
            orch("web", "L---R---")
            daemon("--b=----")
            change("web", at: 2) { $0.configFiles = file(2) }
            verdict(on: .settled, at: 5, is: .reached)
        }
    }

    @Test func thePlanNamesFileAndFate() throws {
        var world = FleetWorld { _, _ in SimulatedLife() }
        try world.apply(request([web(command)]))
        world.run(for: .seconds(1))
        func plan(_ spec: ServiceSpec) throws -> Change? { try world.fleet.plan(for: request([spec])).changes.first }
        let changed = try plan(web(command) { $0.configFiles = file(2) })
        #expect(changed?.action == .reload && changed?.because == ["config file /etc/web.conf changed"])
        #expect(changed?.fields.map(\.path) == [#"config_files."/etc/web.conf""#])
        #expect(changed?.fields.map(\.fate) == [.reload])
        #expect(try plan(web(nil) { $0.configFiles = file(2) })?.action == .restart)
        #expect(try plan(web(command) { $0.configFiles = [] })?.because == ["/etc/web.conf is no config file any more"])
        #expect(try plan(web(.signal(.hangup)))?.fields.allSatisfy { $0.fate == .live } == true)
        let muted = try plan(web(nil))
        #expect(muted?.action == .restart && muted?.fields.first { $0.path.hasPrefix("reload") }?.fate == .restart)
        world.command(.stop([target("web")], timeout: nil))
        world.run(for: .seconds(1))
        #expect(try plan(web(command) { $0.configFiles = file(2) })?.action == .start)
    }
}

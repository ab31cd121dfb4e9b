// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// Files change.
@Suite struct WatchRules {
    @Test func manyChangesAreOneRestart() {
        timeline("changes are one action once they rest for the debounce") {
            service("web") { $0.watch = [WatchRule(path: "/src")] }
            orch("web", "L----T---")
            orch("web", "-----L---")
            files(of: "web", ["/src/a", "/src/b"], at: 1, 2, 3)
            told("web", .stopping, at: 5, "/src/a and 5 more changed (watch)")
        }
    }

    @Test func changesThatNeverRestAreNotWaitedForForEver() {
        timeline("ten times the debounce after the first change something is done though they go on") {
            service("web") {
                $0.watch = [WatchRule(path: "/src")]
                $0.watch[0].debounce = .seconds(1)
                $0.watch[0].action = .signal(.hangup)
            }
            world("web", "----------------")
            orch("web", "L----------H----")
            files(of: "web", ["/src/a"], at: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
        }
    }

    @Test func whatItChangesItselfWhenItStartsIsNothing() {
        timeline("changes from the action until it has been up for the debounce come from its own restart") {
            service("web") {
                $0.ready = .notify
                $0.watch = [WatchRule(path: "/src")]
            }
            world("web", "r----t--r-------")
            orch("web", "L---T-----------")
            orch("web", "-----L----------")
            phases("web", "rrrrpsssrrrrrrrr")
            files(of: "web", ["/src/a"], at: 2, 6, 7, 9)
        }
    }

    @Test func aLoopIsSlowed() {
        timeline("who keeps changing what it watches is restarted at growing distances") {
            service("web") {
                $0.watch = [WatchRule(path: "/src")]
                $0.watch[0].debounce = .seconds(1)
            }
            //            0    5    10   15   20   25   30
            orch("web", "L-T--T--T--T--T--T---T-------T-")
            orch("web", "--L--L--L--L--L--L---L-------L-")
            files(of: "web", ["/src/a"], at: 1, 4, 7, 10, 13, 16, 19, 23)
        }
    }

    @Test func itsOwnLogsAreNothing() {
        timeline("what the service's own logging writes is no change") {
            service("web") {
                $0.logging.stdout = .file("/src/web.log")
                $0.watch = [WatchRule(path: "/src")]
            }
            orch("web", "L-----")
            files(of: "web", ["/src/web.log", "/src/web.log.3"], at: 1, 2)
            asleep
        }
    }

    @Test func aStopVoidsWhatWaits() {
        timeline("what was seen before a stop by hand does nothing after the next start") {
            service("web") { $0.watch = [WatchRule(path: "/src")] }
            orch("web", "L-TL-----")
            files(of: "web", ["/src/a"], at: 1)
            command(.stop([target("web")], timeout: nil), at: 2)
            command(.start([target("web")]), at: 3)
        }
    }

    /// What nobody wants is not watched, and a new name is watched under that.
    @Test func onlyWhatIsWantedIsWatched() throws {
        let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        var recovery = Recovery()
        recovery.isNewBoot = false
        var fleet = Fleet(recovering: recovery, at: now)
        func watched(after order: Order) -> [Effect] {
            fleet.observe(.commanded(order), at: now)
            return fleet.reconcile(at: now).filter { if case .watch = $0 { true } else { false } }
        }
        let rules = [WatchRule(path: "/src"), WatchRule(path: "/etc/web.conf")]
        let web = service("web") { $0.watch = rules }
        let id = ServiceID(stack: "s", service: "web")
        #expect(watched(after: .apply(try fleet.admit(request([web]), at: now))) == [.watch(id, rules)])
        #expect(watched(after: .restart([target("web")])) == [])
        #expect(watched(after: .stop([target("web")], timeout: nil)) == [.watch(id, [])])
        #expect(watched(after: .start([target("web")])) == [.watch(id, rules)])
        let site = service("site") {
            $0.watch = [rules[1]]
            $0.renamedFrom = "web"
        }
        let moved = ServiceID(stack: "s", service: "site")
        #expect(
            watched(after: .apply(try fleet.admit(request([site]), at: now)))
                == [.watch(id, []), .watch(moved, [rules[1]])])
        #expect(watched(after: .down(stack: "s", timeout: nil)) == [.watch(moved, [])])
    }

    @Test func aCascadeGoesOnToWhatNeedsIt() {
        timeline("cascade: what needs it is restarted with it, in order") {
            service("db") {
                $0.watch = [WatchRule(path: "/src")]
                $0.watch[0].cascade = true
            }
            service("api", needs: ["db"])
            service("web", needs: ["api"])
            files(of: "db", ["/src/a"], at: 1)
            orch("db", "L--T--")
            orch("db", "---L--")
            orch("api", "L--T--")
            orch("api", "---L--")
            orch("web", "L--T--")
            orch("web", "---L--")
        }
    }

    @Test func commandsAndReloadsAreDone() {
        timeline("reload and command are done to what runs, and to nothing that doesn't") {
            service("web") {
                $0.watch = [WatchRule(path: "/src")]
                $0.watch[0].action = .command(.exec(["/bin/build"]))
            }
            orch("web", "L--S-T----")
            command(.stop([target("web")], timeout: nil), at: 5)
            files(of: "web", ["/src/a"], at: 1, 6)
            told("web", .changed, at: 3, "/src/a changed (watch)")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// What a service that is to announce itself must do, and what a new daemon knows of it.
@Suite struct ReadyRules {
    @Test func aLineIsReady() {
        timeline("ready: log waits for the line, names its pattern, and gates whoever needs it") {
            service("db") { $0.ready = .log("accept connections$") }
            service("web", needs: ["db"])
            world("db", "---r---")
            orch("web", "---L---")
            phases("db", "sssrrrr")
            phases("web", "wwwrrrr")
            reason("db", at: 1, #"no line that it wrote has matched "accept connections$" yet"#)
            told("db", .ready, at: 3, #"a line that it wrote matched "accept connections$" after 3s"#)
        }
    }

    @Test func aNewlineIsReady() {
        timeline("ready: fd waits for the newline and names the descriptor") {
            service("db") { $0.ready = .fd(3) }
            service("web", needs: ["db"])
            world("db", "---r---")
            orch("web", "---L---")
            phases("db", "sssrrrr")
            reason("db", at: 1, "it has not written a newline to descriptor 3 yet")
            told("db", .ready, at: 3, "it wrote a newline to descriptor 3 after 3s")
        }
    }

    @Test func eachWaitsForItsOwnWord() throws {
        for (ready, other) in [(ReadySpec.log("up"), Notice.ready), (.fd(3), .ready), (.notify, .line)] {
            let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
            var recovery = Recovery()
            recovery.isNewBoot = false
            var fleet = Fleet(recovering: recovery, at: now)
            let web = service("web") { $0.ready = ready }
            fleet.observe(.commanded(.apply(try fleet.admit(request([web]), at: now))), at: now)
            _ = fleet.reconcile(at: now)
            fleet.observe(.launched(LaunchID(1), pid: 1, ports: [], tracking: "cgroup"), at: now)
            for (notice, phase) in [(other, Phase.starting), (ready.notice, .ready)] {
                fleet.observe(.notified(LaunchID(1), notice), at: now)
                _ = fleet.reconcile(at: now)
                #expect(fleet.status(of: nil).flatMap(\.instances).first?.phase == phase)
            }
        }
    }

    @Test func aLongPatternIsCut() {
        let pattern = String(repeating: "a", count: 100)
        timeline("a reason stays short whatever the pattern") {
            service("db") { $0.ready = .log(pattern) }
            world("db", "---r")
            reason("db", at: 1, "has matched \"\(pattern.prefix(79))…\" yet")
        }
    }

    @Test func neverWrittenIsAFailure() {
        timeline("start_timeout: what did not come is named") {
            service("web") {
                $0.ready = .log("listening")
                $0.startTimeout = .seconds(3)
                $0.restart.maxAttempts = 0
            }
            world("web", "-----0--")
            orch("web", "L--T----")
            phases("web", "sssppfff")
            reason("web", at: 6, #"not ready within 3s: no line that it wrote has matched "listening" yet"#)
        }
    }

    @Test func whatWasSaidIsKnownToTheNextDaemon() {
        for ready in [ReadySpec.log("listening"), .notify] {
            timeline("a service announces itself once: the word is kept while its probes have not passed") {
                service("web") {
                    $0.ready = ready
                    $0.health.readiness = probe()
                }
                world("web", "p-r-----g---")
                world("web", "--p---------")
                daemon("----✝==-----")
                phases("web", "ssss===srrrr")
            }
        }
    }
}

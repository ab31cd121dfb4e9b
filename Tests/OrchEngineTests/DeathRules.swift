// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// The daemon dies and another one wakes: services run on, and nothing is done twice or forgotten.
@Suite struct DeathRules {
    @Test func whatLivesIsAdopted() {
        timeline("a new daemon takes over what lives, and restarts what died meanwhile") {
            service("db")
            service("web", needs: ["db"]) { $0.restart.delay = .seconds(1) }
            orch("db", "L---------")
            world("web", "---x------")
            orch("web", "L-----L---")
            phases("web", "rr===brrrr")
            daemon("--✝==-----")
            told("db", .adopted, at: 5, "kept")
        }
    }

    @Test func aStopUnderWayGoesOn() {
        timeline("the ladder goes on where it was, by the clock that it was begun with") {
            service("web") {
                $0.stop = StopSpec(steps: [
                    .init(.signal(.interrupt, to: .main), wait: .seconds(6)),
                    .init(.signal(.terminate, to: .main), wait: .seconds(2)),
                ])
            }
            world("web", "-----------")
            orch("web", "L-I-----T-K")
            daemon("---✝==-----")
            phases("web", "rrp===ppppi")
            command(.stop([target("web")], timeout: nil), at: 2)
        }
    }

    @Test func aStopIsKnownBeforeItsFirstSignal() {
        timeline(
            "who dies right after the first signal has not forgotten why it was sent: the end that comes of it is not its own"
        ) {
            service("web")
            world("web", "---0---")
            orch("web", "L-T-L--")
            daemon("--a=---")
            command(.restart([target("web")]), at: 2)
        }
    }

    @Test func aFailureThatWasNotedIsActedOn() throws {
        // Who dies with the word that a probe failed, and before the stop, leaves it to the next daemon.
        let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        let spec = service("web") { $0.health.liveness = probe() }
        let applied = try Fleet(recovering: Recovery(), at: now).admit(request([spec]), at: now)
        let launch = LaunchID(1)
        let id = InstanceID(service: ServiceID(stack: "s", service: "web"), replica: 1)
        var recovery = Recovery()
        recovery.stacks = [applied]
        recovery.isNewBoot = false
        recovery.nextLaunch = LaunchID(2)
        recovery.survivors = [Survivor(launch: launch, pid: 1, hasExecuted: true)]
        recovery.notes = [
            .ordered(launch, id, definition: spec.definitionDigest, at: now, restarts: 0),
            .executed(launch, pid: 1, at: now, ports: [], tracking: "cgroup"), .ready(launch, at: now),
            .probed(launch, .liveness, passing: false),
        ]
        var fleet = Fleet(recovering: recovery, at: now)
        let signals = fleet.reconcile(at: now).filter { if case .signal = $0 { true } else { false } }
        #expect(signals.count == 1)
        let status = fleet.status(of: nil).flatMap(\.instances).first
        #expect(status?.phase == .stopping)
        #expect(status?.reason.hasPrefix("liveness probe had failed when the former daemon died") == true)
    }

    @Test func theLastTryIsTheLastOneWhereverTheDaemonDies() throws {
        let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        let spec = service("web") { $0.restart.maxAttempts = 0 }
        // What failed before an apply is forgiven by it.
        let end = Moment(instant: now.instant + .seconds(5), wall: now.wall + .seconds(5))
        var first = Fleet(recovering: Recovery(), at: now)
        let applied = try first.admit(request([spec]), at: now)
        first.observe(.commanded(.apply(applied)), at: now)
        var notes = first.reconcile(at: now).compactMap(\.launchNote)
        let launch = LaunchID(1)
        let survivor = Survivor(launch: launch, pid: 1, hasExecuted: true, exit: .code(1))
        first.observe(.launched(launch, pid: 1, ports: [], tracking: "cgroup"), at: now)
        first.observe(.exited(launch, .code(1)), at: end)
        first.observe(.emptied(launch), at: end)
        let before = notes.count
        notes += first.reconcile(at: end).compactMap(\.launchNote)
        #expect(notes.count > before)
        for count in before...notes.count {
            var recovery = Recovery()
            recovery.stacks = [applied]
            recovery.isNewBoot = false
            recovery.nextLaunch = LaunchID(2)
            recovery.survivors = [survivor]
            recovery.notes = Array(notes.prefix(count))
            var next = Fleet(recovering: recovery, at: end)
            next.observe(.emptied(launch), at: end)
            _ = next.reconcile(at: end)
            let phase = next.status(of: nil).flatMap(\.instances).first?.phase
            #expect(phase == .failed, "after \(count - before) notes of its end")
        }
    }

    @Test func aBackOffIsNotForgotten() {
        timeline("failures are counted over a daemon's death: too many of them is still too many") {
            service("web") {
                $0.restart.delay = .seconds(1)
                $0.restart.factor = 1
                $0.restart.maxAttempts = 2
            }
            world("web", "-x-x-----x--")
            orch("web", "L-L-L-------")
            phases("web", "rbrbr==rrfff")
            daemon("-----✝=-----")
        }
    }

    @Test func aRestIsNotCutShort() {
        timeline("back-off and retry_after go on by the clock that they were begun with") {
            service("a") { $0.restart.delay = .seconds(5) }
            service("b") {
                $0.restart.maxAttempts = 0
                $0.restart.retryAfter = .seconds(6)
            }
            world("a", "-x-------")
            orch("a", "L-----L--")
            phases("a", "rb==bbrrr")
            world("b", "-x-------")
            orch("b", "L------L-")
            phases("b", "rf==fffrr")
            daemon("--✝=-----")
        }
    }

    @Test func whatWasForgivenStaysForgiven() {
        timeline("failures before a start by hand, or before a quiet time, are not counted by the next daemon") {
            service("a") {
                $0.restart.delay = .seconds(1)
                $0.restart.maxAttempts = 1
            }
            service("b") {
                $0.restart.delay = .seconds(1)
                $0.restart.resetAfter = .seconds(3)
            }
            //          0    5    10
            world("a", "-x-x-----x---")
            orch("a", "L-L-L-----L--")
            phases("a", "rbrfrr==rbrrr")
            command(.start([target("a")]), at: 4)
            world("b", "-x----x--x---")
            orch("b", "L-L-----L--L-")
            daemon("------✝=-----")
        }
    }

    @Test func aTaskThatSucceededRunsNoMore() {
        timeline("done stays done through a daemon's death") {
            task("migrate")
            service("web", needs: ["migrate"]) { $0.dependsOn[0].condition = .succeeded }
            world("migrate", "-0-----")
            orch("migrate", "L------")
            orch("web", "-L-----")
            daemon("---✝=--")
        }
    }

    @Test func readinessHoldsAndProbesDoNotFlap() {
        timeline("what was ready is ready for the next daemon before it has asked") {
            service("db") { $0.health.readiness = probe { $0.interval = .seconds(3) } }
            service("web", needs: ["db"])
            world("db", "-------d-")
            asked("db", "R--R-R--R")
            phases("db", "rrr==rrrr")
            orch("web", "L--------")
            daemon("---✝=----")
        }
    }

    @Test func whatAPersonStoppedStaysStopped() {
        timeline(
            "a stop by hand is not undone by the next daemon; after a boot it is, unless its policy says otherwise"
        ) {
            service("a")
            service("b") { $0.restart.policy = .unlessStopped }
            orch("a", "L-T----L-")
            orch("b", "L-T------")
            command(.stop([target()], timeout: nil), at: 2)
            daemon("---✝=-B--")
        }
    }

    @Test func aStackThatGoesDownGoesOnGoing() {
        timeline("down is remembered: the next daemon stops what is left, and starts nothing") {
            service("db")
            service("web", needs: ["db"])
            world("web", "----0------")
            orch("web", "L-T--------")
            world("db", "--------0--")
            orch("db", "L-----T----")
            phases("db", "rrr===pp---")
            command(.down(stack: "s", timeout: nil), at: 2)
            daemon("---✝==-----")
            asleep
        }
    }

    /// The notes of a launch that was released are pruned, but for what the restart ledger has of it.
    @Test func aFailureOfOneLaunchClosesNoOther() throws {
        let request = request([service("web")])
        let stack = request.stack
        let now = Moment(instant: Instant(nanoseconds: 1), wall: WallTime(nanoseconds: 1))
        let id = InstanceID(service: ServiceID(stack: stack.name, service: "web"))
        var recovery = Recovery()
        recovery.isNewBoot = false
        recovery.stacks = [AppliedStack(request: request, revision: stack.digest, appliedAt: now.wall, inherited: [])]
        recovery.notes = [
            .ordered(LaunchID(1), id, definition: stack.services[0].definitionDigest, at: now, restarts: 0),
            .executed(LaunchID(1), pid: 100, at: now, ports: [], tracking: ""),
            .failed(id, LaunchID(4), at: now),
        ]
        recovery.survivors = [Survivor(launch: LaunchID(1), pid: 100, hasExecuted: true)]
        recovery.nextLaunch = LaunchID(5)
        let fleet = Fleet(recovering: recovery, at: now)
        #expect(fleet.openLaunches == [LaunchID(1)])
        #expect(fleet.status(of: id)?.launch == LaunchID(1))
    }

    @Test func aStopByHandDiesWithTheBootAndStaysDead() {
        timeline("stopped by hand, it starts again after a boot, and no later daemon of that boot stops it") {
            service("web")
            world("web", "---0-------")
            orch("web", "L-T---L----")
            phases("web", "rrpii=rr=rr")
            command(.stop([target("web")], timeout: nil), at: 2)
            daemon("-----B--✝--")
        }
    }

    @Test func afterABootEverythingEnabledStarts() {
        timeline("a boot leaves nothing alive: all starts again, in order") {
            service("db") { $0.ready = .notify }
            service("web", needs: ["db"])
            world("db", "r----r--")
            orch("db", "L---L---")
            orch("web", "L----L--")
            daemon("---B----")
        }
    }
}

extension Effect {
    fileprivate var launchNote: LaunchNote? { if case .note(let note) = self { note } else { nil } }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// What a tree may use: looked at every two seconds, and only where there is a limit.
@Suite struct LimitRules {
    @Test func whoHasNoLimitsWakesNobody() {
        timeline("without limits nothing is looked at, with them it is looked at as long as it runs") {
            service("api") { $0.resources.memory = 1_000 }
            service("web")
            //             0    5    10
            asked("api", "--M-M-M-----")
            asked("web", "------------")
            command(.stop([target("api")], timeout: nil), at: 7)
            asleep
        }
    }

    @Test func whatIsBeyondALimitIsTold() {
        timeline("report tells once that it is beyond its limit, and once that it keeps within it again") {
            service("web") { $0.resources.memory = 1_000_000 }
            uses("web", from: 3) { $0.memoryBytes = 3_000_000 }
            uses("web", from: 7) { $0.memoryBytes = 500_000 }
            //            0    5    10   15   20
            world("web", "---------------------")
            orch("web", "L--------------------")
            phases("web", "rrrrrrrrrrrrrrrrrrrrr")
            told("web", .exceeded, at: 4, "memory: 3.0 MB, and its limit is 1.0 MB")
            told("web", .recovered, at: 18, "memory: 500 kB, within its limit of 1.0 MB again")
        }
    }

    @Test func whatFluctuatesIsToldOnce() throws {
        var script = TimelineScript(column: .seconds(1))
        let lines: [TimelineLine] = [
            .service(service("web") { $0.resources.pids = 3 }), world("web", String(repeating: "-", count: 40)),
        ]
        let uses = stride(from: 2, to: 40, by: 4).flatMap { column in
            [
                OrchEngineTests.uses("web", from: column) { $0.pids = 4 },
                OrchEngineTests.uses("web", from: column + 2) { $0.pids = 2 },
            ]
        }
        for line in lines + uses { script.take(line) }
        var world = DrawnWorld(script)
        world.run()
        #expect(world.mistakes == [])
        #expect(world.tellings.count { $0.kind == .exceeded } == 1)
        #expect(!world.tellings.contains { $0.kind == .recovered })
    }

    @Test func restartIsAFailureAndTakesTheLadder() {
        timeline("on_exceed: restart stops it by its ladder, counts a failure and starts it again") {
            service("web") {
                $0.resources.files = 10
                $0.resources.onExceed = .restart
                $0.restart.delay = .seconds(2)
            }
            uses("web", from: 2) { $0.files = 11 }
            uses("web", from: 3) { $0.files = 5 }
            //            0    5    10
            world("web", "---t--------")
            orch("web", "L-T--L------")
            phases("web", "rrpbbrrrrrrr")
            reason("web", at: 2, "files: 11, and its limit is 10 (on_exceed: restart)")
            told("web", .backoff, at: 3, "retry 1 in 2s after files: 11, and its limit is 10")
        }
    }

    @Test func stopEndsItWithTheReason() {
        timeline("on_exceed: stop stops it for good, and says why") {
            service("web") {
                $0.resources.threads = 8
                $0.resources.onExceed = .stop
            }
            uses("web", from: 4) { $0.threads = 9 }
            //            0    5
            orch("web", "L---T---")
            phases("web", "rrrrdddd")
            told("web", .done, at: 4, "threads: 9, and its limit is 8 (on_exceed: stop)")
            asleep
        }
    }

    @Test func aTaskThatItStopsHasFailed() {
        timeline("nothing that counts on its success begins") {
            task("job") {
                $0.resources.threads = 8
                $0.resources.onExceed = .stop
            }
            service("web") { $0.dependsOn = [Dependency(on: "job", condition: .succeeded)] }
            uses("job", from: 4) { $0.threads = 9 }
            world("job", "-----t--")
            orch("job", "L---T---")
            orch("web", "--------")
            phases("job", "uuuupfff")
            told("job", .failed, at: 5, "threads: 9, and its limit is 8 (on_exceed: stop)")
        }
    }

    @Test func processorTimeIsAnAverage() {
        timeline("a second of full work is no excess, ten are") {
            service("web") { $0.resources.cpus = 0.5 }
            uses("web", from: 4) { $0.cpuTime = .seconds(2) }
            uses("web", from: 14) { $0.cpuTime = .seconds(4) }
            uses("web", from: 22) { $0.cpuTime = .seconds(10) }
            //            0    5    10   15   20   25
            world("web", "--------------------------")
            asked("web", "--M-M-M-M-M-M-M-M-M-M-M-M-")
            told("web", .exceeded, at: 22, "cpus: 0.8, and its limit is 0.5")
        }
    }

    @Test func whatTheKernelHoldsNeedNoLook() {
        timeline("memory and cpus that the kernel holds it to are looked at once, what it refuses is told") {
            service("api") {
                $0.resources.memory = 1_000
                $0.resources.cpus = 0.5
                $0.resources.onExceed = .stop
            }
            service("web") { $0.resources.pids = 5 }
            uses("api", from: 0) {
                $0.held = [.memory, .cpus]
                $0.memoryBytes = 5_000
            }
            uses("web", from: 0) {
                $0.held = [.pids]
                $0.pids = 5
            }
            uses("web", from: 5) { $0.refusals = 7 }
            //             0    5    10
            asked("api", "--M-------")
            asked("web", "--M-M-M-M-")
            phases("api", "rrrrrrrrrr")
            told("web", .exceeded, at: 6, "pids: at its limit of 5, 7 more refused")
        }
    }

    @Test func anotherDaemonLooksOn() {
        timeline("a daemon that takes over looks at what runs") {
            service("web") {
                $0.resources.memory = 1_000
                $0.resources.onExceed = .stop
            }
            uses("web", from: 6) { $0.memoryBytes = 2_000 }
            //             0    5    10
            daemon("---✝==-----")
            orch("web", "L-------T--")
            phases("web", "rrr===rrddd")
        }
    }

    /// The kernel's kill is told by a look before the end.
    @Test func anEndForWantOfMemoryIsNamed() {
        for (reaction, phase) in [
            (ResourceLimits.Reaction.restart, Phase.backoff), (.stop, .done), (.report, .backoff),
        ] {
            let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
            var recovery = Recovery()
            recovery.isNewBoot = false
            var fleet = Fleet(recovering: recovery, at: now)
            let spec = service("web") {
                $0.resources.memory = 64_000_000
                $0.resources.onExceed = reaction
            }
            let applied = try? fleet.admit(request([spec]), at: now)
            if let applied { fleet.observe(.commanded(.apply(applied)), at: now) }
            _ = fleet.reconcile(at: now)
            let launch = LaunchID(fleet.nextLaunch.number - 1)
            fleet.observe(.launched(launch, pid: 7, ports: [], tracking: "cgroup"), at: now)
            _ = fleet.reconcile(at: now)
            var sample = ResourceSample(launch: launch)
            sample.oomKills = 1
            fleet.observe(.measured(sample), at: now)
            fleet.observe(.exited(launch, .signal(.kill, coreDumped: false)), at: now)
            fleet.observe(.emptied(launch), at: now)
            _ = fleet.reconcile(at: now)
            let row = fleet.status(of: nil).first?.instances.first
            #expect(row?.phase == phase)
            #expect(row?.reason.contains("out of memory at its limit of 64 MB") == true, "\(row?.reason ?? "")")
        }
    }
}

/// How full the host is.
@Suite struct HostRules {
    @Test func theHostIsDegradedAndRecovers() {
        timeline("beyond a threshold it is told once, and once that it is below it again", column: .seconds(30)) {
            host(HostThresholds(disk: .init(path: "/srv", degradedAbove: 0.9)))
            service("web")
            host(isFull: 0.8, from: 0)
            host(isFull: 0.934, from: 1)
            host(isFull: 0.895, from: 3)
            host(isFull: 0.5, from: 4)
            phases("web", "rrrrrr")
            told("s", .degraded, at: 1, "the host's disk /srv 93% used, above 90%")
            told("s", .recovered, at: 4, "the host's disk /srv 50% used, below 90% again")
        }
    }

    @Test func whatCanNotBeReadIsSaidOnce() {
        let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        var recovery = Recovery()
        recovery.isNewBoot = false
        var fleet = Fleet(recovering: recovery, at: now)
        var request = request([service("web")])
        request.stack.host = HostThresholds(disk: .init(path: "/nope", degradedAbove: 0.9))
        if let applied = try? fleet.admit(request, at: now) { fleet.observe(.commanded(.apply(applied)), at: now) }
        _ = fleet.reconcile(at: now)
        var causes: [String] = []
        for _ in 1...2 {
            fleet.observe(.hostMeasured([HostReading(.disk("/nope"), used: nil)]), at: now)
            for case .record(let told) in fleet.reconcile(at: now) { causes.append(told.cause) }
        }
        #expect(causes == ["the host's disk /nope can't be read"])
        #expect(fleet.status(of: nil).first?.host.first?.isUnreadable == true)
    }

    @Test func nobodyLooksUnasked() {
        timeline("without thresholds nothing is due") {
            service("web")
            phases("web", "rr")
            asleep
        }
    }

    @Test func statusShowsIt() throws {
        let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        var recovery = Recovery()
        recovery.isNewBoot = false
        var fleet = Fleet(recovering: recovery, at: now)
        var request = request([service("web")])
        request.stack.host = HostThresholds(memory: 0.75)
        let applied = try fleet.admit(request, at: now)
        fleet.observe(.commanded(.apply(applied)), at: now)
        let effects = fleet.reconcile(at: now)
        #expect(effects.contains(.measureHost([.memory])))
        #expect(fleet.deadline == now.instant + Limits.hostLook)
        fleet.observe(.hostMeasured([HostReading(.memory, used: 0.8)]), at: now)
        let host = fleet.status(of: nil).first?.host.first
        #expect(host?.text == "memory 80% used")
        #expect(host?.degradedSince == now.wall)
    }
}

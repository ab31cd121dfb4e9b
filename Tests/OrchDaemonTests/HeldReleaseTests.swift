// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import Testing

/// The keeper holds how a launch ended until history does, and nothing waits for that.
@Suite struct HeldReleaseTests {
    private let full = Fault(step: "write", subject: "/state", reason: "no space left on device")

    private func applied(delay: Duration = .milliseconds(200)) -> (Rig, ClientID) {
        let rig = Rig()
        let client = rig.connect()
        rig.ask(client, .apply(sampleRequest(delay: delay)))
        rig.run()
        return (rig, client)
    }

    private func launches(_ rig: Rig) -> [LaunchID] {
        rig.host.outputs.compactMap { if case .effect(.launch(let order)) = $0 { order.launch } else { nil } }
    }

    private func released(_ rig: Rig) -> [LaunchID] {
        rig.host.outputs.compactMap { if case .effect(.release(let launch)) = $0 { launch } else { nil } }
    }

    private func isTold(_ rig: Rig, _ launch: LaunchID) -> Bool {
        rig.store.history.contains { $0.kind == .exited && $0.launch == launch }
    }

    @Test func whatReplacesItIsLaunchedBeforeItIsReleased() throws {
        let (rig, _) = applied(delay: .zero)
        let web = try #require(rig.conductor.status.first?.instances.last?.launch)
        rig.host.forgetOutputs()
        let endedAt = rig.host.now.instant
        rig.host.end(web, .code(1))
        rig.run { !launches(rig).isEmpty }
        #expect(rig.host.now.instant - endedAt < .milliseconds(10))
        #expect(released(rig).isEmpty && !isTold(rig, web))
        #expect(rig.host.outputs.contains(.effect(.note(.released(web)))), "the next daemon would judge its end again")
        rig.run { !released(rig).isEmpty }
        #expect(released(rig) == [web] && isTold(rig, web))
        #expect(rig.host.now.instant - endedAt <= .milliseconds(1_010))
    }

    private func tasks(_ count: Int, _ change: (inout ServiceSpec) -> Void = { _ in }) -> Rig {
        let rig = Rig()
        let client = rig.connect()
        var request = sampleRequest()
        request.stack.services = (0..<count).map { number in
            var spec = ServiceSpec(name: "t\(10_000 + number)", command: .exec(["t"]), workingDirectory: "/")
            spec.kind = .task
            change(&spec)
            return spec
        }
        rig.ask(client, .apply(request))
        return rig
    }

    /// They are many when the history is written: they must not keep the loop from what comes.
    @Test func theyAreReleasedAFewATurn() throws {
        let rig = tasks(200)
        var turns: [Int] = []
        rig.run {
            turns.append(released(rig).count)
            rig.host.forgetOutputs()
            return false
        }
        #expect(turns.reduce(0, +) == 200 && turns.max() == Limits.releasesPerTurn)
    }

    @Test func whatIsCrowdedIsWrittenAtOnce() throws {
        let rig = tasks(Limits.heldReleases + 100)
        let before = rig.host.now.instant
        rig.run { !released(rig).isEmpty }
        #expect(rig.host.now.instant - before < .milliseconds(500))
        #expect(rig.store.history.count { $0.kind == .exited } >= Limits.heldReleases)
    }

    @Test func theyWaitForAFullDiskAndEverythingElseGoesOn() throws {
        let (rig, client) = applied(delay: .zero)
        rig.store.fault = full
        let web = try #require(rig.conductor.status.first?.instances.last?.launch)
        rig.host.end(web, .code(1))
        rig.run(turns: 30)
        #expect(released(rig).isEmpty)
        #expect(rig.conductor.status.first?.instances.last?.phase == .ready)
        #expect(rig.conductor.status.first?.instances.last?.launch != web)
        rig.store.fault = nil
        rig.ask(client, .stop([Target(stack: "shop", service: "web")], timeout: nil))
        rig.run { released(rig).contains(web) }
        #expect(isTold(rig, web))
    }

    /// Somebody who reads the database is gone in a moment; only a disk that stays full is asked ever more rarely.
    @Test func whatCouldNotBeWrittenIsTriedAgainSoon() throws {
        let (rig, _) = applied(delay: .zero)
        rig.run { rig.conductor.deadline == nil }
        let web = try #require(rig.conductor.status.first?.instances.last?.launch)
        rig.store.fault = full
        let endedAt = rig.host.now.instant
        rig.host.end(web, .code(1))
        rig.run { rig.host.now.instant - endedAt > .milliseconds(1_100) }
        rig.store.fault = nil
        rig.run { isTold(rig, web) }
        #expect(isTold(rig, web) && rig.host.now.instant - endedAt <= .milliseconds(4_100))
    }

    @Test func aFullDiskDoesNotHoldMoreThanTheKeeperHasRoomFor() throws {
        let rig = tasks(Limits.releasesBeyondHistory + 10)
        rig.run { !launches(rig).isEmpty }
        rig.store.fault = full
        rig.run(turns: 3_000) { released(rig).count == 10 }
        #expect(released(rig) == (1...10).map { LaunchID($0) }, "the oldest")
        #expect(!isTold(rig, LaunchID(1)))
        rig.store.fault = nil
        rig.run { isTold(rig, LaunchID(1)) }
        #expect(isTold(rig, LaunchID(1)), "what was let go is still told, as this daemon knows it")
    }

    /// Whoever shuts down on a full disk is not kept waiting: that end is lost, as `docs/files.md` says.
    @Test func aFullDiskKeepsNobodyFromShuttingDown() throws {
        let (rig, client) = applied()
        rig.store.fault = full
        rig.ask(client, .daemonStop)
        rig.run()
        #expect(rig.ending == .shutdown)
        #expect(released(rig).sorted() == [LaunchID(1), LaunchID(2)])
        #expect(rig.host.outputs.last == .end(.shutdown))
    }

    /// The next daemon finds it with the keeper.
    @Test func whatCouldNotBeWrittenIsNotReleasedByADaemonThatIsReplaced() throws {
        let (rig, client) = applied(delay: .zero)
        rig.store.fault = full
        let web = try #require(rig.conductor.status.first?.instances.last?.launch)
        rig.host.end(web, .code(1))
        rig.run(turns: 5)
        rig.ask(client, .daemonRestart)
        rig.run()
        #expect(rig.ending == .replaced && released(rig).isEmpty)
    }

    /// Daemons that die again and again don't fill the history.
    @Test func ofManyAdoptionsTheHistoryNamesTheFirst() throws {
        let rig = tasks(Limits.adoptionsTold + 50) { $0.kind = .service }
        rig.run()
        let notes = rig.host.outputs.compactMap { if case .effect(.note(let note)) = $0 { note } else { nil } }
        let survivors = launches(rig).map { Survivor(launch: $0, pid: 1, hasExecuted: true) }
        let next = Rig(store: rig.store, survivors: survivors, notes: notes, at: rig.host.now)
        next.run()
        #expect(next.store.history.count { $0.kind == .adopted } == Limits.adoptionsTold)
        let birth = try #require(next.store.history.last { $0.kind == .daemonStarted })
        #expect(birth.cause.hasSuffix(", 150 launches taken over"))
    }

    /// Each daemon may live no longer than this: what one leaves must not pile up with the keeper.
    @Test(arguments: [false, true]) func whatFormerDaemonsHadClosedIsReleasedBeforeTheFirstTurn(isTold: Bool) throws {
        let store = ScriptedStore()
        let web = InstanceID(service: ServiceID(stack: "shop", service: "web"))
        let all = (1...UInt64(10 * Limits.releasesPerTurn)).map { LaunchID($0) }
        if isTold {
            try store.append(
                all.map {
                    Occurrence(
                        time: WallTime(nanoseconds: 1), stack: "shop", instance: web, launch: $0, kind: .exited,
                        cause: "exit 3", exit: .code(3))
                })
        }
        let closed = all.map { ClosedLaunch(launch: $0, instance: web, exit: .code(3)) }
        let rig = Rig(store: store, notes: all.map { .released($0) }, closed: closed)
        let isAll = released(rig).sorted() == all
        #expect(isAll, "\(released(rig).count) of \(all.count)")
        #expect(rig.store.history.count { $0.kind == .exited } == all.count)
    }

    @Test(arguments: [false, true]) func whatAFormerDaemonHadClosedIsToldOnce(isTold wasTold: Bool) throws {
        let store = ScriptedStore()
        let web = InstanceID(service: ServiceID(stack: "shop", service: "web"))
        let launch = LaunchID(7)
        if wasTold {
            try store.append([
                Occurrence(
                    time: WallTime(nanoseconds: 1), stack: "shop", instance: web, launch: launch, kind: .exited,
                    cause: "exit 3", exit: .code(3))
            ])
        }
        let closed = [ClosedLaunch(launch: launch, instance: web, exit: .code(3))]
        let rig = Rig(store: store, notes: [.released(launch)], closed: closed)
        #expect(isTold(rig, launch), "at once: daemons that die within a second would never come to it")
        rig.run()
        #expect(released(rig) == [launch])
        let told = rig.store.history.filter { $0.kind == .exited }
        #expect(told.count == 1 && told.first?.exit == .code(3) && told.first?.instance == web)
    }
}

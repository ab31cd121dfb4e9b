// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import OrchWire
import Testing

@Suite struct ConductorTests {
    private let rig = Rig()
    private let broken = Fault(
        step: "write", subject: "/state", reason: "no space left on device", remedy: "free some space")
    private var shop: Target { Target(stack: "shop") }

    private func phases() -> [Phase] { rig.conductor.status.flatMap(\.instances).map(\.phase) }

    private func applied() -> ClientID {
        let client = rig.connect()
        rig.ask(client, .apply(sampleRequest()))
        rig.run()
        return client
    }

    @Test func applyIsDurableBeforeItIsAnsweredAndFollowedToItsEnd() throws {
        let client = rig.connect()
        let apply = rig.ask(client, .apply(sampleRequest()))
        let follow = rig.ask(client, .follow([shop], goal: .settled))
        rig.run()
        guard case .accepted(let plan?, _)? = rig.answer(client, apply).first else { throw Refusal(.failed, "no plan") }
        #expect(plan.changes.map(\.service) == ["db", "web"])
        #expect(rig.store.stored.stacks.count == 1)
        #expect(rig.answer(client, follow).last == .verdict(.reached))
        #expect(phases() == [.ready, .ready])
        let diff = rig.ask(client, .diff(sampleRequest()))
        rig.run()
        #expect(rig.answer(client, diff) == [.plan(Plan(stack: "shop", revision: plan.revision, changes: []))])
    }

    @Test func anApplyThatCanNotBeKeptChangesNothing() {
        rig.store.fault = broken
        let client = rig.connect()
        let apply = rig.ask(client, .apply(sampleRequest()))
        rig.run(turns: 20)
        #expect(rig.refusal(client, apply)?.kind == .failed)
        #expect(rig.refusal(client, apply)?.remedy == "free some space")
        #expect(rig.conductor.status.isEmpty)
    }

    @Test func aFailingStoreIsSaidAndNeverStopsSupervision() throws {
        let client = applied()
        rig.store.fault = broken
        let launch = try #require(rig.conductor.status.first?.instances.first?.launch)
        rig.host.end(launch, .code(1))
        rig.run(turns: 60) {
            rig.conductor.status.first?.instances.first.map { $0.phase == .ready && $0.launch != launch } ?? false
        }
        #expect(phases() == [.ready, .ready])
        rig.run(turns: 20)
        let before = rig.ask(client, .daemonStatus)
        rig.run(turns: 20)
        guard case .daemon(let status)? = rig.answer(client, before).first else { throw Refusal(.failed, "no status") }
        #expect(status.remarks.contains { $0.contains("no space left") })
        rig.store.fault = nil
        rig.run()
        #expect(rig.host.isAsleep)
        #expect(rig.store.history.filter { $0.launch == launch && $0.kind == .exited }.count == 1)
        let after = rig.ask(client, .daemonStatus)
        rig.run()
        guard case .daemon(let healthy)? = rig.answer(client, after).first else { throw Refusal(.failed, "no status") }
        #expect(healthy.remarks.isEmpty)
    }

    @Test func anIdleDaemonWakesForNothingAndWritesOnce() {
        _ = applied()
        #expect(rig.host.isAsleep)
        #expect(rig.conductor.deadline == nil)
        #expect(rig.store.writes.filter { $0.hasPrefix("append") }.count <= 2)
        #expect(rig.store.writes.filter { $0.hasPrefix("reserve") }.count == 1)
    }

    @Test func aLaunchNumberIsReservedBeforeItIsUsed() throws {
        _ = applied()
        #expect(rig.store.stored.nextLaunch.number >= Limits.launchReservation)
        let launches = rig.host.outputs.compactMap {
            if case .effect(.launch(let order)) = $0 { order.launch } else { nil }
        }
        #expect(launches.count == 2)
        #expect(launches.allSatisfy { $0 < rig.store.stored.nextLaunch })
        let next = Rig(store: rig.store)
        next.run()
        let again = next.host.outputs.compactMap {
            if case .effect(.launch(let order)) = $0 { order.launch } else { nil }
        }
        #expect(!again.isEmpty && again.allSatisfy { $0 >= rig.store.stored.nextLaunch || !launches.contains($0) })
    }

    @Test func stopIsADurableDepartureAndStatusIsComplete() throws {
        let client = applied()
        let web = Target(stack: "shop", service: "web")
        rig.ask(client, .stop([web], timeout: nil))
        let follow = rig.ask(client, .follow([web], goal: .stopped))
        rig.run()
        #expect(rig.answer(client, follow).last == .verdict(.reached))
        #expect(rig.store.stored.departures.map(\.kind) == [.stopped])
        let status = rig.ask(client, .status(shop))
        rig.run()
        guard case .status(let stacks)? = rig.answer(client, status).first else { throw Refusal(.failed, "no status") }
        let rows = try #require(stacks.first?.instances)
        #expect(rows.map(\.phase) == [.ready, .idle])
        #expect(rows[0].memoryBytes == 4096 && rows[0].cpuPercent == 1.5 && rows[1].memoryBytes == nil)
        #expect(rows[0].stdoutLog == "/logs/db.1.log")
        rig.ask(client, .start([web]))
        rig.run()
        #expect(phases() == [.ready, .ready])
        #expect(rig.store.stored.departures.isEmpty)
    }

    @Test func downForgetsWhenNothingIsLeft() {
        let client = applied()
        rig.ask(client, .down(stack: "shop", timeout: nil))
        let follow = rig.ask(client, .follow([shop], goal: .gone))
        rig.run()
        #expect(rig.answer(client, follow).last == .verdict(.reached))
        #expect(rig.store.stored.stacks.isEmpty)
        #expect(rig.conductor.status.isEmpty)
        let saved = rig.store.writes.filter { $0.hasSuffix("shop") }
        #expect(saved == ["save shop", "save shop", "forget shop"])
    }

    @Test func whoWaitsForAnEndHearsThatItWasAppliedAgain() {
        let client = applied()
        rig.ask(client, .down(stack: "shop", timeout: nil))
        let follow = rig.ask(client, .follow([shop], goal: .gone))
        rig.ask(client, .apply(sampleRequest()))
        rig.run()
        #expect(rig.answer(client, follow).last == .verdict(.failed("shop was applied again meanwhile")))
    }

    @Test func eventsComeOnceEach() throws {
        let client = applied()
        let stream = rig.ask(client, .events(shop, since: nil, follow: true))
        let once = rig.ask(client, .events(shop, since: nil, follow: false))
        rig.run()
        #expect(rig.answer(client, once).last == .end)
        let launch = try #require(rig.conductor.status.first?.instances.first?.launch)
        rig.host.end(launch, .code(3))
        rig.run()
        let streamed = rig.answer(client, stream)
        let exits = streamed.filter {
            if case .occurrence(let found) = $0 { found.launch == launch && found.kind == .exited } else { false }
        }
        #expect(exits.count == 1)
        let all = rig.ask(client, .events(shop, since: nil, follow: false))
        rig.run()
        #expect(rig.answer(client, all).dropLast() == streamed[...])
    }

    @Test func whyTellsOfFormerDaemonsToo() throws {
        _ = applied()
        let next = Rig(store: rig.store, at: rig.host.now)
        let client = next.connect()
        next.run()
        let why = next.ask(client, .why(Target(stack: "shop", service: "web")))
        next.run()
        guard case .why(let answers)? = next.answer(client, why).first else { throw Refusal(.failed, "no answer") }
        let launches = Set(answers[0].chain.compactMap(\.launch))
        #expect(launches.count == 2)
        #expect(answers[0].chain.map(\.time) == answers[0].chain.map(\.time).sorted(by: >))
    }

    @Test func terminationStopsEverythingAndForgetsNothing() {
        _ = applied()
        rig.host.send(.terminationRequested)
        rig.run()
        #expect(rig.ending == .shutdown)
        #expect(phases().allSatisfy { !$0.hasProcess })
        #expect(rig.store.stored.stacks.count == 1)
        #expect(rig.store.stored.departures.isEmpty)
        #expect(rig.host.outputs.last == .end(.shutdown))
        #expect(rig.store.history.contains { $0.kind == .daemonStopping })
    }

    @Test func restartLeavesServicesAloneAndIsAnsweredFirst() {
        let client = applied()
        rig.host.forgetOutputs()
        let id = rig.ask(client, .daemonRestart)
        rig.run()
        #expect(rig.ending == .replaced)
        #expect(!rig.host.outputs.contains { if case .effect = $0 { true } else { false } })
        #expect(rig.host.outputs.last == .end(.replaced))
        #expect(rig.host.outputs.count == 2)
        #expect(id > 0)
    }

    @Test func survivorsAreAdoptedAndKeepTheirPids() throws {
        _ = applied()
        let notes = rig.host.outputs.compactMap { if case .effect(.note(let note)) = $0 { note } else { nil } }
        let rows = try #require(rig.conductor.status.first?.instances)
        let survivors = rows.compactMap { row in
            row.launch.map { Survivor(launch: $0, pid: row.pid ?? 0, hasExecuted: true) }
        }
        let next = Rig(store: rig.store, survivors: survivors, notes: notes)
        next.run()
        #expect(next.conductor.status.first?.instances.map(\.pid) == rows.map(\.pid))
        #expect(next.conductor.status.first?.instances.map(\.phase) == [.ready, .ready])
        #expect(!next.host.outputs.contains { if case .effect(.launch) = $0 { true } else { false } })
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import Testing

/// What a disk that was full for a while leaves behind.
@Suite struct FullDiskTests {
    private let full = Fault(step: "write", subject: "/state", reason: "no space left on device")
    private let web = Target(stack: "shop", service: "web")

    private func applied() -> (Rig, ClientID) {
        let rig = Rig()
        let client = rig.connect()
        rig.ask(client, .apply(sampleRequest()))
        rig.run()
        return (rig, client)
    }

    @Test func whatIsOwedIsWrittenAsSoonAsAnythingCanBe() throws {
        let (rig, client) = applied()
        rig.store.fault = full
        let launch = try #require(rig.conductor.status.first?.instances.first?.launch)
        rig.host.end(launch, .code(1))
        rig.run(turns: 20)
        func isTold() -> Bool { rig.store.history.contains { $0.launch == launch && $0.kind == .exited } }
        #expect(!isTold())
        rig.store.fault = nil
        let freedAt = rig.host.now.instant
        rig.ask(client, .stop([web], timeout: nil))
        rig.run { isTold() }
        #expect(isTold() && rig.host.now.instant - freedAt < .seconds(1))
    }

    @Test func theHistoryNamesNoLaunchWhoseNumberMayBeUsedAgain() {
        let (former, _) = applied()
        let state = former.store.stored
        former.store.fault = full
        let rig = Rig(store: former.store)
        rig.run(turns: 5)
        #expect(former.store.stored.nextLaunch == state.nextLaunch)
        let launches = rig.host.outputs.compactMap {
            if case .effect(.launch(let order)) = $0 { order.launch } else { nil }
        }
        #expect(launches.count == 2)
        former.store.fault = nil
        rig.run()
        let told = rig.store.history.compactMap(\.launch)
        #expect(launches.allSatisfy { told.contains($0) })
        #expect(told.allSatisfy { $0 < rig.store.stored.nextLaunch })
    }

    /// A stop by hand is of the revision that runs. On the disk still lay one that had failed, with a service that the fleet had already
    /// taken away: a daemon that died then would have started it.
    @Test func whatIsStoppedByHandIsStoppedOfTheRevisionThatRuns() throws {
        let (rig, client) = applied()
        var more = sampleRequest()
        var extra = more.stack.services[1]
        extra.name = "extra"
        extra.startTimeout = .seconds(3_600)
        extra.ready = .notify
        more.stack.services.append(extra)
        more.rollbackWithin = .seconds(60)
        rig.ask(client, .apply(more))
        rig.run { rig.store.stored.stacks.first?.request.stack.services.count == 3 }
        rig.store.fault = full
        rig.run { rig.conductor.status.first?.revision == sampleRequest().stack.digest.hex }
        #expect(rig.store.stored.stacks.first?.request.stack.services.count == 3)
        rig.store.fault = nil
        rig.ask(client, .stop([Target(stack: "shop")], timeout: nil))
        rig.run { !rig.store.stored.departures.isEmpty }
        #expect(rig.store.stored.stacks.first?.request.stack == sampleRequest().stack)
    }
}

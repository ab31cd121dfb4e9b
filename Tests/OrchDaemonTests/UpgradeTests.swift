// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchModel
import OrchWire
import Testing

/// What the daemon does about an upgrade: the keeper first, and only then itself.
@Suite struct UpgradeTests {
    private let upgrade = Upgrade(keeper: "/new/orch-keeper", daemon: "/new/orchd", keeperProtocol: 1)

    @Test func theDaemonMakesRoomOnceTheKeeperIsAnotherOne() {
        let rig = Rig()
        let client = rig.connect()
        rig.run()
        let id = rig.ask(client, .daemonUpgrade(upgrade))
        rig.run()
        #expect(rig.host.outputs.contains(.renew(upgrade)))
        #expect(rig.ending == .replaced)
        guard case .accepted? = rig.answer(client, id).first else {
            Issue.record("it is not accepted")
            return
        }
    }

    @Test func aKeeperThatStaysWhatItWasIsSaidAndNothingEnds() {
        let rig = Rig()
        rig.host.renewalFault = Fault(step: "become", subject: "/new/orch-keeper", reason: "it is no program")
        let client = rig.connect()
        rig.run()
        let id = rig.ask(client, .daemonUpgrade(upgrade))
        rig.run()
        #expect(rig.ending == nil)
        guard case .refusal(let refusal)? = rig.answer(client, id).first else {
            Issue.record("it is not refused")
            return
        }
        #expect(refusal.kind == .failed && refusal.message.contains("it is no program"))
        #expect(rig.store.history.contains { $0.kind == .warning && $0.cause.contains("it is no program") })
        rig.host.renewalFault = nil
        rig.ask(client, .daemonUpgrade(upgrade))
        rig.run()
        #expect(rig.ending == .replaced, "the next attempt is one")
    }

    @Test func twoUpgradesAreNotMixed() {
        let rig = Rig()
        let client = rig.connect()
        rig.run()
        rig.ask(client, .daemonUpgrade(upgrade))
        let second = rig.ask(client, .daemonUpgrade(upgrade))
        rig.run()
        guard case .refusal(let refusal)? = rig.answer(client, second).first else {
            Issue.record("it is not refused")
            return
        }
        #expect(refusal.kind == .conflict)
        #expect(rig.host.outputs.filter { $0 == .renew(upgrade) }.count == 1)
    }
}

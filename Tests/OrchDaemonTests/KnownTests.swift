// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import OrchWire
import Testing

/// What a client need not send, as the daemon has it.
@Suite struct KnownTests {
    private let rig = Rig()
    private var shop: Target { Target(stack: "shop") }
    private let origin = ManifestOrigin(
        digest: Digest(of: [7]), files: ["/shop.env"], variables: ["HOME"], inheritance: ["PATH"], users: [], zones: [])

    private func request(_ port: String = "1") -> ApplyRequest {
        var request = sampleRequest()
        request.stack.services[1].environment = [EnvironmentEntry("PORT", port)]
        request.origin = origin
        return request
    }

    private func answer(_ client: ClientID, _ command: Command) -> Reply.Body? {
        let id = rig.ask(client, command)
        rig.run()
        return rig.answer(client, id).first
    }

    private func recalled(_ client: ClientID) -> Recollection? {
        if case .recalled(let found)? = answer(client, .recall(manifest: "/shop.yaml")) { found } else { nil }
    }

    private func appliesAgain(_ client: ClientID, _ digest: Digest) -> Bool {
        let known = KnownRequest(.applied(stack: "shop", origin: digest))
        if case .accepted(let plan?, _)? = answer(client, .applyKnown(known)) { return plan.isInSync }
        return false
    }

    @Test func whatWasPlannedIsAppliedWithoutBeingSentAgain() throws {
        let client = rig.connect()
        guard case .plan(let plan)? = answer(client, .diff(request())) else { throw Refusal(.failed, "no plan") }
        let known = Command.applyKnown(KnownRequest(.planned(revision: plan.revision)))
        #expect(answer(rig.connect(), known) == .recalled(nil), "it is this connection's")
        #expect(answer(client, .applyKnown(KnownRequest(.planned(revision: "other")))) == .recalled(nil))
        #expect(answer(client, known) == .accepted(plan, text: nil))
        #expect(rig.store.stored.stacks.map(\.revision.hex) == [plan.revision])
        #expect(rig.store.stored.stacks.first?.request.author == "uid 1000")
        #expect(rig.store.stored.stacks.first?.request.origin == nil, "it is no part of a revision")
        #expect(answer(client, known) == .recalled(nil), "once")
    }

    @Test func whatIsAppliedIsKnownByItsOrigin() {
        let client = rig.connect()
        #expect(recalled(client) == nil)
        #expect(answer(client, .apply(request())) != nil)
        #expect(recalled(client) == Recollection(stack: "shop", origin: origin))
        let saves = rig.store.writes.count { $0 == "save shop" }
        #expect(appliesAgain(client, origin.digest))
        #expect(rig.store.writes.count { $0 == "save shop" } == saves + 1, "that it was asked for is kept")
        #expect(!appliesAgain(client, Digest(of: [8])))
        #expect(recalled(client)?.origin == origin)
    }

    @Test func anotherRevisionHasAnotherOrigin() {
        let client = rig.connect()
        for port in ["1", "2"] { #expect(answer(client, .apply(request(port))) != nil) }
        #expect(recalled(client) != nil)
        #expect(answer(client, .rollback(RollbackRequest(stack: "shop"))) != nil)
        #expect(recalled(client) == nil)
        #expect(!appliesAgain(client, origin.digest))
    }

    @Test func whatHasToBeDoneIsPlannedFirst() {
        let client = rig.connect()
        #expect(answer(client, .apply(request())) != nil)
        #expect(answer(client, .stop([Target(stack: "shop", service: "web")], timeout: nil)) != nil)
        #expect(!appliesAgain(client, origin.digest), "applying it would start what was stopped by hand")
        #expect(answer(client, .down(stack: "shop", timeout: nil)) != nil)
        #expect(recalled(client) == nil)
    }

    @Test func aStatusTellsAsMuchAsIsAsked() throws {
        let client = rig.connect()
        #expect(answer(client, .apply(request())) != nil)
        func rows(_ detail: StatusDetail) throws -> [InstanceStatus] {
            guard case .status(let stacks)? = answer(client, .status(nil, detail)), stacks.map(\.name) == ["shop"]
            else {
                throw Refusal(.failed, "no status")
            }
            return stacks[0].instances
        }
        #expect(try rows(.stacks).isEmpty)
        #expect(try rows(.instances).map(\.memoryBytes) == [nil, nil])
        #expect(try rows(.usage).map(\.memoryBytes) == [4096, 4096])
    }

    @Test func aFollowerOfWhatIsMissingHearsHowManyAreThere() {
        let client = rig.connect()
        #expect(answer(client, .apply(request())) != nil)
        #expect(answer(client, .stop([Target(stack: "shop", service: "web")], timeout: nil)) != nil)
        let follow = rig.ask(client, .follow([shop], goal: .forever, opening: .missing))
        rig.run()
        let rows = rig.answer(client, follow)
        guard rows.count == 2, case .instance(let web) = rows[0] else {
            Issue.record("it hears \(rows)")
            return
        }
        #expect(web.id.service.service == "web" && web.phase == .idle)
        #expect(rows[1] == .there(1))
    }
}

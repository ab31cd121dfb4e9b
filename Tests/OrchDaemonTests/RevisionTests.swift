// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import OrchSimulator
import OrchWire
import Testing

/// Revisions over time, through the whole daemon: history, rollback, and the promise of `apply --rollback-on-failure`.
@Suite struct RevisionTests {
    private let rig = Rig()
    private var shop: Target { Target(stack: "shop") }

    private func revision(_ port: String, within: Duration? = nil) -> ApplyRequest {
        var request = sampleRequest()
        request.stack.services[1].environment = [EnvironmentEntry("PORT", port)]
        if within != nil { request.stack.services[1].restart.policy = .no }
        request.rollbackWithin = within
        return request
    }

    @discardableResult private func apply(_ request: ApplyRequest, _ client: ClientID) -> UInt64 {
        let id = rig.ask(client, .apply(request))
        rig.run()
        return id
    }

    private func history(_ target: Target, _ client: ClientID) throws -> StackHistory {
        let id = rig.ask(client, .history(target))
        rig.run()
        guard case .history(let history)? = rig.answer(client, id).first else { throw Refusal(.failed, "no history") }
        return history
    }

    @Test func historySaysWhoAndWhatAndWhen() throws {
        let client = rig.connect()
        var first = revision("1")
        first.author = "an impostor"
        apply(first, client)
        apply(revision("2"), client)
        apply(revision("2"), client)
        let told = try history(shop, client)
        #expect(told.revisions.map(\.revision) == [revision("2").stack.digest, revision("1").stack.digest])
        #expect(told.revisions.map(\.isCurrent) == [true, false])
        #expect(told.revisions.map(\.author) == ["uid 1000", "uid 1000"])
        #expect(told.revisions[0].changes == [AppliedRevision.Deed(.restart, "web")])
        #expect(told.launches.isEmpty)
        let web = try history(Target(stack: "shop", service: "web"), client)
        #expect(web.revisions.count == 2 && web.launches.count == 2)
        #expect(web.launches[0].exitedAt == nil && web.launches[1].exit != nil)
        #expect(try history(Target(stack: "shop", service: "db"), client).revisions.count == 1)
    }

    @Test func historyOutlivesTheDaemonAndTheStack() throws {
        let client = rig.connect()
        apply(revision("1"), client)
        rig.ask(client, .down(stack: "shop", timeout: nil))
        rig.run()
        #expect(rig.conductor.status.isEmpty)
        #expect(try history(shop, client).revisions.map(\.isCurrent) == [false])
        let unknown = rig.ask(client, .history(Target(stack: "none")))
        let back = rig.ask(client, .rollback(RollbackRequest(stack: "shop")))
        rig.run()
        #expect(rig.refusal(client, unknown)?.kind == .unknown)
        #expect(rig.refusal(client, back)?.kind == .unknown)
        let next = Rig(store: rig.store, at: rig.host.now)
        let other = next.connect()
        let id = next.ask(other, .history(shop))
        next.run()
        guard case .history(let told)? = next.answer(other, id).first else { throw Refusal(.failed, "no history") }
        #expect(told.revisions.count == 1)
    }

    @Test func aRollbackIsPlannedThenDurableThenDone() throws {
        let client = rig.connect()
        apply(revision("1"), client)
        apply(revision("2"), client)
        let plan = rig.ask(client, .rollbackPlan(RollbackRequest(stack: "shop")))
        rig.run()
        guard case .plan(let planned)? = rig.answer(client, plan).first else { throw Refusal(.failed, "no plan") }
        #expect(planned.revision == revision("1").stack.digest.hex)
        #expect(planned.changes.map(\.service) == ["web"])
        #expect(rig.store.stored.stacks.map(\.revision) == [revision("2").stack.digest])
        let id = rig.ask(client, .rollback(RollbackRequest(stack: "shop", revision: planned.revision)))
        rig.run()
        #expect(rig.answer(client, id) == [.accepted(planned, text: nil)])
        #expect(rig.store.stored.stacks.map(\.revision) == [revision("1").stack.digest])
        let told = try history(shop, client)
        #expect(told.revisions.map(\.origin) == [.rollback, .apply, .apply])
        #expect(told.revisions[0].left == revision("2").stack.digest)
        let again = rig.ask(client, .rollback(RollbackRequest(stack: "shop", revision: planned.revision)))
        rig.run()
        #expect(rig.refusal(client, again)?.message.contains("already") == true)
    }

    @Test func aRollbackThatCanNotBeKeptChangesNothing() {
        let client = rig.connect()
        apply(revision("1"), client)
        apply(revision("2"), client)
        let plan = rig.ask(client, .status(nil))
        rig.run()
        #expect(!rig.answer(client, plan).isEmpty)
        rig.store.fault = Fault(step: "write", subject: "/state", reason: "no space left on device")
        let id = rig.ask(client, .rollback(RollbackRequest(stack: "shop")))
        rig.run(turns: 20)
        #expect(rig.refusal(client, id)?.kind == .failed)
        rig.store.fault = nil
        rig.run()
        #expect(rig.store.stored.stacks.map(\.revision) == [revision("2").stack.digest])
    }

    // MARK: the promise

    private let noProgram = Fault(step: "execute", subject: "web", reason: "no such file or directory (ENOENT)")

    /// Applies a revision whose web can't be executed; the next launch can.
    private func failOnTrial(_ client: ClientID) -> UInt64 {
        apply(revision("1"), client)
        rig.host.launchFault = noProgram
        rig.ask(client, .apply(revision("2", within: .seconds(60))))
        let digest = revision("2", within: .seconds(60)).stack.digest
        return rig.ask(client, .follow([shop], goal: .proven(digest)))
    }

    private var origin: AppliedRevision.Origin? { rig.store.stored.stacks.first?.entry.origin }

    @Test func whatFailsIsTakenBackAndTold() throws {
        let client = rig.connect()
        let follow = failOnTrial(client)
        rig.run { origin == .automaticRollback }
        rig.host.launchFault = nil
        rig.run()
        guard case .verdict(.rolledBack(let told))? = rig.answer(client, follow).last else {
            throw Refusal(.failed, "\(rig.answer(client, follow))")
        }
        #expect(told.to == revision("1").stack.digest)
        #expect(told.reason.contains("no such file"))
        #expect(told.instance?.stdoutLog == "/logs/web.1.log")
        #expect(rig.store.stored.stacks.map(\.revision) == [revision("1").stack.digest])
        #expect(rig.conductor.status.flatMap(\.instances).map(\.phase) == [.ready, .ready])
        let entry = try history(shop, client).revisions[0]
        #expect((entry.author, entry.left) == ("orch", told.from))
        #expect(entry.because == told.reason)
        #expect(rig.host.isAsleep)
    }

    @Test func thePromiseNeedsNoClient() {
        let client = rig.connect()
        _ = failOnTrial(client)
        rig.host.send(.disconnected(client))
        rig.run { origin == .automaticRollback }
        #expect(origin == .automaticRollback)
    }

    @Test func aPromiseThatIsKeptIsOverOnTheDiskToo() throws {
        let client = rig.connect()
        apply(revision("1"), client)
        let id = apply(revision("2", within: .seconds(60)), client)
        guard case .accepted(_, nil)? = rig.answer(client, id).first else { throw Refusal(.failed, "no answer") }
        #expect(rig.store.stored.stacks.map(\.revision) == [revision("2", within: .seconds(60)).stack.digest])
        #expect(rig.store.stored.stacks.first?.trial == nil)
        #expect(try history(shop, client).revisions.count == 2)
        #expect(rig.host.isAsleep)
    }

    @Test func theFirstRevisionIsSaidToHaveNothingBeforeIt() throws {
        let client = rig.connect()
        let id = apply(revision("1", within: .seconds(60)), client)
        guard case .accepted(_, let text?)? = rig.answer(client, id).first else { throw Refusal(.failed, "not said") }
        #expect(text.contains("nothing to go back to"))
    }

    @Test func theNextDaemonKeepsThePromise() throws {
        let client = rig.connect()
        _ = failOnTrial(client)
        rig.run { rig.store.stored.stacks.first?.trial != nil }
        #expect(rig.store.stored.stacks.first?.trial?.fallback == revision("1").stack.digest)
        let notes = rig.host.outputs.compactMap { if case .effect(.note(let note)) = $0 { note } else { nil } }
        let db = try #require(rig.conductor.status.first?.instances.first?.launch)
        let survivors = [Survivor(launch: db, pid: 1, hasExecuted: true)]
        let next = Rig(store: rig.store, survivors: survivors, notes: notes, at: rig.host.now)
        let web = try #require(next.conductor.status.first?.instances.last?.launch)
        next.host.end(web, .code(7))
        next.run { next.store.stored.stacks.first?.entry.origin == .automaticRollback }
        next.run()
        #expect(next.store.stored.stacks.map(\.revision) == [revision("1").stack.digest])
        #expect(next.conductor.status.flatMap(\.instances).map(\.phase) == [.ready, .ready])
    }

    @Test func aFullDiskDelaysOnlyWhatIsWritten() throws {
        let client = rig.connect()
        _ = failOnTrial(client)
        rig.run { rig.store.stored.stacks.first?.trial != nil }
        #expect(origin == .apply)
        rig.store.fault = Fault(step: "write", subject: "/state", reason: "no space left on device")
        rig.run(turns: 20)
        rig.host.launchFault = nil
        rig.run(turns: 40) { rig.conductor.status.flatMap(\.instances).allSatisfy { $0.phase == .ready } }
        #expect(rig.conductor.status.first?.revision == revision("1").stack.digest.hex)
        #expect(origin == .apply)
        rig.store.fault = nil
        rig.run()
        #expect(origin == .automaticRollback)
    }

    /// A daemon that died before would know what runs by a name that no revision on the disk has.
    @Test func aFullDiskDelaysWhatRenames() throws {
        let client = rig.connect()
        var first = revision("1")
        first.stack.services[1].renamedFrom = "www"
        apply(first, client)
        var second = revision("2", within: .seconds(60))
        second.stack.services[1].name = "www"
        second.stack.services[1].renamedFrom = "web"
        rig.host.launchFault = noProgram
        rig.ask(client, .apply(second))
        rig.run { rig.store.stored.stacks.first?.trial != nil }
        rig.store.fault = Fault(step: "write", subject: "/state", reason: "no space left on device")
        rig.run(turns: 40)
        #expect(rig.conductor.status.first?.revision == second.stack.digest.hex)
        rig.store.fault = nil
        rig.host.launchFault = nil
        rig.run { origin == .automaticRollback }
        rig.run()
        #expect(rig.conductor.status.first?.revision == first.stack.digest.hex)
        #expect(rig.conductor.status.flatMap(\.instances).map(\.label) == ["db", "web"])
        #expect(rig.store.history.contains { $0.kind == .warning && $0.cause.contains("as it renames services") })
    }
}

// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// Which revision a rollback goes to, what of it is exact, and what whoever waits for a trial is told.
@Suite struct RollbackTests {
    private func revision(_ port: String, _ policy: RestartPolicy.Policy = .onFailure) -> ApplyRequest {
        var asked = request([
            service("db"),
            service("web") {
                $0.environment = [EnvironmentEntry("PORT", port)]
                $0.restart.policy = policy
            },
        ])
        asked.inherited = [EnvironmentEntry("PATH", "/of/\(port)")]
        asked.fileLimit = UInt64(port)
        return asked
    }

    private func digest(_ port: String) -> Digest { revision(port).stack.digest }

    /// Newest first, as a store tells it.
    private func history(_ ports: String...) -> [AppliedRevision] {
        ports.map {
            AppliedRevision(revision: digest($0), appliedAt: WallTime(nanoseconds: 0), author: "me")
        }
    }

    private func applied(_ port: String) throws -> FleetWorld {
        var world = FleetWorld()
        try world.apply(revision(port))
        world.run(for: .seconds(1))
        return world
    }

    @Test func withoutARevisionItIsTheNewestThatIsNotThePresentOne() throws {
        let fleet = try applied("3").fleet
        let found = try fleet.rollbackTarget(RollbackRequest(stack: "s"), in: history("3", "2", "1"))
        #expect(found == digest("2"))
        #expect(try fleet.rollbackTarget(RollbackRequest(stack: "s"), in: history("3", "3", "1")) == digest("1"))
    }

    @Test func aRevisionIsNamedByItsFirstDigits() throws {
        let fleet = try applied("3").fleet
        let short = RollbackRequest(stack: "s", revision: digest("1").short.uppercased())
        #expect(try fleet.rollbackTarget(short, in: history("3", "2", "1", "2", "1")) == digest("1"))
    }

    @Test func refusalsNameThingFactAndRemedy() throws {
        let fleet = try applied("3").fleet
        func refusal(_ wanted: String?, _ history: [AppliedRevision], stack: String = "s") -> Refusal? {
            do throws(Refusal) {
                _ = try fleet.rollbackTarget(RollbackRequest(stack: stack, revision: wanted), in: history)
                return nil
            } catch { return error }
        }
        let nothing = refusal(nil, history("3", "3"))
        #expect(nothing?.message.contains("there is nothing to go back to") == true && nothing?.remedy != nil)
        let already = refusal(digest("3").short, history("3", "2"))
        #expect(already?.message == "s is at revision \(digest("3").short) already" && already?.kind == .conflict)
        let unknown = refusal("beef", history("3", "2"))
        #expect(unknown?.kind == .unknown && unknown?.message.contains("no revision beef among the 2") == true)
        var twins = history("3", "2", "1")
        for (place, digit) in [(1, "a"), (2, "b")] {
            twins[place].revision = try #require(Digest(hex: "cc" + String(repeating: digit, count: 62)))
        }
        let ambiguous = refusal("cc", twins)
        #expect(ambiguous?.message.hasPrefix("cc names 2 revisions of s: ccaaaaaaaaaa, ccbbbbbbbbbb") == true)
        #expect(refusal(nil, [], stack: "other")?.kind == .unknown)
    }

    /// What runs and differs gets what it inherited then; what stays keeps what it has.
    @Test func aRollbackIsExact() throws {
        var world = try applied("1")
        let first = try world.fleet.admit(revision("1"), at: world.now)
        try world.apply(revision("2"))
        world.run(for: .seconds(1))
        #expect(try world.fleet.plan(backTo: first).changes.map(\.service) == ["web"])
        var moved = revision("2")
        moved.manifestPath = "/elsewhere/orch.yaml"
        moved.adopt = true
        try world.apply(moved)
        let back = try world.fleet.admit(backTo: first, by: "ada", at: world.now)
        #expect(back.revision == digest("1"))
        #expect(back.inherited.map(\.environment) == [first.inherited[0].environment, first.inherited[1].environment])
        #expect(back.request.fileLimit == 1)
        #expect(back.request.manifestPath == "/elsewhere/orch.yaml")
        #expect((back.entry.origin, back.entry.left, back.entry.author) == (.rollback, digest("2"), "ada"))
        #expect(back.entry.changes == [AppliedRevision.Deed(.restart, "web")])
        world.command(.apply(back))
        world.run(for: .seconds(1))
        #expect(world.launchCount("db") == 1)
        #expect(world.launchCount("web") == 3)
        #expect(try world.fleet.plan(for: moved).changes.map(\.service) == ["web"])
        #expect(world.violations == [])
    }

    @Test func theSameRevisionAppliedAgainKeepsItsEntry() throws {
        var world = try applied("1")
        world.run(for: .seconds(9))
        var again = revision("1")
        again.author = "ada"
        let applied = try world.fleet.admit(again, at: world.now)
        #expect(applied.appliedAt < world.now.wall && applied.entry.author != "ada")
        #expect(applied.acceptedAt == world.now.instant)
    }

    // MARK: trials

    private func failing(_ port: String) -> FleetWorld {
        FleetWorld { id, nth in
            var life = SimulatedLife()
            if id.service.service == "web", nth == 2 {
                life.endsAfter = .seconds(1)
                life.exit = .code(7)
                life.readyAfter = .seconds(30)
            }
            return life
        }
    }

    private func onTrial(_ port: String) -> ApplyRequest {
        var asked = revision(port, .no)
        asked.stack.services[1].ready = .notify
        asked.rollbackWithin = .seconds(20)
        return asked
    }

    @Test func whoWaitsIsToldWhatFailedAndWhatIsBack() throws {
        var world = failing("2")
        try world.apply(revision("1"))
        world.run(for: .seconds(1))
        let asked = onTrial("2")
        try world.apply(asked)
        #expect(world.fleet.verdict(on: .proven(asked.stack.digest), for: [target()]) == .pending)
        world.run(for: .seconds(5))
        guard case .rolledBack(let told) = world.fleet.verdict(on: .proven(asked.stack.digest), for: [target()])
        else { throw Refusal(.failed, "no rollback") }
        #expect((told.from, told.to) == (asked.stack.digest, digest("1")))
        #expect(told.reason.hasPrefix("web: exit 7"))
        #expect(told.instance?.phase == .failed && told.instance?.exit == .code(7))
        #expect(world.fleet.verdict(on: .settled, for: [target()]) == .reached)
        #expect(world.launchCount("db") == 1 && world.launchCount("web") == 3)
        #expect(world.fleet.deadline == nil)
        world.killDaemon(after: 0)
        world.command(.restart([target("db")]))
        world.run(for: .seconds(5))
        guard case .rolledBack(let later) = world.fleet.verdict(on: .proven(asked.stack.digest), for: [target()])
        else { throw Refusal(.failed, "forgotten") }
        #expect(later.reason == told.reason && later.instance == nil)
        #expect(world.violations == [])
    }

    @Test func aRevisionThatTookItsPlaceIsSaid() throws {
        var world = try applied("1")
        let asked = onTrial("2")
        try world.apply(asked)
        try world.apply(revision("3"))
        guard case .failed(let reason) = world.fleet.verdict(on: .proven(asked.stack.digest), for: [target()])
        else { throw Refusal(.failed, "no verdict") }
        #expect(reason.contains("revision \(digest("3").short) took its place"))
    }

    @Test func whatIsItselfOnTrialIsNothingToGoBackTo() throws {
        var world = failing("2")
        try world.apply(revision("1"))
        world.run(for: .seconds(1))
        var unproven = onTrial("2")
        unproven.stack.services[1].startTimeout = .seconds(300)
        try world.apply(unproven)
        world.run(for: .milliseconds(100))
        let next = onTrial("3")
        let applied = try world.fleet.admit(next, at: world.now)
        #expect(applied.trial?.fallback == digest("1"))
        let again = try world.fleet.admit(unproven, at: world.now)
        #expect(again.trial?.fallback == digest("1"))
    }
}

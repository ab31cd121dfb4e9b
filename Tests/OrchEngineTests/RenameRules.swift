// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// A service gets another name: `renamed_from`.
@Suite struct RenameRules {
    private func renamed(_ from: String, _ to: String, at column: Int) -> TimelineLine {
        change(from, at: column) {
            $0.name = to
            $0.renamedFrom = from
        }
    }

    @Test func whatIsRenamedRunsOn() {
        timeline("race34 the service moves with what lives and what was counted of it") {
            service("old") { $0.restart.maxAttempts = 1 }
            world("old", "-x-----")
            world("new", "-----x-")
            orch("old", "L------")
            orch("old", "-L-----")
            phases("old", "rrr----")
            phases("new", "---rrff")
            renamed("old", "new", at: 3)
            told("new", .renamed, at: 3, "it was old")
            reason("new", at: 6, "gave up after 2 failures")
        }
    }

    @Test func aDaemonThatDiesAtAnyInstantOfARenameLosesNothing() {
        // It dies after all was done, before anything was, and while nobody is there to be asked.
        for (drawing, phases) in [("---✝=--", "---==rr"), ("----✝=-", "---r==r"), ("--✝----", "--=rrrr")] {
            timeline("the next daemon finds the launch under the new name: \(drawing)") {
                service("old")
                orch("old", "L------")
                OrchEngineTests.phases("new", phases)
                renamed("old", "new", at: 3)
                daemon(drawing)
            }
        }
    }

    @Test func theSameManifestAgainIsInSyncAndARenameCanBeTakenBack() throws {
        var world = FleetWorld()
        try world.apply(request([service("old"), service("web", needs: ["old"])]))
        world.run(for: .seconds(1))
        let next = request([
            service("new") {
                $0.renamedFrom = "old"
                $0.command = .exec(["/bin/old"])
            }, service("web", needs: ["new"]),
        ])
        let plan = try world.fleet.plan(for: next)
        #expect(plan.changes.map(\.action) == [.rename, .live])
        #expect(plan.changes.first?.because == ["renamed from old"])
        try world.apply(next)
        world.run(for: .seconds(1))
        #expect(try world.fleet.plan(for: next).isInSync)
        #expect(world.row("new")?.launch == LaunchID(1))
        #expect(world.row("old") == nil)
        let back = request([service("old"), service("web", needs: ["old"])])
        #expect(try world.fleet.plan(for: back).changes.map(\.action) == [.rename, .live])
        try world.apply(back)
        world.run(for: .seconds(1))
        #expect(world.row("old")?.launch == LaunchID(1))
        #expect(world.launchCount("web") == 1)
        #expect(world.violations == [])
    }

    @Test func notesAreReadUnderTheNamesOfToday() {
        func id(_ name: String) -> InstanceID { InstanceID(service: ServiceID(stack: "s", service: name)) }
        let at = Moment(instant: .zero, wall: WallTime(nanoseconds: 0))
        let notes: [LaunchNote] = [
            .failed(id("a"), at: at), .renamed(id("a").service, to: id("b").service), .failed(id("b"), at: at),
            .failed(id("a"), at: at), .renamed(id("b").service, to: id("c").service),
            // Said once more by a daemon that did not know whether it was said.
            .renamed(id("b").service, to: id("c").service), .failed(id("c"), at: at),
        ]
        let read = LaunchNote.underPresentNames(notes)
        #expect(read == ["c", "c", "a", "c"].map { .failed(id($0), at: at) })
        let lately = LaunchNote.underPresentNames(notes, lately: [(id("c").service, "d")])
        #expect(lately == ["d", "d", "a", "d"].map { .failed(id($0), at: at) })
    }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchDaemon
import OrchEngine
import OrchModel
import OrchWire
import Testing

@testable import OrchStore

@Suite struct DiskStoreTests {
    private let scratch = Scratch()
    private var state: String { scratch.path + "/state" }
    private let stopped = Departure(InstanceID(service: ServiceID(stack: "one", service: "web")), .stopped)

    private func fill() throws {
        let store = try DiskStore(directory: state)
        try store.save(sampleStack("one"))
        try store.save(sampleStack("two"))
        try store.save(departures: [stopped], of: "one")
        try store.reserve(launchesBelow: LaunchID(4097))
        try store.append((0..<50).map { sampleOccurrence($0) })
    }

    @Test func whatWasSavedIsThereForTheNextDaemon() throws {
        try fill()
        let store = try DiskStore(directory: state)
        let loaded = try store.load()
        #expect(loaded.stacks == [sampleStack("one"), sampleStack("two")])
        #expect(loaded.departures == [stopped])
        #expect(loaded.nextLaunch == LaunchID(4097))
        #expect(loaded.remarks.isEmpty)
        #expect(try store.occurrences(of: nil, since: nil, limit: 3) == (47..<50).map { sampleOccurrence($0) })
        #expect(try DiskStore.peek(at: state).stacks.count == 2)
    }

    @Test func aScheduleIsKeptAsItWasLastAndGoesWithItsStack() throws {
        func mark(_ through: Int64, isUrgent: Bool) -> ScheduleMark {
            ScheduleMark(
                instance: InstanceID(service: ServiceID(stack: "one", service: "tick")), trigger: "every 5s",
                through: WallTime(nanoseconds: through),
                decided: DueRun(due: WallTime(nanoseconds: through), attempt: 1),
                runs: [
                    ScheduledRun(
                        due: nil, startedAt: nil, endedAt: WallTime(nanoseconds: 5_000_000), exit: .code(1),
                        result: .failed,
                        attempts: 2)
                ], isUrgent: isUrgent)
        }
        try fill()
        let store = try DiskStore(directory: state)
        try store.save(marks: [mark(1, isUrgent: false)])
        try store.save(marks: [mark(1_700_000_000_123_456_789, isUrgent: true)])
        #expect(try DiskStore(directory: state).load().marks == [mark(1_700_000_000_123_456_789, isUrgent: false)])
        try store.forget(stack: "one")
        #expect(try DiskStore(directory: state).load().marks.isEmpty)
    }

    @Test func anEndIsKeptOnceHoweverOftenItIsTold() throws {
        try fill()
        let store = try DiskStore(directory: state)
        try store.append([sampleOccurrence(7), sampleOccurrence(50), sampleOccurrence(50)])
        let all = try store.occurrences(of: nil, since: nil, limit: 1_000)
        #expect(all == (0...50).map { sampleOccurrence($0) })
        #expect(try store.endsTold(among: [LaunchID(50), LaunchID(51), LaunchID(0)]) == [LaunchID(0), LaunchID(50)])
        var other = sampleOccurrence(7)
        other.kind = .started
        try store.append([other])
        #expect(try store.occurrences(of: nil, since: nil, limit: 1) == [other])
    }

    /// A release that knows nothing of the table of ends has written the file, before it was there and since.
    @Test func endsThatAnEarlierReleaseWroteAreKnown() throws {
        try fill()
        let path = state + "/orch.db"
        func writeAsBefore(_ number: Int64) throws {
            let body = JSON.text(of: sampleOccurrence(number).value)
            let database = try Database(path: path)
            try database.run(
                "INSERT INTO events (time, stack, service, replica, body) VALUES (?, 'one', 'web', 1, ?)",
                [.int(sampleOccurrence(number).time.nanoseconds), .text(body)])
        }
        try writeAsBefore(60)
        #expect(try DiskStore(directory: state).endsTold(among: [LaunchID(60), LaunchID(61)]) == [LaunchID(60)])
        let database = try Database(path: path)
        try database.run("DROP TABLE ends")
        try database.run("DELETE FROM meta WHERE key = 'ends_through'")
        try writeAsBefore(61)
        let store = try DiskStore(directory: state)
        try store.append([sampleOccurrence(61), sampleOccurrence(62)])
        #expect(try store.occurrences(of: nil, since: nil, limit: 3).map(\.launch?.number) == [60, 61, 62])
        #expect(try store.endsTold(among: [LaunchID(3), LaunchID(62)]).count == 2)
    }

    /// Else a daemon could not be replaced while the disk is full.
    @Test func openingWritesNothing() throws {
        try fill()
        let store = try DiskStore(directory: state)
        #expect(try store.load().departures == [stopped])
        #expect(Scratch.read(state + "/orch.db-wal").isEmpty)
    }

    /// The clock of a boot means nothing to the next one, and what was stopped by hand may start again.
    @Test func whatIsOfOneBootIsToldApartInTheNextOnes() throws {
        var applied = sampleStack("one")
        applied.acceptedAt = Instant(nanoseconds: 7)
        let first = try DiskStore(directory: state)
        try first.save(applied)
        try first.save(departures: [stopped], of: "one")
        for _ in 1...2 {
            let loaded = try DiskStore(directory: state, boot: "second").load()
            #expect(loaded.stacks == [sampleStack("one")])
            #expect(loaded.departures == [] && loaded.formerDepartures == [stopped])
        }
        #expect(try DiskStore(directory: state).load().stacks == [applied])
        let second = try DiskStore(directory: state, boot: "second")
        try second.save(departures: [stopped], of: "one")
        let loaded = try DiskStore(directory: state, boot: "second").load()
        #expect(loaded.departures == [stopped] && loaded.formerDepartures == [])
    }

    /// Written by a release that did not say in which boot: what was stopped stays so.
    @Test func departuresOfNoKnownBootAreOfThisOne() throws {
        try fill()
        let database = try Database(path: state + "/orch.db")
        try database.run("DROP TABLE departure_boots")
        let loaded = try DiskStore(directory: state).load()
        #expect(loaded.departures == [stopped] && loaded.formerDepartures == [] && loaded.remarks == [])
    }

    @Test func anotherApplyReplacesAndLeavingIsKept() throws {
        try fill()
        var leaving = sampleStack("one", port: "81")
        leaving.isLeaving = true
        let store = try DiskStore(directory: state)
        try store.save(leaving)
        try store.forget(stack: "two")
        let loaded = try DiskStore(directory: state).load()
        #expect(loaded.stacks == [leaving])
        try store.forget(stack: "one")
        #expect(try DiskStore(directory: state).load().departures.isEmpty)
    }

    @Test func anUpdateUnderWayAndARenameAreKept() throws {
        try fill()
        let store = try DiskStore(directory: state)
        var applied = sampleStack("one", port: "81")
        let before = sampleStack("one")
        guard let web = before.request.stack.service("web") else { return }
        var rollout = Rollout(
            service: "web",
            previous: ServiceVersion(spec: web, inherited: [EnvironmentEntry("PATH", "/old")], fileLimit: 77))
        applied.rollouts = [rollout]
        applied.renames = [Renaming(from: "site", to: "web")]
        try store.save(applied)
        #expect(try DiskStore(directory: state).load().stacks.first == applied)
        rollout.stance = .rolledBack
        rollout.reason = "web.2 failed"
        rollout.held = [1, 2]
        applied.rollouts = [rollout]
        try store.save(applied)
        #expect(try DiskStore(directory: state).load().stacks.first == applied)
        #expect(try store.history(of: "one").count == 2, "what is kept of one apply is one entry")
    }

    @Test func everythingIsPrivate() throws {
        try fill()
        for folder in ["", "/revisions", "/stacks"] { #expect(Scratch.mode(state + folder) == 0o700) }
        for folder in ["/revisions", "/stacks"] {
            for name in Scratch.names(state + folder) { #expect(Scratch.mode("\(state)\(folder)/\(name)") == 0o600) }
        }
        #expect(Scratch.mode(state + "/orch.db") == 0o600)
        #expect(Scratch.mode(state + "/next-launch") == 0o600)
    }

    @Test func occurrencesAreFoundByTargetAndTime() throws {
        let store = try DiskStore(directory: state)
        try store.append((0..<20).map { sampleOccurrence($0, service: $0 % 2 == 0 ? "web" : "db") })
        let web = Target(stack: "one", service: "web", replica: 1)
        #expect(try store.occurrences(of: web, since: nil, limit: 2) == [sampleOccurrence(16), sampleOccurrence(18)])
        #expect(try store.occurrences(of: nil, since: sampleOccurrence(17).time, limit: 9).count == 3)
        #expect(try store.occurrences(of: Target(stack: "none"), since: nil, limit: 9).isEmpty)
    }

    @Test func historyIsBounded() throws {
        let store = try DiskStore(directory: state)
        let all = Int64(Limits.storedOccurrences) + 5_000
        for start in stride(from: 0, to: all, by: 5_000) {
            try store.append((start..<start + 5_000).map { sampleOccurrence($0) })
        }
        let kept = try store.occurrences(of: nil, since: nil, limit: .max)
        #expect(kept.count == Limits.storedOccurrences)
        #expect(kept.last == sampleOccurrence(all - 1))
    }

    @Test func revisionsAreBounded() throws {
        let store = try DiskStore(directory: state)
        for number in 0..<Limits.revisionsPerStack + 5 { try store.save(sampleStack("one", port: "\(number)")) }
        #expect(Scratch.names(state + "/revisions").count == Limits.revisionsPerStack)
        #expect(try store.load().stacks == [sampleStack("one", port: "\(Limits.revisionsPerStack + 4)")])
    }

    @Test func aLaterFormatIsRefusedAndLeftAlone() throws {
        try fill()
        var database = Scratch.read(state + "/orch.db")
        database[60...63] = [0, 0, 0, 9]  // user_version, sqlite.org/fileformat2.html
        Scratch.write(database, to: state + "/orch.db")
        let fault = #expect(throws: Fault.self) { try DiskStore(directory: state) }
        #expect(fault?.reason.contains("format 9") == true)
        #expect(Scratch.read(state + "/orch.db") == database)
    }
}

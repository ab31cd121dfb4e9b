// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchDaemon
import OrchEngine
import OrchModel
@testable import OrchStore
import Testing

@Suite struct DamageTests {
    private let scratch = Scratch()
    private var state: String { scratch.path + "/state" }

    /// Damages one file in each way, and expects the store to open, to say so, and to keep the rest.
    private func afterEachDamage(
        of file: String, samples: Int, boot: String = "second", _ check: (DiskStore, StoredState) throws -> Void
    ) throws {
        let whole = Scratch.read(file)
        for sample in 0..<samples {
            let offset = whole.count * sample / samples
            var flipped = whole
            flipped[offset] ^= UInt8(1 << (sample % 8))
            for damaged in [Array(whole[..<offset]), flipped] {
                try rebuild()
                Scratch.write(damaged, to: file)
                let store = try DiskStore(directory: state, boot: boot)
                try check(store, store.load())
            }
        }
    }

    private func rebuild() throws {
        Scratch.remove(state)
        let store = try DiskStore(directory: state)
        try store.save(sampleStack("one"))
        try store.save(sampleStack("two", port: "9"))
        try store.reserve(launchesBelow: LaunchID(77))
        try store.append((0..<40).map { sampleOccurrence($0) })
    }

    @Test func aDamagedPointerCostsItsStackOnly() throws {
        try rebuild()
        try afterEachDamage(of: state + "/stacks/one.json", samples: 30) { store, loaded in
            #expect(loaded.stacks.contains(sampleStack("two", port: "9")))
            if !loaded.stacks.contains(sampleStack("one")) {
                #expect(loaded.stacks.count == 1)
                #expect(loaded.remarks.contains { $0.contains("one.json") })
                #expect(Scratch.names(state + "/stacks") == ["one.json.damaged-1", "two.json"])
                try store.save(sampleStack("one"))
                #expect(try store.load().stacks.count == 2)
            }
        }
    }

    @Test func aDamagedRevisionCostsItsStackOnly() throws {
        try rebuild()
        let file = "\(state)/revisions/\(sampleStack("one").revision.hex).json"
        try afterEachDamage(of: file, samples: 30) { _, loaded in
            #expect(loaded.stacks.contains(sampleStack("two", port: "9")))
            if loaded.stacks.count == 1 {
                #expect(loaded.remarks.contains { $0.contains("orch apply -f /srv/one.yaml") })
            } else {
                #expect(loaded.stacks.contains(sampleStack("one")))
            }
        }
    }

    @Test func aDamagedDatabaseIsBuiltAnew() throws {
        try rebuild()
        var setAside = 0
        try afterEachDamage(of: state + "/orch.db", samples: 40) { store, loaded in
            #expect(loaded.stacks.count == 2)
            #expect(loaded.nextLaunch >= LaunchID(77))
            try store.append([sampleOccurrence(99)])
            #expect(try store.occurrences(of: nil, since: nil, limit: 1) == [sampleOccurrence(99)])
            if Scratch.names(state).contains("orch.db.damaged-1") {
                setAside += 1
                #expect(loaded.remarks.contains { $0.contains("orch.db.damaged-1") })
            }
        }
        #expect(setAside > 0)
    }

    /// It is read as a whole once a boot; what is damaged later is found where it is used, and nothing stops for it.
    @Test func aDatabaseThatIsDamagedAfterItsCheckIsBuiltAnewWhenThatIsFound() throws {
        var setAside = 0
        try rebuild()
        try afterEachDamage(of: state + "/orch.db", samples: 40, boot: "first") { store, loaded in
            #expect(loaded.stacks.count == 2)
            #expect(loaded.nextLaunch >= LaunchID(77))
            try store.append([sampleOccurrence(99)])
            #expect(try store.occurrences(of: nil, since: nil, limit: 1) == [sampleOccurrence(99)])
            if Scratch.names(state).contains("orch.db.damaged-1") { setAside += 1 }
        }
        #expect(setAside > 0)
    }

    /// A daemon that is killed is back soon, whatever it has to remember.
    @Test func theWholeDatabaseIsReadOnceABoot() throws {
        try rebuild()
        // A page that no question of these touches: only who reads all of it finds it damaged.
        let store = try DiskStore(directory: state)
        try store.append((0..<2_000).map { sampleOccurrence($0) })
        let whole = state + "/whole.db"
        let database = try Database(path: state + "/orch.db")
        try database.run("VACUUM INTO '\(whole)'")
        var bytes = Scratch.read(whole)
        let page = bytes.count / 4_096 / 2 * 4_096
        for offset in page..<(page + 64) { bytes[offset] ^= 0xff }
        for (boot, isFound) in [("first", false), ("second", true)] {
            Scratch.remove(scratch.path + "/copy")
            _ = try DiskStore(directory: scratch.path + "/copy", boot: boot)
            for suffix in ["-wal", "-shm"] { unsafe unlink(scratch.path + "/copy/orch.db" + suffix) }
            Scratch.write(bytes, to: scratch.path + "/copy/orch.db")
            let opened = try DiskStore(directory: scratch.path + "/copy", boot: boot)
            #expect(try opened.load().remarks.contains { $0.contains("damaged") } == isFound, "boot \(boot)")
        }
    }

    @Test func aTornLogLosesNothingOlder() throws {
        try rebuild()
        // A copy of a store that was killed: its log is not in the database yet.
        let store = try DiskStore(directory: state)
        try store.append((40..<60).map { sampleOccurrence($0) })
        let (database, log) = (Scratch.read(state + "/orch.db"), Scratch.read(state + "/orch.db-wal"))
        #expect(!log.isEmpty)
        let copy = scratch.path + "/copy"
        for sample in 0..<60 {
            Scratch.remove(copy)
            _ = try DiskStore(directory: copy)
            for suffix in ["", "-wal", "-shm"] { unsafe unlink(copy + "/orch.db" + suffix) }
            Scratch.write(database, to: copy + "/orch.db")
            Scratch.write(Array(log[..<(log.count * sample / 60)]), to: copy + "/orch.db-wal")
            let killed = try DiskStore(directory: copy)
            #expect(try killed.load().remarks.isEmpty)
            let kept = try killed.occurrences(of: nil, since: nil, limit: 100)
            #expect(kept.count == 40 || kept.count == 60)
            #expect(kept == (0..<Int64(kept.count)).map { sampleOccurrence($0) })
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func aFullDiskIsAFaultAndCostsNothingThatWasSaved() throws {
        let disk = scratch.path + "/disk"
        unsafe mkdir(disk, 0o700)
        try #require(unsafe mount("none", disk, "tmpfs", 0, "size=512k") == 0)
        defer { unsafe umount2(disk, Int32(MNT_DETACH)) }
        let store = try DiskStore(directory: disk + "/state")
        try store.save(sampleStack("one"))
        let filler = [UInt8](repeating: 1, count: 1 << 20)
        Scratch.write(filler, to: disk + "/filler")
        let fault = #expect(throws: Fault.self) {
            for number in 0..<100 {
                try store.save(sampleStack("one", port: String(repeating: "9", count: 4_000 * (number + 1))))
            }
        }
        #expect(fault?.remedy != nil)
        _ = #expect(throws: Fault.self) {
            for batch in 0..<1_000 { try store.append((0..<50).map { sampleOccurrence(Int64(batch) * 50 + $0) }) }
        }
        unsafe unlink(disk + "/filler")
        try store.append([sampleOccurrence(1)])
        try store.save(sampleStack("two"))
        #expect(try DiskStore(directory: disk + "/state").load().stacks.count == 2)
    }
}

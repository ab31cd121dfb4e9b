// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// Services that keep books of their own while the daemon is killed every few milliseconds, or replaced by another version. `make torture`
/// makes it long and large.
@Suite(.serialized) struct TortureTests {
    @Test func nothingIsLostDoubledOrMadeUp() throws {
        let size = Torture.Size()
        let torture = Torture(try Workplace(), size)
        print("torture: seed \(size.seed), \(size.services) writers, \(size.seconds) s, \(size.launches) launches")
        try torture.place.write(torture.manifest)
        let apply = try torture.place.orch("apply", "--detach")
        #expect(apply.status == 0, "\(apply)")
        try torture.awaitWriters()
        try torture.storm()
        let launches = try torture.reckon()
        print(
            "torture: \(torture.kills) daemons killed within \(torture.lasted) s, the next one there after"
                + " \(torture.absent / Int64(max(1, torture.kills))) ms; \(torture.served) had taken over, after"
                + " \(torture.takingOver / Int64(max(1, torture.served))) ms; \(launches) short launches,"
                + " \(torture.linesWritten) lines"
        )
        #expect(torture.kills >= size.seconds)
        #expect(launches >= size.launches)
    }

    @Test func upgradesUnderLoadCostNothing() throws {
        let two = try TwoVersions()
        let torture = Torture(two.place, Torture.Size())
        try two.place.write(torture.manifest)
        let apply = try two.orch("old", "apply --detach")
        #expect(apply.status == 0, "\(apply)")
        try torture.awaitWriters()
        let keeper = try two.place.keeper()
        for folder in ["new", "old", "new", "old"] {
            let began = torture.milliseconds()
            let upgrade = try two.orch(folder, "daemon upgrade")
            let took = torture.milliseconds() - began
            #expect(upgrade.status == 0 && upgrade.output.hasPrefix("orch 0."), "\(upgrade)")
            print("torture: \(upgrade.output.prefix { $0 != "\n" }); the command took \(took) ms")
            #expect(took < 30_000, "somebody answers again")
            #expect(try two.place.keeper() == keeper, "the keeper is the same process")
            // Some time under this version.
            let ends = torture.lines("ends").count
            try two.place.until("launches end") { torture.lines("ends").count > ends + torture.size.briefs }
        }
        try torture.reckon()
        let lines = torture.linesWritten
        print("torture: \(torture.size.services) writers through four upgrades, \(lines) lines")
        #expect(lines > torture.size.services)
    }
}

extension Torture {
    /// Ends it, and holds what is told against what is true. How many short launches there were.
    @discardableResult
    func reckon() throws -> Int {
        // What ends now is not started for another end.
        try place.write("", to: "rest")
        try place.eventually("the short ones rest", within: 120) { lines("resting").count == size.briefs }
        let rows = try place.rows()
        for words in lines("starts") where words.count == 2 {
            #expect(rows[words[0]]?["pid"]?.int == Int64(words[1]), "\(words[0]) was restarted")
        }
        let down = try place.orch("down")
        #expect(down.status == 0, "\(down)")
        // What is missing then is told below.
        try? place.eventually("the history is written", within: 30) {
            try collect()
            return told.count >= lines("ends").count + size.briefs + size.services
        }
        let wrong = differences()
        #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5)) … \(wrong.suffix(5))")
        #expect(lines("starts").count == size.services)
        #expect(lines("written").count == size.services)
        #expect(lines("contested").isEmpty, "\(lines("contested").prefix(5))")
        // A pipe drains after its writer is gone.
        var damage = "nobody could look at them"
        try? place.eventually("all that was written is in the files", within: 20) {
            damage = try self.damage()
            return damage.isEmpty
        }
        #expect(damage.isEmpty, "\(damage.prefix(1_000))")
        let launches = lines("ends").count + lines("resting").count
        if !wrong.isEmpty || !damage.isEmpty { throw Broken("\(place.home) is left to look at") }
        countLines()
        #expect(try place.end() == "")
        return launches
    }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// The daemon is killed every few milliseconds. `make torture` makes it long and large.
@Suite(.serialized) struct TortureTests {
    @Test func nothingIsLostDoubledOrMadeUp() throws {
        let size = Torture.Size()
        let place = try Workplace()
        let torture = Torture(place, size)
        print("torture: seed \(size.seed), \(size.services) writers, \(size.seconds) s, \(size.launches) launches")
        try place.write(torture.manifest)
        let apply = try place.orch("apply", "--detach")
        #expect(apply.status == 0, "\(apply)")
        try place.eventually("all writers write") { torture.lines("starts").count == size.services }
        try torture.storm()
        // What ends now is not started for another end.
        try place.write("", to: "rest")
        try place.eventually("the short ones rest", within: 120) { torture.lines("resting").count == size.briefs }
        let rows = try place.rows()
        for words in torture.lines("starts") where words.count == 2 {
            #expect(rows[words[0]]?["pid"]?.int == Int64(words[1]), "\(words[0]) was restarted")
        }
        let down = try place.orch("down")
        #expect(down.status == 0, "\(down)")
        // What is missing then is told below.
        try? place.eventually("the history is written", within: 10) {
            try torture.collect()
            return torture.told.count >= torture.lines("ends").count + size.briefs + size.services
        }
        let launches = torture.lines("ends").count + torture.lines("resting").count
        let written = torture.lines("written").reduce(0) { $0 + (Int($1.last ?? "") ?? 0) }
        print(
            "torture: \(torture.kills) daemons killed within \(torture.lasted) s, the next one there after"
                + " \(torture.absent / Int64(max(1, torture.kills))) ms; \(torture.served) had taken over, after"
                + " \(torture.takingOver / Int64(max(1, torture.served))) ms; \(launches) short launches, \(written) lines"
        )
        #expect(torture.kills >= size.seconds)
        #expect(launches >= size.launches)
        let wrong = torture.differences()
        #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5)) … \(wrong.suffix(5))")
        #expect(torture.lines("starts").count == size.services)
        #expect(torture.lines("written").count == size.services)
        #expect(torture.lines("contested").isEmpty, "\(torture.lines("contested").prefix(5))")
        // A pipe drains after its writer is gone.
        var damage = "nobody could look at them"
        try? place.eventually("all that was written is in the files", within: 20) {
            damage = try torture.damage()
            return damage.isEmpty
        }
        #expect(damage.isEmpty, "\(damage.prefix(1_000))")
        if !wrong.isEmpty || !damage.isEmpty { throw Broken("\(place.home) is left to look at") }
        #expect(try place.end() == "")
    }
}

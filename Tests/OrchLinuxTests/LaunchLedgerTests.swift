// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchEngine
import OrchModel
import Testing

@testable import OrchLinux

@Suite struct LaunchLedgerTests {
    private func append(_ text: String, to path: String) throws {
        let file = try SmallFile.open(path, O_WRONLY | O_APPEND)
        try SmallFile.write(Array(text.utf8), to: file.number)
    }

    /// As a full disk leaves it: what could be written later still counts.
    @Test func whatFollowsATornLineIsRead() throws {
        let directory = try Bench.makeDirectory()
        let path = directory + "/launches.log"
        defer {
            unsafe unlink(path)
            unsafe rmdir(directory)
        }
        let moment = Moment(instant: Instant(nanoseconds: 5), wall: WallTime(nanoseconds: 6))
        let first = LaunchNote.ready(LaunchID(1), at: moment)
        let last = LaunchNote.ready(LaunchID(2), at: moment)
        var ledger = try LaunchLedger(path: path)
        #expect(ledger.append(first) == nil)
        try append("1234abcd [\"ready\",2\n", to: path)
        #expect(ledger.append(last) == nil)
        #expect(try LaunchLedger(path: path).notes == [first, last])
    }

    /// The old file goes on where a new one can't be made, behind what may be torn.
    @Test func anOldLedgerGoesOnWhereNoNewOneCanBeMade() throws {
        let directory = try Bench.makeDirectory()
        let path = directory + "/launches.log"
        defer {
            unsafe unlink(path)
            unsafe rmdir(directory)
        }
        let moment = Moment(instant: Instant(nanoseconds: 5), wall: WallTime(nanoseconds: 6))
        let notes = [LaunchNote.ready(LaunchID(1), at: moment), .ready(LaunchID(2), at: moment)]
        var ledger = try LaunchLedger(path: path)
        #expect(ledger.append(notes[0]) == nil)
        try append("1234abcd", to: path)
        // A folder has the name of the new one.
        try #require(unsafe mkdir(path + ".new", 0o700) == 0)
        var next = try LaunchLedger(path: path)
        #expect(next.notes == [notes[0]])
        #expect(next.append(notes[1]) == nil)
        try #require(unsafe rmdir(path + ".new") == 0)
        #expect(try LaunchLedger(path: path).notes == notes)
    }

    /// A daemon that takes over copies a ledger only to leave most of it out.
    @Test func whatIsMostlyOfUseGoesOnAsItIs() throws {
        let directory = try Bench.makeDirectory()
        let path = directory + "/launches.log"
        defer {
            unsafe unlink(path)
            unsafe rmdir(directory)
        }
        func inode() -> UInt64 {
            var facts = stat()
            return unsafe stat(path, &facts) == 0 ? UInt64(facts.st_ino) : 0
        }
        let moment = Moment(instant: Instant(nanoseconds: 5), wall: WallTime(nanoseconds: 6))
        let notes = (1...9).map { LaunchNote.ready(LaunchID($0), at: moment) }
        var ledger = try LaunchLedger(path: path)
        for note in notes { #expect(ledger.append(note) == nil) }
        let first = inode()
        var next = try LaunchLedger(path: path)
        next.settle(open: [])
        #expect(inode() == first)
        for launch in 2...9 { #expect(next.append(.released(LaunchID(UInt64(launch)))) == nil) }
        var last = try LaunchLedger(path: path)
        #expect(last.notes.count == 17)
        last.settle(open: [])
        #expect(inode() != first)
        #expect(try LaunchLedger(path: path).notes == [notes[0], .released(LaunchID(9))])
    }
}

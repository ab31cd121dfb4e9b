// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of output, in the files.
@Suite(.serialized) struct LoggingKeyTests {
    @Test func filesHoldWhatIsSaid() throws {
        let place = try Workplace()
        let both = "command: 'echo to out; echo to err >&2; exec sleep 4541'"
        try place.write(
            """
            name: sinks
            services:
              apart: { \(both), logging: { stdout: logs/out.log, stderr: logs/err.log } }
              one: { \(both), logging: { stdout: one.log, stderr: merge } }
              none: { \(both), logging: { stdout: null } }
              shares: { \(both), logging: { stdout: { append: shared.log }, rotate: { size: 10B } } }
              too: { \(both), logging: { stdout: { append: shared.log }, rotate: { size: 10B } } }
              plain: { command: "printf 'a\\\\033[31mred\\\\033[0m\\\\n'; exec sleep 4541", logging: { stdout: plain.log, strip_ansi: true } }
              time: { \(both), logging: { stdout: time.log, format: timestamped } }
              json: { \(both), logging: { stdout: json.log, format: json } }
            """)
        try place.write("from before\n", to: "shared.log")
        try place.apply()
        func until(_ name: String, _ text: String) throws {
            try place.until("\(name) is \(text)") { contents("\(place.folder)/\(name)") == text }
        }
        try until("logs/out.log", "to out\n")
        try until("logs/err.log", "to err\n")
        try until("one.log", "to out\nto err\n")
        try until("shared.log", "from before\nto out\nto out\n")
        try until("plain.log", "ared\n")
        try place.until("it has its time") {
            contents(place.folder + "/time.log").firstMatch(of: /^\d{4}-\d\d-\d\dT[^ ]+ .*to out\n$/) != nil
        }
        try place.until("it is JSON") {
            let line = contents(place.folder + "/json.log")
            return line.hasPrefix("{\"") && line.contains("\"to out\"") && line.hasSuffix("}\n")
        }
        #expect(try place.shell("ls -d shared.log.* '\(place.home)'/state/logs/sinks/none/stdout.log*").output == "")
        #expect(try place.end() == "")
    }

    @Test func filesAreRotatedAndGo() throws {
        let place = try Workplace()
        let writes = "command: 'while :; do echo tick; sleep 0.02; done'"
        try place.write(
            """
            name: rotates
            services:
              timed: { \(writes), logging: { stdout: timed.log, rotate: { size: none, every: 1s, keep: 3 } } }
              aged: { \(writes), logging: { stdout: aged.log, rotate: { size: 50B, keep: 100000, max_age: 1s } } }
              bound: { \(writes), logging: { stdout: bound.log, rotate: { size: 100B, keep: 100000, total: 1kB } } }
            """)
        try place.apply()
        func segments(_ name: String) throws -> [Int] {
            try place.shell("ls \(name).log.* 2>/dev/null | sed 's/.*log[.]//'").output.split(separator: "\n")
                .compactMap {
                    Int($0)
                }.sorted()
        }
        try place.until("the fifth by time", within: 120) { try segments("timed").last.map { $0 >= 5 } == true }
        #expect(try segments("timed").count <= 4, "keep: 3")
        for name in ["aged", "bound"] {
            try place.until("old ones of \(name) are gone", within: 120) {
                let found = try segments(name)
                return try !found.isEmpty && found[0] > 20 && segments(name).count < 100
            }
        }
        #expect(try place.orch("stop", "bound").status == 0)
        let size = try place.shell("cat bound.log* | wc -c").output.split(separator: "\n").compactMap { Int($0) }
        #expect(size.count == 1 && size[0] > 200 && size[0] <= 1_100, "\(size)")
        #expect(try place.end() == "")
    }

    /// On a disk of its own that is full: what is dropped is counted, and who writes goes on; or who writes waits, and nothing is lost.
    @Test(.enabled("mounting a tmpfs needs root") { geteuid() == 0 }) func aFullDiskDropsOrBlocks() throws {
        let place = try Workplace()
        for name in ["drop", "block"] {
            let disk = "\(place.folder)/\(name)"
            #expect(unsafe mkdir(disk, 0o755) == 0)
            try #require(unsafe mount("tmpfs", disk, "tmpfs", 0, "size=64k") == 0)
        }
        func unmount() {
            for name in ["drop", "block"] { unsafe umount2("\(place.folder)/\(name)", Int32(MNT_DETACH)) }
        }
        defer { unmount() }
        // Far more than the disk, the pipe and the daemon can hold.
        let writes = "i=0; while [ $i -lt 100 ]; do i=$((i+1)); seq 5000 >&3; echo $i; done"
        try place.write(
            """
            name: full
            services:
              drop: { command: 'exec 3>&1 >drop.count; \(writes); exec sleep 4542', logging: { stdout: drop/log, rotate: { size: none }, when_full: drop } }
              block: { command: 'exec 3>&1 >block.count; \(writes); exec sleep 4542', logging: { stdout: block/log, rotate: { size: none }, when_full: block } }
            """)
        try place.apply()
        try place.until("it has written all") { lines(place, "drop.count").last == "100" }
        try place.eventually("it is told") {
            let told = try place.orch("daemon", "status").output
            return told.contains("block/log can't be written: No space left on device; its writers wait")
        }
        #expect(lines(place, "block.count").last != "100", "it waits")
        _ = try place.shell("mount -o remount,size=16m '\(place.folder)/block'")
        try place.until("then it goes on", within: 120) { lines(place, "block.count").last == "100" }
        try place.until("and nothing is lost") {
            contents(place.folder + "/block/log").split(separator: "\n").count == 500_000
        }
        #expect(contents(place.folder + "/drop/log").split(separator: "\n").count < 500_000)
        #expect(try place.orch("down").status == 0)
        unmount()
        #expect(try place.end() == "")
    }
}

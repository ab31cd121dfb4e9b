// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// Services that do what services don't.
@Suite(.serialized) struct OddServiceTests {
    /// Its processes beget and leave each other all the time, in sessions of their own: whoever is found is gone already.
    @Test(arguments: KeeperDeathTests.trackings) func aTreeThatForksOnIsEnded(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        let bomb = "[\(program("torture-probe")), bomb, \(place.folder)]"
        try place.write(
            "name: odd\nservices:\n  bomb: { command: \(bomb), stop: [{ signal: SIGTERM, wait: 100ms }] }\n")
        try place.apply()
        try place.until("it has gone through hundreds of processes") {
            contents(place.folder + "/forks").utf8.count > 300
        }
        let stop = try place.orch("stop", "bomb")
        #expect(stop.status == 0, "\(stop)")
        #expect(try place.shell("pgrep -f '[b]omb \(place.folder)'").status == 1, "some of it is left")
        #expect(try place.end() == "")
    }

    /// SIGTERM waits for ever in what is stopped or frozen; SIGKILL does not.
    @Test func whatStandsStillIsStopped() throws {
        let place = try Workplace()
        let patience = "stop: [{ signal: SIGTERM, wait: 200ms }]"
        try place.write(
            """
            name: still
            services:
              stops: { command: 'kill -STOP $$; sleep 4291', \(patience) }
              frozen: { command: 'sleep 4291', \(patience) }
            """)
        try place.apply()
        let stopped = try place.pid("stops") ?? 0
        try place.until("it has stopped itself") { contents("/proc/\(stopped)/stat").contains(") T ") }
        if try place.bestTracking() == "cgroup" {
            let frozen = try place.pid("frozen") ?? 0
            let group = contents("/proc/\(frozen)/cgroup").split(separator: "\n").first { $0.hasPrefix("0::") } ?? ""
            let freeze = """
                for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
                  [ -e $root/cgroup.procs ] && echo 1 > $root\(group.dropFirst(3))/cgroup.freeze && exit
                done
                exit 1
                """
            #expect(try place.shell(freeze).status == 0)
        }
        #expect(try place.rows().values.allSatisfy { $0["phase"] == "ready" }, "they are there")
        #expect(try place.orch("stop", "stops", "frozen").status == 0)
        #expect(try place.shell("pgrep -f '[s]leep 4291'").status == 1)
        #expect(try place.end() == "")
    }

    /// What has no output any more is no work for anybody, and its end is an end.
    @Test func closedOutputIsNotLookedAtAgain() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shut
            defaults: { restart: { policy: always, delay: 20ms } }
            services:
              closed: { command: 'echo before; exec 1>&- 2>&-; exec sleep 4292' }
              elsewhere: { command: 'echo before; exec >/dev/null 2>&1; exec sleep 4292' }
              clock: { command: 'while :; do echo tick; sleep 0.02; done' }
            """)
        try place.apply()
        let logs = place.home + "/state/logs/shut"
        func ticks() -> Int { contents(logs + "/clock/stdout.log").utf8.count / 5 }
        try place.until("both have shut it") {
            ["closed", "elsewhere"].allSatisfy { contents("\(logs)/\($0)/stdout.log") == "before\n" }
        }
        let daemon = try place.daemon()
        let (used, begun) = (processorTime(of: daemon), ticks())
        try place.until("two seconds of ticks") { ticks() > begun + 80 }
        // Hundredths of a second: who is woken for nothing would use them all.
        #expect(processorTime(of: daemon) - used < 80)
        let before = try place.rows().mapValues { $0["pid"]?.int ?? 0 }
        for name in ["closed", "elsewhere"] { kill(pid_t(before[name] ?? 0), SIGKILL) }
        try place.eventually("they are restarted") {
            try ["closed", "elsewhere"].allSatisfy {
                let row = try place.rows()[$0]
                return row?["phase"] == "ready" && row?["pid"]?.int != before[$0]
            }
        }
        #expect(try place.end() == "")
    }

    /// utime and stime, proc_pid_stat(5).
    private func processorTime(of pid: pid_t) -> Int {
        let fields = contents("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 13 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
    }

    /// A line without an end takes no memory, and bytes of every kind are in the file as they came.
    @Test func anyBytesAreKeptAndNoLineIsTooLong() throws {
        let place = try Workplace()
        let bytes = (0..<512).map { "\\\\\(String($0 % 256, radix: 8))" }.joined()
        try place.write(
            """
            name: bytes
            services:
              endless:
                kind: task
                command: 'head -c 100000000 /dev/zero | tr "\\0" x'
                logging: { rotate: { size: 1MB, keep: 3 } }
              any: { kind: task, command: "printf '\(bytes)'" }
            """)
        #expect(try place.orch("daemon", "start").status == 0)
        let before = try peak(of: place.daemon())
        try place.apply()
        #expect(try peak(of: place.daemon()) - before < 24 << 10, "KiB more than before 100 MB came")
        let logs = place.home + "/state/logs/bytes"
        let count = "cd \(logs)/endless && cat stdout.log* | wc -c && cat stdout.log* | tr -d x | wc -c"
        let sizes = try place.shell(count).output.split(separator: "\n").compactMap { Int($0) }
        #expect(sizes.count == 2 && sizes[0] > 2_000_000 && sizes[0] < 5_000_000 && sizes[1] == 0, "\(sizes)")
        let octal = (0..<512).map { String($0 % 256, radix: 8) }
        let found = try place.shell("od -An -v -to1 -w1 \(logs)/any/stdout.log").output.split(separator: "\n")
        #expect(found.compactMap { Int($0.filter { $0 != " " }, radix: 8) } == octal.compactMap { Int($0, radix: 8) })
        #expect(try place.end() == "")
    }

    /// VmHWM, in KiB.
    private func peak(of pid: pid_t) throws -> Int {
        let line = contents("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        guard let peak = Int(line.filter { $0.isNumber }) else { throw Broken("no peak of \(pid)") }
        return peak
    }

    /// Two hundred in a chain and a thousand side by side need what can't start: each names whom it waits for, and none is launched.
    @Test func nobodyStartsWhoseNeedHasFailed() throws {
        let place = try Workplace()
        var text =
            "name: need\nservices:\n  bad: { command: [sh, -c, 'exit 7'], restart: 'no', ready: { notify: true } }\n"
        let run = "command: [sleep, '4294']"
        for number in 1...200 {
            text += "  c\(number): { \(run), depends_on: [\(number == 1 ? "bad" : "c\(number - 1)")] }\n"
        }
        for number in 1...1_000 { text += "  f\(number): { \(run), depends_on: [bad] }\n" }
        try place.write(text)
        let apply = try place.orch("apply")
        #expect(apply.status != 0 && apply.errors.contains("1 of 1201 failed"), "\(apply.errors.suffix(500))")
        let rows = try place.rows()
        #expect(rows["bad"]?["phase"] == "failed")
        for (name, row) in rows where name != "bad" {
            let need = name.hasPrefix("f") || name == "c1" ? "bad" : "c\((Int(name.dropFirst()) ?? 0) - 1)"
            let reason = row["reason"]?.string ?? ""
            #expect(row["phase"] == "waiting" && reason.contains(need), "\(name): \(reason)")
        }
        #expect(try place.occurrences("launching").count == 1, "only the one that fails was launched")
        #expect(try place.end() == "")
    }

    /// Who says little is heard at once beside who never stops.
    @Test func aFloodDrownsNobody() throws {
        let place = try Workplace()
        var text = "name: flood\nservices:\n"
        text += "  flood: { command: [yes], logging: { rotate: { size: 1MB, keep: 2 } } }\n"
        let quiet = "while ! [ -e go ]; do sleep 0.05; done; echo heard; exec sleep 4293"
        for number in 1...100 { text += "  q\(number): { command: '\(quiet)' }\n" }
        try place.write(text)
        try place.apply()
        // One that is kept for milliseconds need not be seen; the numbers only grow.
        let segments = "ls '\(place.home)/state/logs/flood/flood' | grep -E 'log\\.([2-9]|[0-9]{2,})'"
        try place.until("it is a flood") { try place.shell(segments).status == 0 }
        try place.write("", to: "go")
        let count = "cat '\(place.home)'/state/logs/flood/q*/stdout.log | grep -c heard"
        try place.until("all are heard") { try place.shell(count).output == "100\n" }
        #expect(try place.end() == "")
    }
}

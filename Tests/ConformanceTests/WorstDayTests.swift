// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// What a supervisor is judged by, on real processes, held by control groups and without them.
@Suite(.serialized) struct WorstDayTests {
    @Test(arguments: [nil, "session"] as [String?]) func stopLeavesNothing(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        try place.write(
            """
            #!/bin/sh
            trap '' TERM
            setsid sh -c 'trap "" TERM; echo child $$; while :; do sleep 1000; done' &
            (setsid sh -c '(trap "" TERM; exec sleep 4242) & exit 0' &)
            while :; do sleep 1000; done
            """, to: "stubborn.sh", mode: 0o755)
        try place.write(
            """
            name: worst
            services:
              stubborn:
                command: [./stubborn.sh]
                stop:
                  - { signal: SIGTERM, wait: 500ms }
                  - { signal: SIGINT, wait: 500ms }
            """)
        #expect(try place.orch("apply").status == 0)
        try place.eventually("its children are there") {
            try place.shell("pgrep -f '[s]leep 4242'").status == 0 && (try place.orch("logs").output.contains("child"))
        }
        let expected = try tracking ?? place.bestTracking()
        #expect(try place.rows()["stubborn"]?["tracking"]?.string == expected)
        let stop = try place.orch("stop", "stubborn")
        #expect(stop.status == 0, "\(stop)")
        #expect(try place.shell("pgrep -f '[s]leep 4242'").status == 1, "a double-forked child survived")
        let events = try place.orch("events", "--json").output.split(separator: "\n").compactMap {
            try? JSON.parse(String($0))
        }
        let steps = events.filter { $0["event"] == "step" || $0["event"] == "killing" }.compactMap {
            $0["time"]?.string
        }.compactMap { WallTime(rfc3339: $0) }
        #expect(steps.count == 3, "two signals, then the kill")
        if steps.count == 3 {
            #expect(steps[1] - steps[0] >= .milliseconds(499))
            #expect(steps[2] - steps[1] >= .milliseconds(499))
        }
        #expect(try place.end() == "")
    }

    @Test func aPortThatAStrangerHoldsIsNamedAndWaitedFor() throws {
        let place = try Workplace()
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(listener, generic, length)
                listen(listener, 1)
                unsafe getsockname(listener, generic, &length)
                return UInt16(bigEndian: unsafe pointer.pointee.sin_port)
            }
        }
        try place.write(
            """
            name: ports
            services:
              web: { command: [sleep, "1000"], ports: [\(port)], restart: { policy: always, delay: 200ms, max_delay: 1s } }
              other: { command: [sleep, "1000"] }
            """)
        let apply = try place.orch("apply", "--detach")
        #expect(apply.status == 0, "\(apply)")
        try place.eventually("web is in back-off") { try place.phase("web") == "backoff" }
        try place.eventually("the rest is ready") { try place.phase("other") == "ready" }
        let reason = try place.rows()["web"]?["reason"]?.string ?? ""
        #expect(reason.contains("\(port)"), "\(reason)")
        #expect(reason.contains("\(getpid())"), "\(reason)")
        close(listener)
        try place.eventually("it starts by itself") { try place.phase("web") == "ready" }
        #expect(try place.end() == "")
    }

    @Test func rotationLosesNothing() throws {
        let place = try Workplace()
        try place.write(
            """
            name: logs
            services:
              writer:
                kind: task
                command: [seq, "1", "25000000"]
                logging: { stdout: logs/out.log, rotate: { size: 1MB, keep: 300 } }
            """)
        #expect(try place.orch("apply").status == 0)
        let check = try place.shell(
            """
            cd logs
            { ls out.log.* | sort -t. -k3 -n | while read -r f; do cat "$f"; done; cat out.log; } > ../all
            seq 1 25000000 | cmp - ../all && ls out.log.* | wc -l
            for f in out.log.*; do [ "$(tail -c 1 "$f" | od -An -c | tr -d ' ')" = '\\n' ] || echo "$f is cut"; done
            """)
        #expect(check.status == 0, "\(check)")
        #expect(!check.output.contains("cut"))
        #expect((Int(check.output.split(separator: "\n").first ?? "") ?? 0) > 150, "\(check)")
        #expect(try place.end() == "")
    }

    @Test(arguments: [nil, "session"] as [String?]) func killingTheDaemonCostsNothing(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        var text = "name: many\ndefaults: { restart: { policy: always, delay: 100ms } }\nservices:\n"
        for number in 1...40 {
            text += "  s\(number): { command: 'n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done' }\n"
        }
        try place.write(text)
        #expect(try place.orch("apply").status == 0)
        let before = try place.rows().mapValues { $0["pid"] }
        for _ in 1...5 {
            let daemon = try JSON.parse(try place.orch("daemon", "status", "--json").output)["pid"]?.int ?? 0
            #expect(daemon > 1)
            kill(pid_t(daemon), SIGKILL)
            try place.eventually("another daemon answers") {
                let next = try JSON.parse(try place.orch("daemon", "status", "--json").output)["pid"]?.int
                return next != nil && next != daemon
            }
        }
        #expect(try place.rows().mapValues { $0["pid"] } == before)
        #expect(try place.rows().values.allSatisfy { $0["phase"] == "ready" })
        #expect(try place.orch("stop", "s1", "s2").status == 0)
        let check = try place.shell(
            """
            for s in s1 s2; do awk '{ if ($2 != NR) { print "line", NR, "says", $0; exit 1 } }' "\(place.home)"/state/logs/many/$s/stdout.log || exit 1; done
            """)
        #expect(check.status == 0, "\(check)")
        #expect(try place.orch("down").status == 0)
        let events = try place.orch("events", "--json").output.split(separator: "\n").compactMap {
            try? JSON.parse(String($0))
        }
        let exits = events.filter { $0["event"] == "exited" }.compactMap { $0["launch"]?.int }
        #expect(exits.count == Set(exits).count, "an exit was told twice")
        #expect(Set(exits).count == 40)
        #expect(try place.end() == "")
    }

    @Test func stoppedByHandStaysStoppedOverADaemonRestart() throws {
        let place = try Workplace()
        try place.write("name: hand\nservices:\n  a: { command: [sleep, '1000'] }\n  b: { command: [sleep, '1000'] }\n")
        #expect(try place.orch("apply").status == 0)
        #expect(try place.orch("stop", "a").status == 0)
        #expect(try place.orch("daemon", "restart").status == 0)
        #expect(try place.phase("a") == "idle")
        #expect(try place.phase("b") == "ready")
        #expect(try place.orch("diff").status == 2, "drift is shown")
        #expect(try place.orch("apply").status == 0)
        #expect(try place.phase("a") == "ready")
        #expect(try place.end() == "")
    }
}

extension Workplace {
    /// `cgroup` where this machine lets the daemon make control groups, else `session`.
    func bestTracking() throws -> String {
        let outcome = try shell(
            """
            for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
              [ -e "$root/cgroup.procs" ] && mkdir "$root/orch-probe-$$" 2>/dev/null && rmdir "$root/orch-probe-$$" && echo cgroup && exit
            done
            echo session
            """)
        return String(outcome.output.prefix { $0 != "\n" })
    }
}

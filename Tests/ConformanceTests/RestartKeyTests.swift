// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of ends and restarts, counted by the processes themselves.
@Suite(.serialized) struct RestartKeyTests {
    @Test func delaysGrowUpToTheMost() throws {
        let place = try Workplace()
        try place.write(
            """
            name: delays
            services:
              grows:
                command: 'date +%s%N >> grows; exit 1'
                restart: { delay: 100ms, factor: 1000, max_delay: 400ms, jitter: 0 }
              steady: { command: exit 1, restart: { delay: 10h, max_delay: 20h, jitter: 0 } }
              jumps: { command: exit 1, replicas: 6, restart: { delay: 10h, max_delay: 20h, jitter: 50% } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        // Without max_delay the third start would come after 100 seconds, and the fourth after a day.
        try place.until("six starts") { lines(place, "grows").count >= 6 }
        let starts = lines(place, "grows").compactMap { Int($0) }
        let gaps = zip(starts.dropFirst(), starts).map { ($0 - $1) / 1_000_000 }
        #expect(gaps[0] >= 100 && gaps[1...].allSatisfy { $0 >= 400 }, "\(gaps)")
        try place.eventually("all wait") {
            try place.rows().filter { $0.key != "grows" }.values.allSatisfy { $0["phase"] == "backoff" }
        }
        let waits = try place.rows().mapValues { try seconds(place, from: $0["since"], to: $0["until"]) }
        #expect(abs((waits["steady"] ?? 0) - 36_000) < 60, "\(waits)")
        let jumping = waits.filter { $0.key.hasPrefix("jumps") }.values
        #expect(jumping.count == 6 && jumping.allSatisfy { $0 > 17_000 && $0 < 55_000 }, "\(waits)")
        // By chance once in a million lives.
        #expect(jumping.contains { abs($0 - 36_000) > 1_800 }, "\(waits)")
        #expect(try place.end() == "")
    }

    @Test func failuresCountAndAreForgotten() throws {
        let place = try Workplace()
        let fails = "echo x >> $ORCH_SERVICE; exit 1"
        try place.write(
            """
            name: counts
            defaults: { shell: [/bin/bash, -c], restart: { delay: 20ms, max_delay: 20ms } }
            services:
              gives-up: { command: '\(fails)', restart: { max_attempts: 2 } }
              apart: { command: '\(fails)', restart: { max_attempts: 1, delay: 300ms, max_delay: 1s, jitter: 0, window: 100ms } }
              lasts: { command: 'sleep 0.5; \(fails)', restart: { max_attempts: 1, reset_after: 100ms } }
              again: { command: '\(fails)', restart: { max_attempts: 0, retry_after: 100ms } }
              never: { command: '\(fails)', restart: { policy: no } }
              word: { command: '\(fails)', restart: no }
              always: { command: 'echo x >> $ORCH_SERVICE', restart: always }
              done: { command: 'echo x >> $ORCH_SERVICE', restart: on-failure }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        for name in ["apart", "lasts", "again", "always"] {
            try place.until("\(name) is tried again and again") { lines(place, name).count >= 4 }
        }
        try place.eventually("it has given up") { try place.phase("gives-up") == "failed" }
        #expect(lines(place, "gives-up").count == 3)
        #expect(try place.rows()["gives-up"]?["reason"]?.string?.contains("within") == true)
        for name in ["never", "word"] {
            #expect(try place.phase(name) == "failed")
            #expect(lines(place, name).count == 1, "\(name)")
        }
        #expect(try place.phase("done") == "done")
        #expect(lines(place, "done").count == 1)
        #expect(try place.end() == "")
    }

    @Test func itsOwnEndLeadsToWhatIsSaid() throws {
        let place = try Workplace()
        try place.write(
            """
            name: ends
            defaults: { restart: { policy: always, delay: 20ms } }
            services:
              odd: { kind: task, command: exit 7, restart: no, success_exit_codes: [0, 7] }
              killed: { kind: task, command: 'kill -USR1 $$', restart: no, success_exit_codes: [SIGUSR1] }
              plain: { kind: task, command: exit 7, restart: no }
              stops: { command: 'echo x >> stops; exit 3', on_exit: { 3: stop } }
              returns: { command: 'echo x >> returns; exit 0', restart: no, on_exit: { 0: restart } }
              other: { command: 'echo x >> other; kill -SEGV $$', on_exit: { 3: restart, SIGSEGV: stop, default: ignore } }
              rests: { command: 'echo x >> rests; exit 4', on_exit: { 3: stop, default: ignore } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.until("it returns again and again") { lines(place, "returns").count >= 4 }
        let phases = [
            "odd": "done", "killed": "done", "plain": "failed", "stops": "done", "other": "done", "rests": "ready",
        ]
        for (name, phase) in phases {
            try place.eventually("\(name) is \(phase)") { try place.phase(name) == phase }
        }
        for name in ["stops", "other", "rests"] { #expect(lines(place, name).count == 1, "\(name)") }
        #expect(try place.pid("rests") == nil, "it counts as up without a process")
        #expect(try place.end() == "")
    }

    @Test func theEndOfTheEssentialIsTheEndOfAll() throws {
        let place = try Workplace()
        try place.write(
            """
            name: essence
            services:
              job: { command: 'until [ -e side ]; do sleep 0.02; done; exit 5', essential: true, restart: no }
              side: { command: 'echo up > side; exec sleep 4501' }
            """)
        let up = try place.orch("up")
        #expect(up.status == 5, "\(up)")
        #expect(try place.shell("pgrep -f '[s]leep 4501'").status == 1)
        #expect(try place.end() == "")
    }
}

/// What a process has written to a file of its folder.
func lines(_ place: Workplace, _ name: String) -> [String] {
    contents("\(place.folder)/\(name)").split(separator: "\n").map(String.init)
}

/// Between two times of JSON.
func seconds(_ place: Workplace, from: Value?, to: Value?) throws -> Int {
    guard let from = from?.string, let to = to?.string else { return -1 }
    let said = try place.shell("echo $(( $(date -d '\(to)' +%s) - $(date -d '\(from)' +%s) ))").output
    return Int(said.filter { $0 != "\n" }) ?? -1
}

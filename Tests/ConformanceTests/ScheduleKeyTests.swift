// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of runs by the clock, counted by the runs.
@Suite(.serialized) struct ScheduleKeyTests {
    @Test func runsMeetAsIsSaid() throws {
        let place = try Workplace()
        // Each run notes that it is there and that it is over.
        let run =
            "echo begin >> $ORCH_SERVICE; trap 'echo stopped >> $ORCH_SERVICE; exit 1' TERM; until [ -e go ]; do sleep 0.02; done; echo end >> $ORCH_SERVICE"
        try place.write(
            """
            name: overlap
            defaults: { kind: task, command: "\(run)" }
            services:
              skip: { schedule: { every: 1s, overlap: skip } }
              queue: { schedule: { every: 1s, overlap: queue } }
              replace: { schedule: { every: 1s, overlap: replace } }
              allow: { schedule: { every: 1s, overlap: allow } }
              clock: { command: echo x >> clock, schedule: { cron: "* * * * *", timezone: UTC } }
              ticks: { command: echo x >> ticks, schedule: { every: 1s } }
            """)
        try place.apply()
        try place.until("the clock has struck five times more") { lines(place, "ticks").count >= 5 }
        try place.until("they run side by side") { lines(place, "allow").count { $0 == "begin" } >= 3 }
        try place.until("one stops the other") { lines(place, "replace").count { $0 == "stopped" } >= 2 }
        #expect(lines(place, "skip") == ["begin"] && lines(place, "queue") == ["begin"])
        try place.write("", to: "go")
        try place.until("what waited comes") { lines(place, "queue").count { $0 == "begin" } >= 2 }
        #expect(lines(place, "queue").prefix(3) == ["begin", "end", "begin"])
        try place.until("a minute has begun", within: 90) { !lines(place, "clock").isEmpty }
        #expect(try place.end() == "")
    }

    @Test func whatFailedIsTriedAgainAndRemembered() throws {
        let place = try Workplace()
        try place.write(
            """
            name: retries
            defaults: { kind: task }
            services:
              fails:
                command: 'date +%s%N >> fails; exit 3'
                schedule: { every: 1h, retries: 2, retry_delay: 400ms }
              many: { command: 'echo x >> many', schedule: { every: 1s, history: 2 } }
              steady: { command: 'true', schedule: { every: 10h } }
              jumps: { command: 'true', replicas: 6, schedule: { every: 10h, jitter: 9h } }
            """)
        try place.apply()
        _ = try place.orch("start", "fails")
        try place.until("three attempts") { lines(place, "fails").count == 3 }
        let begun = lines(place, "fails").compactMap { Int($0) }
        for (first, next) in zip(begun, begun.dropFirst()) { #expect(next - first >= 400_000_000) }
        try place.eventually("the run is over") {
            try place.rows()["fails"]?["runs"]?.array?.first?["attempts"] == 3
        }
        try place.until("four runs") { lines(place, "many").count >= 4 }
        #expect(try place.rows()["many"]?["runs"]?.array?.count == 2)
        let due = try place.rows().mapValues { try seconds(place, from: $0["since"], to: $0["until"]) }
        #expect(abs((due["steady"] ?? 0) - 36_000) < 60, "\(due)")
        let jumping = due.filter { $0.key.hasPrefix("jumps") }.values
        // By chance once in millions of lives.
        #expect(jumping.count == 6 && jumping.contains { $0 > 36_000 + 1_800 }, "\(due)")
        #expect(try place.end() == "")
    }

    @Test func whatWasMissedComesOnceOrNotAtAll() throws {
        let place = try Workplace()
        try place.write(
            """
            name: missed
            defaults: { kind: task, command: 'date +%s >> $ORCH_SERVICE' }
            services:
              once: { schedule: { every: 3s, missed: run-once } }
              skip: { schedule: { every: 1000h, missed: skip } }
            """)
        try place.apply()
        try place.until("it has run") { !lines(place, "once").isEmpty }
        #expect(try place.orch("daemon", "stop").status == 0)
        let before = lines(place, "once").count
        let stopped = time(nil)
        try place.until("instants pass with nobody there") { time(nil) > stopped + 7 }
        let begun = time(nil)
        #expect(try place.orch("daemon", "start").status == 0)
        try place.until("it comes") { lines(place, "once").count > before }
        let first = try #require(Int(lines(place, "once")[before]))
        #expect(first >= begun)
        try place.eventually("the run says when it was due") {
            let runs = try place.rows()["once"]?["runs"]?.array ?? []
            return try runs.contains { try seconds(place, from: $0["due"], to: $0["started_at"]) >= 1 }
        }
        #expect(lines(place, "skip").isEmpty)
        #expect(try place.end() == "")
    }
}

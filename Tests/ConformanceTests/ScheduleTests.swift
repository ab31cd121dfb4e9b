// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire
import Testing

/// A scheduled task on real processes, over the death of a daemon.
@Suite(.serialized) struct ScheduleTests {
    @Test func everySecondHasOneRunAndNoDaemonDoublesIt() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              tick:
                kind: task
                command: date +%s >> ticks
                schedule: { every: 1s, history: 3 }
              late:
                kind: task
                command: [sleep, "1000"]
                schedule: { cron: "0 0 29 2 *", timezone: UTC }
            """)
        let applied = try place.orch("apply")
        #expect(applied.status == 0, "armed is all that apply waits for: \(applied)")
        let ticks = { contents(place.folder + "/ticks").split(separator: "\n").count }
        try place.eventually("three runs") { ticks() >= 3 }
        let late = try place.rows()["late"]
        #expect(late?["phase"] == "idle")
        #expect(late?["reason"]?.string?.hasPrefix("next run at 20") == true, "\(String(describing: late))")
        #expect(late?["until"]?.string?.contains("-02-29T00:00:00.000Z") == true)

        #expect(try place.orch("daemon", "restart").status == 0)
        let before = ticks()
        try place.eventually("runs under the next daemon") { ticks() >= before + 2 }
        let runs = try place.rows()["tick"]?["runs"]?.array ?? []
        #expect(runs.count == 3)
        let due = runs.compactMap { $0["due"]?.string }
        #expect(Set(due).count == 3, "\(due)")
        #expect(due == due.sorted())
        #expect(runs.allSatisfy { $0["result"] == "succeeded" })

        #expect(try place.orch("start", "late").status == 0)
        try place.eventually("late runs now") { try place.phase("late") == "running" }
        #expect(try place.orch("stop", "tick", "late").status == 0)
        let stopped = ticks()
        #expect(try place.phase("tick") == "idle")
        #expect(try place.orch("diff").status == 2, "stopped by hand is drift")
        #expect(ticks() == stopped)
        #expect(try place.end() == "")
    }
}

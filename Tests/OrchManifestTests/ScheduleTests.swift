// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct ScheduleTests {
    @Test func aScheduleIsRead() throws {
        let fixture = Fixture(
            """
            name: shop
            services:
              backup:
                kind: task
                command: ./backup
                schedule: { cron: "30 2 * * mon-fri", timezone: Europe/Paris, jitter: 10m, overlap: replace,
                  missed: run-once, retries: 2, retry_delay: 1m, history: 5 }
              tick: { kind: task, command: ./tick, schedule: { every: 90s } }
            """)
        let stack = try fixture.stack()
        var backup = ScheduleSpec(.cron(try CronExpression("30 2 * * 1-5 ".replacing("1-5", with: "mon-fri"))))
        backup.timeZone = "Europe/Paris"
        backup.jitter = .seconds(600)
        backup.overlap = .replace
        backup.missed = .runOnce
        backup.retries = 2
        backup.retryDelay = .seconds(60)
        backup.history = 5
        #expect(stack["backup"]?.schedule == backup)
        #expect(stack["tick"]?.schedule == ScheduleSpec(.every(.seconds(90))))
        #expect(fixture.complaints() == [])
    }

    @Test func whatIsWrongIsSaidWhereItIs() {
        let fixture = Fixture(
            """
            name: shop
            services:
              a: { command: ./a, schedule: { every: 1m } }
              b: { kind: task, command: ./b, schedule: { cron: "0 25 * * *" } }
              c: { kind: task, command: ./c, schedule: { cron: "@daily", timezone: Mars/Phobos } }
              d: { kind: task, command: ./d, schedule: { cron: "@daily", every: 1m } }
              e: { kind: task, command: ./e, schedule: { jitter: 1m } }
              f: { kind: task, command: ./f, schedule: { every: 100ms } }
              g: { kind: task, command: ./g, schedule: { every: 1m, jitter: 2m, timezone: UTC, retry_delay: 1m } }
              h: { kind: task, command: ./h, replicas: 2, schedule: { every: 1m, overlap: allow } }
              i: { kind: task, command: ./i, restart: on-failure, schedule: { cron: "@daily", timezone: ../etc } }
              j: { kind: task, command: ./j, schedule: { cron: "0 0 30 feb *" } }
              k: { kind: task, command: ./k, schedule: "@daily" }
            """)
        #expect(
            fixture.complaints() == [
                "3:22 error[misplaced] \"schedule\" is for tasks, and this is a service",
                "4:52 error[cron] \"cron\": in the hour, 25 is not from 0 to 23",
                "5:72 error[timezone] this host knows no time zone \"Mars/Phobos\"",
                "6:69 error[value] a schedule has cron or every, not both",
                "7:44 error[missing] a schedule needs cron or every",
                "8:53 error[range] \"every\" must be at least 1s, not 100ms",
                "9:57 error[range] \"jitter\" (2m) must be shorter than \"every\" (1m)",
                "9:69 warning[no-effect] \"timezone\" never takes effect: every goes by time that passes",
                "9:84 warning[no-effect] \"retry_delay\" never takes effect without retries",
                "10:79 error[value] runs of 2 replicas can't overlap as well",
                "11:43 warning[no-effect] \"restart\" never takes effect: this task has a schedule",
                "11:93 error[timezone] \"timezone\": \"../etc\" is not the name of a time zone",
                "12:52 error[cron] \"cron\": it never comes: no year has such a day",
                "13:44 error[type] \"schedule\" must be a map, not \"@daily\"",
            ])
    }
}

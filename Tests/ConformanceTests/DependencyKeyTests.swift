// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of who waits for whom, and of what follows from another's end.
@Suite(.serialized) struct DependencyKeyTests {
    @Test func conditionsHoldUpStarts() throws {
        let place = try Workplace()
        try place.write(
            """
            name: conditions
            defaults: { command: [sleep, '4511'] }
            services:
              slow:
                health:
                  readiness: { command: 'test -e ready', interval: 50ms }
                  liveness: { command: 'test -e alive', interval: 50ms, failure_threshold: 1000 }
              job: { kind: task, command: 'until [ -e go ]; do sleep 0.02; done; exit 3' }
              good: { kind: task, command: 'until [ -e go ]; do sleep 0.02; done' }
              off: { enabled: false }
              started: { depends_on: { slow: { condition: started } } }
              readied: { depends_on: { slow: { condition: ready } } }
              healthy: { depends_on: { slow: { condition: healthy } } }
              completed: { depends_on: { job: { condition: completed } } }
              succeeded: { depends_on: { good: { condition: succeeded } } }
              compose: { depends_on: { good: { condition: service_completed_successfully } } }
              anyway: { depends_on: { off: { required: false } } }
              impatient: { depends_on: { slow: { condition: ready, timeout: 200ms } }, restart: no }
              hopeless: { depends_on: { job: { condition: succeeded } } }
              outside: { depends_on: [ 'file:ready' ] }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        for name in ["started", "anyway"] {
            try place.eventually("\(name) waits for nobody") { try place.phase(name) == "ready" }
        }
        try place.eventually("its patience is over") { try place.phase("impatient") == "failed" }
        let waiting = ["readied", "healthy", "completed", "succeeded", "compose", "hopeless", "outside"]
        for name in waiting { #expect(try place.phase(name) == "waiting", "\(name)") }
        try place.write("", to: "ready")
        for name in ["readied", "outside"] {
            try place.eventually("\(name) has what it needs") { try place.phase(name) == "ready" }
        }
        #expect(try place.phase("healthy") == "waiting")
        try place.write("", to: "alive")
        try place.write("", to: "go")
        for name in ["healthy", "completed", "succeeded", "compose"] {
            try place.eventually("\(name) has what it needs") { try place.phase(name) == "ready" }
        }
        #expect(try place.pid("hopeless") == nil)
        #expect(try place.end() == "")
    }

    @Test func reactionsFollow() throws {
        let place = try Workplace()
        try place.write(
            """
            name: reacts
            defaults: { command: [sleep, '4512'] }
            services:
              db: { restart: { policy: always, delay: 20ms } }
              frail: { command: 'until [ -e go ]; do sleep 0.02; done; exit 1', restart: no }
              ignores: { depends_on: [db] }
              follows: { depends_on: { db: { on_restart: restart } } }
              compose: { depends_on: { db: { restart: true } } }
              ends: { depends_on: { db: { on_restart: stop } } }
              left: { depends_on: { frail: { on_failure: stop } } }
              stays: { depends_on: [frail] }
            """)
        try place.apply()
        let before = try place.rows().mapValues { $0["pid"]?.int }
        kill(pid_t(try #require(before["db"]!)), SIGKILL)
        for name in ["db", "follows", "compose"] {
            try place.eventually("\(name) is another process") {
                try place.pid(name).map { $0 != before[name]! } == true
            }
        }
        try place.eventually("it is stopped") { try place.pid("ends") == nil }
        try place.write("", to: "go")
        try place.eventually("it is stopped") { try place.pid("left") == nil }
        for name in ["ignores", "stays"] { #expect(try place.pid(name) == before[name]!, "\(name)") }
        #expect(try place.end() == "")
    }
}

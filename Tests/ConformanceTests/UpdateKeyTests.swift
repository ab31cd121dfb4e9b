// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of how instances are replaced, kept by those who are.
@Suite(.serialized) struct UpdateKeyTests {
    private func write(_ place: Workplace, version: Int, _ more: String, replicas: Int = 1) throws {
        try place.write(
            """
            name: update
            services:
              web:
                command: 'trap "echo end $VERSION >> story; exit" TERM; echo begin $VERSION >> story; date +%s%N >> begun.$VERSION; echo up; while :; do sleep 0.02; done'
                environment: { VERSION: "\(version)" }
                ready: { log: '^up' }
                replicas: \(replicas)
                \(more)
            """)
    }

    @Test func theOrderIsKept() throws {
        let place = try Workplace()
        for (order, story) in [("stop-first", ["end 1", "begin 2"]), ("start-first", ["begin 2", "end 1"])] {
            try write(place, version: 1, "update: { order: \(order) }")
            try place.apply()
            _ = try place.shell("rm -f story")
            try write(place, version: 2, "update: { order: \(order) }")
            try place.apply()
            #expect(lines(place, "story") == story)
        }
        #expect(try place.end() == "")
    }

    /// Four that wait for each other come up only when all four are replaced at a time; one after the other they come apart.
    @Test func asManyAsAreSaidAtATime() throws {
        let place = try Workplace()
        let barrier =
            "health: { startup: { command: '[ $VERSION = 1 ] || [ $(wc -l < begun.$VERSION) -ge 4 ]', interval: 50ms, failure_threshold: 1000 } }"
        try write(place, version: 1, barrier, replicas: 4)
        try place.apply()
        try write(place, version: 2, "update: { parallelism: 4 }\n    \(barrier)", replicas: 4)
        try place.apply()
        #expect(lines(place, "begun.2").count == 4)
        try write(place, version: 3, "update: { min_ready: 400ms }", replicas: 3)
        try place.apply()
        let begun = lines(place, "begun.3").compactMap { Int($0) }.sorted()
        #expect(begun.count == 3)
        for (first, next) in zip(begun, begun.dropFirst()) { #expect(next - first >= 400_000_000, "\(begun)") }
        #expect(try place.end() == "")
    }

    @Test(arguments: ["pause", "rollback", "continue"]) func aFailureIsMetAsSaid(way: String) throws {
        let place = try Workplace()
        try write(place, version: 1, "update: { on_failure: \(way) }", replicas: 2)
        try place.apply()
        let before = try place.rows().mapValues { $0["pid"]?.int }
        try write(
            place, version: 2,
            "update: { on_failure: \(way) }\n    start_timeout: 3s\n    restart: no\n    health: { startup: { command: 'exit 1', interval: 50ms } }",
            replicas: 2)
        let apply = try place.orch("apply")
        #expect(apply.status == 1, "\(apply)")
        switch way {
        case "pause":
            #expect(lines(place, "begun.2").count == 1, "the other one is as it was")
            #expect(
                try place.rows().contains { $0.value["pid"]?.int == before[$0.key]! && $0.value["phase"] == "ready" })
        case "rollback":
            try place.eventually("both are what they were") {
                try place.rows().values.allSatisfy { $0["phase"] == "ready" }
            }
            #expect(lines(place, "begun.2").count == 1 && lines(place, "begun.1").count == 3)
        default: #expect(lines(place, "begun.2").count == 2, "the other one is replaced all the same")
        }
        #expect(try place.end() == "")
    }

    @Test func aRenamedServiceKeepsItsProcess() throws {
        let place = try Workplace()
        try place.write("name: rename\nservices: { old: { command: [sleep, '4551'] } }\n")
        try place.apply()
        let pid = try place.pid("old")
        try place.write("name: rename\nservices: { new: { command: [sleep, '4551'], renamed_from: old } }\n")
        try place.apply()
        #expect(try place.pid("new") == pid)
        #expect(try place.rows().keys.sorted() == ["new"])
        #expect(try place.end() == "")
    }

    /// What a string of a command is read by, beside the service's own shell.
    @Test func commandsHaveTheirOwnShell() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shells
            services:
              web:
                command: 'exec sleep 4552'
                reload: { command: 'open("reloaded", "w")', shell: [/usr/bin/python3, -c] }
                watch: [{ path: seen, debounce: 20ms, action: { command: 'open("watched", "w")', shell: [/usr/bin/python3, -c] } }]
            """)
        try place.apply()
        #expect(try place.orch("reload", "web").status == 0)
        #expect(unsafe access(place.folder + "/reloaded", F_OK) == 0)
        try place.until("what changes is seen") {
            _ = try place.shell("date +%N > seen")
            return unsafe access(place.folder + "/watched", F_OK) == 0
        }
        #expect(try place.end() == "")
    }

    /// Who needs what was changed is restarted with it, where that is said.
    @Test func aChangeGoesOnToWhoNeedsIt() throws {
        let place = try Workplace()
        try place.write("1", to: "deep")
        try place.write("1", to: "flat")
        try place.write(
            """
            name: cascade
            defaults: { command: [sleep, '4553'] }
            services:
              deep: { watch: [{ path: deep, debounce: 20ms, cascade: true }] }
              flat: { watch: [{ path: flat, debounce: 20ms, cascade: false }] }
              over: { depends_on: [deep] }
              under: { depends_on: [flat] }
            """)
        try place.apply()
        let before = try place.rows().mapValues { $0["pid"]?.int }
        try place.write("22", to: "deep")
        try place.write("22", to: "flat")
        for name in ["deep", "flat", "over"] {
            try place.eventually("\(name) is another process") {
                try place.pid(name).map { $0 != before[name]! } == true && place.phase(name) == "ready"
            }
        }
        #expect(try place.pid("under") == before["under"]!)
        #expect(try place.end() == "")
    }

    /// Three that never run together, counted by themselves.
    @Test func onlyOneHasTheLock() throws {
        let place = try Workplace()
        let run = "mkdir held && sleep 0.1 && echo x >> done; rmdir held"
        var text = "name: locks\nservices:\n"
        for name in ["a", "b", "c"] { text += "  \(name): { kind: task, command: '\(run)', locks: [room] }\n" }
        try place.write(text)
        try place.apply()
        #expect(lines(place, "done").count == 3)
        #expect(try place.rows().values.allSatisfy { $0["phase"] == "done" })
        #expect(try place.end() == "")
    }
}

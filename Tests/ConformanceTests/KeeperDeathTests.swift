// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// What a keeper's death costs, on real processes, held by control groups and without them.
@Suite(.serialized) struct KeeperDeathTests {
    static let trackings: [String?] = [nil, "session"]

    @Test(arguments: trackings) func killingTheKeeperAloneCostsNothing(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        var text = "name: many\ndefaults: { restart: { policy: always, delay: 100ms } }\nservices:\n"
        for number in 1...20 {
            text += "  s\(number): { command: 'n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done' }\n"
        }
        try place.write(text)
        #expect(try place.orch("apply").status == 0)
        let before = try place.rows().mapValues { $0["pid"] }
        for _ in 1...3 {
            let keeper = try place.keeper()
            let daemon = try place.daemon()
            kill(keeper, SIGKILL)
            try place.eventually("another keeper and another daemon, without any command") {
                // The daemon's process is the next keeper.
                try place.keeper() == daemon && place.children(of: daemon).contains("orchd")
            }
            try place.eventually("the daemon answers") { try place.daemon() != daemon }
            #expect(try place.rows().mapValues { $0["pid"] } == before)
        }
        #expect(try place.rows().values.allSatisfy { $0["phase"] == "ready" && $0["restarts"]?.int ?? 0 == 0 })
        #expect(try place.orch("stop", "s1", "s2").status == 0)
        let check = try place.shell(
            """
            for s in s1 s2; do awk '{ if ($2 != NR) { print "line", NR, "says", $0; exit 1 } }' "\(place.home)"/state/logs/many/$s/stdout.log || exit 1; done
            """)
        #expect(check.status == 0, "\(check)")
        #expect(try place.orch("down").status == 0)
        let exits = try place.occurrences("exited").compactMap { $0["launch"]?.int }
        #expect(exits.count == 20)
        #expect(Set(exits).count == 20, "an exit was told twice")
        #expect(try place.end() == "")
    }

    /// What the keeper started is restarted when it ends later, once, though it is no child of the next keeper; and its end is told as it
    /// was or not at all.
    @Test(arguments: trackings) func whoEndsAfterItsKeeperIsRestartedOnce(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        try place.write(
            """
            name: later
            defaults: { restart: { policy: always, delay: 50ms } }
            services:
              seven: { command: 'echo started >> starts.seven; while ! [ -e go ]; do sleep 0.02; done; rm go; exit 7' }
              killed: { command: 'echo started >> starts.killed; exec sleep 4243' }
            """)
        #expect(try place.orch("apply").status == 0)
        let before = try place.rows().mapValues { $0["pid"]?.int ?? 0 }
        let daemon = try place.daemon()
        kill(try place.keeper(), SIGKILL)
        kill(pid_t(before["killed"] ?? 0), SIGTERM)
        try place.eventually("another daemon answers") { try place.daemon() != daemon }
        try place.write("", to: "go")
        try place.eventually("both are restarted") {
            let now = try place.rows()
            return now.allSatisfy { $0.value["phase"] == "ready" && $0.value["pid"]?.int != before[$0.key] }
        }
        #expect(try place.shell("cat starts.seven starts.killed | wc -l").output == "4\n")
        let exits = try place.occurrences("exited")
        #expect(exits.count == 2)
        for exit in exits {
            let truth: Value = exit["service"] == "seven" ? ["code": 7] : ["signal": "SIGTERM"]
            #expect(exit["exit"] == truth || exit["exit"]?["unknown"] != nil, "\(exit)")
        }
        #expect(try place.end() == "")
    }
}

extension Workplace {
    /// By the lock's file.
    func keeper() throws -> pid_t {
        guard let pid = pid_t(contents(home + "/state/lock").prefix { $0 != "\n" }), pid > 1 else {
            throw Broken("no keeper")
        }
        return pid
    }

    func daemon() throws -> pid_t {
        let outcome = try orch("daemon", "status", "--json")
        guard let pid = try JSON.parse(outcome.output)["pid"]?.int, pid > 1 else { throw Broken("\(outcome)") }
        return pid_t(pid)
    }

    /// The names of its children.
    func children(of pid: pid_t) -> [String] {
        contents("/proc/\(pid)/task/\(pid)/children").split(separator: " ").map {
            String(contents("/proc/\($0)/comm").prefix { $0 != "\n" })
        }
    }

    func occurrences(_ kind: String) throws -> [Value] {
        try orch("events", "--json").output.split(separator: "\n").compactMap { try? JSON.parse(String($0)) }
            .filter { $0["event"]?.string == kind }
    }
}

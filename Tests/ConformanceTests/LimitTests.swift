// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// `resources` and `host`, on processes that really use too much. Where the kernel holds limits here (control groups, version 2, with
/// controllers), it is the kernel that is seen to; else the looks.
@Suite(.serialized) struct LimitTests {
    private func limits(_ place: Workplace, _ label: String) throws -> [String: Value] {
        var found: [String: Value] = [:]
        for limit in try place.rows()[label]?["limits"]?.array ?? [] { found[limit["resource"]?.string ?? ""] = limit }
        return found
    }

    private func isBeyond(_ limit: Value?) -> Bool { limit?["exceeded_since"]?.string != nil }

    /// Where the kernel holds its threads, it never gets to too many processes.
    private func hasForked(_ forks: [String: Value]) -> Bool {
        isBeyond(forks["threads"]) && (isBeyond(forks["pids"]) || forks["threads"]?["held_by"]?.string == "cgroup")
    }

    /// Memory in another session, descriptors in several processes: what counts is the whole tree.
    private static let greedy = """
        name: shop
        services:
          web:
            command: >-
              exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null;
              setsid sh -c 'head -c 60000000 /dev/zero | tail -n 1 | until [ -e calm ]; do sleep 0.05; done' &
              until [ -e calm ]; do sleep 0.05; done;
              exec sleep 4313 3<&- 4<&- 5<&- 6<&-
            resources: { memory: 20MB, files: 8 }
          forks:
            command: "until [ -e calm ]; do ( sleep 1 & sleep 1 & sleep 1 & wait ); done; exec sleep 4314"
            resources: { pids: 3, threads: 3 }
            logging: { stderr: null }
          lean:
            command: [sleep, "4315"]
            resources: { memory: 1GB, cpus: 1, pids: 100, files: 100, threads: 100, on_exceed: stop }
        """

    @Test(arguments: KeeperDeathTests.trackings) func whatIsBeyondIsToldWhileItLasts(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        try place.write(Self.greedy)
        try place.apply()
        let pid = try place.pid("web")
        try place.eventually("all three are seen") {
            let found = try limits(place, "web")
            return try isBeyond(found["memory"]) && isBeyond(found["files"])
                && hasForked(limits(place, "forks"))
        }
        let memory = try #require(try limits(place, "web")["memory"])
        #expect(memory["limit"]?.int == 20_000_000 && (memory["use"]?.int ?? 0) > 20_000_000, "\(memory)")
        let page = try place.orch("status").output
        #expect(page.contains("beyond its limit since") && page.contains("of 20 MB"), "\(page)")
        #expect(page.contains("are looked at every 2s") == (memory["held_by"]?.string == "sampling"), "\(page)")
        #expect(try place.orch("events", "--json").output.contains("\"event\":\"exceeded\""))
        #expect(try place.orch("why", "web").output.contains("its limit is 20 MB"))
        try place.write("", to: "calm")
        try place.eventually("it keeps within them again") {
            try limits(place, "web").values.allSatisfy { !isBeyond($0) }
                && limits(place, "forks").values.allSatisfy { !isBeyond($0) }
        }
        #expect(try place.orch("events", "--json").output.contains("within its limit of 20 MB again"))
        #expect(try place.pid("web") == pid, "report ends nothing")
        #expect(try place.rows()["lean"]?["restarts"]?.int == 0)
        #expect(try place.phase("lean") == "ready")
        #expect(try place.end() == "")
    }

    /// The first launch forks more than it may, the next one does not.
    @Test(arguments: KeeperDeathTests.trackings) func anExcessIsAFailureThatRestarts(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        try place.write(
            """
            name: shop
            services:
              web:
                command: "[ -e again ] && exec sleep 4320; touch again; exec 3</dev/null 4</dev/null; setsid sleep 4321 & wait"
                resources: { files: 7, on_exceed: restart }
                restart: { delay: 10ms }
                stop: { steps: [{ signal: TERM, wait: 20s }] }
            """)
        try place.apply()
        try place.eventually("it was started again") { try place.rows()["web"]?["restarts"]?.int == 1 }
        try place.eventually("and is up") { try place.phase("web") == "ready" }
        let why = try place.orch("why", "web").output
        #expect(why.contains("its limit is 7 (on_exceed: restart)"), "\(why)")
        #expect(try place.shell("pgrep -f '^sleep 4321$'").output == "", "the whole tree went")
        #expect(try place.end() == "")
    }

    @Test(arguments: KeeperDeathTests.trackings) func anExcessMayEndIt(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        try place.write(
            """
            name: shop
            services:
              web:
                command: "head -c 60000000 /dev/zero | tail -n 1 | sleep 4330"
                resources: { memory: 20MB, on_exceed: stop }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("it is over") { try place.phase("web") == "done" }
        let reason = try place.rows()["web"]?["reason"]?.string ?? ""
        #expect(reason.contains("(on_exceed: stop)") && reason.contains("20 MB"), "\(reason)")
        #expect(try place.shell("pgrep -f '^sleep 4330$'").output == "")
        #expect(try place.end() == "")
    }

    /// Averaged over ten seconds where it is looked at; throttled where the kernel holds it.
    @Test func processorTimeIsLimited() throws {
        let place = try Workplace()
        try place.write(
            "name: shop\nservices:\n  web: { command: 'while :; do :; done', resources: { cpus: 0.05 }, nice: 19 }\n")
        try place.apply()
        try place.eventually("it is held, or seen", within: 120) {
            let cpus = try limits(place, "web")["cpus"]
            return cpus?["held_by"]?.string == "cgroup" || isBeyond(cpus)
        }
        #expect(try place.end() == "")
    }

    /// Another daemon looks on at what it finds, and holds what it starts to what is written by then.
    @Test func limitsOutliveTheDaemonAndAreTakenUpByARestart() throws {
        let place = try Workplace()
        let text = "name: shop\nservices:\n  web: { command: [sleep, '4340'], resources: { files: 1 } }\n"
        try place.write(text)
        try place.apply()
        try place.eventually("seen") { isBeyond(try limits(place, "web")["files"]) }
        let pid = try place.pid("web")
        #expect(try place.orch("daemon", "restart").status == 0)
        try place.eventually("seen again") { isBeyond(try limits(place, "web")["files"]) }
        #expect(try place.pid("web") == pid)
        try place.write(text.replacing("files: 1", with: "files: 100"))
        #expect(try place.orch("diff").output.contains("resources.files"))
        try place.apply()
        #expect(try place.pid("web") != pid, "limits are taken up by a restart")
        #expect(try limits(place, "web")["files"]?["limit"]?.int == 100)
        #expect(try place.end() == "")
    }

    @Test func theHostIsDegradedAboveItsThresholds() throws {
        let place = try Workplace()
        let text = """
            name: shop
            host: { disk: { path: /, degraded_above: 0% }, memory: { degraded_above: 100% } }
            services:
              web: { command: [sleep, "4350"] }
            """
        try place.write(text)
        try place.apply()
        try place.eventually("it is said") { try place.orch("status").output.contains("the host is degraded since") }
        let status = try JSON.parse(place.orch("status", "--json").output)
        let host = status["stacks"]?.array?.first?["host"]?.array ?? []
        #expect(host.map { $0["resource"]?.string } == ["disk", "memory"], "\(host)")
        #expect(host.first?["degraded_since"]?.string != nil && host.last?["degraded_since"]?.string == nil)
        #expect((1..<100).contains(host.last?["used_percent"]?.double ?? 0), "\(host)")
        #expect(try place.orch("events").output.contains("the host's disk / "))
        let pid = try place.pid("web")
        try place.write(text.replacing("degraded_above: 0%", with: "degraded_above: 100%"))
        try place.apply()
        #expect(!(try place.orch("status").output.contains("degraded")))
        #expect(try place.pid("web") == pid)
        #expect(try place.end() == "")
    }
}

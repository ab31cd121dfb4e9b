// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of variables and of what is part of it, read where the kernel keeps it.
@Suite(.serialized) struct EnvironmentKeyTests {
    private func environment(_ place: Workplace, _ label: String) throws -> [String: String] {
        let pid = try #require(try place.pid(label))
        var found: [String: String] = [:]
        for entry in contents("/proc/\(pid)/environ").split(separator: "\0") {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            found[String(parts[0])] = String(parts[1])
        }
        return found
    }

    @Test func everySourceIsThereAndTheStrongestWins() throws {
        let place = try Workplace()
        try place.write("A=stack file\nB=stack file\nC=stack file\nD=stack file\nE=stack file\n", to: "stack.env")
        try place.write("D=file\nE=file\nF=file\n", to: "web.env")
        try place.write(
            """
            name: sources
            inherit_environment: [PATH, NO_*]
            env_file: stack.env
            environment: { B: stack, C: stack, D: stack, E: stack, GONE: 1 }
            defaults:
              command: [sleep, "4531"]
              environment: { C: defaults, G: defaults }
            services:
              web:
                env_file: [{ path: web.env }, { path: not-there.env, required: false }]
                environment: { E: web, GONE: null, H: "${A} and ${NO_COLOR}" }
              plain: {}
            """)
        try place.apply()
        let web = try environment(place, "web")
        let expected = [
            "A": "stack file", "B": "stack", "C": "defaults", "D": "file", "E": "web", "F": "file", "G": "defaults",
            "H": "stack file and 1", "NO_COLOR": "1",
        ]
        for (name, text) in expected { #expect(web[name] == text, "\(name)") }
        for name in ["GONE", "HOME", "SWIFT_BACKTRACE"] { #expect(web[name] == nil, "\(name)") }
        let plain = try environment(place, "plain")
        #expect(plain["E"] == "stack" && plain["F"] == nil && plain["GONE"] == "1")
        #expect(try place.orch("config").output.contains("sources"))
        let without = contents(place.folder + "/orch.yaml").replacing("required: false", with: "required: true")
        try place.write(without)
        #expect(try place.orch("apply").errors.contains("not-there.env"))
        #expect(try place.end() == "")
    }

    @Test func whatIsIncludedRunsWithItsOwn() throws {
        let place = try Workplace()
        _ = try place.shell("mkdir -p more")
        try place.write("WHO=entry\n", to: "entry.env")
        try place.write(
            """
            environment: { OWN: more }
            services:
              more: { command: [sleep, "4532"], working_dir: . }
            """, to: "more/orch.yaml")
        try place.write("services: { other: { command: [sleep, '4532'] } }\n", to: "other.yaml")
        try place.write(
            """
            name: whole
            description: two parts
            include: [{ path: ./more/orch.yaml, env_file: entry.env }, ./other.yaml]
            services:
              web: { command: [sleep, "4532"] }
            """)
        try place.apply()
        #expect(try place.rows().keys.sorted() == ["more", "other", "web"])
        let more = try environment(place, "more")
        #expect(more["WHO"] == "entry" && more["OWN"] == "more")
        let pid = try #require(try place.pid("more"))
        #expect(try place.shell("readlink /proc/\(pid)/cwd").output == "\(place.folder)/more\n")
        #expect(try environment(place, "web")["WHO"] == nil)
        #expect(contents(place.home + "/state/orch.db").isEmpty == false)
        #expect(try place.orch("status", "--json").output.contains("\"name\":\"whole\""))
        #expect(try place.end() == "")
    }

    /// Which services run, how many, and by what they are read.
    @Test func whoRunsIsSaid() throws {
        let place = try Workplace()
        try place.write(
            """
            name: who
            defaults: { command: [sleep, "4533"] }
            services:
              three: { replicas: 3 }
              off: { enabled: false }
              debug: { profiles: [debug] }
              other: { profiles: [other] }
              script: { shell: [/usr/bin/python3, -c], command: 'import time; open("by-python", "w"); time.sleep(4533)' }
              task: { kind: task, command: [touch, ran] }
              slow: { kind: task, command: [sleep, "4534"], timeout: 200ms }
              hangs: { command: [sleep, "4534"], ready: { log: never }, start_timeout: 200ms, restart: no }
            """)
        #expect(try place.orch("apply", "--detach", "--profile", "debug").status == 0)
        try place.eventually("all stand where they will stay") {
            try place.rows().values.allSatisfy { ["ready", "idle", "done", "failed"].contains($0["phase"]?.string) }
        }
        let rows = try place.rows()
        #expect(
            rows.filter { $0.value["phase"] == "ready" }.keys.sorted() == [
                "debug", "script", "three.1", "three.2", "three.3",
            ])
        #expect(rows["off"]?["pid"] == .null && rows["other"]?["pid"] == .null)
        #expect(rows["task"]?["phase"] == "done")
        #expect(unsafe access(place.folder + "/ran", F_OK) == 0)
        #expect(rows["slow"]?["phase"] == "failed" && rows["hangs"]?["phase"] == "failed")
        for name in ["slow", "hangs"] { #expect(rows[name]?["reason"]?.string?.contains("200ms") == true, "\(name)") }
        try place.until("Python read it") { unsafe access(place.folder + "/by-python", F_OK) == 0 }
        #expect(try place.shell("pgrep -f '[s]leep 4534'").status == 1, "who never was ready is gone")
        #expect(try place.end() == "")
    }

    /// Words for people change nothing of the process, and are taken up all the same.
    @Test func wordsForPeopleLeaveTheProcess() throws {
        let place = try Workplace()
        let text = "name: words\nservices:\n  web:\n    command: [sleep, '4535']\n"
        try place.write(text)
        try place.apply()
        let pid = try place.pid("web")
        for line in ["title: The Shop", "description: what people see", "labels: { team: core }"] {
            try place.write(text + "    \(line)\n")
            let diff = try place.orch("diff")
            #expect(diff.status == 2 && diff.output.contains(line.prefix { $0 != ":" }), "\(diff)")
            try place.apply()
            #expect(try place.orch("diff").status == 0)
            #expect(try place.pid("web") == pid)
        }
        #expect(try place.end() == "")
    }

    @Test(.enabled("some limits are root's to raise") { geteuid() == 0 }) func theKernelHasEveryLimit() throws {
        let place = try Workplace()
        try place.write(
            """
            name: limits
            services:
              web:
                command: [sleep, "4536"]
                ulimits:
                  cpu: 3600
                  fsize: 1GiB
                  data: 2GiB
                  stack: 4MiB
                  core: 0
                  rss: 3GiB
                  nproc: 5000
                  nofile: { soft: 100, hard: 200 }
                  memlock: 64KiB
                  as: 8GiB
                  locks: 99
                  sigpending: 98
                  msgqueue: 4096
                  nice: 0
                  rtprio: 0
                  rttime: 1000000
            """)
        try place.apply()
        let pid = try #require(try place.pid("web"))
        var found: [String: [Substring]] = [:]
        for line in contents("/proc/\(pid)/limits").split(separator: "\n").dropFirst() where line.utf8.count > 27 {
            let name = line.prefix(26).split(separator: " ").joined(separator: " ")
            found[name] = Array(line.dropFirst(26).split(separator: " ").prefix(2))
        }
        let expected: [String: (Int, Int)] = [
            "Max cpu time": (3600, 3600), "Max file size": (1 << 30, 1 << 30), "Max data size": (2 << 30, 2 << 30),
            "Max stack size": (4 << 20, 4 << 20), "Max core file size": (0, 0), "Max resident set": (3 << 30, 3 << 30),
            "Max processes": (5000, 5000), "Max open files": (100, 200), "Max locked memory": (65_536, 65_536),
            "Max address space": (8 << 30, 8 << 30), "Max file locks": (99, 99), "Max pending signals": (98, 98),
            "Max msgqueue size": (4096, 4096), "Max nice priority": (0, 0), "Max realtime priority": (0, 0),
            "Max realtime timeout": (1_000_000, 1_000_000),
        ]
        for (name, (soft, hard)) in expected { #expect(found[name] == ["\(soft)", "\(hard)"], "\(name)") }
        #expect(try place.end() == "")
    }
}

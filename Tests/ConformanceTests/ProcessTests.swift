// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of a process, the kernel says of it too.
@Suite(.serialized) struct ProcessTests {
    private func facts(of pid: String) throws -> [String: String] {
        var facts: [String: String] = [:]
        for line in contents("/proc/\(pid)/status").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 {
                facts[String(parts[0])] = parts[1].split { $0 == "\t" || $0 == " " }.joined(separator: " ")
            }
        }
        return facts
    }

    @Test(.enabled("other users and capabilities need root") { geteuid() == 0 })
    func theKernelHasWhatTheManifestSays() throws {
        let place = try Workplace()
        let cpu = try #require(
            contents("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list") }
        )
        .split { "\t-,".contains($0) }[1]
        _ = try place.shell("mkdir -m 777 \(place.home)/seen")
        try place.write(
            """
            name: shop
            services:
              web:
                command: "ionice -p $$; ulimit -n; ulimit -Hn; ulimit -c; ulimit -l; exec sleep 1000"
                user: nobody
                group_add: [video, "4242"]
                umask: 0027
                nice: 5
                io_class: best-effort:6
                cpu_affinity: [\(cpu)]
                ulimits: { nofile: { soft: 100, hard: 200 }, core: 0, memlock: 64KiB }
                security: { no_new_privileges: true, capabilities: [net_bind_service, kill] }
                logging: { stdout: web.log, stderr: merge }
                health: { readiness: { command: "[ $(umask) = 0027 ] && [ $(nice) = 5 ] && echo $(id -u) > \(place.home)/seen/by", interval: 100ms } }
              root:
                command: [sleep, "1000"]
                security: { capabilities: [] }
              plain:
                command: [sleep, "1000"]
            """)
        #expect(try place.orch("apply").status == 0, "the probe runs with the same")
        #expect(contents(place.folder + "/web.log") == "best-effort: prio 6\n100\n200\n0\n64\n")
        let pid = try #require(try place.pid("web"))
        let web = try facts(of: "\(pid)")
        #expect(web["Umask"] == "0027" && web["NoNewPrivs"] == "1" && web["Cpus_allowed_list"] == String(cpu))
        #expect(web["Groups"]?.split(separator: " ").contains("4242") == true)
        let video = try place.shell("getent group video | cut -d: -f3").output.split(separator: "\n").joined()
        #expect(web["Groups"]?.split(separator: " ").contains { $0 == video } == true)
        for set in ["CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"] {
            #expect(web[set] == "0000000000000420", "\(set)")
        }
        #expect(contents("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ")[16] == "5")
        let root = try facts(of: "\(try #require(try place.pid("root")))")
        for set in ["CapEff", "CapPrm", "CapBnd"] { #expect(root[set] == "0000000000000000", "\(set)") }
        let (plain, own) = (try facts(of: "\(try #require(try place.pid("plain")))"), try facts(of: "self"))
        for key in ["CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Cpus_allowed_list", "Groups"] {
            #expect(plain[key] == own[key], "\(key)")
        }
        #expect(plain["Umask"] == "0022")
        kill(try place.daemon(), SIGKILL)
        _ = try place.shell("rm \(place.home)/seen/by")
        try place.eventually("the next daemon's probes have the same") {
            contents(place.home + "/seen/by") == "65534\n"
        }
        _ = try place.shell("sed -i 's/nice: 5/nice: 6/' orch.yaml")
        let diff = try place.orch("diff")
        #expect(diff.status == 2 && diff.output.contains("nice"), "\(diff)")
        #expect(try place.end() == "")
    }

    /// Whoever may not gets told what, why, and what to do; and those around it run.
    @Test(
        .enabled("becoming nobody needs root") { geteuid() == 0 },
        arguments: [
            ("nice: -5", "setting its priority", "`nice`"),
            ("ulimits: { nofile: { soft: 10, hard: unlimited } }", "setting its limits", "`ulimits`"),
            ("security: { capabilities: [] }", "giving up capabilities", "no_new_privileges"),
            ("group_add: [video]", "only root may add groups", "`group_add`"),
            ("group_add: [no-such-group-4]", "no such group", "`group_add`"),
            ("io_class: realtime", "setting its I/O class", "`io_class: realtime`"),
            ("cpu_affinity: [1023]", "choosing its CPUs", "`cpu_affinity`"),
        ])
    func whatTheKernelRefusesIsNamed(_ line: String, _ fact: String, _ remedy: String) throws {
        let place = try Workplace(isNobody: true)
        try place.write(
            """
            name: shop
            services:
              web: { command: [sleep, "1000"], restart: no, \(line) }
              other: { command: [sleep, "1000"] }
            """)
        let apply = try place.orch("apply")
        let flat = apply.output.split { $0 == "\n" || $0 == " " }.joined(separator: " ")
        #expect(apply.status == 1 && flat.contains(fact) && flat.contains(remedy), "\(apply)")
        try place.eventually("the other one is not harmed") { try place.phase("other") == "ready" }
        #expect(try place.end() == "")
    }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What people do to a service that runs.
@Suite(.serialized) struct ControlTests {
    private static let trapping = """
        name: shop
        services:
          web:
            command: "trap 'echo got HUP' HUP; trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"
            logging: { stdout: web.log }
            ready: { log: "^up" }
          off: { command: [sleep, "1000"], enabled: false }
        """

    @Test func aSignalReachesTheProcessAndIsTold() throws {
        let place = try Workplace()
        try place.write(Self.trapping)
        try place.apply()
        let pid = try #require(try place.pid("web"))
        let sent = try place.orch("signal", "shop/web", "hup")
        #expect(sent.status == 0 && sent.output == "SIGHUP sent to web (pid \(pid))\n", "\(sent)")
        try place.until("it was heard") { contents(place.folder + "/web.log").contains("got HUP") }
        #expect(try place.pid("web") == pid)
        #expect(try place.orch("events", "--json").output.contains("SIGHUP sent by hand"))
        #expect(try place.orch("signal", "web.1", "KILL").status == 0)
        try place.eventually("its policy starts another one") {
            try place.phase("web") == "ready" && place.pid("web") != pid
        }
        #expect(try place.end() == "")
    }

    @Test func whatCanNotBeSignalledIsRefusedWithTheReason() throws {
        let place = try Workplace()
        try place.write(Self.trapping)
        try place.apply()
        let idle = try place.orch("signal", "off", "HUP")
        #expect(idle.status == 5 && idle.errors.contains("off has no process: it is idle (disabled in the manifest)"))
        #expect(idle.errors.contains("`orch start off` starts it"))
        let typo = try place.orch("signal", "web", "SIGHPU")
        #expect(typo.status == 64 && typo.errors.contains("did you mean \"SIGHUP\"?"), "\(typo)")
        #expect(try place.orch("signal", "web", "0").status == 64)
        #expect(try place.orch("signal", "wbe", "HUP").status == 1)
        #expect(try place.end() == "")
    }

    private static let reloading = """
        name: shop
        services:
          sig:
            command: "trap 'cat port >&2' HUP; echo up; while :; do sleep 0.05; done"
            logging: { stdout: null, stderr: sig.log }
            reload: { signal: HUP }
          cmd:
            command: [sleep, "1000"]
            environment: { NAME: cmd-1 }
            reload: { command: "echo checking; [ $NAME = cmd-1 ] && [ -s port ] || { echo no port is given; exit 3; }; cp port seen" }
          slow:
            command: [sleep, "1000"]
            reload: { command: "sleep 1000 & setsid sleep 1001 & wait", timeout: 300ms }
          told:
            command: "trap 'systemd-notify RELOADING=1; cp port told; systemd-notify --ready' HUP; systemd-notify --ready; while :; do sleep 0.05; done"
            ready: { notify: true }
            reload: { notify: true, timeout: 20s }
          mute:
            command: "trap : HUP; systemd-notify --ready; while :; do sleep 0.05; done"
            ready: { notify: true }
            reload: { notify: true, timeout: 300ms }
          none: { command: [sleep, "1000"] }
        """

    /// Each way, and none replaces a process.
    @Test(arguments: KeeperDeathTests.trackings) func servicesReload(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        try place.write(Self.reloading)
        try place.write("8081", to: "port")
        try place.apply()
        let pids = try place.rows().mapValues { $0["pid"]?.int }
        let sig = try place.orch("reload", "sig")
        #expect(sig.status == 0 && sig.output == "SIGHUP sent to sig (pid \(pids["sig"]!!))\n", "\(sig)")
        try place.until("it was heard") { contents(place.folder + "/sig.log") == "8081" }
        let cmd = try place.orch("reload", "cmd")
        #expect(cmd.status == 0 && cmd.output.hasPrefix("cmd: reloaded in "), "\(cmd)")
        #expect(contents(place.folder + "/seen") == "8081", "it runs where the service runs, with its environment")
        let told = try place.orch("reload", "told")
        #expect(told.status == 0 && contents(place.folder + "/told") == "8081", "\(told)")
        #expect(try place.orch("why", "told").output.contains("it said READY=1 after"))
        #expect(try place.rows().mapValues { $0["pid"]?.int } == pids)
        #expect(try place.end() == "")
    }

    @Test func aReloadThatFailsIsToldAndLeavesTheServiceAsItWas() throws {
        let place = try Workplace()
        try place.write(Self.reloading)
        try place.apply()
        let pids = try place.rows().mapValues { $0["pid"]?.int }
        let cmd = try place.orch("reload", "cmd")
        #expect(cmd.status == 1 && cmd.errors.contains("cmd: its reload failed: exit 3: no port is given"), "\(cmd)")
        let row = try place.rows()["cmd"]
        #expect(row?["phase"]?.string == "ready")
        #expect(row?["reason"]?.string == "it runs as it was: its reload failed: exit 3: no port is given")
        #expect(try place.orch("events", "--json").output.contains(#""event":"not-reloaded""#))
        let slow = try place.orch("reload", "slow")
        #expect(slow.status == 1 && slow.errors.contains("no answer within 300ms"), "\(slow)")
        #expect(try place.shell("pgrep -f 'sleep 100[1]'").status == 1, "and nothing of its command is left")
        let mute = try place.orch("reload", "mute")
        #expect(mute.status == 1 && mute.errors.contains("no RELOADING=1 within 300ms after SIGHUP"), "\(mute)")
        let none = try place.orch("reload", "none")
        #expect(none.status == 5 && none.errors.contains("none has no `reload`"), "\(none)")
        #expect(none.errors.contains("`orch restart none`"))
        #expect(try place.rows().mapValues { $0["pid"]?.int } == pids)
        try place.write("1", to: "port")
        #expect(try place.orch("reload", "cmd").status == 0)
        #expect(try place.rows()["cmd"]?["reason"]?.string == "")
        #expect(try place.end() == "")
    }

    /// The daemon is killed while a reload is under way: the next one does it again, and whoever waits hears of that.
    @Test func aReloadOutlivesTheDaemon() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web: { command: [sleep, "1000"], reload: { command: "echo x >> begun; until [ -e go ]; do sleep 0.02; done" } }
            """)
        try place.apply()
        let pid = try place.pid("web")
        let output = place.home + "/reload.out"
        let waiting = try place.start([program("orch"), "reload", "web"], output: output)
        try place.until("it is under way") { contents(place.folder + "/begun") == "x\n" }
        #expect(try place.phase("web") == "reloading")
        kill(try place.daemon(), SIGKILL)
        try place.until("it is begun again") { contents(place.folder + "/begun") == "x\nx\n" }
        try place.write("", to: "go")
        var status: Int32 = 0
        while unsafe waitpid(waiting, &status, 0) < 0, errno == EINTR {}
        #expect(status == 0 && contents(output).hasPrefix("web: reloaded in "))
        #expect(try place.pid("web") == pid)
        #expect(try place.end() == "")
    }

    /// What is in a config file is part of the definition: the plan names it, and apply lets the service take it up.
    @Test func aChangedConfigFileIsTakenUpWithoutANewProcess() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: "trap 'cat conf/web.conf >> seen' HUP; cat conf/web.conf >> seen; echo up; while :; do sleep 0.05; done"
                ready: { log: "^up" }
                config_files: [conf/web.conf]
                reload: { command: "grep -q port conf/web.conf || { echo no port; exit 1; }; cp conf/web.conf taken" }
              old: { command: [sleep, "1000"], config_files: [conf/web.conf] }
              other: { command: [sleep, "1000"] }
            """)
        let missing = try place.orch("validate")
        #expect(missing.status == 3 && missing.errors.contains("orch.yaml:6:20"), "\(missing)")
        #expect(missing.errors.contains("error[config-file]") && missing.errors.contains("ENOENT"), "\(missing)")
        _ = try place.shell("mkdir conf; echo port 1 > conf/web.conf")
        try place.apply()
        let pids = try place.rows().mapValues { $0["pid"]?.int }
        #expect(try place.orch("apply").output.contains("in sync"))
        _ = try place.shell("echo port 2 > conf/web.conf")
        let diff = try place.orch("diff")
        let words = diff.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        #expect(
            diff.status == 2 && words.contains("web reload because config file \(place.folder)/conf/web.conf changed"))
        #expect(words.contains("old restart because its definition changed; config file"), "\(diff)")
        #expect(contents(place.folder + "/taken") == "", "a plan does nothing")
        try place.apply()
        #expect(contents(place.folder + "/taken") == "port 2\n")
        let after = try place.rows().mapValues { $0["pid"]?.int }
        #expect(after["web"] == pids["web"] && after["other"] == pids["other"] && after["old"] != pids["old"])
        _ = try place.shell("echo nothing > conf/web.conf")
        let refused = try place.orch("apply")
        #expect(refused.status == 1 && "\(refused)".contains("its reload failed: exit 1: no port"), "\(refused)")
        #expect(try place.rows()["web"]?["pid"]?.int == pids["web"]!)
        let drift = try place.orch("diff")
        #expect(drift.status == 2 && drift.output.contains("its reload failed: exit 1: no port"), "\(drift)")
        _ = try place.shell("echo port 3 > conf/web.conf")
        try place.apply()
        #expect(contents(place.folder + "/taken") == "port 3\n")
        #expect(try place.orch("diff").status == 0)
        #expect(contents(place.folder + "/seen") == "port 1\n", "and never started again")
        #expect(try place.end() == "")
    }
}

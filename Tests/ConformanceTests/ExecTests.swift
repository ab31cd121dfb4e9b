// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// `orch exec`: a command sees what the service sees, and is not one of its processes.
@Suite(.serialized) struct ExecTests {
    @Test func aCommandSeesWhatTheServiceSees() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: [sleep, "4310"]
                working_dir: sub
                environment: { GREETING: "hello there", TERM: dumb }
                umask: 0027
                ulimits: { nofile: { soft: 100, hard: 200 } }
                enabled: false
              mute: { command: [sleep, "4311"], ready: { notify: true } }
            """)
        _ = try place.shell("mkdir sub")
        #expect(try place.orch("apply", "--detach").status == 0)
        let idle = try place.orch("exec", "web", "--", "true")
        #expect(idle.status == 5 && idle.errors.contains("web has no process: it is idle"), "\(idle)")
        #expect(try place.orch("start", "web").status == 0)
        let script = "pwd; umask; ulimit -n; ulimit -Hn; echo $GREETING/$TERM/$ORCH_SERVICE"
        let seen = try place.orch("exec", "web", "--", "sh", "-c", script)
        #expect(seen.output == "\(place.folder)/sub\n0027\n100\n200\nhello there/dumb/web\n", "\(seen)")
        try place.eventually("it runs, and says nothing") { try place.pid("mute") != nil }
        let names = try place.orch("exec", "mute", "--", "env").output
        #expect(names.contains("ORCH_SERVICE=mute\n"))
        for own in ["ORCH_LAUNCH=", "ORCH_RUN=", "NOTIFY_SOCKET="] { #expect(!names.contains(own), "\(names)") }
        #expect(try place.orch("exec", "web", "--", "sh", "-c", "exit 42").status == 42)
        let missing = try place.orch("exec", "web", "--", "no-such-program")
        #expect(missing.status == 127 && missing.errors.contains("no-such-program"), "\(missing)")
        #expect(try place.end() == "")
    }

    /// What it leaves running is the person's: neither the tree nor a stop knows of it.
    @Test func whatItStartsIsNotTheServices() throws {
        let place = try Workplace(tracking: "session")
        try place.write("name: shop\nservices:\n  web: { command: [sleep, '4312'] }\n")
        try place.apply()
        let left = try place.orch("exec", "web", "--", "sh", "-c", "setsid sleep 4313 >/dev/null 2>&1 & echo $!")
        let pid = try #require(pid_t(left.output.filter(\.isNumber)))
        #expect(try place.orch("stop", "web").status == 0)
        #expect(kill(pid, SIGKILL) == 0, "it lives after the stop")
        #expect(try place.end() == "")
    }

    @Test(.enabled("other users and capabilities need root") { geteuid() == 0 })
    func itHasNoMoreRightsThanTheService() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: [sleep, "4314"]
                user: nobody
                group_add: ["4242"]
                working_dir: /
                security: { no_new_privileges: true, capabilities: [kill] }
            """)
        try place.apply()
        let seen = try place.orch("exec", "web", "--", "sh", "-c", "id -u; id -G; cat /proc/self/status").output
        let lines = seen.split(separator: "\n").map(String.init)
        #expect(try place.shell("id -u nobody").output == (lines.first ?? "") + "\n")
        #expect(lines.dropFirst().first?.split(separator: " ").contains("4242") == true, "\(lines)")
        #expect(lines.contains("NoNewPrivs:\t1"))
        #expect(lines.contains("CapBnd:\t0000000000000020") && lines.contains("CapEff:\t0000000000000000"), "\(lines)")
        #expect(try place.end() == "")
    }
}

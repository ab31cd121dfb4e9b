// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// `orch run`: a task now, with what it writes and its code.
@Suite(.serialized) struct RunTests {
    @Test func aTaskRunsNowAndItsCodeIsOurs() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              seed: { kind: task, command: 'echo out; echo bad >&2; cat code; exit $(cat code)' }
              night: { kind: task, command: 'echo by day; exit 9', schedule: { cron: "0 3 1 1 *" } }
              hurt: { kind: task, command: 'kill -USR1 $$', enabled: false }
              never: { kind: task, command: [no-such-program], enabled: false }
              long: { kind: task, command: 'touch begun; exec sleep 4315', enabled: false }
              web: { command: [sleep, "4316"] }
            """)
        try place.write("0\n", to: "code")
        try place.apply()
        for code in ["0", "7", "0"] {
            try place.write("\(code)\n", to: "code")
            let run = try place.orch("run", "seed")
            #expect(run.status == Int32(code) && run.output == "out\n\(code)\n", "\(run)")
            #expect(run.errors.hasPrefix("bad\n") && run.errors.contains("seed: exit 7") == (code == "7"), "\(run)")
        }
        let night = try place.orch("run", "night")
        #expect(night.status == 9 && night.output == "by day\n", "\(night)")
        #expect(try place.orch("run", "hurt").status == 128 + SIGUSR1)
        let never = try place.orch("run", "never")
        #expect(never.status == 1 && never.errors.contains("no-such-program"), "\(never)")
        let web = try place.orch("run", "web")
        #expect(web.status == 64 && web.errors.contains("web is a service and no task"), "\(web)")
        let runner = try place.start([program("orch"), "run", "long"])
        try place.until("it runs") { unsafe access(place.folder + "/begun", F_OK) == 0 }
        try place.eventually("that is known") { try place.phase("long") == "running" }
        let again = try place.orch("run", "long")
        #expect(again.status == 5 && again.errors.contains("`orch logs -f long`"), "\(again)")
        kill(runner, SIGINT)
        var status: Int32 = 0
        _ = unsafe waitpid(runner, &status, 0)
        #expect(status >> 8 == 130)
        #expect(try place.phase("long") == "running", "it runs on")
        #expect(try place.end() == "")
    }
}

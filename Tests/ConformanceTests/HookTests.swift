// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// Commands around the life of a service, as real processes.
@Suite(.serialized) struct HookTests {
    private func story(_ place: Workplace) -> [String] {
        contents(place.folder + "/story").split(separator: "\n").map(String.init)
    }

    /// Each moment of a life, in its order, with what it is told, and where what it writes can be read.
    @Test(arguments: KeeperDeathTests.trackings) func eachMomentHasItsCommand(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        try place.write("s3same\n", to: "token", mode: 0o600)
        try place.write(
            """
            name: shop
            secrets: { t: { file: token } }
            services:
              web:
                command: "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done"
                environment: { COLOUR: blue, TOKEN: { secret: t } }
                hooks:
                  pre_start: { command: "echo preparing; [ $TOKEN = s3same ] && echo $ORCH_HOOK $ORCH_STACK/$ORCH_INSTANCE $COLOUR $ORCH_ATTEMPT >>story" }
                  post_ready: { command: "kill -0 $ORCH_MAIN_PID && echo $ORCH_HOOK $ORCH_MAIN_PID >>story" }
                  pre_stop: { command: "kill -0 $ORCH_MAIN_PID && echo $ORCH_HOOK $ORCH_REASON >>story" }
                  post_stop: { command: "echo $ORCH_HOOK $ORCH_EXIT_CODE ${ORCH_MAIN_PID-none} $ORCH_REASON >>story" }
                  on_failed: { command: "echo $ORCH_HOOK >>story" }
            """)
        try place.apply()
        let first = try #require(try place.pid("web"))
        try place.until("post_ready ran") { story(place).count == 2 }
        #expect(try place.orch("restart", "web").status == 0)
        let second = try #require(try place.pid("web"))
        try place.until("post_ready ran again") { story(place).count == 6 }
        let down = try place.orch("down")
        #expect(down.status == 0, "\(down)")
        #expect(
            story(place) == [
                "pre_start shop/web blue 1", "post_ready \(first)", "pre_stop restarted by hand",
                "post_stop 7 none restarted by hand", "pre_start shop/web blue 1", "post_ready \(second)",
                "pre_stop the stack is going down", "post_stop 7 none the stack is going down",
            ])
        let log = contents("\(place.home)/state/logs/shop/web/stdout.log")
        #expect(log == "preparing\nup\npreparing\nup\n", "its output is the service's: \(log)")
        let events = try place.orch("events", "--json").output
        #expect(events.contains(#""event":"hook""#) && events.contains("post_stop worked after"))
        #expect(try place.end() == "")
    }

    @Test func aPreStartThatFailsKeepsItFromStarting() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: [sleep, "1000"]
                restart: { delay: 100ms, max_delay: 200ms }
                hooks: { pre_start: { command: "[ -e schema ] || { echo no schema >&2; exit 3; }" } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("it is tried again") {
            try place.rows()["web"]?["reason"]?.string?.contains("pre_start failed: exit 3") ?? false
        }
        let why = try place.orch("why", "web").output
        #expect(why.contains("pre_start failed: exit 3") && why.contains("what it wrote: orch logs web"), "\(why)")
        #expect(why.contains("orch.yaml:6"), "and where it stands: \(why)")
        #expect(try place.orch("logs", "web").output.contains("no schema"))
        #expect(try place.pid("web") == nil)
        try place.write("", to: "schema")
        try place.eventually("what was missing is there") { try place.phase("web") == "ready" }
        #expect(try place.end() == "")
    }

    /// Its time over, nothing of it is left; and who is failed says so.
    @Test(arguments: KeeperDeathTests.trackings) func whatTakesTooLongIsKilledAsAWhole(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        try place.write(
            """
            name: shop
            services:
              web:
                command: [sleep, "1000"]
                restart: no
                hooks:
                  pre_start: { command: "sleep 5501 & setsid sleep 5502 & wait", timeout: 3s }
                  on_failed: { command: '[[ -n $BASH ]] && echo "$ORCH_REASON" >failed', shell: [/bin/bash, -c] }
            """)
        let applied = try place.orch("apply")
        #expect(applied.status == 1 && "\(applied)".contains("pre_start failed: no end within 3s"), "\(applied)")
        #expect(try place.shell("pgrep -f 'sleep 550[12]'").status == 1)
        try place.until("it is told") { contents(place.folder + "/failed").contains("no end within 3s") }
        #expect(try place.end() == "")
    }

    /// Neither forgotten nor done twice: the keeper holds it.
    @Test func aHookOutlivesTheDaemon() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: [sleep, "1000"]
                hooks:
                  pre_start: { command: "echo begun >>story; until [ -e go ]; do sleep 0.02; done; echo done >>story" }
                  post_stop: { command: "echo stopped >>story; until [ -e gone ]; do sleep 0.02; done; echo cleaned >>story" }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.until("it runs") { story(place) == ["begun"] }
        let daemon = try place.daemon()
        kill(daemon, SIGKILL)
        try place.eventually("another daemon is there") { try place.daemon() != daemon }
        #expect(try place.phase("web") == "starting")
        try place.write("", to: "go")
        try place.eventually("it has waited for it") { try place.phase("web") == "ready" }
        #expect(story(place) == ["begun", "done"])
        let stopping = try place.start([program("orch"), "stop", "web"])
        try place.until("post_stop runs") { story(place) == ["begun", "done", "stopped"] }
        #expect(try place.phase("web") == "stopping")
        kill(try place.daemon(), SIGKILL)
        try place.write("", to: "gone")
        try place.eventually("it is over") { try place.phase("web") == "idle" }
        var status: Int32 = 0
        while unsafe waitpid(stopping, &status, 0) < 0, errno == EINTR {}
        #expect(story(place) == ["begun", "done", "stopped", "cleaned"])
        #expect(try place.end() == "")
    }

    /// A stop that is given so much time does not wait for a hook that takes more.
    @Test func aStopHasItsTime() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: [sleep, "1000"]
                hooks:
                  pre_stop: { command: [sleep, "5511"] }
                  post_stop: { command: "echo $ORCH_EXIT_SIGNAL >ended" }
            """)
        try place.apply()
        let stop = try place.orch("stop", "web", "--timeout", "300ms")
        #expect(stop.status == 0, "\(stop)")
        #expect(contents(place.folder + "/ended") == "SIGKILL\n")
        #expect(try place.shell("pgrep -f 'sleep 551[1]'").status == 1)
        #expect(try place.orch("events").output.contains("pre_stop failed: the time that the stop was given is over"))
        #expect(try place.end() == "")
    }
}

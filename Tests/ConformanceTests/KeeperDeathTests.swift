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

    /// The next command's daemon finds all that lives, and nothing runs twice: each holds a lock file's lock while it lives.
    @Test(arguments: trackings) func killingBothLeavesServicesThatAreAdopted(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        var text = "name: both\ndefaults: { restart: { policy: always, delay: 50ms } }\nservices:\n"
        for number in 1...10 {
            text += """
                  s\(number):
                    command: 'exec 9>lock.\(number); flock -n 9 || echo twice >> twice; n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done'

                """
        }
        // Its child lives on in a session of its own, and must be gone before another one starts.
        text += """
              leaves:
                command: 'setsid sh -c "echo child >> children; exec sleep 4244" & exec sleep 4245'

            """
        try place.write(text)
        #expect(try place.orch("apply").status == 0)
        try place.eventually("the child runs") { contents(place.folder + "/children") == "child\n" }
        let before = try place.rows().mapValues { $0["pid"]?.int ?? 0 }
        for _ in 1...2 {
            try place.killBoth()
            #expect(try place.orch("daemon", "start").status == 0)
            #expect(try place.rows().mapValues { $0["pid"]?.int ?? 0 } == before)
            #expect(try place.rows().values.allSatisfy { $0["phase"] == "ready" && $0["restarts"]?.int ?? 0 == 0 })
        }
        try place.killBoth()
        kill(pid_t(before["s3"] ?? 0), SIGKILL)
        kill(pid_t(before["leaves"] ?? 0), SIGKILL)
        #expect(try place.orch("daemon", "start").status == 0)
        try place.eventually("who ended in between is started again") {
            let now = try place.rows()
            return now.values.allSatisfy { $0["phase"] == "ready" } && now["s3"]?["pid"]?.int != before["s3"]
                && now["leaves"]?["pid"]?.int != before["leaves"]
        }
        #expect(try place.orch("stop", "s1", "s2").status == 0)
        let check = try place.shell(
            """
            [ -e twice ] && exit 1
            for s in s1 s2; do awk '{ if ($2 != NR) { print "line", NR, "says", $0; exit 1 } }' "\(place.home)"/state/logs/both/$s/stdout.log || exit 1; done
            [ "$(pgrep -f '[s]leep 4244' | wc -l)" = 1 ] || { echo "not one child"; exit 1; }
            """)
        #expect(check.status == 0, "\(check)")
        let ends = try place.occurrences("exited").filter { $0["service"] == "s3" || $0["service"] == "leaves" }
        #expect(ends.count == 2)
        #expect(ends.allSatisfy { $0["exit"]?["unknown"] != nil }, "nobody can know: \(ends)")
        #expect(try place.end() == "")
    }
}

/// A daemon that is there and does nothing, or can't begin.
@Suite(.serialized) struct DaemonTroubleTests {
    /// It is noticed when something is due: here a client that comes, then an end that is told.
    @Test func aStoppedDaemonIsReplacedWhenSomethingIsDue() throws {
        let place = try Workplace()
        try place.write(
            """
            name: stopped
            services:
              a: { command: [sleep, '4246'] }
              b: { command: 'echo started >> starts; exec sleep 4247', restart: { policy: always, delay: 50ms } }
            """)
        #expect(try place.orch("apply").status == 0)
        let before = try place.rows().mapValues { $0["pid"]?.int ?? 0 }
        let first = try place.daemon()
        kill(first, SIGSTOP)
        #expect(try place.rows().mapValues { $0["pid"]?.int ?? 0 } == before, "the next daemon answers")
        let second = try place.daemon()
        #expect(second != first)
        kill(second, SIGSTOP)
        kill(pid_t(before["b"] ?? 0), SIGKILL)
        try place.eventually("b is started again, without any command") {
            contents(place.folder + "/starts") == "started\nstarted\n"
        }
        #expect(try place.daemon() != second)
        #expect(try place.pid("a") == before["a"])
        #expect(try place.end() == "")
    }

    /// Nothing is due at all: that it was stopped is noticed. What ends meanwhile is told once, by the next one, and who is to be up is
    /// started again once.
    @Test(arguments: KeeperDeathTests.trackings) func aStoppedDaemonIsReplacedThoughNothingIsDue(tracking: String?)
        throws
    {
        let place = try Workplace(tracking: tracking)
        func waits(_ name: String, _ code: Int) -> String {
            "'echo started >> starts.\(name); until [ -e go ]; do sleep 0.02; done; echo end; echo \(name) >> ended; exit \(code)'"
        }
        try place.write(
            """
            name: silent
            services:
              quiet: { command: [sleep, '4260'] }
              once: { command: \(waits("once", 7)), restart: { policy: no } }
              again: { command: \(waits("again", 8)), restart: { policy: always, delay: 50ms } }
            """)
        #expect(try place.orch("apply").status == 0)
        let before = try place.rows().mapValues { $0["pid"]?.int ?? 0 }
        let (keeper, first) = (try place.keeper(), try place.daemon())
        kill(first, SIGSTOP)
        try place.until("the daemon is gone, and another one there") {
            !place.pids(of: keeper).contains(first) && place.children(of: keeper).contains("orchd")
        }
        #expect(kill(first, SIGCONT) != 0, "nothing of it goes on")
        #expect(try place.rows().mapValues { $0["pid"]?.int ?? 0 } == before)
        // Now some end while it is stopped.
        let second = try place.daemon()
        kill(second, SIGSTOP)
        try place.write("", to: "go")
        try place.until("both have ended") { contents(place.folder + "/ended").split(separator: "\n").count >= 2 }
        #expect(place.pids(of: keeper).contains(second), "and nobody was there to see it")
        #expect(try place.shell("mv go gone").status == 0)
        try place.until("another daemon is there") { !place.pids(of: keeper).contains(second) }
        try place.eventually("the one is started again, the other is not") {
            let now = try place.rows()
            return now["again"]?["phase"] == "ready" && now["again"]?["pid"]?.int != before["again"]
                && now["once"]?["phase"] == "failed"
        }
        #expect(try place.pid("quiet") == before["quiet"])
        #expect(try place.keeper() == keeper)
        #expect(contents(place.folder + "/starts.again") == "started\nstarted\n")
        #expect(contents(place.folder + "/starts.once") == "started\n")
        let exits = try place.occurrences("exited").map {
            "\($0["service"]?.string ?? "") \($0["exit"]?["code"]?.int ?? -1)"
        }
        #expect(exits.sorted() == ["again 8", "once 7"])
        for name in ["once", "again"] {
            #expect(contents("\(place.home)/state/logs/silent/\(name)/stdout.log") == "end\n")
        }
        #expect(try place.end() == "")
    }

    /// One that is stopped for a moment goes on, and has missed nothing.
    @Test func aDaemonThatGoesOnInTimeIsTheSame() throws {
        let place = try Workplace()
        try place.write(
            """
            name: moment
            services:
              a: { command: 'until [ -e go ]; do sleep 0.02; done; echo end; exit 7', restart: { policy: no } }
              b: { command: [sleep, '4261'] }
            """)
        #expect(try place.orch("apply").status == 0)
        let daemon = try place.daemon()
        let ending = pid_t(try place.pid("a") ?? 0)
        kill(daemon, SIGSTOP)
        try place.write("", to: "go")
        try place.until("it has ended") { kill(ending, 0) != 0 }
        kill(daemon, SIGCONT)
        try place.eventually("it is known") { try place.phase("a") == "failed" }
        #expect(try place.daemon() == daemon)
        #expect(try place.occurrences("exited").compactMap { $0["exit"]?["code"]?.int } == [7])
        #expect(try place.end() == "")
    }

    /// Nothing is due, but services write, and would wait once their pipes are full: that is noticed without anybody asking.
    @Test(arguments: KeeperDeathTests.trackings) func aStoppedDaemonIsReplacedBecauseNobodyReadsLogs(tracking: String?)
        throws
    {
        let place = try Workplace(tracking: tracking)
        var text = "name: written\nservices:\n"
        for number in 1...5 {
            text += """
                  s\(number): { command: 'n=0; while :; do n=$((n+1)); echo line $n \(String(repeating: "x", count: 300)); sleep 0.002; done' }

                """
        }
        // It lives on with its outputs closed: an end that is seen once and costs nothing.
        text += "  mute: { command: 'exec >&- 2>&-; exec sleep 4252' }\n"
        try place.write(text)
        #expect(try place.orch("apply").status == 0)
        let before = try place.rows().mapValues { $0["pid"] }
        let (keeper, daemon) = (try place.keeper(), try place.daemon())
        kill(daemon, SIGSTOP)
        try place.eventually("another daemon, though nobody asked for it") {
            place.children(of: keeper).contains("orchd") && !place.pids(of: keeper).contains(daemon)
        }
        #expect(try place.keeper() == keeper)
        #expect(try place.rows().mapValues { $0["pid"] } == before)
        #expect(try place.rows().values.allSatisfy { $0["phase"] == "ready" && $0["restarts"]?.int ?? 0 == 0 })
        try place.eventually("the new one reads on") {
            (1...3).allSatisfy { contents("\(place.home)/state/logs/written/s\($0)/stdout.log").contains("line 300 ") }
        }
        #expect(try place.orch("stop", "s1", "s2", "s3").status == 0)
        let check = try place.shell(
            """
            for s in s1 s2 s3; do
              awk '{ if ($2 != NR || length($3) != 300) { print "line", NR, "says", $0; exit 1 } }' \
                "\(place.home)"/state/logs/written/$s/stdout.log || { echo $s; exit 1; }
            done
            """)
        #expect(check.status == 0, "\(check)")
        #expect(try place.end() == "")
    }

    /// What a service says while no daemon lives waits in the socket, which the keeper holds.
    @Test(arguments: KeeperDeathTests.trackings) func readyThatNobodyHearsIsHeardByTheNext(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        try place.write(
            """
            use Socket;
            until (-e "go") { select undef, undef, undef, 0.02 }
            socket(my $socket, PF_UNIX, SOCK_DGRAM, 0);
            connect($socket, pack_sockaddr_un($ENV{NOTIFY_SOCKET})) && send($socket, "READY=1", 0);
            open(my $said, ">", "said");
            close $said;
            sleep 4248;
            """, to: "late.pl")
        try place.write(
            "name: late\nservices:\n  a: { command: [/usr/bin/perl, late.pl], ready: { notify: true }, start_timeout: 2m }\n"
        )
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("it runs") { try place.phase("a") == "starting" }
        let before = try place.pid("a")
        let (keeper, daemon) = (try place.keeper(), try place.daemon())
        kill(keeper, SIGSTOP)
        kill(daemon, SIGKILL)
        try place.write("", to: "go")
        try place.eventually("it has said so") { unsafe access(place.folder + "/said", F_OK) == 0 }
        kill(keeper, SIGCONT)
        try place.eventually("it is ready") { try place.phase("a") == "ready" }
        #expect(try place.pid("a") == before)
        #expect(try place.end() == "")
    }

    /// The program that served before takes over, and says so.
    @Test func aNewProgramThatCanNotBeginIsGoneBackFrom() throws {
        let place = try Workplace()
        let programs = ["orch", "orchd", "orch-keeper", "orch-edge"].map { program($0) }.joined(separator: " ")
        #expect(try place.shell("mkdir bin && cp \(programs) bin").status == 0)
        func orch(_ words: String) throws -> Workplace.Outcome { try place.shell("timeout 60 bin/orch \(words)") }
        try place.write("name: old\nservices:\n  a: { command: [sleep, '4249'] }\n")
        #expect(try orch("apply").status == 0)
        let before = try place.pid("a")
        for broken in ["printf '#!/bin/sh\\nexit 3\\n'", "echo no program at all"] {
            #expect(try place.shell("\(broken) > bin/new && chmod 755 bin/new && mv bin/new bin/orchd").status == 0)
            let restart = try orch("daemon restart")
            #expect(restart.status == 0, "\(restart)")
            let status = try orch("daemon status")
            let reason = "the program that served before, version 0.1.0, runs in its place"
            #expect(status.output.contains(reason), "\(status)")
            #expect(try place.pid("a") == before)
        }
        #expect(try place.shell("cp \(program("orchd")) bin/new && mv bin/new bin/orchd").status == 0)
        #expect(try orch("daemon restart").status == 0)
        #expect(try !orch("daemon status").output.contains("remark"))
        #expect(try place.pid("a") == before)
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

    /// First the one that would start the other again.
    func killBoth() throws {
        let pids = [try keeper(), try daemon()]
        for pid in pids { kill(pid, SIGSTOP) }
        for pid in pids { kill(pid, SIGKILL) }
        try eventually("both are gone") {
            pids.allSatisfy { kill($0, 0) != 0 || contents("/proc/\($0)/stat").contains(") Z") }
        }
    }

    /// Its children.
    func pids(of pid: pid_t) -> [pid_t] {
        contents("/proc/\(pid)/task/\(pid)/children").split(separator: " ").compactMap { pid_t($0) }
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

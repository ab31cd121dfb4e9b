// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// `tty`, `stdin` and `orch attach`, with a terminal on both sides.
@Suite(.serialized) struct TerminalTests {
    /// A service that answers lines.
    private static let talker = """
        name: shop
        services:
          web:
            tty: true
            restart: no
            command: "test -t 0 && test -t 1 && test -t 2 && echo on `tty` $TERM; ps -o tpgid= -p $$ | grep -qv -- -1 && echo controls; while read -r line; do case $line in size) stty size;; bye) exit 7;; *) echo got $line;; esac; done"
            logging: { stdout: web.log }
          plain:
            command: [sleep, "4711"]
        """

    @Test func aServiceHasATerminalThatOthersAttachTo() throws {
        let place = try Workplace()
        try place.write(Self.talker)
        try place.apply()
        let log = place.folder + "/web.log"
        try place.until("it has a terminal, and controls it") {
            contents(log).contains("on /dev/pts/") && contents(log).contains(" xterm\r\ncontrols\r\n")
        }
        let pid = try place.pid("web")
        let one = try Screen(place, ["attach", "web"], rows: 30, columns: 100)
        try place.until("what came before is shown first") { one.shows("controls\r\n") }
        one.type("size\r")
        try place.until("its size is that of who looks") { one.shows("30 100") }
        #expect(!one.isAsItWas, "keys go to the service as they are")
        let two = try Screen(place, ["attach", "-n", "1", "web"], rows: 40, columns: 120)
        try place.until("the other one sees the last line") { two.shows("30 100\r\n") }
        #expect(!two.shows("controls"))
        one.type("hello\r")
        try place.until("both see what is typed, and the answer") {
            one.shows("hello\r\ngot hello\r\n") && two.shows("hello\r\ngot hello\r\n")
        }
        two.resize(rows: 50, columns: 90)
        try place.until("a new size is passed on") {
            two.type("size\r")
            return two.shows("50 90")
        }
        kill(try place.daemon(), SIGKILL)
        two.wipe()
        try place.until("another daemon passes on what is typed") {
            two.type("size\r")
            return two.shows("50 90")
        }
        two.type("again\r")
        try place.until("another daemon goes on, and nothing is shown twice") { two.shows("got again\r\n") }
        #expect(two.text.components("got again") == 1 && two.text.components("got hello") == 0, "\(two.text)")
        one.type("\u{10}\u{11}")
        try place.until("the keys for it detach") { one.hasEnded() }
        #expect(one.ended == 0 && one.isAsItWas && one.text.contains("detached; web runs on"), "\(one.text)")
        let three = try Screen(place, ["attach", "web"])
        try place.until("a third one is there") { three.shows("got again") && !three.isAsItWas }
        kill(three.child, SIGTERM)
        try place.until("it ends when told to") { three.hasEnded() }
        #expect(three.ended == 130 && three.isAsItWas)
        #expect(try place.pid("web") == pid)
        two.type("bye\r")
        try place.until("the end of the service is the end of it") { two.hasEnded() }
        #expect(two.ended == 7 && two.isAsItWas && two.text.contains("web has ended: "), "\(two.text)")
        // Answers to the sizes may come between what is typed and its own.
        #expect(contents(log).hasSuffix("got again\r\nbye\r\n"), "\(contents(log))")
        #expect(try place.end() == "")
    }

    /// Its bytes are in the terminal, in a pipe or in the log, whoever dies; and nobody who looks and reads nothing holds them up.
    @Test(arguments: ["raw", "timestamped"]) func whatATerminalShowsIsLoggedWhoeverDies(_ format: String) throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                tty: true
                restart: no
                command: "read -r go; i=0; while [ $i -lt 30000 ]; do i=$((i+1)); echo $i; done; read -r go"
                logging: { stdout: web.log, format: \(format), strip_ansi: \(format != "raw"), rotate: { size: 1GB } }
            """)
        try place.apply()
        let (log, pid) = (place.folder + "/web.log", try place.pid("web"))
        let blind = try Screen(place, ["attach", "web"])
        try place.until("somebody is attached") { !blind.isAsItWas }
        blind.type("go\r")
        for round in 1...4 {
            try place.until("it writes") { contents(log).utf8.count > round * 4_000 }
            kill(round == 3 ? try place.keeper() : try place.daemon(), SIGKILL)
            try place.eventually("another daemon answers") { try place.orch("status").status == 0 }
        }
        try place.until("all of it is logged") { contents(log).contains("30000") }
        #expect(try place.pid("web") == pid)
        // As bytes: to Swift a carriage return and a newline are one character.
        var numbers = contents(log).utf8.split(separator: 10).map { line in
            String(line.filter { $0 != 13 }.split(separator: 32).last.map { String(decoding: $0, as: UTF8.self) } ?? "")
        }
        if format != "raw" {
            // A kill may repeat the last block of what is converted.
            var seen: Set<String> = []
            numbers = numbers.filter { seen.insert($0).inserted }
        }
        let wanted = ["go"] + (1...30_000).map { "\($0)" }
        let difference = zip(numbers, wanted).first { $0 != $1 }
        let isExact = numbers == wanted
        #expect(isExact, "\(numbers.count) lines; \(String(describing: difference))")
        if format != "raw" { #expect(!contents(log).utf8.contains(13), "a line ends as lines of files do") }
        kill(blind.child, SIGKILL)
        #expect(try place.end() == "")
    }

    @Test func whatIsTypedReachesAnOpenInput() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                stdin: open
                restart: no
                command: "while read -r line; do echo got $line; echo bad $line >&2; done"
                logging: { stdout: web.log, stderr: errors.log }
                stop: [{ stdin: "last\\n", wait: 1s }]
            """)
        try place.apply()
        let attach = "printf 'one\\ntwo\\n' | \(program("orch")) attach web"
        #expect(try place.shell(attach).status == 0)
        try place.until("lines of a pipe reach it") { contents(place.folder + "/web.log") == "got one\ngot two\n" }
        kill(try place.daemon(), SIGKILL)
        let screen = try Screen(place, ["attach", "web"])
        try place.until("its log is shown, both outputs") { screen.shows("got two\r\n") && screen.shows("bad two\r\n") }
        #expect(screen.isAsItWas, "lines are edited here")
        screen.type("three\n")
        try place.until("a line reaches it") { screen.shows("got three\r\n") && screen.shows("bad three\r\n") }
        screen.type("\u{3}")
        try place.until("Ctrl-C detaches") { screen.hasEnded() }
        #expect(screen.ended == 130)
        #expect(try place.phase("web") == "ready")
        #expect(try place.orch("stop", "web").status == 0)
        #expect(contents(place.folder + "/web.log").hasSuffix("got three\ngot last\n"), "a stop step writes there, too")
        #expect(try place.end() == "")
    }

    @Test func aFileIsReadAsWhoeverRuns() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              copy: { kind: task, command: [cat], stdin: in.txt, logging: { stdout: copy.log } }
              none: { kind: task, command: [cat], logging: { stdout: none.log } }
              missing: { command: [cat], stdin: ./open, restart: no }
            """)
        try place.write("first\nsecond\n", to: "in.txt")
        let apply = try place.orch("apply")
        let flat = apply.output.split { $0 == "\n" || $0 == " " }.joined(separator: " ")
        #expect(apply.status == 1)
        #expect(flat.contains("read \(place.folder)/open: ") && flat.contains("correct `stdin`"), "\(apply)")
        try place.eventually("tasks end with their input") {
            try place.phase("copy") == "done" && place.phase("none") == "done"
        }
        #expect(contents(place.folder + "/copy.log") == "first\nsecond\n" && contents(place.folder + "/none.log") == "")
        #expect(try place.end() == "")
    }

    @Test(.enabled("becoming nobody needs root") { geteuid() == 0 }) func othersFilesAreNotRead() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web: { command: [cat], stdin: in.txt, user: nobody, working_dir: /, restart: no }
              term: { command: "stat -c %U `tty`; read -r x", tty: true, user: nobody, working_dir: /, logging: { stdout: term.log } }
            """)
        try place.write("secret\n", to: "in.txt", mode: 0o600)
        let apply = try place.orch("apply")
        let flat = apply.output.split { $0 == "\n" || $0 == " " }.joined(separator: " ")
        #expect(apply.status == 1 && flat.contains("see that nobody may read it, or correct `stdin`"), "\(apply)")
        try place.until("its terminal is its own") { contents(place.folder + "/term.log") == "nobody\r\n" }
        #expect(try place.end() == "")
    }

    @Test func aStopStepIsTyped() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                tty: true
                command: "trap 'echo interrupted; exit 0' INT; echo up; while :; do sleep 0.1; done"
                ready: { log: ^up$ }
                logging: { stdout: web.log, stderr: merge }
                stop: [{ stdin: "\\x03", wait: 1m }]
            """)
        try place.apply()
        kill(try place.daemon(), SIGKILL)
        #expect(try place.orch("stop", "web").status == 0)
        #expect(contents(place.folder + "/web.log") == "up\r\n^Cinterrupted\r\n", "the terminal made a signal of it")
        #expect(try place.end() == "")
    }

    @Test func whoHasNeitherIsNotAttachedTo() throws {
        let place = try Workplace()
        try place.write(Self.talker.replacing("tty: true", with: "enabled: false"))
        try place.apply()
        let plain = try place.orch("attach", "plain")
        #expect(
            plain.status == 5 && plain.errors.contains("can't attach to plain: it has neither a terminal"), "\(plain)")
        #expect(plain.errors.contains("`tty: true`"), "\(plain)")
        let idle = try place.orch("attach", "web")
        #expect(idle.status == 5 && idle.errors.contains("web has no process: it is idle"), "\(idle)")
        #expect(try place.end() == "")
    }
}

extension String {
    /// How often it holds `part`.
    fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// `sockets`, on real sockets and real servers.
@Suite(.serialized) struct SocketTests {
    /// What a connection comes to: `yes` when it was taken into the queue.
    private func connects(_ place: Workplace, _ kind: String, _ address: String) throws -> String {
        try place.shell(
            """
            /usr/bin/python3 - <<'END'
            import socket
            try:
                socket.socket(socket.\(kind)).connect(\(address))
                print("yes", end="")
            except OSError as error:
                print(type(error).__name__, end="")
            END
            """
        ).output
    }

    private func log(_ place: Workplace, _ service: String) -> String {
        contents("\(place.home)/state/logs/sockets/\(service)/stdout.log")
    }

    /// A shell command and a program are told of them with their own pid; what they start finds them, and knows that they are not meant.
    @Test func eachProcessIsGivenThemAsItsOwn() throws {
        let place = try Workplace()
        let look = """
            import os, socket, subprocess, sys, time
            told = [os.environ[name] for name in ("LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID")]
            mine = told[2] == str(os.getpid())
            given = [socket.socket(fileno=number) for number in (3, 4, 5)]
            kinds = [one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for one in given]
            blocks = [os.get_blocking(number) for number in (3, 4, 5)]
            print(told[0], told[1], mine, kinds, blocks, sorted(os.listdir("/proc/self/fd"))[:7], flush=True)
            time.sleep(4000)
            """
        try place.write(look, to: "look.py")
        try place.write(
            """
            name: sockets
            services:
              program:
                command: [/usr/bin/python3, look.py]
                environment: { LISTEN_PID: '1', LISTEN_FDS: '9' }
                sockets:
                  - { name: a, listen: 'tcp://127.0.0.1:23180' }
                  - { name: b, listen: ./b.sock, mode: '0660' }
                  - { name: c, listen: '@\(place.home)/c' }
              shell:
                command: 'echo "$LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID - $$))"; exec sleep 4501'
                sockets: ['tcp://[::1]:23180']
              none:
                command: 'echo "none ${LISTEN_FDS-} ${LISTEN_PID-}"; exec sleep 4501'
            """)
        try place.apply()
        try place.until("all have looked") {
            ["program", "shell", "none"].allSatisfy { log(place, $0).hasSuffix("\n") }
        }
        #expect(
            log(place, "program").hasPrefix("3 a:b:c True [1, 1, 1] [True, True, True] ['0', '1', '2', '3', '4', '5', ")
        )
        #expect(log(place, "shell") == "1 socket 0\n")
        #expect(log(place, "none") == "none  \n")
        #expect(try place.shell("stat -c %a b.sock").output == "660\n")
        let ways = [
            ("AF_INET", "('127.0.0.1', 23180)"), ("AF_INET6", "('::1', 23180)"),
            ("AF_UNIX", "'\(place.folder)/b.sock'"),
            ("AF_UNIX", "'\\0\(place.home)/c'"),
        ]
        for (kind, address) in ways { #expect(try connects(place, kind, address) == "yes", "\(address)") }
        // Nobody wants it any more: nobody would take the connection.
        #expect(try place.orch("stop", "program", "shell").status == 0)
        for (kind, address) in ways { #expect(try connects(place, kind, address) != "yes", "\(address)") }
        #expect(try place.shell("ls b.sock").status != 0)
        #expect(try place.orch("start", "program").status == 0)
        for (kind, address) in ways where kind != "AF_INET6" { #expect(try connects(place, kind, address) == "yes") }
        #expect(try place.orch("down").status == 0)
        #expect(try place.shell("ls b.sock '\(place.home)/run/sockets'").output == "\(place.home)/run/sockets:\n")
        #expect(try place.end() == "")
    }

    /// Who has it is said, the rest of the stack is not harmed, and it starts by itself once it can.
    @Test func anAddressThatIsTakenIsToldWithItsOwner() throws {
        let place = try Workplace()
        let take = """
            import socket, sys, time
            tcp = socket.socket(); tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind(("127.0.0.1", 23181)); tcp.listen()
            unix = socket.socket(socket.AF_UNIX); unix.bind("taken.sock"); unix.listen()
            gone = socket.socket(socket.AF_UNIX); gone.bind("stale.sock"); gone.close()
            open("file.sock", "w").write("precious"); open("up", "w")
            time.sleep(4000)
            """
        try place.write(take, to: "take.py")
        let other = try place.start(["/usr/bin/python3", "take.py"])
        try place.until("the other one listens") { unsafe access("\(place.folder)/up", F_OK) == 0 }
        try place.write(
            """
            name: sockets
            services:
              good: { command: [sleep, '4501'], sockets: [./stale.sock] }
              port: { command: [sleep, '4501'], sockets: ['tcp://0.0.0.0:23181'], restart: { delay: 100ms, factor: 1 } }
              path: { command: [sleep, '4501'], sockets: [./taken.sock], restart: { delay: 100ms, factor: 1 } }
              file: { command: [sleep, '4501'], sockets: [./file.sock] }
              nowhere: { command: [sleep, '4501'], sockets: [./no/such.sock] }
              foreign: { command: [sleep, '4501'], sockets: ['tcp://192.0.2.1:80'] }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        let reasons = [
            (
                "port",
                "cannot listen at tcp://0.0.0.0:23181: address already in use (EADDRINUSE) by pid \(other) (/usr/bin/python3 take.py), user "
            ),
            ("path", "cannot listen at \(place.folder)/taken.sock: address already in use (EADDRINUSE) by "),
            ("file", "file.sock: something is there that is no socket; move it away, or give another path"),
            ("nowhere", "no such file or directory (ENOENT); make the folder that it is to be in"),
            ("foreign", "(EADDRNOTAVAIL); give an address of this host, or 0.0.0.0 for all"),
        ]
        for (name, reason) in reasons {
            try place.eventually("it is said of \(name)") {
                let row = try place.rows()[name]
                return row?["phase"] == "backoff" && row?["reason"]?.string?.contains(reason) == true
            }
        }
        try place.eventually("what can start does") { try place.phase("good") == "ready" }
        #expect(contents("\(place.folder)/file.sock") == "precious")
        kill(other, SIGKILL)
        var status: Int32 = 0
        unsafe waitpid(other, &status, 0)
        try place.eventually("they start by themselves") {
            let rows = try place.rows()
            return rows["port"]?["phase"] == "ready" && rows["path"]?["phase"] == "ready"
        }
        // Another stack's claims are told by name: of the socket, and of the port.
        try place.write(
            "name: second\nservices: { again: { command: [sleep, '4501'], sockets: ['tcp://127.0.0.1:23181'] } }\n",
            to: "second.yaml")
        try place.write(
            "name: third\nservices: { ported: { command: [sleep, '4501'], ports: [23181] } }\n", to: "third.yaml")
        for name in ["second.yaml", "third.yaml"] {
            #expect(try place.orch("apply", "--detach", "-f", name).status == 0)
        }
        try place.eventually("the service is named") {
            let rows = try place.rows()
            return rows["again"]?["reason"]?.string?.contains("it is a socket of service sockets/port") == true
                && rows["ported"]?["reason"]?.string?.contains("it is the port of service sockets/port") == true
        }
        #expect(try place.end() == "")
    }

    /// One that changes is opened anew, one that is taken out is closed, one that stays keeps who waits in it.
    @Test func changedEntriesAreTakenUp() throws {
        let place = try Workplace()
        func manifest(_ sockets: String) throws {
            try place.write("name: sockets\nservices:\n  web: { command: [sleep, '4501'], sockets: [\(sockets)] }\n")
        }
        try manifest("'tcp://127.0.0.1:23182', { name: f, listen: ./f.sock }")
        try place.apply()
        let pid = try place.pid("web")
        let inode = try place.shell("stat -c %i f.sock").output
        try manifest("'tcp://127.0.0.1:23183', { name: g, listen: ./f.sock, mode: '0666' }")
        let diff = try place.orch("diff")
        #expect(diff.status == 2 && diff.output.contains("sockets") && diff.output.contains("restart"), "\(diff)")
        try place.apply()
        #expect(try place.pid("web") != pid)
        #expect(try connects(place, "AF_INET", "('127.0.0.1', 23182)") == "ConnectionRefusedError")
        #expect(try connects(place, "AF_INET", "('127.0.0.1', 23183)") == "yes")
        #expect(try place.shell("stat -c '%i %a' f.sock").output == inode.dropLast() + " 666\n")
        try manifest("")
        try place.apply()
        #expect(try connects(place, "AF_INET", "('127.0.0.1', 23183)") == "ConnectionRefusedError")
        #expect(try place.shell("ls f.sock").status != 0)
        #expect(try place.end() == "")
    }

    /// Whoever dies, the socket is there: also while its service waits for a retry, and nobody but the keeper has it.
    @Test func theyOutliveDaemonAndKeeper() throws {
        let place = try Workplace()
        try place.write(
            """
            name: sockets
            services:
              web:
                command: 'test -e go && exec sleep 4501; exit 1'
                sockets: ['tcp://127.0.0.1:23184', { name: f, listen: ./f.sock }]
                restart: { delay: 100ms, factor: 1 }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("it tries") { try place.rows()["web"]?["restarts"]?.int ?? 0 > 1 }
        let inode = try place.shell("stat -c %i f.sock").output
        func check(_ what: String) throws {
            #expect(try connects(place, "AF_INET", "('127.0.0.1', 23184)") == "yes", "\(what)")
            #expect(try connects(place, "AF_UNIX", "'\(place.folder)/f.sock'") == "yes", "\(what)")
            #expect(try place.shell("stat -c %i f.sock").output == inode, "\(what)")
        }
        let daemon = try place.daemon()
        kill(daemon, SIGKILL)
        try check("without a daemon")
        try place.eventually("another daemon answers") { try place.daemon() != daemon }
        try check("with the next one")
        let keeper = try place.keeper()
        kill(keeper, SIGKILL)
        try check("without a keeper")
        try place.eventually("another keeper and its daemon") {
            try place.keeper() != keeper && place.daemon() != place.keeper()
        }
        try check("with the next one")
        #expect(try place.orch("daemon", "upgrade").status == 0)
        try check("after an upgrade")
        #expect(try place.orch("daemon", "restart").status == 0)
        try place.write("", to: "go")
        try place.eventually("it is up") { try place.phase("web") == "ready" }
        try check("with the service")
        #expect(try place.orch("down").status == 0)
        #expect(try connects(place, "AF_INET", "('127.0.0.1', 23184)") == "ConnectionRefusedError")
        #expect(try place.shell("ls f.sock").status != 0)
        #expect(try place.end() == "")
    }

    /// Killed at once, they leave the socket to the service alone: the next ones have it from there.
    @Test func whatLivesOnGivesItBack() throws {
        let place = try Workplace()
        try place.write(
            """
            name: sockets
            services:
              web: { command: [sleep, '4501'], sockets: [./f.sock], restart: { delay: 1h, max_delay: 1h } }
            """)
        try place.apply()
        let pid = try place.pid("web")
        let inode = try place.shell("stat -c %i f.sock").output
        try place.killBoth()
        #expect(try connects(place, "AF_UNIX", "'\(place.folder)/f.sock'") == "yes", "the service has it")
        try place.apply()
        #expect(try place.pid("web") == pid)
        kill(pid_t(pid ?? 0), SIGKILL)
        try place.eventually("it is down for long") { try place.phase("web") == "backoff" }
        #expect(try connects(place, "AF_UNIX", "'\(place.folder)/f.sock'") == "yes", "the keeper has it")
        #expect(try place.shell("stat -c %i f.sock").output == inode)
        #expect(try place.end() == "")
    }

    /// `orch ports`: what is opened for services, and what they open themselves; nobody else's.
    @Test func portsAreListedWithWhoHasThem() throws {
        let place = try Workplace()
        let listen = """
            import socket, time
            tcp = socket.socket(socket.AF_INET6); tcp.bind(("::1", 23185)); tcp.listen()
            udp = socket.socket(type=socket.SOCK_DGRAM); udp.bind(("127.0.0.1", 23185))
            print("up", flush=True); time.sleep(4000)
            """
        try place.write(listen, to: "listen.py")
        try place.write(
            """
            name: sockets
            services:
              lent: { command: [sleep, '4501'], replicas: 2, sockets: ['tcp://0.0.0.0:23186', { name: f, listen: ./f.sock }] }
              own: { command: [/usr/bin/python3, listen.py], ready: { log: up } }
              tries: { command: 'exit 1', sockets: ['@\(place.home)/t'], restart: { delay: 1m } }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("all have begun") {
            let rows = try place.rows()
            return rows["tries"]?["phase"] == "backoff" && rows["own"]?["phase"] == "ready"
                && rows["lent.2"]?["phase"] == "ready" && rows["lent.1"]?["phase"] == "ready"
        }
        let rows = try place.rows()
        func pid(_ label: String) -> Int64 { rows[label]?["pid"]?.int ?? 0 }
        let text = try place.orch("ports")
        let words = text.output.split(separator: "\n").dropFirst().map {
            $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(
            words == [
                "sockets/lent unix \(place.folder)/f.sock orch \(pid("lent.1")) \(pid("lent.2"))",
                "sockets/lent tcp 0.0.0.0:23186 orch \(pid("lent.1")) \(pid("lent.2"))",
                "sockets/own udp 127.0.0.1:23185 itself \(pid("own"))",
                "sockets/own tcp [::1]:23185 itself \(pid("own"))", "sockets/tries unix @\(place.home)/t orch none",
            ], "\(text)")
        let one = try JSON.parse(place.orch("ports", "tries", "--json").output)["listeners"]?.array ?? []
        #expect(one.map { $0["address"]?.string } == ["@\(place.home)/t"] && one.first?["pids"] == .array([]))
        #expect(try place.end() == "")
    }

    /// Of root's daemon the file is the service's user's.
    @Test func theFileIsTheServicesOwn() throws {
        guard getuid() == 0 else {
            print("not run: that takes root")
            return
        }
        let place = try Workplace()
        try place.write(
            """
            name: sockets
            services:
              web: { command: [sleep, '4501'], user: 'nobody', sockets: [{ listen: ./f.sock, mode: '0640' }] }
            """)
        try place.apply()
        #expect(try place.shell("stat -c '%U %a' f.sock").output == "nobody 640\n")
        #expect(try place.end() == "")
    }
}

// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// `orch doctor` on this machine: what it calls sound starts, and what it calls wrong doesn't.
@Suite(.serialized) struct DoctorTests {
    /// The facts of findings with that mark about that thing.
    private func facts(_ mark: String, _ about: String, _ place: Workplace) throws -> [String] {
        let outcome = try place.orch("doctor", "--json")
        guard let rows = try JSON.parse(outcome.output)["findings"]?.array else { throw Broken("\(outcome)") }
        return rows.filter { $0["mark"]?.string == mark && $0["about"]?.string == about }.compactMap {
            $0["fact"]?.string
        }
    }

    @Test(arguments: [false, true]) func whatIsSoundStarts(asNobody: Bool) throws {
        guard !asNobody || geteuid() == 0 else { return }
        let place = try Workplace(isNobody: asNobody)
        try place.write(
            "name: sound\nservices:\n  web: { command: [sleep, '4294'] }\n  api: { command: 'exec sleep 4294' }\n")
        let before = try place.orch("doctor")
        #expect(before.status == 0 && before.output.contains("ok       web"), "\(before)")
        #expect(contents(place.home + "/state/lock") == "", "it has made nothing")
        try place.apply()
        let after = try place.orch("doctor")
        #expect(after.status == 0 && after.output.contains("it runs: version"), "\(after)")
        #expect(try place.end() == "")
    }

    /// Each of them in one run; and each of them indeed fails.
    @Test(.enabled("services of other users need root") { geteuid() == 0 }) func whatIsWrongIsNamed() throws {
        let place = try Workplace()
        _ = try place.shell("mkdir -m 700 '\(place.folder)/closed'")
        try place.write("#!/nowhere/python\n", to: "moved.py", mode: 0o755)
        try place.write("#!/bin/sh\nexec sleep 4294\n", to: "own.sh", mode: 0o700)
        let (taken, listener) = try listen()
        defer { close(listener) }
        try place.write(
            """
            name: wrong
            defaults: { restart: no }
            services:
              closed: { command: [sleep, "4294"], user: nobody, working_dir: closed }
              moved: { command: [./moved.py] }
              own: { command: [./own.sh], user: nobody }
              absent: { command: [no-such-program-4] }
              shell: { command: "no-such-program-4 --flag" }
              port: { command: [sleep, "4294"], ports: [\(taken)] }
              fine: { command: [sleep, "4294"] }
            """)
        let doctor = try place.orch("doctor")
        #expect(doctor.status == 1, "\(doctor)")
        let expected = [
            "closed": "cannot enter the working directory \(place.folder)/closed: permission denied (EACCES)",
            "moved":
                "cannot execute \(place.folder)/moved.py: its interpreter /nowhere/python: no such file or directory (ENOENT)",
            "own": "cannot execute \(place.folder)/own.sh: permission denied (EACCES)",
            "absent": "cannot execute no-such-program-4: no such file (ENOENT) in ",
            "shell": "cannot execute no-such-program-4: no such file (ENOENT) in ",
            "port":
                "cannot use port \(taken)/tcp on any address: address already in use (EADDRINUSE) by pid \(getpid()) (",
        ]
        for (service, fact) in expected {
            let told = try facts("error", service, place)
            #expect(told.count == 1 && told[0].hasPrefix(fact), "\(service): \(told)")
        }
        #expect(try facts("ok", "fine", place).count == 1)
        #expect(try place.orch("apply", "--detach").status == 0)
        try place.eventually("all have come to where they stand") {
            try place.rows().values.allSatisfy { $0["phase"] == "failed" || $0["phase"] == "ready" }
        }
        #expect(try place.rows().filter { $0.value["phase"] == "ready" }.map(\.key) == ["fine"])
        #expect(try place.end() == "")
    }

    /// What runs already has its port; what another stack has is told by its name.
    @Test func portsOfOursAreKnown() throws {
        let place = try Workplace()
        let (port, listener) = try listen()
        close(listener)
        try place.write(
            """
            name: first
            services:
              web:
                command: [python3, -c, "import socket, time; s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(('', \(port))); s.listen(); print('listens', flush=True); time.sleep(4294)"]
                ports: [\(port)]
                ready: { log: listens }
            """)
        try place.apply()
        let own = try place.orch("doctor")
        #expect(own.status == 0, "\(own)")
        try place.write(
            "name: second\nservices:\n  api: { command: [sleep, '4294'], ports: [\(port)] }\n", to: "second.yaml")
        let other = try place.orch("doctor", "second.yaml")
        #expect(other.status == 1 && other.output.contains("service first/web"), "\(other)")
        #expect(try place.end() == "")
    }

    @Test(.enabled("being another user needs root") { geteuid() == 0 }) func whoIsNotRootMayLess() throws {
        let place = try Workplace(isNobody: true)
        try place.write(
            """
            name: humble
            services:
              other: { command: [sleep, "4294"], user: daemon }
              more: { command: [sleep, "4294"], ulimits: { nofile: { soft: 10, hard: unlimited } } }
              log: { command: [sleep, "4294"], logging: { stdout: /root/orch.log } }
              low: { command: [sleep, "4294"], ports: [1] }
            """)
        #expect(try place.orch("doctor").status == 1)
        #expect(try facts("error", "other", place).first?.contains("only root may change the user") ?? false)
        #expect(try facts("error", "more", place).first?.hasPrefix("ulimits.nofile of unlimited is above") ?? false)
        #expect(try facts("error", "log", place).first?.hasPrefix("its log /root/orch.log can't be written: ") ?? false)
        #expect(try facts("warning", "low", place) == ["port 1/tcp is below 1024"])
        #expect(try place.end() == "")
    }

    /// In the same words, wherever it is told.
    @Test func theWeakerPromiseIsStated() throws {
        let place = try Workplace(tracking: "session")
        try place.write("name: held\nservices:\n  web: { command: [sleep, '4294'] }\n")
        try place.apply()
        let promise =
            "processes are held by session, not by control group: one that leaves its session, its parent and its environment"
            + " between two looks is not seen, and outlives its service"
        let (doctor, status) = (try place.orch("doctor"), try place.orch("status"))
        #expect(doctor.status == 0 && doctor.output.contains(promise), "\(doctor)")
        #expect(status.output.contains(promise), "\(status)")
        #expect(contents(repository() + "/docs/troubleshooting.md").contains(promise))
        #expect(try place.end() == "")
        let grouped = try Workplace()
        if try grouped.bestTracking() == "cgroup" {
            try grouped.write("name: held\nservices:\n  web: { command: [sleep, '4294'] }\n")
            try grouped.apply()
            #expect(try !(grouped.orch("doctor").output + grouped.orch("status").output).contains(promise))
        }
        #expect(try grouped.end() == "")
    }

    @Test func whatWasKilledTogetherIsTold() throws {
        let place = try Workplace()
        try place.write("name: left\nservices:\n  web: { command: [sleep, '4294'] }\n")
        try place.apply()
        try place.killBoth()
        try place.until("nobody listens") { try place.orch("daemon", "status").status == 4 }
        let doctor = try place.orch("doctor")
        #expect(
            doctor.status == 1 && doctor.output.contains("no daemon runs, but 1 process of its services"), "\(doctor)")
        #expect(doctor.output.contains("orch.sock is left over"))
        #expect(try place.orch("daemon", "start").status == 0)
        #expect(try place.orch("doctor").status == 0)
        #expect(try place.end() == "")
    }

    /// By a user whom nobody else is, so that nobody else lacks them.
    @Test(.enabled("being another user needs root") { geteuid() == 0 }) func inotifyThatIsUsedUpIsTold() throws {
        let place = try Workplace()
        let script = """
            import ctypes, os, subprocess, sys
            held = 0
            while ctypes.CDLL(None).inotify_init1(0o2000000) >= 0: held += 1
            home = "\(place.home)/other"
            print(subprocess.run(["\(program("orch"))", "doctor"], env={"ORCH_HOME": home}, cwd="/", capture_output=True, text=True).stdout)
            """
        try place.write(script, to: "exhaust.py")
        _ = try place.shell("mkdir '\(place.home)/other' && chown 64991 '\(place.home)/other'")
        let outcome = try place.shell(
            "ulimit -n $(ulimit -Hn); setpriv --reuid=64991 --regid=64991 --clear-groups python3 '\(place.folder)/exhaust.py'"
        )
        #expect(
            outcome.output.contains("cannot make an instance of inotify: too many open files (EMFILE)"), "\(outcome)")
        #expect(outcome.output.contains("fs.inotify.max_user_instances is "))
        #expect(try place.end() == "")
    }

    /// A file system that never answers costs a moment, once.
    @Test(.enabled("mounting needs root") { geteuid() == 0 }) func whatHangsIsNotWaitedFor() throws {
        let place = try Workplace()
        let disk = place.home + "/disk"
        let hang = try place.hang(disk)
        defer { place.release(hang, disk) }
        try place.write(
            """
            name: hung
            services:
              within: { command: [\(disk)/program], logging: { stdout: \(disk)/web.log } }
              well: { command: [sleep, "4294"] }
            """)
        let doctor = try place.orch("doctor")
        #expect(doctor.status == 1 && doctor.output.contains("its file system did not answer within 2s"), "\(doctor)")
        #expect(doctor.output.contains("that does not answer") && doctor.output.contains("ok       well"), "\(doctor)")
        place.release(hang, disk)
        #expect(try place.end() == "")
    }

    /// A port that is listened at, and who does.
    private func listen() throws -> (port: Int, socket: Int32) {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                unsafe bind(number, plain, length) == 0 && Glibc.listen(number, 1) == 0
                    && getsockname(number, plain, &length) == 0
            }
        }
        guard bound else { throw Broken("no port can be listened at") }
        return (Int(UInt16(bigEndian: address.sin_port)), number)
    }
}

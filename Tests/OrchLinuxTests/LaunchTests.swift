// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchEngine
import OrchModel
import Testing

@testable import OrchLinux

/// What a launch is born with and how its end is told; both ways of holding a tree.
@Suite(.serialized) struct LaunchTests {
    @Test func theEnvironmentIsBuiltFromNothing() throws {
        let bench = try Bench(session: false)
        bench.launch(1, ["env"]) { spec in
            spec.environment = [
                EnvironmentEntry("GREETING", "port ${ORCH_PORT_HTTP_API}, $$HOME"),
                EnvironmentEntry("SWIFT_BACKTRACE", "mine"),
            ]
            spec.unset = ["LANG"]
            var port = PortSpec(port: 0)
            port.name = "http-api"
            spec.ports = [port]
        }
        let ports = try bench.event("start") { if case .launched(_, _, let ports, _) = $0 { ports } else { nil } }
        let port = try #require(ports.first?.port)
        _ = try bench.exit(of: 1)
        let lines = Set(try bench.output(of: 1).split(separator: "\n").map(String.init))
        let expected: Set = [
            "PATH=/usr/local/bin:/usr/bin:/bin", "GREETING=port \(port), $HOME", "PORT=\(port)",
            "ORCH_PORT_HTTP_API=\(port)", "ORCH_STACK=shop",
            "ORCH_SERVICE=web", "ORCH_INSTANCE=web", "ORCH_REPLICA=1", "ORCH_LAUNCH=1",
            "ORCH_RUN=\(bench.host.run.mark)",
            "SWIFT_BACKTRACE=mine",
        ]
        #expect(lines == expected)
    }

    @Test func anotherUserHasItsOwnHome() throws {
        try #require(getuid() == 0, "only root may change the user")
        let bench = try Bench(session: false)
        bench.launch(1, ["sh", "-c", "id -u; id -g; echo $HOME $USER $LOGNAME; umask"]) {
            $0.user = "nobody"
            $0.workingDirectory = "/"
        }
        _ = try bench.exit(of: 1)
        #expect(try bench.output(of: 1) == "65534\n65534\n/nonexistent nobody nobody\n0022\n")
    }

    @Test func launchVariablesAreFilledInExecWords() throws {
        let bench = try Bench(session: false)
        bench.launch(1, ["echo", "${ORCH_INSTANCE}", "$$x", "$y", "${OTHER}"])
        _ = try bench.exit(of: 1)
        #expect(try bench.output(of: 1) == "web $x $y ${OTHER}\n")
    }

    @Test func aProgramThatIsNotThereIsNamedWithItsRemedy() throws {
        let bench = try Bench(session: false)
        bench.launch(1, ["./bin/api"])
        let text = try bench.failure(of: 1).text
        #expect(
            text
                == "cannot execute ./bin/api: no such file (ENOENT); relative words are looked up from working_dir, which is "
                + "\(bench.directory); a script's interpreter must exist too")
        try bench.expect(.emptied(LaunchID(1)))
        bench.launch(2, ["surely-not-installed"])
        #expect(
            try bench.failure(of: 2).text
                == "cannot execute surely-not-installed: no such file (ENOENT) in /usr/local/bin:/usr/bin:/bin; install it, give its full "
                + "path, or set PATH")
    }

    @Test func whatCanNotBeExecutedOrEnteredSaysWhy() throws {
        let bench = try Bench(session: false)
        let script = bench.directory + "/script"
        let file = try SmallFile.open(script, O_WRONLY | O_CREAT, mode: 0o644)
        try SmallFile.write(Array("echo\n".utf8), to: file.number)
        bench.launch(1, [script])
        #expect(
            try bench.failure(of: 1).text.hasPrefix(
                "cannot execute \(script): permission denied (EACCES); is it a file, and executable? (chmod +x)"))
        bench.launch(2, ["true"]) { $0.workingDirectory = "/nowhere" }
        #expect(
            try bench.failure(of: 2).text
                == "cannot enter the working directory /nowhere: no such file or directory (ENOENT); make it, or correct `working_dir`"
        )
        bench.launch(3, ["true"]) { $0.user = "nobody-of-that-name" }
        #expect(
            try bench.failure(of: 3).text
                == "cannot run as nobody-of-that-name: no such user; create it, or correct `user`")
    }

    @Test func bothOutputsReachTheirFiles() throws {
        let bench = try Bench(session: false)
        bench.launch(1, ["sh", "-c", "echo out; echo err >&2"])
        _ = try bench.exit(of: 1)
        #expect(try bench.output(of: 1) == "out\n")
        #expect(SmallFile.text(bench.directory + "/state/logs/shop/web/stderr.log") == "err\n")
        bench.launch(2, ["sh", "-c", "echo one; echo two >&2"]) {
            $0.logging.stderr = .merge
            $0.logging.stdout = .file(bench.directory + "/both.log")
        }
        _ = try bench.exit(of: 2)
        _ = try bench.output(of: 2)
        #expect(SmallFile.text(bench.directory + "/both.log") == "one\ntwo\n")
        bench.launch(3, ["sh", "-c", "echo three; echo four >&2"]) { $0.logging.stderr = .discard }
        _ = try bench.exit(of: 3)
        #expect(try bench.output(of: 3) == "out\nthree\n")
        #expect(SmallFile.text(bench.directory + "/state/logs/shop/web/stderr.log") == "err\n")
    }
}

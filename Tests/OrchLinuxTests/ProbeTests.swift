// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchDaemon
import OrchEngine
import OrchModel
import Testing

@testable import OrchLinux

/// Questions and what comes of them; steps of the ladder; what services say.
@Suite(.serialized) struct ProbeTests {
    private func ask(_ bench: Bench, _ round: UInt64, _ action: Probe.Action, timeout: Duration = .seconds(20)) throws
        -> ProbeResult
    {
        var probe = Probe(action)
        probe.timeout = timeout
        bench.perform(.probe(LaunchID(1), .readiness, round: round, probe, runner: LaunchID(100 + round)))
        return try bench.result(of: 1, round: round)
    }

    @Test(arguments: [false, true]) func commandsAnswerByTheirEnd(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, ["sleep", "1000"]) { $0.environment = [EnvironmentEntry("COLOUR", "blue")] }
        _ = try bench.launched(1)
        #expect(
            try ask(bench, 1, .command(.shell("test $COLOUR = blue", shell: CommandLine.standardShell))) == .success)
        #expect(
            try ask(bench, 2, .command(.shell("echo connection refused; exit 3", shell: CommandLine.standardShell)))
                == .failure("exit 3: connection refused"))
        let missing = try ask(bench, 3, .command(.exec(["./nothing"])))
        guard case .failure(let words) = missing else { throw Missing(description: "\(missing)") }
        #expect(words.hasPrefix("cannot execute ./nothing: no such file (ENOENT)"))
    }

    @Test(arguments: [false, true]) func aLateCommandAndItsChildrenAreKilled(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, ["sleep", "1000"])
        _ = try bench.launched(1)
        let result = try ask(
            bench, 1,
            .command(.shell("echo thinking; setsid sleep 1000 & sleep 1000", shell: CommandLine.standardShell)),
            timeout: .seconds(2))
        #expect(result == .failure("no answer within 2s: thinking"))
        let end = bench.host.now.instant + Bench.patience
        while bench.host.records[LaunchID(101)] != nil, bench.host.now.instant < end { _ = bench.host.pass(until: end) }
        #expect(bench.leftBehind.count == 1)
    }

    /// All of it is read, so that it can end; little of it is kept.
    @Test func aCommandMayTalkWithoutEnd() throws {
        let bench = try Bench(session: false)
        bench.launch(1, ["sleep", "1000"])
        _ = try bench.launched(1)
        let talk = "head -c 20000000 /dev/zero | tr '\\0' x"
        #expect(try ask(bench, 1, .command(.shell(talk, shell: CommandLine.standardShell))) == .success)
        let last = try ask(bench, 2, .command(.shell("\(talk); exit 3", shell: CommandLine.standardShell)))
        guard case .failure(let words) = last else { throw Missing(description: "\(last)") }
        #expect(words.hasPrefix("exit 3: x") && words.utf8.count <= Limits.probeOutputBytes + 100)
    }

    @Test func connectionsAreMadeOrRefused() throws {
        let bench = try Bench(session: false)
        bench.launch(1, ["sleep", "1000"]) { $0.ports = [PortSpec(port: 0)] }
        _ = try bench.launched(1)
        let port = try #require(bench.host.records[LaunchID(1)]?.context?.ports.first?.port)
        #expect(
            try ask(bench, 1, .tcp("127.0.0.1:${PORT}"))
                == .failure("127.0.0.1:\(port): connection refused (ECONNREFUSED)"))
        let listener = try Listener()
        #expect(try ask(bench, 2, .tcp("localhost:\(listener.port)")) == .success)
    }

    @Test func httpIsAskedThroughTheEdge() throws {
        let bench = try Bench(session: false)
        bench.launch(1, ["sleep", "1000"]) { $0.environment = [EnvironmentEntry("ORCH_SECRET", "sesame")] }
        _ = try bench.launched(1)
        let listener = try Listener()
        for (round, status) in [(UInt64(1), "200 OK"), (2, "503 Service Unavailable")] {
            var request = HTTPProbe(url: "http://127.0.0.1:\(listener.port)/health")
            request.headers = [EnvironmentEntry("X-Token", "${ORCH_SECRET}")]
            var probe = Probe(.http(request))
            probe.timeout = .seconds(20)
            bench.perform(.probe(LaunchID(1), .readiness, round: round, probe, runner: LaunchID(100 + round)))
            let asked = try listener.answer("HTTP/1.1 \(status)\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi") {
                bench.turn()
            }
            #expect(asked.hasPrefix("GET /health HTTP/1.1\r\n"))
            #expect(asked.contains("sesame"))
            let result = try bench.result(of: 1, round: round)
            if round == 1 {
                #expect(result == .success)
            } else {
                guard case .failure(let words) = result else { throw Missing(description: "\(result)") }
                #expect(words.contains("503"))
            }
        }
    }

    @Test func stepsRunAndFail() throws {
        let bench = try Bench(session: false)
        bench.launch(1, ["sh", "-c", "read line; echo got $line"]) {
            $0.stop = StopSpec(steps: [StopSpec.Step(.stdin("bye\n"), wait: .seconds(1))])
        }
        _ = try bench.launched(1)
        let command = StopSpec.Action.command(
            .shell("echo $ORCH_SERVICE will not; exit 4", shell: CommandLine.standardShell))
        bench.perform(.runStep(LaunchID(1), step: 0, command, runner: LaunchID(2), limit: .seconds(20)))
        let fault = try bench.event("step") { event -> Fault? in
            if case .stepEnded(LaunchID(1), 0, let fault) = event { fault } else { nil }
        }
        #expect(fault.reason == "exit 4: web will not")
        bench.perform(.runStep(LaunchID(1), step: 1, .stdin("bye\n"), runner: LaunchID(3), limit: .seconds(20)))
        try bench.expect(.stepEnded(LaunchID(1), step: 1, nil))
        #expect(try bench.exit(of: 1) == .code(0))
        #expect(try bench.output(of: 1) == "got bye\n")
    }

    @Test(arguments: [false, true]) func servicesSpeakAndStrangersAreNotHeard(session: Bool) throws {
        let bench = try Bench(session: session)
        bench.launch(1, [Bench.tool("host-probe"), "notify", "STATUS=warming up", "READY=1\nSTATUS=open"]) {
            $0.ready = .notify
        }
        try bench.expect(.notified(LaunchID(1), .status("warming up")))
        try bench.expect(.notified(LaunchID(1), .ready))
        try bench.expect(.notified(LaunchID(1), .status("open")))
        let stranger = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { _ = close(stranger) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = try #require(bench.host.notify?.path)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let sent = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(stranger, "READY=1", 7, 0, $0, length)
            }
        }
        #expect(sent == 7)
        let remark = try bench.until("remark") { input -> String? in
            guard case .remarked(let text) = input, text.contains("notification") else { return nil }
            return text
        }
        #expect(remark == "a notification of pid \(getpid()) (uid \(getuid())) was ignored: it belongs to no service")
    }

    @Test func aClientIsWhoTheKernelSays() throws {
        let bench = try Bench(session: false)
        let client = try Descriptor("connect", unsafe corch_unix_connect(bench.directory + "/orch.sock"))
        let peer = try bench.until("client") { if case .connected(_, let peer) = $0 { peer } else { nil } }
        #expect((peer.uid, peer.pid) == (getuid(), getpid()))
        #expect(!peer.name.isEmpty && !peer.name.hasPrefix("uid "))
        _ = consume client
    }

    @Test func race26AClientThatDoesNotReadIsCutOff() throws {
        let bench = try Bench(session: false)
        let client = try Descriptor("connect", unsafe corch_unix_connect(bench.directory + "/orch.sock"))
        let id = try bench.until("client") { if case .connected(let id, _) = $0 { id } else { nil } }
        let block = [UInt8](repeating: 42, count: 4 << 20)
        // What the kernel takes, and the backlog, and then one more.
        for _ in 0..<(Limits.clientBacklogBytes / block.count + 8) { bench.host.perform(.send(id, block)) }
        let remark = try bench.until("remark") { if case .remarked(let text) = $0 { text } else { nil } }
        #expect(remark.contains("a client was cut off"))
        _ = try bench.until("end") { if case .disconnected(id) = $0 { true } else { nil } }
        _ = consume client
    }
}

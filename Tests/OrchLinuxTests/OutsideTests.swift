// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchDaemon
import OrchEngine
import OrchModel
import Testing

@testable import OrchLinux

/// What is asked that is no launch, and locks that are files.
@Suite(.serialized) struct OutsideTests {
    private func ask(_ bench: Bench, _ round: UInt64, _ need: OutsideNeed) throws -> ProbeResult {
        bench.perform(.ask(need, round: round, timeout: .seconds(20)))
        return try bench.event("answer \(round)") {
            if case .answered(need, round, let result) = $0 { result } else { nil }
        }
    }

    @Test func connectionsRequestsAndFilesAreAskedFor() throws {
        let bench = try Bench(session: false)
        let listener = try Listener()
        #expect(try ask(bench, 1, .tcp("localhost:\(listener.port)")) == .success)
        #expect(
            try ask(bench, 2, .tcp("127.0.0.1:1")) == .failure("127.0.0.1:1: connection refused (ECONNREFUSED)"))
        #expect(
            try ask(bench, 3, .tcp("no.such.host:80"))
                == .unasked("no.such.host is neither an address nor in /etc/hosts"))
        #expect(try ask(bench, 4, .file(bench.directory)) == .success)
        #expect(
            try ask(bench, 5, .file(bench.directory + "/x")) == .failure("no such file or directory (ENOENT)"))
        guard case .unasked(let words) = try ask(bench, 6, .http("https://127.0.0.1:1/")) else {
            throw Missing(description: "https was asked")
        }
        #expect(words.contains("curl -fsS"))
    }

    @Test func requestsGoThroughTheEdge() throws {
        let bench = try Bench(session: false)
        let listener = try Listener()
        bench.perform(.ask(.http("http://127.0.0.1:\(listener.port)/up"), round: 1, timeout: .seconds(20)))
        let asked = try listener.answer("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n") { bench.turn() }
        #expect(asked.hasPrefix("GET /up HTTP/1.1\r\n"))
        try bench.expect(.answered(.http("http://127.0.0.1:\(listener.port)/up"), round: 1, .success))
    }

    @Test(arguments: [false, true]) func theDaemonHoldsTheLockOfWhoClosesIts(session: Bool) throws {
        let bench = try Bench(session: session)
        let path = bench.directory + "/deploy.lock"
        #expect(try ask(bench, 1, .lock(path)) == .success)
        bench.launch(1, ["/bin/bash", "-c", "exec 63>&-; exec sleep 1000"]) { $0.locks = ["gpu", path] }
        _ = try bench.launched(1)
        guard case .failure(let words) = try ask(bench, 2, .lock(path)) else {
            throw Missing(description: "the lock was free")
        }
        #expect(words.hasPrefix("held by "))
        bench.perform(.kill(LaunchID(1)))
        try bench.expect(.emptied(LaunchID(1)))
        #expect(try ask(bench, 3, .lock(path)) == .success)
    }

    @Test func aLockOutlivesTheDaemon() throws {
        let bench = try Bench(session: false)
        let path = bench.directory + "/deploy.lock"
        bench.launch(1, ["sleep", "1000"]) { $0.locks = [path] }
        _ = try bench.launched(1)
        try bench.replaceDaemon()
        guard case .failure(let words) = try ask(bench, 1, .lock(path)) else {
            throw Missing(description: "the lock was free")
        }
        #expect(words.hasPrefix("held by pid ") && words.hasSuffix(" (sleep 1000)"))
        bench.perform(.kill(LaunchID(1)))
        try bench.expect(.emptied(LaunchID(1)))
        #expect(try ask(bench, 2, .lock(path)) == .success)
    }

    @Test func aLockThatSomebodyElseHasIsNoFailure() throws {
        let bench = try Bench(session: false)
        let path = bench.directory + "/deploy.lock"
        let ours = try LockFile.take(path)
        bench.launch(1, ["true"]) { $0.locks = [path] }
        let (fault, isScarcity) = try bench.event("failure") {
            if case .launchFailed(LaunchID(1), let fault, let isScarcity) = $0 { (fault, isScarcity) } else { nil }
        }
        #expect(isScarcity)
        #expect(fault.text.hasPrefix("cannot take the lock \(path): held by pid \(getpid()) ("))
        #expect(ours.number >= 0)
    }

    @Test func aLinkIsNotFollowed() throws {
        let bench = try Bench(session: false)
        let path = bench.directory + "/link"
        #expect(unsafe symlink(bench.directory + "/elsewhere", path) == 0)
        #expect(try ask(bench, 1, .lock(path)) == .failure("too many levels of symbolic links (ELOOP)"))
        #expect(try ask(bench, 2, .file(bench.directory + "/elsewhere")) != .success)
    }
}

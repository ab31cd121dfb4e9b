// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchEngine
import OrchLinux
import OrchModel
import Testing

/// HTTP probes against a real server, asked by a real orch-edge.
@Suite struct EdgeTests {
    @Test func aConnectionIsKeptBetweenProbes() throws {
        let server = try ScriptedServer { _ in .bytes(ScriptedServer.answer("200 OK", "fine")) }
        let edge = try EdgeUnderTest()
        for _ in 1...5 { #expect(try edge.answer(to: server.url("/health?a=1")) == .success) }
        #expect(server.counts == .init(connections: 1, requests: 5))
    }

    @Test func theServerMayCloseAfterEachAnswer() throws {
        let server = try ScriptedServer { _ in
            .bytesThenClose(ScriptedServer.answer("200 OK", headers: "Connection: close\r\n"))
        }
        let edge = try EdgeUnderTest()
        for _ in 1...3 { #expect(try edge.answer(to: server.url()) == .success) }
        #expect(server.counts == .init(connections: 3, requests: 3))
    }

    /// The server hangs up when the second request on a connection arrives: nobody could have known before it was sent.
    @Test func aStaleConnectionIsNotAFailure() throws {
        let server = try ScriptedServer { $0.number == 1 ? .bytes(ScriptedServer.answer("200 OK")) : .close }
        let edge = try EdgeUnderTest()
        for _ in 1...3 { #expect(try edge.answer(to: server.url()) == .success) }
        #expect(server.counts == .init(connections: 3, requests: 5))
    }

    @Test func aFreshConnectionThatIsClosedIsAFailure() throws {
        let server = try ScriptedServer { _ in .close }
        let edge = try EdgeUnderTest()
        #expect(try edge.answer(to: server.url()) == .failure("the connection was closed before an answer came"))
        #expect(server.counts.requests == 1)
    }

    @Test func whatIsNotIdempotentIsNeverSentTwice() throws {
        let server = try ScriptedServer { $0.number == 1 ? .bytes(ScriptedServer.answer("200 OK")) : .close }
        let edge = try EdgeUnderTest()
        var probe = HTTPProbe(url: server.url("/shutdown"))
        probe.method = "POST"
        probe.body = "now"
        for _ in 1...3 { #expect(try edge.answer(to: probe) == .success) }
        #expect(server.counts == .init(connections: 3, requests: 3))
    }

    @Test func aSlowAnswerIsAFailureAtTheTimeout() throws {
        let server = try ScriptedServer { _ in .silence }
        let edge = try EdgeUnderTest()
        let begin = edge.now()
        #expect(try edge.answer(to: server.url(), timeout: .milliseconds(200)) == .failure("no answer within 200ms"))
        let took = edge.now() - begin
        #expect(took >= .milliseconds(195) && took < .seconds(5))
        // An answer that only begins doesn't count either.
        let drip = try ScriptedServer { _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") }
        #expect(try edge.answer(to: drip.url(), timeout: .milliseconds(200)) == .failure("no answer within 200ms"))
    }

    @Test func nobodyListening() throws {
        let port = try ReservedPort()
        let edge = try EdgeUnderTest()
        #expect(try edge.answer(to: "http://127.0.0.1:\(port.number)/") == .failure("connection refused"))
        #expect(try edge.answer(to: "http://localhost:\(port.number)/") == .failure("connection refused"))
    }

    @Test func aNameThatDoesNotExist() throws {
        let edge = try EdgeUnderTest()
        guard case .failure(let words) = try edge.answer(to: "http://no-such-host.invalid/", timeout: .seconds(15))
        else {
            Issue.record("an unknown name is a failure")
            return
        }
        #expect(
            words.hasPrefix("the name \"no-such-host.invalid\" can't be resolved") || words == "no answer within 15s")
    }

    @Test(arguments: [
        ("503 Service Unavailable", ProbeResult.failure("503, expected 200-299, 404")), ("404 Not Found", .success),
        ("204 No Content", .success),
        ("302 Found", .failure("302, expected 200-299, 404")),
    ])
    func statusRanges(status: String, expected: ProbeResult) throws {
        let server = try ScriptedServer { _ in
            .bytes(ScriptedServer.answer(status, headers: "Location: /elsewhere\r\n"))
        }
        let edge = try EdgeUnderTest()
        var probe = HTTPProbe(url: server.url())
        probe.status = [200...299, 404...404]
        #expect(try edge.answer(to: probe) == expected)
        #expect(server.counts.requests == 1)
    }

    @Test func redirectsAreAnswersNotOrders() throws {
        let server = try ScriptedServer { _ in
            .bytes(ScriptedServer.answer("302 Found", headers: "Location: /elsewhere\r\n"))
        }
        let edge = try EdgeUnderTest()
        #expect(try edge.answer(to: server.url()) == .success)
        #expect(server.counts.requests == 1)
    }

    @Test(arguments: [
        ("status", #""healthy""# as String, #"status is "degraded", expected "healthy""# as String?),
        ("status", #""degraded""#, nil), ("checks.disk.free_percent", "12.0", nil),
        ("checks.disk.free_percent", "80", "checks.disk.free_percent is 12, expected 80"),
        ("checks.all.1", "true", nil), ("checks.all.2", "true", "checks.all.2 is missing, expected true"),
        ("checks.disk", "null", "checks.disk is an object, expected null"),
    ])
    func jsonExpectations(path: String, expected: String, failure: String?) throws {
        let body = #"{"status":"degraded","checks":{"disk":{"free_percent":12},"all":[false,true]}}"#
        let server = try ScriptedServer { _ in .bytes(ScriptedServer.answer("200 OK", body)) }
        let edge = try EdgeUnderTest()
        var probe = HTTPProbe(url: server.url())
        let value: Value =
            expected == "null"
            ? .null
            : expected == "true"
                ? true : Double(expected).map { .double($0) } ?? .string(String(expected.dropFirst().dropLast()))
        let asWritten: Value =
            if case .double(let number) = value, let whole = Int64(exactly: number), !expected.contains(".") {
                .int(whole)
            } else { value }
        probe.json = [JSONExpectation(path: path, expected: asWritten)]
        #expect(try edge.answer(to: probe) == failure.map { .failure($0) } ?? .success)
    }

    @Test func aBodyThatIsNotJSON() throws {
        let server = try ScriptedServer { _ in .bytes(ScriptedServer.answer("200 OK", "<html>")) }
        let edge = try EdgeUnderTest()
        var probe = HTTPProbe(url: server.url())
        probe.json = [JSONExpectation(path: "status", expected: "healthy")]
        guard case .failure(let words) = try edge.answer(to: probe) else {
            Issue.record("HTML passed for JSON")
            return
        }
        #expect(words.hasPrefix("the body is not JSON: byte 0: "))
    }

    @Test func patternsMatchLineByLine() throws {
        let server = try ScriptedServer { _ in .bytes(ScriptedServer.answer("200 OK", "first line\npool: 3 of 5\n")) }
        let edge = try EdgeUnderTest()
        var probe = HTTPProbe(url: server.url())
        probe.bodyPattern = "^pool: [0-9]+ of 5$"
        #expect(try edge.answer(to: probe) == .success)
        probe.bodyPattern = "line.pool"
        #expect(try edge.answer(to: probe) == .failure("no line of the body matches \"line.pool\""))
        probe.bodyPattern = "(("
        guard case .unasked(let words) = try edge.answer(to: probe) else {
            Issue.record("a bad pattern says nothing about the server")
            return
        }
        #expect(words.hasPrefix("the pattern \"((\" is not a regular expression: "))
    }

    @Test func chunkedBodiesArePutTogether() throws {
        let server = try ScriptedServer { _ in
            .bytes(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"status\":\"healt\r\n4\r\nhy\"}\r\n0\r\n\r\n"
            )
        }
        let edge = try EdgeUnderTest()
        var probe = HTTPProbe(url: server.url())
        probe.json = [JSONExpectation(path: "status", expected: "healthy")]
        for _ in 1...2 { #expect(try edge.answer(to: probe) == .success) }
        #expect(server.counts == .init(connections: 1, requests: 2))
    }

    @Test func onlyTheFirst64KiBAreRead() throws {
        let body = "start\n" + String(repeating: "x", count: Limits.probeBodyBytes) + "\nend"
        let server = try ScriptedServer { _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + body) }
        let edge = try EdgeUnderTest()
        var probe = HTTPProbe(url: server.url())
        probe.bodyPattern = "^start$"
        #expect(try edge.answer(to: probe) == .success)
        probe.bodyPattern = "^end$"
        #expect(try edge.answer(to: probe) == .failure("no line of the body matches \"^end$\""))
        probe.bodyPattern = nil
        probe.json = [JSONExpectation(path: "a", expected: 1)]
        #expect(try edge.answer(to: probe) == .failure("the body is longer than 64 KiB, so its JSON can't be read"))
        #expect(server.counts.connections == 3)
    }

    @Test func whatIsNotHTTP() throws {
        let server = try ScriptedServer { _ in .bytes("220 mail.example ESMTP\r\n\r\n") }
        let edge = try EdgeUnderTest()
        #expect(
            try edge.answer(to: server.url())
                == .failure("what answered at 127.0.0.1:\(server.port) does not speak HTTP/1.1"))
    }

    @Test func theRequestIsAsTheManifestSays() throws {
        let server = try ScriptedServer { request in
            let wanted = [
                "PUT /a?b=c HTTP/1.1\r\n", "Host: example.org\r\n", "X-Token: t\r\n", "Content-Length: 4\r\n",
                "\r\n\r\nbody",
            ]
            return .bytes(
                ScriptedServer.answer(wanted.allSatisfy(request.text.contains) ? "200 OK" : "400 Bad Request"))
        }
        let edge = try EdgeUnderTest()
        var probe = HTTPProbe(url: server.url("/a?b=c#d"))
        probe.method = "PUT"
        probe.body = "body"
        probe.headers = [EnvironmentEntry("Host", "example.org"), EnvironmentEntry("X-Token", "t")]
        #expect(try edge.answer(to: probe) == .success)
    }

    @Test(arguments: [
        "https://127.0.0.1/", "ftp://a/", "127.0.0.1:80", "http://", "http://a:0/", "http://u:p@a/", "http://a/b c",
    ])
    func whatCannotBeAskedIsNeitherSuccessNorFailure(url: String) throws {
        let edge = try EdgeUnderTest()
        guard case .unasked = try edge.answer(to: url) else {
            Issue.record("\(url) was asked")
            return
        }
    }

    @Test func aHundredAtATime() throws {
        let server = try ScriptedServer { _ in .bytes(ScriptedServer.answer("200 OK")) }
        let edge = try EdgeUnderTest()
        let asked = (1...100).map { _ in edge.ask(HTTPProbe(url: server.url())) }
        let answers = try edge.answers(100)
        #expect(answers.map(\.0).sorted() == asked)
        #expect(answers.allSatisfy { $0.1 == .success })
    }

    @Test func anEdgeThatDiesLeavesItsQuestionsUnasked() throws {
        let server = try ScriptedServer { _ in .silence }
        let edge = try EdgeUnderTest()
        let first = edge.ask(HTTPProbe(url: server.url()))
        let second = edge.ask(HTTPProbe(url: server.url()))
        kill(edge.pid, SIGKILL)
        let answers = try edge.answers(2)
        #expect(answers.map(\.0) == [first, second])
        #expect(answers.allSatisfy { $0.1 == .unasked("orch-edge ended before it answered") })
        #expect(!edge.isAlive)
        guard case .unasked = try edge.answer(to: server.url()) else {
            Issue.record("a dead edge answered")
            return
        }
    }

    @Test func anEdgeThatHangsIsGivenUp() throws {
        let edge = try EdgeUnderTest()
        kill(edge.pid, SIGSTOP)
        let id = edge.ask(HTTPProbe(url: "http://127.0.0.1:1/"), timeout: .seconds(1))
        edge.expire(after: .seconds(5))
        #expect(edge.isAlive)
        edge.expire(after: .seconds(12))
        #expect(!edge.isAlive)
        #expect(try edge.answers(1).map(\.0) == [id])
    }

    @Test func theEdgeEndsWhenTheDaemonHangsUp() throws {
        #expect(try EdgeUnderTest.statusAfterHangUp() == 0)
    }
}

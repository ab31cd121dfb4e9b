// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import NIOHTTP1
internal import OrchModel
internal import OrchWire

/// Asks servers over HTTP/1.1 and says what came of it. Lives on one event loop; every question ends, at its timeout at the latest.
final class Prober {
    private let loop: any EventLoop
    private let pool: ConnectionPool

    init(on loop: any EventLoop) {
        self.loop = loop
        pool = ConnectionPool(on: loop)
    }

    /// `completion` is called exactly once, on the loop, perhaps before this returns.
    func ask(_ probe: HTTPProbe, timeout: Duration, completion: @escaping (EdgeVerdict) -> Void) {
        do throws(ProbeTarget.Refusal) {
            let target = try ProbeTarget(url: probe.url)
            let question = Question(probe, target, timeout: timeout, pool: pool, completion: completion)
            question.begin(on: loop)
        } catch {
            completion(.unasked(error.reason))
        }
    }
}

/// One question on its way: the deadline, the connection that carries it, and the one second try.
///
/// A server may close a kept connection at the very moment we use it; RFC 9110 §9.2.2 lets an idempotent request be sent
/// again then. What is not idempotent goes out on a fresh connection in the first place.
private final class Question {
    private let probe: HTTPProbe
    private let target: ProbeTarget
    private let timeout: Duration
    private let pool: ConnectionPool
    private var completion: ((EdgeVerdict) -> Void)?
    private var connection: Connection?
    private var deadline: Scheduled<Void>?

    init(
        _ probe: HTTPProbe, _ target: ProbeTarget, timeout: Duration, pool: ConnectionPool,
        completion: @escaping (EdgeVerdict) -> Void
    ) {
        self.probe = probe
        self.target = target
        self.timeout = timeout
        self.pool = pool
        self.completion = completion
    }

    private var limit: TimeAmount { .nanoseconds(timeout.nanoseconds) }

    func begin(on loop: any EventLoop) {
        deadline = loop.assumeIsolated().scheduleTask(in: limit) { [self] in expire() }
        let isIdempotent = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"].contains(probe.method)
        if isIdempotent, let kept = pool.takeIdle(to: target.origin) {
            send(on: kept)
        } else {
            open()
        }
    }

    private func open() {
        // The deadline of the question ends the attempt; the connection's own is there so that nothing is left behind.
        pool.open(to: target.origin, limit: limit) { [self] result in
            switch result {
            case .success(let fresh) where completion == nil: fresh.abandon()
            case .success(let fresh): send(on: fresh)
            case .failure(let fault): end(fault.verdict(for: target))
            }
        }
    }

    private func send(on connection: Connection) {
        self.connection = connection
        let wasUsed = connection.answers > 0
        connection.send(head, body: probe.body) { [self] result in
            self.connection = nil
            switch result {
            case .success(let answer):
                pool.putBack(connection)
                end(Evaluation.verdict(on: answer, for: probe))
            case .failure(.closed) where wasUsed && completion != nil: open()
            case .failure(let fault): end(fault.verdict(for: target))
            }
        }
    }

    private var head: HTTPRequestHead {
        var headers = HTTPHeaders([("Host", target.authority), ("User-Agent", "orch-edge"), ("Accept", "*/*")])
        if let body = probe.body { headers.add(name: "Content-Length", value: String(body.utf8.count)) }
        for header in probe.headers { headers.replaceOrAdd(name: header.name, value: header.text) }
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: probe.method), uri: target.path, headers: headers)
    }

    private func expire() {
        connection?.abandon()
        connection = nil
        end(.failure("no answer within \(timeout.text)"))
    }

    private func end(_ verdict: EdgeVerdict) {
        deadline?.cancel()
        deadline = nil
        let completion = completion
        self.completion = nil
        completion?(verdict)
    }
}

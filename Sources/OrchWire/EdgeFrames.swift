// SPDX-License-Identifier: Apache-2.0

// What orchd and orch-edge say to each other, as frames on a stream socket. The daemon asks, and the edge answers each question
// once, in any order.

public import OrchModel

/// The daemon's question: ask this server once.
public struct EdgeAsk: Equatable, Sendable, ValueCodable {
    /// Comes back in the answer.
    public var id: UInt64
    /// Launch variables are resolved.
    public var probe: HTTPProbe
    /// From the moment at which the edge has read it.
    public var timeout: Duration

    public init(id: UInt64, probe: HTTPProbe, timeout: Duration) {
        self.id = id
        self.probe = probe
        self.timeout = timeout
    }

    public var value: Value {
        var w = ObjectWriter()
        w.set("id", String(id))
        w.set("timeout", timeout)
        w.set("probe", probe.value)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(id: try r.edgeID(), probe: try r.noun("probe"), timeout: try r.duration("timeout"))
    }
}

/// What came of one question.
public enum EdgeVerdict: Equatable, Sendable {
    case success
    /// The server was asked and is not as expected, in words: `status is "degraded", expected "healthy"`.
    case failure(String)
    /// It could not be asked, which says nothing about the server.
    case unasked(String)
}

/// The edge's answer.
public struct EdgeAnswer: Equatable, Sendable, ValueCodable {
    public var id: UInt64
    public var verdict: EdgeVerdict

    public init(id: UInt64, verdict: EdgeVerdict) {
        self.id = id
        self.verdict = verdict
    }

    public var value: Value {
        var w = ObjectWriter()
        w.set("id", String(id))
        switch verdict {
        case .success: break
        case .failure(let words): w.set("failure", words)
        case .unasked(let words): w.set("unasked", words)
        }
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        id = try r.edgeID()
        if let words = try r.optionalString("failure") {
            verdict = .failure(words)
        } else if let words = try r.optionalString("unasked") {
            verdict = .unasked(words)
        } else {
            verdict = .success
        }
    }
}

extension ObjectReader {
    /// As text: a JSON number does not hold 64 bits everywhere (RFC 8259 §6).
    fileprivate func edgeID() throws(ShapeError) -> UInt64 {
        guard let id = UInt64(try string("id")) else { throw ShapeError(path: "id", expected: "a number as text") }
        return id
    }
}

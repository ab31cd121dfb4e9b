// SPDX-License-Identifier: Apache-2.0

/// `health: {readiness: {…}, liveness: {…}}`.
extension HealthSpec: ValueCodable {
    public var value: Value { written(complete: false) }

    func written(complete: Bool) -> Value {
        var w = ObjectWriter()
        for kind in ProbeKind.allCases { w.set(kind.rawValue, self[kind]?.written(complete: complete)) }
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        for kind in ProbeKind.allCases { self[kind] = try r.optional(kind.rawValue) }
    }
}

/// `{http: {…}, interval: 5s, …}`, `{tcp: "host:port"}`, `{command: …}`, `{log: …}`, `{file: …}`, `{notify: true}`.
extension Probe: ValueCodable {
    public var value: Value { written(complete: false) }

    func written(complete: Bool) -> Value {
        let standard = Probe(action)
        var w = ObjectWriter(complete: complete)
        switch action {
        case .http(let request): w.set("http", request.written(complete: complete))
        case .tcp(let address): w.set("tcp", address)
        case .command(let command): w.set(command: command)
        case .log(let pattern): w.set("log", pattern)
        case .file(let path): w.set("file", path)
        case .notify: w.set("notify", Value.bool(true))
        }
        w.set("initial_delay", initialDelay, unless: standard.initialDelay)
        w.set("interval", interval, unless: standard.interval)
        w.set("timeout", timeout, unless: waitsForLine ? interval : standard.timeout)
        w.set("success_threshold", successThreshold, unless: standard.successThreshold)
        w.set("failure_threshold", failureThreshold, unless: standard.failureThreshold)
        if complete || onFailure != standard.onFailure { w.set("on_failure", onFailure.value) }
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        if r.has("http") {
            self.init(.http(try r.noun("http")))
        } else if r.has("tcp") {
            self.init(.tcp(try r.string("tcp")))
        } else if r.has("log") {
            self.init(.log(try r.string("log")))
        } else if r.has("file") {
            self.init(.file(try r.string("file")))
        } else if r.value("notify")?.bool == true {
            self.init(.notify)
        } else {
            self.init(.command(try r.command()))
        }
        initialDelay = try r.duration("initial_delay", or: initialDelay)
        interval = try r.duration("interval", or: interval)
        timeout = try r.duration("timeout", or: waitsForLine ? interval : timeout)
        successThreshold = try r.int("success_threshold", or: successThreshold)
        failureThreshold = try r.int("failure_threshold", or: failureThreshold)
        onFailure = try r.optional("on_failure") ?? onFailure
    }
}

extension Probe {
    /// Without a timeout of its own a question lasts until the next one.
    public var waitsForLine: Bool { if case .log = action { true } else { false } }
}

extension Probe.Reaction: ValueCodable {
    public var value: Value {
        switch self {
        case .restart: "restart"
        case .stop: "stop"
        case .report: "report"
        case .signal(let signal): ["signal": .string(signal.name)]
        }
    }
    public init(_ value: Value) throws(ShapeError) {
        switch value.string {
        case "restart": self = .restart
        case "stop": self = .stop
        case "report": self = .report
        default:
            guard let name = value["signal"]?.string, let signal = Signal(text: name)
            else { throw ShapeError(path: "", expected: "restart, stop, report or a signal") }
            self = .signal(signal)
        }
    }
}

/// `{url, method, headers, body, expect: {status: ["200-399"], body, json: {status: healthy}}}`.
extension HTTPProbe: ValueCodable {
    public var value: Value { written(complete: false) }

    func written(complete: Bool) -> Value {
        var w = ObjectWriter(complete: complete)
        w.set("url", url)
        w.set("method", method, unless: "GET")
        w.set("headers", entries: headers)
        w.set("body", body)
        var expect = ObjectWriter(complete: complete)
        if complete || status != [200...399] { expect.set("status", .array(status.map(Self.written))) }
        expect.set("body", bodyPattern)
        if !json.isEmpty { expect.set("json", .object(json.map { .init($0.path, $0.expected) })) }
        w.setObject("expect", expect.value)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(url: try r.string("url"))
        method = try r.string("method", or: method)
        headers = try r.entries("headers")
        body = try r.optionalString("body")
        guard let expected = r.value("expect") else { return }
        do { try readExpectations(ObjectReader(expected)) } catch { throw error.under("expect") }
    }

    private mutating func readExpectations(_ r: ObjectReader) throws(ShapeError) {
        if let found = r.value("status") {
            status = []
            for item in found.array ?? [found] {
                guard let range = Self.statusRange(item) else {
                    throw ShapeError(path: "status", expected: "a code or a range of codes")
                }
                status.append(range)
            }
        }
        bodyPattern = try r.optionalString("body")
        json = (r.value("json")?.members ?? []).map { JSONExpectation(path: $0.key, expected: $0.value) }
    }

    private static func written(_ range: ClosedRange<Int>) -> Value {
        range.lowerBound == range.upperBound
            ? .int(Int64(range.lowerBound)) : .string("\(range.lowerBound)-\(range.upperBound)")
    }

    private static func statusRange(_ value: Value) -> ClosedRange<Int>? {
        if let code = value.int { return Int(clamping: code)...Int(clamping: code) }
        guard let parts = value.string?.split(separator: "-", omittingEmptySubsequences: false), parts.count == 2,
            let low = Int(parts[0]), let high = Int(parts[1]), low <= high
        else { return nil }
        return low...high
    }
}

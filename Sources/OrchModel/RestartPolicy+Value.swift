// SPDX-License-Identifier: Apache-2.0

/// `{policy, delay, factor, max_delay, jitter, reset_after, max_attempts, window, retry_after}`.
extension RestartPolicy {
    /// The default of `policy` depends on the kind of service.
    func written(defaultPolicy: Policy, complete: Bool) -> Value {
        let standard = RestartPolicy(defaultPolicy)
        var w = ObjectWriter(complete: complete)
        w.set("policy", policy.rawValue, unless: defaultPolicy.rawValue)
        w.set("delay", delay, unless: standard.delay)
        w.set("factor", number: factor, unless: standard.factor)
        w.set("max_delay", maxDelay, unless: standard.maxDelay)
        if complete || jitter != standard.jitter { w.set("jitter", Value.percent(jitter)) }
        w.set("reset_after", resetAfter, unless: standard.resetAfter)
        if let maxAttempts {
            w.set("max_attempts", maxAttempts)
        } else if complete {
            w.set("max_attempts", "unlimited")
        }
        w.set("window", window, unless: standard.window)
        if let retryAfter { w.set("retry_after", retryAfter.text) } else if complete { w.set("retry_after", "none") }
        return w.value
    }

    init(_ value: Value, defaultPolicy: Policy) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(try r.word("policy", or: defaultPolicy))
        delay = try r.duration("delay", or: delay)
        factor = try r.double("factor", or: factor)
        maxDelay = try r.duration("max_delay", or: maxDelay)
        if let found = r.value("jitter") {
            guard let part = found.part else { throw ShapeError(path: "jitter", expected: "a percentage") }
            jitter = part
        }
        resetAfter = try r.duration("reset_after", or: resetAfter)
        if let found = r.value("max_attempts"), found != .string("unlimited") {
            maxAttempts = try r.int("max_attempts")
        }
        window = try r.duration("window", or: window)
        retryAfter = try r.limit("retry_after", or: nil)
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    func restart(_ node: NodeID?, own: NodeID?, _ kind: ServiceSpec.Kind) -> RestartPolicy {
        var result = RestartPolicy(kind == .service ? .onFailure : .no)
        guard let node else { return result }
        guard tree.kind(node) == .mapping else {
            if let policy = policy(node) { result.policy = policy }
            return result
        }
        guard let section = section(node, Fields.restart, "restart") else { return result }
        if let node = section["policy"], let policy = policy(node) { result.policy = policy }
        if let node = section["delay"], let span = span(node, "delay") { result.delay = span }
        if let node = section["factor"], let factor = number(node, "factor", in: 1...1_000) { result.factor = factor }
        if let node = section["max_delay"], let span = span(node, "max_delay") { result.maxDelay = span }
        if let node = section["jitter"], let part = part(node, "jitter") { result.jitter = part }
        if let node = section["reset_after"], let span = span(node, "reset_after") { result.resetAfter = span }
        if let node = section["max_attempts"], let count = attempts(node) { result.maxAttempts = count }
        if let node = section["window"], let span = positive(node, "window") { result.window = span }
        if let node = section["retry_after"], let span = duration(node, "retry_after", none: true) {
            result.retryAfter = span
        }
        if result.maxDelay < result.delay, section.has("max_delay") {
            error(
                "range", "\"max_delay\" (\(result.maxDelay.text)) is shorter than \"delay\" (\(result.delay.text))",
                at: section.key("max_delay"), help: "raise max_delay, or lower delay")
        }
        if let own { warnOfIdleFields(own, result) }
        return result
    }

    private func policy(_ node: NodeID) -> RestartPolicy.Policy? {
        guard let scalar = scalar(node, "restart", "one of \(Fields.policies.joined(separator: ", "))") else {
            return nil
        }
        if let policy = RestartPolicy.Policy(rawValue: scalar.text) { return policy }
        let attempts = scalar.text.hasPrefix("on-failure:") ? scalar.text.dropFirst(11) : nil
        let help =
            attempts.map { "write { policy: on-failure, max_attempts: \($0) }" }
            ?? (["false", "never", "none"].contains(scalar.text)
                ? "did you mean \"no\"?" : scalar.text == "true" ? "did you mean \"always\"?" : nil)
        if let help {
            error("value", "\"restart\" can't be \"\(scalar.text)\"", at: node, help: help)
        } else {
            badWord(node, "restart", scalar.text, Fields.policies)
        }
        return nil
    }

    private func warnOfIdleFields(_ own: NodeID, _ policy: RestartPolicy) {
        for (key, _) in tree.entries(own)
        where tree.text(key) != "policy" && Fields.restart.isBuilt(tree.text(key)) != nil {
            if policy.policy == .no {
                warn(
                    "no-effect", "\"\(tree.text(key))\" never takes effect: the policy is no", at: key,
                    help: "remove it, or choose another policy")
            } else if policy.maxAttempts == nil, ["window", "retry_after"].contains(tree.text(key)) {
                warn(
                    "no-effect", "\"\(tree.text(key))\" never takes effect without max_attempts", at: key,
                    help: "add max_attempts, or remove it")
            }
        }
    }

    private func attempts(_ node: NodeID) -> Int?? {
        guard let scalar = scalar(node, "max_attempts", "a whole number or unlimited") else { return nil }
        if scalar.text == "unlimited" { return .some(nil) }
        return integer(node, "max_attempts", in: 0...1_000_000).map { .some($0) } ?? nil
    }

    private func number(_ node: NodeID, _ what: String, in range: ClosedRange<Int>) -> Double? {
        guard let scalar = scalar(node, what, "a number") else { return nil }
        let value: Double
        switch scalar.meaning {
        case .integer(let whole): value = Double(whole)
        case .number(let number): value = number
        case .null, .boolean, .text:
            wrongForm(what, "a number", node, help: "such as 2 or 1.5, without quotes")
            return nil
        }
        guard value >= Double(range.lowerBound), value <= Double(range.upperBound) else {
            error(
                "range",
                "\"\(what)\" must be from \(range.lowerBound) to \(range.upperBound), not \(scalar.text)",
                at: node, help: "each delay is so many times the last; 1 keeps them equal")
            return nil
        }
        return value
    }

    /// `10%` or `0.1`.
    func part(_ node: NodeID, _ what: String) -> Double? {
        guard let scalar = scalar(node, what, "a part such as 10%") else { return nil }
        if scalar.text.utf8.last == 37 {
            let digits = String(scalar.text.dropLast())
            let percent = CoreScalar.integer(digits).map { Double($0) } ?? CoreScalar.number(digits)
            if let percent, (0...100).contains(percent) { return percent / 100 }
        } else if let value = CoreScalar.integer(scalar.text).map({ Double($0) }) ?? CoreScalar.number(scalar.text),
            (0...1).contains(value)
        {
            return value
        }
        error(
            "range", "\"\(what)\" must be from 0% to 100%, not \"\(scalar.text)\"", at: node, help: "such as 10% or 0.1"
        )
        return nil
    }
}

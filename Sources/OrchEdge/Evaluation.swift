// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// What a server answered.
struct HTTPAnswer: Equatable {
    var status: Int
    /// At most `Limits.probeBodyBytes`.
    var body: [UInt8] = []
    /// There was more.
    var isCut = false
}

/// Holds an answer against what the probe expects. The first thing that is wrong is the failure, in words to act on.
enum Evaluation {
    static func verdict(on answer: HTTPAnswer, for probe: HTTPProbe) -> EdgeVerdict {
        guard probe.status.contains(where: { $0.contains(answer.status) }) else {
            return .failure("\(answer.status), expected \(text(of: probe.status))")
        }
        if let pattern = probe.bodyPattern {
            do throws(BodyPattern.Refusal) {
                guard try BodyPattern(pattern).matches(answer.body) else {
                    return .failure("no line of the body matches \"\(pattern)\"")
                }
            } catch {
                return .unasked("the pattern \"\(pattern)\" is not a regular expression: \(error.reason)")
            }
        }
        return probe.json.isEmpty ? .success : verdict(on: answer, for: probe.json)
    }

    private static func verdict(on answer: HTTPAnswer, for expectations: [JSONExpectation]) -> EdgeVerdict {
        guard !answer.isCut else {
            return .failure("the body is longer than \(Limits.probeBodyBytes >> 10) KiB, so its JSON can't be read")
        }
        let root: Value
        do { root = try JSON.parse(answer.body) } catch { return .failure("the body is not JSON: \(error.text)") }
        for expectation in expectations {
            let expected = text(of: expectation.expected)
            guard let found = value(at: expectation.path, in: root) else {
                return .failure("\(expectation.path) is missing, expected \(expected)")
            }
            if !isSame(found, expectation.expected) {
                return .failure("\(expectation.path) is \(text(of: found)), expected \(expected)")
            }
        }
        return .success
    }

    /// Follows a dotted path: names into objects, numbers into arrays.
    static func value(at path: String, in root: Value) -> Value? {
        var value = root
        for step in path.split(separator: ".") {
            if let items = value.array {
                guard let index = Int(step), items.indices.contains(index) else { return nil }
                value = items[index]
            } else {
                guard let next = value[String(step)] else { return nil }
                value = next
            }
        }
        return value
    }

    /// Numbers are equal when they are the same number, however they are written.
    private static func isSame(_ a: Value, _ b: Value) -> Bool {
        if let x = a.double, let y = b.double { return x == y }
        return a == b
    }

    /// Short enough for a line of `status`.
    private static func text(of value: Value) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .double(let number): return number.description
        case .string(let text): return text.count > 60 ? "\"\(text.prefix(59))…\"" : "\"\(text)\""
        case .array: return "a list"
        case .object: return "an object"
        }
    }

    private static func text(of ranges: [ClosedRange<Int>]) -> String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
    }
}

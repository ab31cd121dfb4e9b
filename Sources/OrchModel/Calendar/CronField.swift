// SPDX-License-Identifier: Apache-2.0

/// One of the five fields of a cron expression: its numbers, its names, its words for people.
enum CronField: CaseIterable {
    case minute, hour, dayOfMonth, month, dayOfWeek

    var title: String {
        switch self {
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day of month"
        case .month: "month"
        case .dayOfWeek: "day of week"
        }
    }

    /// 7 is Sunday too.
    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        }
    }

    /// In order, the first for the least number.
    private var names: [String] {
        switch self {
        case .minute, .hour, .dayOfMonth: []
        case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        }
    }

    private var allowed: String {
        let numbers = "numbers from \(range.lowerBound) to \(range.upperBound)"
        let words = names.isEmpty ? "" : ", names \(names[0]) to \(names[names.count - 1])"
        return "\(numbers)\(words), ranges 1-5, lists 1,3, steps */2"
    }

    /// The numbers that a field's text stands for, one bit each.
    func mask(of text: Substring) throws(CronError) -> UInt64 {
        var mask: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            mask |= try bits(of: item, in: text)
        }
        if self == .dayOfWeek, mask & 1 << 7 != 0 { mask = mask & ~(1 << 7) | 1 }
        return mask
    }

    /// `5`, `1-5`, `*`, each with `/2` if given; a number with a step goes to the end.
    private func bits(of item: Substring, in text: Substring) throws(CronError) -> UInt64 {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let span = parts.first, !span.isEmpty else { throw flaw("\"\(text)\" lacks a part") }
        let last = self == .dayOfWeek ? 6 : range.upperBound
        var low: Int
        var high: Int
        if span == "*" {
            (low, high) = (range.lowerBound, last)
        } else {
            let ends = span.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            low = try number(ends[0])
            high = ends.count == 2 ? try number(ends[1]) : parts.count == 2 ? last : low
            // Sunday ends a week as well as it begins one.
            if self == .dayOfWeek, ends.count == 2, high == 0, low > 0 { high = 7 }
        }
        guard low <= high else {
            throw flaw("\"\(span)\" goes down", help: "write \(low)-\(last),\(range.lowerBound)-\(high)")
        }
        var step = 1
        if parts.count == 2 {
            guard let count = Int(digits: parts[1]), count >= 1 else {
                throw flaw("the step \"\(parts[1])\" is not a number from 1 on")
            }
            step = count
        }
        var bits: UInt64 = 0
        for value in stride(from: low, through: high, by: min(step, 64)) { bits |= 1 << UInt64(value) }
        return bits
    }

    private func number(_ text: Substring) throws(CronError) -> Int {
        if let place = names.firstIndex(of: text.lowercased()) { return place + (self == .month ? 1 : 0) }
        guard let number = Int(digits: text) else {
            throw flaw("\"\(text)\" is not a number\(names.isEmpty ? "" : " or a name")")
        }
        guard range.contains(number) else {
            throw flaw("\(number) is not from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func flaw(_ fact: String, help: String? = nil) -> CronError {
        CronError("in the \(title), \(fact)", help: help ?? "the \(title) takes \(allowed)")
    }
}

extension Int {
    /// Decimal digits and nothing else, at most nine.
    fileprivate init?(digits text: Substring) {
        guard !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        self = text.utf8.reduce(0) { $0 * 10 + Int($1 - 48) }
    }
}

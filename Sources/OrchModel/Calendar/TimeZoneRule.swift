// SPDX-License-Identifier: Apache-2.0

/// How clocks are moved in every year to come: the footer of a tzfile(5), in the form of POSIX's `TZ` with RFC 8536's extension
/// (times from -167 to 167 hours), such as `CET-1CEST,M3.5.0,M10.5.0/3`.
public struct TimeZoneRule: Equatable, Sendable {
    enum Day: Equatable, Sendable {
        /// 1...365; 29 February is never counted.
        case julian(Int64)
        /// 0...365; 29 February counts.
        case zeroBased(Int64)
        /// The n-th (5: last) of a weekday (0: Sunday) in a month.
        case weekday(month: Int, week: Int, weekday: Int)
    }
    struct Change: Equatable, Sendable {
        var day: Day
        /// Seconds of local time since the day's midnight.
        var time: Int64
    }

    /// Seconds east of UTC.
    let standardOffset: Int64
    let daylightOffset: Int64
    /// To daylight time and back; nil when clocks are never moved.
    let changes: (start: Change, end: Change)?

    public static func == (a: TimeZoneRule, b: TimeZoneRule) -> Bool {
        a.standardOffset == b.standardOffset && a.daylightOffset == b.daylightOffset
            && a.changes?.start == b.changes?.start && a.changes?.end == b.changes?.end
    }

    /// Nil for what POSIX doesn't have, and for a daylight time without its days.
    public init?(text: String) {
        var reader = RuleReader(rest: Array(text.utf8)[...])
        guard reader.name(), let west = reader.time(limit: 24) else { return nil }
        standardOffset = -west
        guard !reader.rest.isEmpty else {
            daylightOffset = standardOffset
            changes = nil
            return
        }
        guard reader.name() else { return nil }
        if reader.rest.first == RuleReader.comma {
            daylightOffset = standardOffset + 3_600
        } else {
            guard let west = reader.time(limit: 24) else { return nil }
            daylightOffset = -west
        }
        guard let start = reader.change(), let end = reader.change(), reader.rest.isEmpty else { return nil }
        changes = (start, end)
    }

    /// The transitions of the years before, at and after a second since 1970, in order. Some may change nothing.
    func transitions(around second: Int64) -> [TimeZone.Transition] {
        guard let changes else { return [] }
        let year = GregorianDay(daysSince1970: floorDivide(second, 86_400).quotient).year
        var found: [TimeZone.Transition] = []
        for year in year - 1...year + 1 {
            found.append(.init(at: changes.start.second(in: year) - standardOffset, offset: daylightOffset))
            found.append(.init(at: changes.end.second(in: year) - daylightOffset, offset: standardOffset))
        }
        return found.sorted { $0.at < $1.at }
    }
}

extension TimeZoneRule.Change {
    /// Seconds of local time since 1970.
    func second(in year: Int64) -> Int64 {
        let newYear = GregorianDay(year: year, month: 1, day: 1).daysSince1970
        let days: Int64
        switch day {
        case .julian(let number): days = newYear + number - 1 + (GregorianDay.isLeap(year) && number >= 60 ? 1 : 0)
        case .zeroBased(let number): days = newYear + number
        case .weekday(let month, let week, let weekday):
            let first = GregorianDay(year: year, month: month, day: 1).daysSince1970
            let distance = (weekday - GregorianDay.weekday(ofDaysSince1970: first) + 7) % 7
            let length = GregorianDay.length(ofMonth: month, in: year)
            var number = distance + 7 * (week - 1)
            while number >= length { number -= 7 }
            days = first + Int64(number)
        }
        return days * 86_400 + time
    }
}

/// Reads the parts of a rule from its front.
private struct RuleReader {
    var rest: ArraySlice<UInt8>
    static let comma = UInt8(ascii: ",")

    /// Three letters or more, or anything in angle brackets.
    mutating func name() -> Bool {
        if rest.first == UInt8(ascii: "<") {
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
            rest = rest[(end + 1)...]
            return true
        }
        let letters = rest.prefix { (65...90).contains($0) || (97...122).contains($0) }
        rest = rest.dropFirst(letters.count)
        return letters.count >= 3
    }

    mutating func skip(_ letter: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: letter) else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func number() -> Int64? {
        let digits = rest.prefix { (48...57).contains($0) }
        guard !digits.isEmpty, digits.count <= 4 else { return nil }
        rest = rest.dropFirst(digits.count)
        return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(limit hours: Int64) -> Int64? {
        let isNegative = skip("-")
        if !isNegative { _ = skip("+") }
        guard let whole = number(), whole <= hours else { return nil }
        var seconds = whole * 3_600
        for unit in [60, 1] as [Int64] where skip(":") {
            guard let part = number(), part < 60 else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    /// `,M3.5.0/2`, `,J60`, `,59`; at two o'clock where no time is given.
    mutating func change() -> TimeZoneRule.Change? {
        guard skip(",") else { return nil }
        let day: TimeZoneRule.Day
        if skip("M") {
            guard let month = number(), (1...12).contains(month), skip("."), let week = number(),
                (1...5).contains(week),
                skip("."), let weekday = number(), (0...6).contains(weekday)
            else { return nil }
            day = .weekday(month: Int(month), week: Int(week), weekday: Int(weekday))
        } else if skip("J") {
            guard let number = number(), (1...365).contains(number) else { return nil }
            day = .julian(number)
        } else {
            guard let number = number(), (0...365).contains(number) else { return nil }
            day = .zeroBased(number)
        }
        guard skip("/") else { return TimeZoneRule.Change(day: day, time: 7_200) }
        return time(limit: 167).map { TimeZoneRule.Change(day: day, time: $0) }
    }
}

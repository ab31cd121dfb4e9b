// SPDX-License-Identifier: Apache-2.0

/// Why a text is no cron expression: which field, what is wrong, what is allowed.
public struct CronError: Error, Equatable, Sendable {
    public var message: String
    public var help: String
    init(_ message: String, help: String) {
        self.message = message
        self.help = help
    }
}

/// When something is due by the calendar: minute, hour, day of month, month, day of week, as crontab(5) has them.
///
/// Where both days are restricted either suffices; a day that begins with `*` restricts nothing of the other. `@daily` and its like
/// are read too.
public struct CronExpression: Equatable, Sendable {
    /// As it was written, with single spaces.
    public let text: String
    /// One bit for each number.
    let minutes: UInt64
    let hours: UInt64
    let months: UInt64
    private let daysOfMonth: UInt64
    private let daysOfWeek: UInt64
    private let isEitherDayEnough: Bool

    /// What each field stands for, as rising numbers; Sunday is 0.
    public struct Numbers: Equatable, Sendable {
        public var minutes: [Int]
        public var hours: [Int]
        public var daysOfMonth: [Int]
        public var months: [Int]
        public var daysOfWeek: [Int]
        /// Both days are restricted, and either suffices.
        public var isEitherDayEnough: Bool
    }
    public var numbers: Numbers {
        func bits(_ mask: UInt64) -> [Int] { (0..<64).filter { mask & 1 << UInt64($0) != 0 } }
        return Numbers(
            minutes: bits(minutes), hours: bits(hours), daysOfMonth: bits(daysOfMonth), months: bits(months),
            daysOfWeek: bits(daysOfWeek), isEitherDayEnough: isEitherDayEnough)
    }

    /// Every hour of the day: such an expression is about the time that passes rather than about the clock on the wall.
    var isEveryHour: Bool { hours == (1 << 24) - 1 }

    public init(_ text: String) throws(CronError) {
        let words = text.split { $0 == " " || $0 == "\t" }
        self.text = words.joined(separator: " ")
        var fields = words
        if let first = words.first, first.hasPrefix("@") {
            guard words.count == 1, let long = Self.nicknames.first(where: { $0.name == first.lowercased() }) else {
                throw Self.unknown(nickname: words)
            }
            fields = long.fields.split(separator: " ")
        }
        guard fields.count == 5 else {
            let fact = "it has \(fields.count) field\(fields.count == 1 ? "" : "s"), not 5"
            throw CronError(fact, help: "minute, hour, day of month, month, day of week, such as \"30 2 * * mon-fri\"")
        }
        minutes = try CronField.minute.mask(of: fields[0])
        hours = try CronField.hour.mask(of: fields[1])
        daysOfMonth = try CronField.dayOfMonth.mask(of: fields[2])
        months = try CronField.month.mask(of: fields[3])
        daysOfWeek = try CronField.dayOfWeek.mask(of: fields[4])
        isEitherDayEnough = fields[2].first != "*" && fields[4].first != "*"
        guard firstMatch(from: Self.someDay, through: Self.someDay + Limits.scheduleHorizon.components.seconds) != nil
        else {
            throw CronError(
                "it never comes: no year has such a day",
                help: "the months have 31, 28 or 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 days")
        }
    }

    /// 2000-01-01 as seconds since 1970.
    private static let someDay: Int64 = 946_684_800

    private static let nicknames: [(name: String, fields: String)] = [
        ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"), ("@monthly", "0 0 1 * *"), ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@hourly", "0 * * * *"),
    ]

    private static func unknown(nickname words: [Substring]) -> CronError {
        let word = words[0].lowercased()
        let help =
            switch word {
            case "@reboot": "a task without schedule runs at boot"
            case "@every": "write every: \(words.count > 1 ? String(words[1]) : "10m") instead of cron"
            default: "it is one of \(nicknames.map(\.name).joined(separator: ", ")), or five fields"
            }
        return CronError("there is no \"\(words.joined(separator: " "))\"", help: help)
    }

    func matches(daysSince1970 days: Int64, _ date: GregorianDay) -> Bool {
        guard months >> UInt64(date.month) & 1 == 1 else { return false }
        let isDay = daysOfMonth >> UInt64(date.day) & 1 == 1
        let isWeekday = daysOfWeek >> UInt64(GregorianDay.weekday(ofDaysSince1970: days)) & 1 == 1
        return isEitherDayEnough ? isDay || isWeekday : isDay && isWeekday
    }

    /// The first whole minute of a clock on the wall that matches, in seconds since its 1970; both ends count.
    func firstMatch(from: Int64, through last: Int64) -> Int64? {
        var (days, second) = floorDivide(from, 86_400)
        var minute = Int((second + 59) / 60)
        if minute == 1_440 { (days, minute) = (days + 1, 0) }
        while days * 86_400 + Int64(minute) * 60 <= last {
            let date = GregorianDay(daysSince1970: days)
            if months >> UInt64(date.month) & 1 == 0 {
                (days, minute) = (date.nextMonth.daysSince1970, 0)
                continue
            }
            if matches(daysSince1970: days, date), let found = firstMinute(from: minute) {
                second = days * 86_400 + Int64(found) * 60
                return second <= last ? second : nil
            }
            (days, minute) = (days + 1, 0)
        }
        return nil
    }

    /// The first minute of a day, from one on, that matches.
    private func firstMinute(from start: Int) -> Int? {
        let hour = start / 60
        if hours >> UInt64(hour) & 1 == 1 {
            let rest = minutes >> UInt64(start % 60)
            if rest != 0 { return start + rest.trailingZeroBitCount }
        }
        let later = hour < 23 ? hours >> UInt64(hour + 1) : 0
        guard later != 0 else { return nil }
        return (hour + 1 + later.trailingZeroBitCount) * 60 + minutes.trailingZeroBitCount
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A point on the machine's monotonic clock (`CLOCK_MONOTONIC`: it stands still while the machine sleeps), in nanoseconds.
public struct Instant: Comparable, Hashable, Sendable {
    public var nanoseconds: Int64
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    public static let zero = Instant(nanoseconds: 0)
    public static let distantFuture = Instant(nanoseconds: .max)

    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    /// Saturates at `distantFuture`.
    public static func + (a: Instant, b: Duration) -> Instant {
        let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }
    public static func - (a: Instant, b: Instant) -> Duration {
        Duration(attoseconds: Int128(a.nanoseconds - b.nanoseconds) &* 1_000_000_000)
    }

    /// The earlier of two instants that may not be.
    public static func soonest(_ a: Instant?, _ b: Instant?) -> Instant? {
        guard let a, let b else { return a ?? b }
        return min(a, b)
    }
}

/// A point in civil time: nanoseconds since 1970-01-01T00:00:00Z (`CLOCK_REALTIME`). It may step; only schedules by the calendar wait by it.
public struct WallTime: Comparable, Hashable, Sendable {
    public var nanoseconds: Int64
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    public static func < (a: WallTime, b: WallTime) -> Bool { a.nanoseconds < b.nanoseconds }
    public static func + (a: WallTime, b: Duration) -> WallTime {
        WallTime(nanoseconds: a.nanoseconds &+ b.nanoseconds)
    }
    public static func - (a: WallTime, b: WallTime) -> Duration { .nanoseconds(a.nanoseconds &- b.nanoseconds) }
}

/// One instant on both clocks: deadlines go by the first, stories are told in the second.
public struct Moment: Hashable, Sendable {
    public var instant: Instant
    public var wall: WallTime
    /// How long the machine has slept since its boot: what `CLOCK_BOOTTIME` is ahead of `CLOCK_MONOTONIC`.
    public var slept: Duration
    public init(instant: Instant, wall: WallTime, slept: Duration = .zero) {
        self.instant = instant
        self.wall = wall
        self.slept = slept
    }
}

extension Duration {
    /// The whole nanoseconds of this duration, saturating at 292 years.
    public var nanoseconds: Int64 {
        // What all but the longest are: 10^9 is 2^9 times 5^9, and what is left after the shift fits one word.
        let small = attoseconds >> 9
        if small >= 0, small <= Int128(Int64.max) { return Int64(truncatingIfNeeded: small) / 1_953_125 }
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }
    /// This duration in seconds, for display and JSON.
    public var inSeconds: Double { Double(nanoseconds) / 1e9 }
}

extension WallTime {
    /// RFC 3339 in UTC with milliseconds, `2026-01-31T09:05:00.250Z`.
    public var rfc3339: String { CivilTime(self).rfc3339 }
}

/// The Gregorian calendar in UTC; valid for all of `WallTime`.
public struct CivilTime: Equatable, Sendable {
    public var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, nanosecond: Int

    public init(_ time: WallTime) {
        let (seconds, nanos) = floorDivide(time.nanoseconds, 1_000_000_000)
        let (days, rest) = floorDivide(seconds, 86_400)
        let date = GregorianDay(daysSince1970: days)
        year = Int(date.year)
        month = date.month
        day = date.day
        hour = Int(rest / 3_600)
        minute = Int(rest / 60 % 60)
        second = Int(rest % 60)
        nanosecond = Int(nanos)
    }

    /// Nil when a part is out of its range or the year is outside 1...9999.
    public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, nanosecond: Int = 0)
    {
        guard (1...9999).contains(year), (1...12).contains(month), (0...23).contains(hour), (0...59).contains(minute),
            (0...60).contains(second), (0..<1_000_000_000).contains(nanosecond)
        else { return nil }
        guard (1...GregorianDay.length(ofMonth: month, in: Int64(year))).contains(day) else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.nanosecond = nanosecond
    }

    /// The same point as nanoseconds since 1970.
    public var wallTime: WallTime {
        let days = GregorianDay(year: Int64(year), month: month, day: day).daysSince1970
        let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
        return WallTime(nanoseconds: seconds * 1_000_000_000 + Int64(nanosecond))
    }

    /// RFC 3339 with milliseconds.
    public var rfc3339: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    fileprivate func append(to text: inout [UInt8]) {
        text.append(addingCapacity: 24) { output in
            func write(_ number: Int, _ mark: Unicode.Scalar) {
                output.append(UInt8(truncatingIfNeeded: 48 + number / 10 % 10))
                output.append(UInt8(truncatingIfNeeded: 48 + number % 10))
                output.append(UInt8(ascii: mark))
            }
            output.append(UInt8(truncatingIfNeeded: 48 + year / 1_000))
            output.append(UInt8(truncatingIfNeeded: 48 + year / 100 % 10))
            write(year, "-")
            write(month, "-")
            write(day, "T")
            write(hour, ":")
            write(minute, ":")
            write(second, ".")
            output.append(UInt8(truncatingIfNeeded: 48 + nanosecond / 100_000_000))
            write(nanosecond / 1_000_000, "Z")
        }
    }
}

extension [UInt8] {
    /// `WallTime.rfc3339`, straight to where it goes.
    public mutating func append(rfc3339 time: WallTime) { CivilTime(time).append(to: &self) }
}

extension WallTime {
    /// Reads RFC 3339 (`2026-01-31T09:05:00Z`, with a fraction and a numeric offset if given). Nil for anything else.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var result = 0
            for byte in bytes[range] {
                guard byte >= 48, byte <= 57 else { return nil }
                result = result * 10 + Int(byte - 48)
            }
            return result
        }
        guard bytes.count >= 20, bytes[4] == 45, bytes[7] == 45, [84, 116, 32].contains(bytes[10]), bytes[13] == 58,
            bytes[16] == 58,
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        var at = 19
        var nanos = 0
        if bytes[at] == 46 {
            at += 1
            var scale = 100_000_000
            let first = at
            while at < bytes.count, bytes[at] >= 48, bytes[at] <= 57 {
                nanos += Int(bytes[at] - 48) * scale
                scale /= 10
                at += 1
            }
            guard at > first else { return nil }
        }
        guard
            let civil = CivilTime(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second, nanosecond: nanos),
            at < bytes.count
        else { return nil }
        var offset = 0
        if bytes[at] == 90 || bytes[at] == 122 {
            guard at + 1 == bytes.count else { return nil }
        } else {
            guard bytes[at] == 43 || bytes[at] == 45, at + 6 == bytes.count, bytes[at + 3] == 58,
                let hours = number(at + 1..<at + 3), let minutes = number(at + 4..<at + 6), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 3_600 + minutes * 60) * (bytes[at] == 45 ? -1 : 1)
        }
        self = civil.wallTime + .seconds(-offset)
    }
}

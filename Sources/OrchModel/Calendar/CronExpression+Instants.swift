// SPDX-License-Identifier: Apache-2.0

/// From the clock on the wall to points in time.
///
/// Clocks go forward: what was due in the gap is due once, at its end. Clocks go back: what is due in the hour that comes twice is due
/// the first time only. An expression for every hour of the day is about time that passes: it goes on through both at its pace, as
/// cron(8) does with wildcards.
extension CronExpression {
    /// The first instant after `time`; nil when there is none within `Limits.scheduleHorizon`.
    public func next(after time: WallTime, in zone: TimeZone) -> WallTime? {
        let first = floorDivide(time.nanoseconds, 1_000_000_000).quotient + 1
        let horizon = first + Limits.scheduleHorizon.components.seconds
        var from = first
        while from <= horizon {
            let segment = zone.segment(at: from)
            if segment.start == from, endsGap(segment) { return Self.wallTime(from) }
            var local = from + segment.offset
            // What the clock showed already, it showed for the first time.
            if !isEveryHour, segment.start != .min { local = max(local, segment.start + segment.previousOffset) }
            let last = min(segment.end - 1, horizon) + segment.offset
            if local <= last, let found = firstMatch(from: local, through: last) {
                return Self.wallTime(found - segment.offset)
            }
            guard segment.end <= horizon else { return nil }
            from = segment.end
        }
        return nil
    }

    /// The last instant after `start` and not after `end`; nil when there is none. Costs the same for a minute and for a year.
    public func last(after start: WallTime, through end: WallTime, in zone: TimeZone) -> WallTime? {
        guard var found = next(after: start, in: zone), found <= end else { return nil }
        var bound = end
        while bound.nanoseconds - found.nanoseconds > 0 {
            let middle = WallTime(nanoseconds: found.nanoseconds + (bound.nanoseconds - found.nanoseconds) / 2)
            if let later = next(after: middle, in: zone), later <= end { found = later } else { bound = middle }
            if bound.nanoseconds - found.nanoseconds < 1_000_000_000 { break }
        }
        return found
    }

    /// Something was due while the clock jumped over it.
    private func endsGap(_ segment: TimeZone.Segment) -> Bool {
        guard !isEveryHour, segment.offset > segment.previousOffset else { return false }
        return firstMatch(
            from: segment.start + segment.previousOffset, through: segment.start + segment.offset - 1) != nil
    }

    private static func wallTime(_ second: Int64) -> WallTime? {
        let (nanoseconds, overflow) = second.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : WallTime(nanoseconds: nanoseconds)
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// How far the local clock is ahead of UTC at a time; handed in, because time zones are the host's knowledge.
typealias LocalOffset = (WallTime) -> Duration

/// Points in time as people read them.
struct TimeText {
    var now: WallTime
    var localOffset: LocalOffset

    /// `3s`, `2m5s`: how long ago; a time in the future counts as now.
    func age(of time: WallTime) -> String {
        let span = now - time
        return span < .seconds(1) ? "now" : coarse(span)
    }

    /// `just now`, `3s ago`.
    func ago(_ time: WallTime) -> String {
        let span = now - time
        return span < .seconds(1) ? "just now" : "\(coarse(span)) ago"
    }

    /// `in 3s`; empty when it is over.
    func ahead(_ time: WallTime) -> String {
        let span = time - now
        return span <= .zero ? "" : span < .seconds(1) ? "in \(span.brief)" : "in \(coarse(span + .milliseconds(500)))"
    }

    /// Local `14:03:05` today, `Jan 31 14:03:05` this year, else `2025-01-31 14:03:05`.
    func clock(_ time: WallTime, milliseconds: Bool = false) -> String {
        let local = CivilTime(time + localOffset(time))
        let today = CivilTime(now + localOffset(now))
        var text = "\(two(local.hour)):\(two(local.minute)):\(two(local.second))"
        if milliseconds {
            let digits = String(local.nanosecond / 1_000_000)
            text += "." + String(repeating: "0", count: 3 - digits.count) + digits
        }
        if (local.year, local.month, local.day) == (today.year, today.month, today.day) { return text }
        if local.year == today.year { return "\(Self.months[local.month - 1]) \(two(local.day)) \(text)" }
        return "\(local.year)-\(two(local.month))-\(two(local.day)) \(text)"
    }

    /// Seconds to tenths below a minute, whole units above: what changes on a screen must not flicker.
    static func elapsed(_ span: Duration) -> String {
        let nanos = max(0, span.nanoseconds)
        guard nanos < 60_000_000_000 else { return Duration.nanoseconds(nanos).brief }
        return "\(nanos / 1_000_000_000).\(nanos / 100_000_000 % 10)s"
    }

    /// Whole seconds below a minute, then `brief`.
    private func coarse(_ span: Duration) -> String {
        let seconds = span.nanoseconds / 1_000_000_000
        return seconds < 60 ? "\(seconds)s" : span.brief
    }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}

/// Bytes as people read them: three digits and a unit of 1,000 (`512 kB`, `1.2 GB`).
enum ByteText {
    static func of(_ bytes: Int64) -> String { SizeText.brief(bytes) }

    /// `0.3%`, `12%`.
    static func percent(_ share: Double) -> String {
        guard share < 9.95 else { return "\(Int(share.rounded()))%" }
        let tenths = Int((max(0, share) * 10).rounded())
        return tenths == 0 ? "0%" : "\(tenths / 10).\(tenths % 10)%"
    }
}

/// Counts with their nouns.
enum CountText {
    static func of(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
        "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
    }
}

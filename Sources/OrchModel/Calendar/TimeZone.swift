// SPDX-License-Identifier: Apache-2.0

/// The civil time of a place as a value: when its clocks were and will be moved. The host reads it (tzfile(5)) and hands it over.
public struct TimeZone: Equatable, Sendable {
    /// From this second on (since 1970, UTC) local time is UTC plus `offset` seconds.
    public struct Transition: Equatable, Sendable {
        public var at: Int64
        public var offset: Int64
        public init(at: Int64, offset: Int64) {
            self.at = at
            self.offset = offset
        }
    }

    /// Seconds east of UTC before the first transition.
    public let initialOffset: Int64
    /// In order; each changes the offset.
    public let transitions: [Transition]
    /// What holds after the last transition; nil keeps its offset for ever.
    public let rule: TimeZoneRule?

    public static let utc = TimeZone(initialOffset: 0, transitions: [])

    /// Transitions before the Big Bang are none (RFC 8536, 3.2), and so far from both ends no sum of a time and an offset overflows.
    private static let plausible = -(Int64(1) << 59)...(Int64(1) << 59)

    /// Transitions may come in any order; those that change nothing are dropped, and those that can't have been happen at the Big Bang.
    /// - Parameter initialOffset: of 32 bits at most, as each transition's.
    public init(initialOffset: Int64, transitions: [Transition], rule: TimeZoneRule? = nil) {
        self.initialOffset = initialOffset
        self.rule = rule
        var kept: [Transition] = []
        for var transition in transitions.sorted(by: { $0.at < $1.at })
        where transition.offset != kept.last?.offset ?? initialOffset {
            transition.at = min(max(transition.at, Self.plausible.lowerBound), Self.plausible.upperBound)
            kept.append(transition)
        }
        self.transitions = kept
    }

    /// A stretch of time with one offset: `start..<end`, and what the offset was before it.
    struct Segment: Equatable {
        var start: Int64
        var end: Int64
        var offset: Int64
        var previousOffset: Int64
    }

    /// The stretch that holds the second.
    func segment(at second: Int64) -> Segment {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= second { low = middle + 1 } else { high = middle }
        }
        let before = low >= 2 ? transitions[low - 2].offset : initialOffset
        let offset = low >= 1 ? transitions[low - 1].offset : initialOffset
        var found = Segment(
            start: low >= 1 ? transitions[low - 1].at : .min, end: low < transitions.count ? transitions[low].at : .max,
            offset: offset, previousOffset: low >= 1 ? before : offset)
        guard low == transitions.count, let rule else { return found }
        for transition in rule.transitions(around: second) where transition.at > found.start {
            guard transition.offset != found.offset else { continue }
            if transition.at > second {
                found.end = transition.at
                break
            }
            found = Segment(
                start: transition.at, end: .max, offset: transition.offset, previousOffset: found.offset)
        }
        return found
    }

    /// Seconds east of UTC at that time.
    public func offset(at time: WallTime) -> Int64 {
        segment(at: floorDivide(time.nanoseconds, 1_000_000_000).quotient).offset
    }

    /// As a clock on the wall there shows it, with its distance from UTC: `2026-03-29 03:00 +02:00`; seconds where they matter.
    public func text(of time: WallTime) -> String {
        let offset = offset(at: time)
        let civil = CivilTime(time + .seconds(offset))
        let minutes = Int((offset < 0 ? -offset : offset) / 60)
        var text: [UInt8] = []
        text.reserveCapacity(26)
        text.append(civil.year, width: 4, "-")
        text.append(civil.month, width: 2, "-")
        text.append(civil.day, width: 2, " ")
        text.append(civil.hour, width: 2, ":")
        text.append(civil.minute, width: 2, civil.second == 0 ? " " : ":")
        if civil.second != 0 { text.append(civil.second, width: 2, " ") }
        text.append(UInt8(ascii: offset < 0 ? "-" : "+"))
        text.append(minutes / 60, width: 2, ":")
        text.append(minutes % 60, width: 2)
        return String(decoding: text, as: UTF8.self)
    }
}

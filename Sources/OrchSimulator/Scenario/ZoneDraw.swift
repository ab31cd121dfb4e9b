// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// The time zones of the machine in memory.
enum ZoneDraw {
    static let names = [ScheduleSpec.hostZone, "UTC", "Europe/Paris", "Australia/Lord_Howe"]

    static func zone(_ name: String) -> TimeZone? {
        switch name {
        case ScheduleSpec.hostZone, "UTC": .utc
        case "Europe/Paris": daylight("CET-1CEST,M3.5.0,M10.5.0/3")
        case "Australia/Lord_Howe": daylight("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0")
        default: nil
        }
    }

    private static func daylight(_ rule: String) -> TimeZone {
        TimeZone(initialOffset: 0, transitions: [], rule: TimeZoneRule(text: rule))
    }

    /// A schedule by chance: most are short, so that a life sees some of it.
    static func schedule(_ dice: inout SplitMix) -> ScheduleSpec {
        let crons = ["* * * * *", "*/2 * * * *", "15,20 22 * * *", "0 0 * * *", "30 2 29 2 *"]
        let cron = dice.once(in: 2) ? try? CronExpression(dice.one(of: crons)) : nil
        var spec = ScheduleSpec(cron.map { .cron($0) } ?? .every(.seconds(Int64(1 + dice.below(20)))))
        spec.timeZone = dice.one(of: names)
        if cron != nil, dice.once(in: 4) { spec.jitter = dice.span(30_000) }
        // Overlapping runs have places of their own, which the rules for places don't know.
        spec.overlap = dice.one(of: [.skip, .queue, .replace])
        spec.missed = dice.once(in: 2) ? .runOnce : .skip
        spec.retries = dice.below(3)
        spec.retryDelay = dice.span(4_000)
        spec.history = dice.below(4)
        return spec
    }
}

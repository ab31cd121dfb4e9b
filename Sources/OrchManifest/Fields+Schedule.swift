// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Fields {
    static let schedule = FieldTable(
        "a schedule",
        [
            Field(
                "cron", .text,
                "Minute, hour, day of month, month, day of week, as in crontab(5); or @daily and its like."),
            Field("every", .duration, "By time that really passes, at least 1s; instead of cron."),
            Field(
                "timezone", .text, default: "host",
                "Whose clock cron goes by: Europe/Paris, UTC; host is the machine's."),
            Field("jitter", .duration, default: "0s", "Each run comes later by chance, by up to this."),
            Field(
                "overlap", .word(ScheduleSpec.Overlap.allCases.map(\.rawValue)), default: "skip",
                "When it is due while the run before is not over: leave it out, let one wait, stop that one, run both."),
            Field(
                "missed", .word(ScheduleSpec.Missed.allCases.map(\.rawValue)), default: "skip",
                "When instants passed with nobody there: leave them out, or one run for all of them."),
            Field("retries", .integer(0...1_000_000), default: "0", "A run that failed is tried again so often."),
            Field("retry_delay", .duration, default: "5m", "How long before it is tried again."),
            Field(
                "history", .integer(0...Limits.runHistory), default: "20",
                "Runs that status and why remember, with their ends."),
        ])
}

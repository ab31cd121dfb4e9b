// SPDX-License-Identifier: Apache-2.0

/// One run of a scheduled task that is over: a line of its history.
public struct ScheduledRun: Equatable, Sendable, ValueCodable {
    /// How it ended.
    public enum Result: String, Sendable, CaseIterable {
        case succeeded, failed
        /// By a person, by a newer run, or with its stack.
        case stopped
    }
    /// The instant that it was due at; nil when a person asked for it.
    public var due: WallTime?
    /// Of its last attempt; nil when it was never launched.
    public var startedAt: WallTime?
    public var endedAt: WallTime
    public var exit: Exit?
    public var result: Result
    /// 1 when it was not tried again.
    public var attempts: Int

    public init(
        due: WallTime?, startedAt: WallTime?, endedAt: WallTime, exit: Exit?, result: Result, attempts: Int
    ) {
        self.due = due
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.exit = exit
        self.result = result
        self.attempts = attempts
    }

    public var value: Value {
        var w = ObjectWriter()
        w.set("due", .optional(due?.rfc3339))
        w.set("started_at", .optional(startedAt?.rfc3339))
        w.set("ended_at", endedAt.rfc3339)
        w.set("exit", exit?.value ?? .null)
        w.set("result", result.rawValue)
        w.set("attempts", attempts)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            due: try r.optionalTime("due"), startedAt: try r.optionalTime("started_at"),
            endedAt: try r.time("ended_at"), exit: try r.optional("exit"), result: try r.word("result"),
            attempts: try r.int("attempts"))
    }
}

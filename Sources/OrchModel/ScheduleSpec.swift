// SPDX-License-Identifier: Apache-2.0

/// When a task runs by itself, and what becomes of runs that come too early, too late or to a bad end.
public struct ScheduleSpec: Equatable, Sendable {
    /// What makes it due.
    public enum Trigger: Equatable, Sendable {
        /// By the clock on the wall in the schedule's time zone.
        case cron(CronExpression)
        /// By time that really passes, suspended machine included; at least a second.
        case every(Duration)
    }
    /// What happens when it is due while the run before is not over.
    public enum Overlap: String, Sendable, CaseIterable {
        /// That run is left out.
        case skip
        /// One run waits for it.
        case queue
        /// The run before is stopped.
        case replace
        /// Both run, at most `Limits.overlappingRuns` at a time.
        case allow
    }
    /// What happens to instants that passed while nobody was there: no daemon, no power, asleep.
    public enum Missed: String, Sendable, CaseIterable {
        case skip
        /// One run for all of them.
        case runOnce = "run-once"
    }

    public var trigger: Trigger
    /// A name of the IANA database, or `host`: that of the machine.
    public var timeZone = ScheduleSpec.hostZone
    /// Each run comes later by chance, by up to this.
    public var jitter = Duration.zero
    public var overlap = Overlap.skip
    public var missed = Missed.skip
    /// A run that failed is tried again so often.
    public var retries = 0
    public var retryDelay = Duration.seconds(300)
    /// Runs that are remembered with their ends.
    public var history = 20

    public static let hostZone = "host"

    public init(_ trigger: Trigger) { self.trigger = trigger }

    /// What makes it due, in words: instants of another trigger are other instants.
    public var triggerText: String {
        switch trigger {
        case .cron(let expression): "cron \(expression.text) \(timeZone)"
        case .every(let span): "every \(span.text)"
        }
    }

    /// Whether a text can be the name of a time zone: parts of letters, digits, `_`, `+`, `-`, parted by slashes.
    public static func isZoneName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return text.utf8.count <= 64
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy {
                        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                            || [43, 45, 95].contains($0)
                    }
            }
    }
}

/// `{cron | every, timezone, jitter, overlap, missed, retries, retry_delay, history}`.
extension ScheduleSpec {
    func written(complete: Bool) -> Value {
        let standard = ScheduleSpec(trigger)
        var w = ObjectWriter(complete: complete)
        switch trigger {
        case .cron(let expression): w.set("cron", expression.text)
        case .every(let span): w.set("every", span.text)
        }
        w.set("timezone", timeZone, unless: standard.timeZone)
        w.set("jitter", jitter, unless: standard.jitter)
        w.set("overlap", overlap.rawValue, unless: standard.overlap.rawValue)
        w.set("missed", missed.rawValue, unless: standard.missed.rawValue)
        w.set("retries", retries, unless: standard.retries)
        w.set("retry_delay", retryDelay, unless: standard.retryDelay)
        w.set("history", history, unless: standard.history)
        return w.value
    }

    init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        if r.has("every") {
            self.init(.every(try r.duration("every")))
        } else {
            do throws(CronError) { self.init(.cron(try CronExpression(try Self.cron(r)))) } catch {
                throw ShapeError(path: "cron", expected: "a cron expression: \(error.message)")
            }
        }
        timeZone = try r.string("timezone", or: timeZone)
        jitter = try r.duration("jitter", or: jitter)
        overlap = try r.word("overlap", or: overlap)
        missed = try r.word("missed", or: missed)
        retries = try r.int("retries", or: retries)
        retryDelay = try r.duration("retry_delay", or: retryDelay)
        history = try r.int("history", or: history)
    }

    private static func cron(_ r: ObjectReader) throws(CronError) -> String { r.value("cron")?.string ?? "" }
}

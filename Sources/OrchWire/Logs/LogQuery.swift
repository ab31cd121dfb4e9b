// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// One output of one instance, by the file that it is written to (`LogLayout.path`).
public struct LogStream {
    /// What people see before its lines: `web`, `web.2`.
    public var label: String
    public var kind: LogStreamKind
    public var path: String
    /// What nobody is to see of its lines; they are masked before anything is asked of them.
    public var redaction: Redaction
    public init(label: String, kind: LogStreamKind, path: String, redaction: Redaction = Redaction()) {
        self.label = label
        self.kind = kind
        self.path = path
        self.redaction = redaction
    }
}

/// One line of a log, or a piece of one that is longer than `Limits.logViewBytes`.
public struct LogLine: Equatable, Sendable {
    /// Which of the streams that were asked for.
    public var stream: Int
    /// When it was read from its process, as exactly as the time index tells; nil without one.
    public var time: WallTime?
    public var launch: LaunchID?
    /// Without the newline and what is redacted; any bytes, not always UTF-8.
    public var bytes: [UInt8]
    /// False for a line that has no end yet and for all but the last piece of a long one.
    public var isComplete: Bool
}

/// Which lines.
public struct LogQuery {
    /// The newest so many, over all streams; nil for all.
    public var last: Int?
    /// Not before. A line without a time is always within.
    public var since: WallTime?
    /// Not after.
    public var until: WallTime?
    /// Goes on as the files grow, across rotations; unfinished lines are waited for.
    public var follows = false
    /// Anything else that a line must be (`--grep`, one launch); nil takes all.
    public var accepts: ((LogLine) -> Bool)?
    public init() {}
}

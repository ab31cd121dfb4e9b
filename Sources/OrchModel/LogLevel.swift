// SPDX-License-Identifier: Apache-2.0

/// How bad a line of a log is: the severities of syslog, by their numbers (RFC 5424, section 6.2.1), the worst one first.
public enum LogLevel: Int, Sendable, CaseIterable, Comparable {
    case emergency, alert, critical, error, warning, notice, information, debug

    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }

    /// Whether the line is for the file of errors.
    public var isError: Bool { self <= .error }

    /// As loggers call it, in letters of either case; nil for any other word.
    init?(word: Span<UInt8>) {
        guard let packed = Self.packed(word), let known = Self.words[packed] else { return nil }
        self = known
    }

    /// As pino and bunyan count: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
    init(number: Int) {
        self =
            switch number {
            case 60...: .critical
            case 50...: .error
            case 40...: .warning
            case 30...: .information
            default: .debug
            }
    }

    private static let words: [UInt64: LogLevel] = {
        let known: [(String, LogLevel)] = [
            ("emergency", .emergency), ("emerg", .emergency), ("panic", .emergency), ("alert", .alert),
            ("critical", .critical), ("crit", .critical), ("fatal", .critical), ("error", .error), ("err", .error),
            ("warning", .warning), ("warn", .warning), ("notice", .notice), ("informational", .information),
            ("information", .information), ("info", .information), ("debug", .debug), ("trace", .debug),
            ("verbose", .debug),
        ]
        var table: [UInt64: LogLevel] = [:]
        for (word, level) in known {
            let bytes = Array(word.utf8)
            if let packed = packed(bytes.span) { table[packed] = level }
        }
        return table
    }()

    /// The letters in one number, so that no text is made of each line; longer words by their first eight. Nil for no letters.
    private static func packed(_ word: Span<UInt8>) -> UInt64? {
        guard word.count >= 3, word.count <= 13 else { return nil }
        var packed: UInt64 = 0
        for index in 0..<word.count {
            let letter = word[index] | 0x20
            guard letter >= 97, letter <= 122 else { return nil }
            if index < 8 { packed = packed << 8 | UInt64(letter) }
        }
        return packed
    }
}

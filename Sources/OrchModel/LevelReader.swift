// SPDX-License-Identifier: Apache-2.0

/// Finds the level that a line of a log says of itself. Nothing is copied, and no line is too broken: what says nothing is nil.
public enum LevelReader {
    // MARK: JSON

    /// Of one JSON object a line: its member `level`, `severity`, `lvl`, `log.level` or `levelname`, as a word or as pino's and bunyan's
    /// number. Members of inner objects don't count. O(line) at worst; a line that is cut counts as far as it goes.
    public static func json(_ line: Span<UInt8>) -> LogLevel? {
        var at = skipBlanks(line, 0)
        guard at < line.count, line[at] == UInt8(ascii: "{") else { return nil }
        at += 1
        var depth = 1
        var isKey = true
        while at < line.count, depth > 0 {
            switch line[at] {
            case UInt8(ascii: "\""):
                let end = endOfString(line, at)
                let isLevel = depth == 1 && isKey && isLevelKey(line.extracting((at + 1)..<max(at + 1, end)))
                at = min(line.count, end + 1)
                if isLevel, let level = value(line, &at) { return level }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): isKey = true
            case UInt8(ascii: ":"): isKey = false
            default: break
            }
            at += 1
        }
        return nil
    }

    private static func value(_ line: Span<UInt8>, _ at: inout Int) -> LogLevel? {
        var place = skipBlanks(line, at)
        guard place < line.count, line[place] == UInt8(ascii: ":") else { return nil }
        place = skipBlanks(line, place + 1)
        guard place < line.count else { return nil }
        if line[place] == UInt8(ascii: "\"") {
            let end = endOfString(line, place)
            return LogLevel(word: line.extracting((place + 1)..<max(place + 1, end)))
        }
        guard isDigit(line[place]) else { return nil }
        return LogLevel(number: number(line, &place))
    }

    private static func isLevelKey(_ key: Span<UInt8>) -> Bool {
        switch key.count {
        case 3: isText(key, "lvl")
        case 5: isText(key, "level")
        case 8: isText(key, "severity")
        case 9: isText(key, "log.level") || isText(key, "levelname")
        default: false
        }
    }

    /// Where the quote is that ends the string which begins at `start`; the end of the line without one.
    private static func endOfString(_ line: Span<UInt8>, _ start: Int) -> Int {
        var at = start + 1
        while at < line.count, line[at] != UInt8(ascii: "\"") { at += line[at] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(at, line.count)
    }

    // MARK: Prefix

    /// Of what a line begins with, after a time and terminal colours: `<3>` (sd-daemon(3)), `E0102 ` (klog), `ERROR`, `[error]`, `error:`;
    /// else of `level=error` (logfmt) in its first `Limits.levelBytes`.
    public static func prefix(_ line: Span<UInt8>) -> LogLevel? {
        var at = skipBlanks(line, 0)
        if let level = priority(line, at) ?? klog(line, at) { return level }
        // A date, a time, an offset from UTC.
        for _ in 0..<3 {
            if let level = word(line, at) { return level }
            guard let next = endOfTime(line, at) else { break }
            at = skipBlanks(line, next)
        }
        return word(line, at) ?? logfmt(line)
    }

    private static func priority(_ line: Span<UInt8>, _ at: Int) -> LogLevel? {
        guard at + 2 < line.count, line[at] == UInt8(ascii: "<"), line[at + 2] == UInt8(ascii: ">") else { return nil }
        return LogLevel(rawValue: Int(line[at + 1]) - 48)
    }

    /// `E0102 15:04:05.678901`: a letter, the month and the day.
    private static func klog(_ line: Span<UInt8>, _ at: Int) -> LogLevel? {
        guard at + 5 < line.count, line[at + 5] == UInt8(ascii: " "), (1...4).allSatisfy({ isDigit(line[at + $0]) })
        else { return nil }
        switch line[at] {
        case UInt8(ascii: "F"): return .critical
        case UInt8(ascii: "E"): return .error
        case UInt8(ascii: "W"): return .warning
        case UInt8(ascii: "I"): return .information
        default: return nil
        }
    }

    /// A whole word, bare or in brackets.
    private static func word(_ line: Span<UInt8>, _ start: Int) -> LogLevel? {
        guard start < line.count else { return nil }
        var at = start
        if line[at] == UInt8(ascii: "[") || line[at] == UInt8(ascii: "<") || line[at] == UInt8(ascii: "(") {
            at = skipBlanks(line, at + 1)
        }
        let first = at
        while at < line.count, isLetter(line[at]), at - first <= 13 { at += 1 }
        guard at == line.count || !(isDigit(line[at]) || line[at] == UInt8(ascii: "_") || line[at] == UInt8(ascii: "="))
        else { return nil }
        return LogLevel(word: line.extracting(first..<at))
    }

    /// Behind a word that is only of what times are made of, and has a digit.
    private static func endOfTime(_ line: Span<UInt8>, _ start: Int) -> Int? {
        var at = start
        var hasDigit = false
        while at < line.count, line[at] != 32, line[at] != 9, line[at] != 0x1b {
            switch line[at] {
            case 48...57: hasDigit = true
            case UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "/"),
                UInt8(ascii: "+"), UInt8(ascii: "T"), UInt8(ascii: "Z"), UInt8(ascii: "["), UInt8(ascii: "]"):
                break
            default: return nil
            }
            at += 1
            if at - start > 40 { return nil }
        }
        return hasDigit ? at : nil
    }

    private static func logfmt(_ line: Span<UInt8>) -> LogLevel? {
        let end = min(line.count, Limits.levelBytes)
        for at in 0..<end where line[at] == UInt8(ascii: "=") {
            for key in ["level", "lvl", "severity"] {
                let start = at - key.utf8.count
                guard start >= 0, start == 0 || line[start - 1] == 32 || line[start - 1] == 9,
                    isText(line.extracting(start..<at), key)
                else { continue }
                let first = at + 1 < line.count && line[at + 1] == UInt8(ascii: "\"") ? at + 2 : at + 1
                var last = first
                while last < line.count, isLetter(line[last]), last - first <= 13 { last += 1 }
                if let level = LogLevel(word: line.extracting(first..<max(first, last))) { return level }
            }
        }
        return nil
    }

    // MARK: Bytes

    /// Over blanks and control sequences that set colours (ECMA-48, SGR).
    private static func skipBlanks(_ line: Span<UInt8>, _ start: Int) -> Int {
        var at = min(start, line.count)
        while at < line.count {
            if line[at] == 32 || line[at] == 9 {
                at += 1
            } else if line[at] == 0x1b, at + 1 < line.count, line[at + 1] == UInt8(ascii: "[") {
                at += 2
                while at < line.count, !(0x40...0x7e).contains(line[at]) { at += 1 }
                at = min(line.count, at + 1)
            } else {
                return at
            }
        }
        return at
    }

    private static func number(_ line: Span<UInt8>, _ at: inout Int) -> Int {
        var number = 0
        while at < line.count, isDigit(line[at]), number < 1_000_000 {
            number = number * 10 + Int(line[at] - 48)
            at += 1
        }
        return number
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
    private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 97 && byte | 0x20 <= 122 }

    private static func isText(_ bytes: Span<UInt8>, _ text: String) -> Bool {
        guard bytes.count == text.utf8.count else { return false }
        var at = 0
        for byte in text.utf8 {
            if bytes[at] != byte { return false }
            at += 1
        }
        return true
    }
}

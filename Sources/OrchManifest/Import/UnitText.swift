// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The values of unit files: command lines, times and calendars (systemd.syntax(7), systemd.service(5), systemd.time(7)).
enum UnitText {
    /// A command as it stands behind `Exec…=`.
    struct Command {
        var words: [String]
        /// `-`: that it fails counts for nothing.
        var isForgiving = false
        /// `+` or `!`: not as the unit's user.
        var isPrivileged = false
        /// `@`: the word behind the program is what it is told to be called.
        var hasOwnName = false
        /// `:`: a dollar is a dollar.
        var isLiteral = false
    }

    /// What no word can be, between the commands of one line.
    private static let parting = ";\u{0}"

    /// The commands of one line; nil when a quote is not closed.
    static func commands(_ text: String) -> [Command]? {
        guard let words = words(text, parted: true) else { return nil }
        return words.split(separator: parting).compactMap { words in
            var command = Command(words: Array(words))
            prefixes: while let first = command.words[0].first, command.words[0].count > 1 {
                switch first {
                case "-": command.isForgiving = true
                case "+", "!": command.isPrivileged = true
                case "@": command.hasOwnName = true
                case ":": command.isLiteral = true
                case "|": break
                default: break prefixes
                }
                command.words[0].removeFirst()
            }
            return command
        }
    }

    /// Words with their quotes and C escapes taken away; nil when a quote is not closed.
    /// `parted`: a semicolon by itself, outside of quotes, is `parting`.
    static func words(_ text: String, parted: Bool = false) -> [String]? {
        var words: [String] = []
        var word: [UInt8] = []
        var hasWord = false
        var isQuoted = false
        func take() {
            words.append(
                parted && word == [59] && !isQuoted ? parting : String(decoding: word, as: UTF8.self))
            isQuoted = false
        }
        var quote: UInt8 = 0
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case quote where quote != 0: quote = 0
            case 92:
                guard at < bytes.count else { return nil }
                hasWord = true
                isQuoted = true
                at = escape(bytes, at, into: &word)
            case _ where quote != 0: word.append(byte)
            case 34, 39:
                quote = byte
                hasWord = true
                isQuoted = true
            case 32, 9:
                if hasWord { take() }
                word = []
                hasWord = false
            default:
                word.append(byte)
                hasWord = true
            }
        }
        guard quote == 0 else { return nil }
        if hasWord { take() }
        return words
    }

    /// What is behind a backslash; the index behind it.
    private static func escape(_ bytes: [UInt8], _ at: Int, into word: inout [UInt8]) -> Int {
        let plain: [UInt8: UInt8] = [
            97: 7, 98: 8, 102: 12, 110: 10, 114: 13, 116: 9, 118: 11, 92: 92, 34: 34, 39: 39, 115: 32, 59: 59,
        ]
        if let byte = plain[bytes[at]] {
            word.append(byte)
            return at + 1
        }
        if bytes[at] == 120, at + 2 < bytes.count,
            let byte = UInt8(String(decoding: bytes[(at + 1)...(at + 2)], as: UTF8.self), radix: 16)
        {
            word.append(byte)
            return at + 3
        }
        word += [92, bytes[at]]
        return at + 1
    }

    // MARK: Times

    /// `5`, `1min 30s`, `2 h`; a bare number is one of seconds. `none` for `infinity`, nil for what is no time.
    static func duration(_ text: String) -> String? {
        if text == "infinity" { return "none" }
        let units: [String: Double] = [
            "us": 1e3, "usec": 1e3, "µs": 1e3, "ms": 1e6, "msec": 1e6, "": 1e9, "s": 1e9, "sec": 1e9, "second": 1e9,
            "seconds": 1e9, "m": 60e9, "min": 60e9, "minute": 60e9, "minutes": 60e9, "h": 3600e9, "hr": 3600e9,
            "hour": 3600e9, "hours": 3600e9, "d": 86400e9, "day": 86400e9, "days": 86400e9, "w": 604800e9,
            "week": 604800e9, "weeks": 604800e9,
        ]
        var total = 0.0
        var rest = text[...].drop { $0 == " " }
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
            rest = rest.dropFirst(number.count).drop { $0 == " " }
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count).drop { $0 == " " }
            guard let count = Double(number), let size = units[String(unit)] else { return nil }
            total += count * size
        }
        guard total <= Double(Limits.longestDuration.nanoseconds) else { return Limits.longestDuration.text }
        return Duration.nanoseconds(Int64(total)).text
    }

    /// A calendar event as a line of crontab(5); nil where that can't say it.
    static func cron(_ text: String) -> String? {
        let words: [String: String] = [
            "minutely": "* * * * *", "hourly": "0 * * * *", "daily": "0 0 * * *", "weekly": "0 0 * * 1",
            "monthly": "0 0 1 * *", "yearly": "0 0 1 1 *", "annually": "0 0 1 1 *", "quarterly": "0 0 1 1,4,7,10 *",
            "semiannually": "0 0 1 1,7 *",
        ]
        if let known = words[text.lowercased()] { return known }
        var parts = text.split(separator: " ").map(String.init)
        var days = "*"
        if let first = parts.first, first.first?.isLetter == true {
            guard let found = weekdays(first) else { return nil }
            days = found
            parts.removeFirst()
        }
        var date = (month: "*", day: "*")
        if let first = parts.first, first.contains("-") {
            let fields = first.split(separator: "-").map(String.init)
            guard fields.count == 3, fields[0] == "*", let month = field(fields[1], from: 1),
                let day = field(fields[2], from: 1)
            else { return nil }
            date = (month, day)
            parts.removeFirst()
        }
        var time = ["0", "0"]
        if let first = parts.first {
            var fields = first.split(separator: ":").map(String.init)
            if fields.count == 3, Int(fields[2]) == 0 { fields.removeLast() }
            guard parts.count == 1, fields.count == 2, let hour = field(fields[0], from: 0),
                let minute = field(fields[1], from: 0)
            else { return nil }
            time = [minute, hour]
        }
        return "\(time[0]) \(time[1]) \(date.day) \(date.month) \(days)"
    }

    private static func weekdays(_ text: String) -> String? {
        let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        func number(_ name: Substring) -> Int? { names.firstIndex(of: String(name.lowercased().prefix(3))) }
        var found: [String] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: ".", omittingEmptySubsequences: true)
            guard let first = ends.first.flatMap(number), let last = ends.last.flatMap(number), ends.count <= 2 else {
                return nil
            }
            found.append(ends.count == 1 ? "\(first)" : "\(first)-\(last == 0 ? 7 : last)")
        }
        return found.joined(separator: ",")
    }

    /// `*`, `5`, `1,3`, `2..6`, `0/15`.
    private static func field(_ text: String, from least: Int) -> String? {
        if text == "*" { return "*" }
        var found: [String] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let steps = part.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            if steps.count == 2, let step = Int(steps[1]), step > 0 {
                guard steps[0] == "*" || Int(steps[0]) == least else { return nil }
                found.append("*/\(step)")
            } else if steps.count == 1, part.contains("..") {
                let ends = part.split(separator: ".").compactMap { Int($0) }
                guard ends.count == 2 else { return nil }
                found.append("\(ends[0])-\(ends[1])")
            } else {
                guard steps.count == 1, let number = Int(part) else { return nil }
                found.append(String(number))
            }
        }
        return found.joined(separator: ",")
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The text of one unit file (systemd.syntax(7)).
struct UnitWriter {
    private(set) var text = ""
    /// What stands for `Exporter.replica` and `Exporter.secrets`: `%i` in a template.
    static let marks = [(Exporter.replica, "%i"), (Exporter.secrets, "%d")]

    mutating func comment(_ remark: String) { text += Exporter.comment(remark).joined(separator: "\n") + "\n" }
    mutating func section(_ name: String) { text += (text.isEmpty ? "" : "\n") + "[\(name)]\n" }

    /// A value that has been quoted as its key wants it.
    mutating func add(_ key: String, raw value: String) { text += "\(key)=\(value)\n" }
    /// A value in which nothing but `%` means something.
    mutating func add(_ key: String, _ value: String) { add(key, raw: Self.plain(value)) }
    mutating func add(_ key: String, _ value: String?) { if let value { add(key, value) } }

    /// One line without specifiers; a line can't end with a backslash, which would continue it.
    static func plain(_ text: String) -> String {
        let line = text.replacing("\n", with: " ").replacing("%", with: "%%")
        return marked(line.last == "\\" ? line + " " : line)
    }

    /// One command: each word as execve(2) is to get it.
    static func command(_ words: [String]) -> String {
        words.map { quoted($0.replacing("$", with: "$$")) }.joined(separator: " ")
    }

    /// One word; what stands for blanks and quotes is escaped as in C.
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty && word != ";"
            && word.utf8.allSatisfy { $0 > 32 && $0 != 34 && $0 != 39 && $0 != 92 && $0 != 127 }
        let doubled = word.replacing("%", with: "%%")
        if isPlain { return marked(doubled) }
        var result = "\""
        for byte in doubled.unicodeScalars {
            switch byte {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where byte.value < 32 || byte.value == 127:
                let digits = String(byte.value, radix: 16)
                result += "\\x" + (digits.count < 2 ? "0" : "") + digits
            default: result.unicodeScalars.append(byte)
            }
        }
        return marked(result + "\"")
    }

    private static func marked(_ text: String) -> String {
        marks.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }

    /// A time as systemd.time(7) reads it: never in nanoseconds.
    static func span(_ span: Duration) -> String {
        span == .zero ? "0" : span.nanoseconds % 1_000 == 0 ? span.text : "\(max(1, span.nanoseconds / 1_000))us"
    }
}

/// Schedules as systemd.time(7) has them.
enum CalendarText {
    /// As many events as the expression needs: where either day suffices there are two.
    static func events(_ expression: CronExpression) -> [String] {
        let numbers = expression.numbers
        let time = "\(field(numbers.hours, 0...23)):\(field(numbers.minutes, 0...59)):00"
        let month = field(numbers.months, 1...12)
        let days = field(numbers.daysOfMonth, 1...31)
        let week = weekdays(numbers.daysOfWeek)
        if numbers.isEitherDayEnough { return ["*-\(month)-\(days) \(time)", "\(week)*-\(month)-* \(time)"] }
        return ["\(week)*-\(month)-\(days) \(time)"]
    }

    /// `*`, `2`, `1,3`, `9..17`, `0/15`.
    private static func field(_ numbers: [Int], _ range: ClosedRange<Int>) -> String {
        if numbers.count == range.count { return "*" }
        let text = numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }
        if numbers.count > 2, let first = numbers.first {
            let step = numbers[1] - first
            if numbers == Array(stride(from: first, through: range.upperBound, by: step)), step > 1 {
                return "\(text[0])/\(step)"
            }
            if step == 1, let last = numbers.last, last - first == numbers.count - 1 {
                return "\(text[0])..\(text[text.count - 1])"
            }
        }
        return text.joined(separator: ",")
    }

    private static func weekdays(_ numbers: [Int]) -> String {
        if numbers.count == 7 { return "" }
        let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        return numbers.map { names[$0] }.joined(separator: ",") + " "
    }

    /// A line of crontab(5) that comes as often; nil where none does.
    static func cron(every span: Duration) -> String? {
        let (minutes, rest) = (span.nanoseconds / 60_000_000_000, span.nanoseconds % 60_000_000_000)
        guard rest == 0, minutes > 0 else { return nil }
        if minutes < 60, 60 % minutes == 0 { return minutes == 1 ? "* * * * *" : "*/\(minutes) * * * *" }
        guard minutes % 60 == 0 else { return nil }
        let hours = minutes / 60
        if hours < 24, 24 % hours == 0 { return hours == 1 ? "0 * * * *" : "0 */\(hours) * * *" }
        return hours == 24 ? "0 0 * * *" : nil
    }
}

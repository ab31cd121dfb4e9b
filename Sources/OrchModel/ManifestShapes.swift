// SPDX-License-Identifier: Apache-2.0

/// Shapes that several nouns of the manifest share.
extension ObjectWriter {
    /// `command`, and `shell` when it is not the usual one.
    mutating func set(command: CommandLine) {
        switch command {
        case .shell(let text, let shell):
            set("command", text)
            if shell != CommandLine.standardShell { set("shell", strings: shell) }
        case .exec(let words): set("command", strings: words)
        }
    }
    /// Names and texts as an object; nothing when there are none.
    mutating func set(_ key: String, entries: [EnvironmentEntry]) {
        if !entries.isEmpty { set(key, .object(entries.map { .init($0.name, .string($0.text)) })) }
    }
    /// An object unless it is empty.
    mutating func setObject(_ key: String, _ value: Value) {
        if value.members?.isEmpty == false { set(key, value) }
    }
    /// A whole number without a point.
    mutating func set(_ key: String, number: Double, unless skipped: Double? = nil) {
        if complete || number != skipped { set(key, Value.number(number)) }
    }
}

extension ObjectReader {
    func command() throws(ShapeError) -> CommandLine {
        switch value("command") {
        case .string(let text): .shell(text, shell: try strings("shell", or: CommandLine.standardShell))
        case .array: .exec(try strings("command"))
        case .null, .bool, .int, .double, .object, nil:
            throw ShapeError(path: "command", expected: "a string or a list")
        }
    }
    func entries(_ key: String) throws(ShapeError) -> [EnvironmentEntry] {
        guard let found = value(key) else { return [] }
        guard let members = found.members else { throw ShapeError(path: key, expected: "an object") }
        var entries: [EnvironmentEntry] = []
        entries.reserveCapacity(members.count)
        for member in members {
            guard let text = member.value.string else {
                throw ShapeError(path: "\(key).\(member.key)", expected: "a string")
            }
            entries.append(EnvironmentEntry(member.key, text))
        }
        return entries
    }
    /// A duration, or `none` for nil.
    func limit(_ key: String, or fallback: Duration?) throws(ShapeError) -> Duration? {
        guard let found = value(key) else { return fallback }
        return found == .string("none") ? nil : try duration(key)
    }
}

extension Value {
    /// An integer when nothing is lost by it.
    static func number(_ number: Double) -> Value {
        if let whole = Int64(exactly: number), abs(number) < 9_007_199_254_740_992 { return .int(whole) }
        return .double(number)
    }
    /// `10%` when that is exact, else the plain part of one.
    static func percent(_ part: Double) -> Value {
        let hundredths = (part * 100).rounded()
        if let whole = Int(exactly: hundredths), Double(whole) / 100 == part { return .string("\(whole)%") }
        return .double(part)
    }
    /// Reads `percent`; nil when it is neither a percentage nor a number.
    var part: Double? {
        guard let text = string else { return double }
        guard text.hasSuffix("%"), let whole = Int(text.dropLast()) else { return nil }
        return Double(whole) / 100
    }
}

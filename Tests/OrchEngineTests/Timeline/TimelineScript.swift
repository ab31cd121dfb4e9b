// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// A row of letters for one instance.
struct TimelineRow {
    enum Kind: String, CaseIterable { case world, orch, heard, asked, phases }
    var kind: Kind
    var instance: String
    var letters: [Character]
}

/// What happens to the clocks at the beginning of a column.
struct ClockJump {
    var at: Int
    var span: Duration
    /// The machine slept so long; else the clock on the wall was set.
    var isAsleep: Bool
}

/// What a look at an instance's tree finds from a column on.
struct TimelineUse {
    var of: String
    var from: Int
    var write: (inout ResourceSample) -> Void
}

/// A timeline as it was drawn.
struct TimelineScript {
    let column: Duration
    var services: [ServiceSpec] = []
    var rows: [TimelineRow] = []
    var daemon: [DaemonFact] = []
    var commands: [(order: Order, at: Int)] = []
    var changes: [(change: (inout [ServiceSpec]) -> Void, at: Int)] = []
    var promises: [Int: Duration] = [:]
    var rollbacks: [Int] = []
    var reasons: [(instance: String, at: Int, text: String)] = []
    var tellings: [(instance: String, kind: Occurrence.Kind, at: Int, text: String)] = []
    var hooks: [(name: String, at: Int, text: String)] = []
    var verdicts: [(goal: Goal, at: Int, verdict: Verdict)] = []
    var endsAsleep = false
    var jumps: [ClockJump] = []
    var fileChanges: [(event: Event, at: Int)] = []
    var uses: [TimelineUse] = []
    var thresholds = HostThresholds()
    /// How much of the host is used, and from when on.
    var hostUses: [(part: Double, from: Int)] = []
    var mistakes: [String] = []

    init(column: Duration) { self.column = column }

    /// Columns of the longest row.
    var length: Int { max(rows.map(\.letters.count).max() ?? 0, daemon.count) }

    mutating func take(_ line: TimelineLine) {
        switch line {
        case .service(let spec): services.append(spec)
        case .row(let kind, let instance, let drawing):
            rows.append(TimelineRow(kind: kind, instance: Self.plain(instance), letters: Array(drawing)))
            guard kind == .world else { return }
            for letter in drawing where !Letters.world.contains(where: { $0.letter == letter }) {
                mistakes.append("`\(letter)` is no letter of a world row")
            }
        case .daemon(let drawing):
            daemon = drawing.map { letter in
                guard let row = Letters.daemon.first(where: { $0.letter == letter }) else {
                    mistakes.append("`\(letter)` is no letter of a daemon row")
                    return .lives
                }
                return row.fact
            }
        case .command(let order, let column): commands.append((order, column))
        case .change(let change, let column): changes.append((change, column))
        case .promise(let span, let column): promises[column] = span
        case .rollback(let column): rollbacks.append(column)
        case .reason(let instance, let column, let text): reasons.append((Self.plain(instance), column, text))
        case .told(let instance, let kind, let column, let text):
            tellings.append((Self.plain(instance), kind, column, text))
        case .hook(let name, let column, let text): hooks.append((name, column, text))
        case .verdict(let goal, let column, let verdict): verdicts.append((goal, column, verdict))
        case .asleep: endsAsleep = true
        case .jump(let jump): jumps.append(jump)
        case .files(let event, let column): fileChanges.append((event, column))
        case .use(let use): uses.append(use)
        case .thresholds(let thresholds): self.thresholds = thresholds
        case .hostUse(let part, let column): hostUses.append((part, column))
        }
    }

    /// `web` for `web.1`.
    static func plain(_ instance: String) -> String {
        instance.hasSuffix(".1") ? String(instance.dropLast(2)) : instance
    }

    static func name(of id: InstanceID) -> String {
        id.replica == 1 ? id.service.service : "\(id.service.service).\(id.replica)"
    }

    /// What happens to the instance in the column, in order; nil when it has no row.
    func facts(of instance: String, in column: Int) -> [WorldFact]? {
        let drawn = rows.filter { $0.kind == .world && $0.instance == instance }
        guard !drawn.isEmpty else { return nil }
        return drawn.compactMap { row in
            guard column < row.letters.count else { return nil }
            return Letters.world.first { $0.letter == row.letters[column] }?.fact
        }.filter { $0 != .nothing }
    }

    /// How much of the host is used in that column.
    func used(in column: Int) -> Double { hostUses.last { $0.from <= column }?.part ?? 0 }

    /// Whether its row says when it is well.
    func saysWhenWell(_ instance: String) -> Bool {
        rows.contains { $0.kind == .world && $0.instance == instance && $0.letters.contains("r") }
    }

    /// What is said of something that is no service; all of it is there that has no row.
    func answer(of need: String, in column: Int) -> ProbeResult {
        guard let row = rows.first(where: { $0.kind == .world && $0.instance == need }) else { return .success }
        switch row.letters.prefix(column + 1).last(where: { $0 != "-" }) {
        case "g": return .success
        case "d": return .unasked("no prober")
        default: return .failure("connection refused")
        }
    }

    /// Names with a `world` row, in the order of the lines.
    var drawnInstances: [String] {
        var names: [String] = []
        for row in rows where row.kind == .world && OutsideNeed(row.instance) == nil {
            if !names.contains(row.instance) { names.append(row.instance) }
        }
        return names
    }

    // MARK: what came of it

    func complaints(about world: DrawnWorld) -> [String] {
        var found = world.mistakes
        var seen: [String] = []
        for row in rows where row.kind != .world {
            let key = "\(row.kind) \(row.instance)"
            guard !seen.contains(key) else { continue }
            seen.append(key)
            if let complaint = compare(row.kind, row.instance, world) { found.append(complaint) }
        }
        for (instance, column, text) in reasons {
            let actual = world.reasons[instance]?[column] ?? "(it is not there)"
            if !actual.contains(text) {
                found.append(
                    "the reason of \(instance) in column \(column)\n  expected   …\(text)…\n  actual     \(actual)")
            }
        }
        for (instance, kind, column, text) in tellings {
            let isThere = world.tellings.contains {
                $0.column == column && $0.instance == instance && $0.kind == kind && $0.cause.contains(text)
            }
            if !isThere {
                found.append("nothing tells `\(kind.rawValue) …\(text)…` of \(instance) in column \(column)")
            }
        }
        for (name, column, text) in hooks {
            let calls = world.hooks.filter { $0.column == column && $0.name == name }
            let entries = calls.flatMap { $0.call.variables.map { "\($0.name)=\($0.text)" } }
            if !entries.contains(where: { $0.contains(text) }) {
                found.append("\(name) in column \(column) does not find \(text), but \(entries)")
            }
        }
        for (goal, column, verdict) in verdicts {
            let actual = column < world.verdicts.count ? world.verdicts[column](goal) : .pending
            if actual != verdict {
                found.append(
                    "the verdict on \(goal) in column \(column)\n  expected   \(verdict)\n  actual     \(actual)")
            }
        }
        if endsAsleep, let deadline = world.fleet.deadline {
            found.append("it is to sleep for ever at the end, but wakes after \((deadline - world.now.instant).brief)")
        }
        return found
    }

    private func compare(_ kind: TimelineRow.Kind, _ instance: String, _ world: DrawnWorld) -> String? {
        let expected = rows.filter { $0.kind == kind && $0.instance == instance }.map(\.letters)
        let stacks = world.drawn[kind]?[instance] ?? []
        let columns = (0..<length).map { column in expected.compactMap { $0.element(column) }.filter { $0 != "-" } }
        let actual = (0..<length).map { column in stacks.element(column) ?? [] }
        guard columns != actual else { return nil }
        let height = max(expected.count, actual.map(\.count).max() ?? 0)
        var lines = ["\(kind.rawValue) of \(instance) is not as drawn", "             \(axis)"]
        lines += expected.map { "  expected   \(String($0))" }
        for level in 0..<height {
            lines.append("  actual     \(String(actual.map { $0.element(level) ?? "-" }))")
        }
        return lines.joined(separator: "\n")
    }

    private var axis: String {
        var text = ""
        for column in stride(from: 0, to: length, by: 5) {
            let number = String(column)
            text += number + String(repeating: " ", count: max(0, 5 - number.count))
        }
        return text
    }
}

extension Array {
    /// The element there, or nil beyond the end.
    func element(_ index: Int) -> Element? { index < count ? self[index] : nil }
}

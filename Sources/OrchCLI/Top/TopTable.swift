// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel

/// What each instance uses now and used a moment ago.
struct TopTable {
    enum Order: String, ExpressibleByArgument, CaseIterable { case cpu, memory, descriptors, threads, name }

    struct Row: Equatable {
        var status: InstanceStatus
        var processes = 0
        /// Of the whole tree; nil where a process of it may not be looked into.
        var descriptors: Int?
        var threads = 0
        /// Shares of one core, the newest last.
        var trend: [Double] = []
    }

    var order: Order
    private(set) var rows: [Row] = []
    /// What is remembered of each; never iterated.
    private var trends: [InstanceID: [Double]] = [:]
    /// Half a minute.
    private static let trendLength = 30

    init(order: Order) { self.order = order }

    /// One look at everything.
    mutating func take(_ statuses: [InstanceStatus], _ forests: [ProcessForest]) {
        var places: [InstanceID: Int] = [:]
        for (place, forest) in forests.enumerated() { places[forest.instance.id] = place }
        let before = trends
        trends = [:]
        let measured = statuses.map { status in
            var row = Row(status: status)
            if let forest = places[status.id].map({ forests[$0] }), !forest.nodes.isEmpty {
                let facts = forest.nodes.compactMap(\.facts)
                let descriptors = facts.compactMap(\.descriptors)
                row.processes = forest.nodes.count
                row.descriptors = descriptors.count == forest.nodes.count ? descriptors.reduce(0, +) : nil
                row.threads = facts.reduce(0) { $0 + $1.threads }
            }
            if let cpu = status.cpuPercent {
                row.trend = Array(((before[status.id] ?? []) + [cpu]).suffix(Self.trendLength))
                trends[status.id] = row.trend
            }
            return row
        }
        rows = measured.sorted { a, b in
            let (left, right) = (weight(of: a), weight(of: b))
            return left == right ? a.status.id < b.status.id : left > right
        }
    }

    private func weight(of row: Row) -> Double {
        switch order {
        case .cpu: row.status.cpuPercent ?? -1
        case .memory: Double(row.status.memoryBytes ?? -1)
        case .descriptors: Double(row.descriptors ?? -1)
        case .threads: Double(row.threads)
        case .name: 0
        }
    }

    // MARK: As text

    private static let columns = [
        Table.Column(heading: "SERVICE", minimum: 8),
        Table.Column(heading: "PHASE", dispensability: 3),
        Table.Column(heading: "CPU", alignedRight: true),
        Table.Column(heading: "TREND", dispensability: 6),
        Table.Column(heading: "MEM", alignedRight: true),
        Table.Column(heading: "FDS", alignedRight: true, dispensability: 1),
        Table.Column(heading: "THREADS", alignedRight: true, dispensability: 2),
        Table.Column(heading: "PROCS", alignedRight: true, dispensability: 4),
        Table.Column(heading: "RESTARTS", alignedRight: true, dispensability: 5),
    ]

    func lines(width: Int?, isLive: Bool) -> [Line] {
        guard !rows.isEmpty else { return ["Nothing is applied."] }
        let stacks = Set(rows.map(\.status.id.service.stack))
        var table = Table(Self.columns)
        table.rows = rows.map { Table.Row(cells: cells(of: $0, namingStack: stacks.count > 1, isLive: isLive)) }
        return [summary(isLive: isLive).fitted(to: width)] + table.lines(width: width)
    }

    private func summary(isLive: Bool) -> Line {
        let living = rows.filter { $0.processes > 0 }
        let cpu = living.reduce(0) { $0 + ($1.status.cpuPercent ?? 0) }
        let memory = living.reduce(0) { $0 + ($1.status.memoryBytes ?? 0) }
        let processes = living.reduce(0) { $0 + $1.processes }
        var line = Line("\(living.count) of \(CountText.of(rows.count, "instance"))", .strong)
        line += Line(" run: \(CountText.of(processes, "process", "processes"))")
        line += Line(", \(ByteText.percent(cpu)) of a core, \(ByteText.of(memory))")
        return isLive ? line + Line("  by \(order.rawValue); q leaves", .faint) : line
    }

    private func cells(of row: Row, namingStack: Bool, isLive: Bool) -> [Line] {
        let status = row.status
        let lives = row.processes > 0
        return [
            Line(namingStack ? "\(status.id.service.stack)/\(status.label)" : status.label, lives ? .plain : .faint),
            Line(status.phase.rawValue, PhaseText.style(of: status.phase)),
            Line(status.cpuPercent.map(ByteText.percent) ?? ""),
            isLive ? Line(Sparkline.of(row.trend, length: Self.trendLength), .active) : Line(),
            Line(status.memoryBytes.map(ByteText.of) ?? ""),
            lives ? row.descriptors.map { Line("\($0)") } ?? Line("?", .faint) : Line(),
            Line(lives ? "\(row.threads)" : ""), Line(lives ? "\(row.processes)" : ""),
            Line(String(status.restarts), status.restarts == 0 ? .faint : .caution),
        ]
    }

    var value: Value {
        let instances: [Value] = rows.map { row in
            [
                "stack": .string(row.status.id.service.stack), "service": .string(row.status.id.service.service),
                "instance": .string(row.status.id.name), "label": .string(row.status.label),
                "phase": .string(row.status.phase.rawValue),
                "cpu_percent": row.status.cpuPercent.map { .double($0) } ?? .null,
                "memory_bytes": row.status.memoryBytes.map { .int($0) } ?? .null,
                "descriptors": row.descriptors.map { .int(Int64($0)) } ?? .null,
                "threads": .int(Int64(row.threads)), "processes": .int(Int64(row.processes)),
                "restarts": .int(Int64(row.status.restarts)),
            ]
        }
        return ["instances": .array(instances)]
    }
}

/// Numbers as a line of blocks of eight heights.
enum Sparkline {
    private static let blocks: [Character] = Array("▁▂▃▄▅▆▇█")
    /// What fills the height at least, in percent of a core: that something idles shall not look like a storm.
    private static let least = 10.0

    /// The newest at the right, of `length` columns.
    static func of(_ numbers: [Double], length: Int) -> String {
        guard !numbers.isEmpty else { return "" }
        let highest = max(least, numbers.reduce(0, max))
        let shown = numbers.suffix(length).map { number -> Character in
            let step = Int((number / highest * Double(blocks.count - 1)).rounded())
            return blocks[min(blocks.count - 1, max(0, step))]
        }
        return String(repeating: " ", count: length - shown.count) + String(shown)
    }
}

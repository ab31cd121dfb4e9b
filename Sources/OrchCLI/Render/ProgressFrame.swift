// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// One picture of a progress for a terminal of a given size. When there are more instances than rows, those that need
/// eyes come first and the rest is summed up.
struct ProgressFrame {
    var progress: Progress
    var now: Instant
    var time: TimeText
    var columns: Int
    var rows: Int

    private static let spinner: [Character] = Array("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
    /// How long one picture of the spinner stands.
    static let beat = Duration.milliseconds(100)

    func lines() -> [Line] {
        let heading = Line(progress.title, .strong) + "  \(progress.score)" + Line("  \(elapsed)", .faint)
        // One row stays free for the cursor.
        let room = max(1, rows - 2)
        let labels = progress.entries.reduce(0) { max($0, DisplayWidth.of($1.status.label)) }
        let labelWidth = min(labels, max(8, columns / 3))
        guard progress.entries.count > room else {
            return ([heading] + progress.entries.map { line(of: $0, labelWidth) }).map { $0.fitted(to: columns) }
        }
        let ranked = progress.entries.enumerated().sorted { a, b in
            let (left, right) = (rank(of: a.element), rank(of: b.element))
            return left == right ? a.offset < b.offset : left < right
        }
        let shown = ranked.prefix(room - 1).sorted { $0.offset < $1.offset }.map { line(of: $0.element, labelWidth) }
        let rest = Line("  … and \(summary(of: ranked.dropFirst(room - 1).map(\.element.status)))", .faint)
        return ([heading] + shown + [rest]).map { $0.fitted(to: columns) }
    }

    private var elapsed: String { TimeText.elapsed(now - progress.startedAt) }

    /// Broken first, then what moves, then what waits, then what is there.
    private func rank(of entry: Progress.Entry) -> Int {
        switch progress.standing(of: entry.status) {
        case .broken: 0
        case .underWay: entry.status.phase == .waiting ? 2 : 1
        case .settled: entry.isUntouched ? 4 : 3
        }
    }

    private func line(of entry: Progress.Entry, _ labelWidth: Int) -> Line {
        let status = entry.status
        let standing = progress.standing(of: status)
        var line = Line(" ") + mark(of: status, standing) + " "
        line +=
            Line(status.label, entry.isUntouched ? .faint : .plain).fitted(to: labelWidth).padded(to: labelWidth) + "  "
        line +=
            Line(status.phase.rawValue, entry.isUntouched ? .faint : PhaseText.style(of: status.phase)).padded(to: 9)
            + " "
        line += Line(span(of: entry), .faint).padded(to: 6, alignedRight: true)
        guard standing != .settled else { return line }
        if let said = status.said, status.reason.isEmpty, !said.isEmpty { return line + Line("  \(said)", .faint) }
        let reason = PhaseText.reason(of: status, at: time)
        return reason.isEmpty ? line : line + "  " + reason
    }

    private func mark(of status: InstanceStatus, _ standing: Progress.Standing) -> Line {
        switch standing {
        case .broken: return Line("✗", .bad)
        case .settled: return status.phase == .idle && progress.aim == .up ? Line("-", .faint) : Line("✔", .good)
        case .underWay:
            guard status.phase != .waiting else { return Line("·", .faint) }
            let turn = max(0, (now - progress.startedAt).nanoseconds / Self.beat.nanoseconds)
            return Line(String(Self.spinner[Int(turn) % Self.spinner.count]), .active)
        }
    }

    /// How long it took, or has taken so far.
    private func span(of entry: Progress.Entry) -> String {
        if entry.isUntouched { return "" }
        if let settled = entry.settledAt { return TimeText.elapsed(settled - progress.startedAt) }
        let inPhase = time.now - entry.status.since
        return TimeText.elapsed(min(max(.zero, inPhase), now - progress.startedAt))
    }

    /// `980 more: 970 ready, 10 waiting`.
    private func summary(of statuses: [InstanceStatus]) -> String {
        let counts: [String] = Phase.allCases.compactMap { phase in
            let count = statuses.count { $0.phase == phase }
            return count == 0 ? nil : "\(count) \(phase.rawValue)"
        }
        return "\(statuses.count) more: \(counts.joined(separator: ", "))"
    }
}

/// The part of a terminal that is drawn again and again, below what scrolls.
struct LiveArea {
    private var drawn = 0
    let palette: Palette

    init(palette: Palette) { self.palette = palette }

    /// The bytes that replace the last picture by this one: up, then each line cleared to its end, then what is below.
    /// Lines must fit the width, or the terminal would break them and the count be wrong.
    mutating func redraw(_ lines: [Line]) -> String {
        var text = erasingStart
        for line in lines { text += line.rendered(palette) + "\u{1B}[K\n" }
        drawn = lines.count
        return text + "\u{1B}[J"
    }

    /// The bytes that remove the picture.
    mutating func erase() -> String {
        defer { drawn = 0 }
        return drawn == 0 ? "" : erasingStart + "\u{1B}[J"
    }

    private var erasingStart: String { drawn == 0 ? "\r" : "\u{1B}[\(drawn)A\r" }
}

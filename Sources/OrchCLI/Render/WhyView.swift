// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// How an instance came to where it stands: the newest link first, each with its time and the line that asked for it.
struct WhyView {
    var status: InstanceStatus
    /// Newest first.
    var chain: [Occurrence]
    var time: TimeText
    var width: Int?

    func lines() -> [Line] {
        var head = Line(status.label, .strong) + " is " + Line(status.phase.rawValue, PhaseText.style(of: status.phase))
        head += Line(", since \(time.clock(status.since)) (\(time.ago(status.since)))", .faint)
        var result = [head]
        let reason = PhaseText.reason(of: status, at: time)
        if !reason.isEmpty { result += wrapped(reason, indent: 2) }
        guard !chain.isEmpty else { return result + [Line(), Line("  nothing has happened to it yet", .faint)] }
        result.append(Line())
        let clocks = chain.map { time.clock($0.time) }
        let ages = chain.map { time.ago($0.time) }
        let widths = (
            clock: clocks.reduce(0) { max($0, $1.utf8.count) }, age: ages.reduce(0) { max($0, $1.utf8.count) },
            kind: chain.reduce(0) { max($0, $1.kind.rawValue.utf8.count) }
        )
        for (index, link) in chain.enumerated() {
            var margin = Line("  ") + Line(clocks[index], .faint).padded(to: widths.clock, alignedRight: true) + "  "
            if fitsAges { margin += Line(ages[index], .faint).padded(to: widths.age, alignedRight: true) + "  " }
            margin += Line(link.kind.rawValue, PhaseText.style(of: link.kind)).padded(to: widths.kind) + "  "
            result += story(of: link, after: margin)
        }
        return result
    }

    /// On narrow terminals the absolute time is enough.
    private var fitsAges: Bool { width.map { $0 >= 70 } ?? true }

    private func story(of link: Occurrence, after margin: Line) -> [Line] {
        var text = link.cause
        if let exit = link.exit, !text.contains(exit.text) { text += text.isEmpty ? exit.text : " (\(exit.text))" }
        var tail = Line()
        if let launch = link.launch { tail += Line("  launch \(launch.number)", .faint) }
        if let position = link.position { tail += Line("  \(position.text)", .faint) }
        let whole = margin + Line(text) + tail
        guard let width, whole.width > width else { return [whole] }
        let indent = Line(String(repeating: " ", count: margin.width))
        let pieces = DisplayWidth.wrapped(text, to: max(20, width - margin.width))
        var result = pieces.enumerated().map { ($0.offset == 0 ? margin : indent) + Line($0.element) }
        let room = max(20, width - margin.width)
        result += DisplayWidth.wrapped(tail.text, to: room).map { indent + Line($0, .faint) }
        return result
    }

    private func wrapped(_ line: Line, indent: Int) -> [Line] {
        let margin = Line(String(repeating: " ", count: indent))
        guard let width, line.width > width - indent else { return [margin + line] }
        return DisplayWidth.wrapped(line.text, to: max(20, width - indent)).map { margin + Line($0) }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A line of `orch events`: when, who, what, why.
struct OccurrenceView {
    var time: TimeText
    /// Names are padded to the longest one seen so far.
    private(set) var nameWidth = 0

    init(time: TimeText) { self.time = time }

    mutating func line(of occurrence: Occurrence) -> Line {
        let name = Self.name(of: occurrence)
        nameWidth = min(40, max(nameWidth, DisplayWidth.of(name)))
        var line =
            Line(time.clock(occurrence.time, milliseconds: true), .faint) + "  " + Line(name).padded(to: nameWidth)
            + "  "
        line += Line(occurrence.kind.rawValue, PhaseText.style(of: occurrence.kind)).padded(to: 9) + "  "
        line += Line(occurrence.cause)
        if let exit = occurrence.exit, !occurrence.cause.contains(exit.text) { line += Line(" (\(exit.text))") }
        if let launch = occurrence.launch { line += Line("  launch \(launch.number)", .faint) }
        if let position = occurrence.position { line += Line("  \(position.text)", .faint) }
        return line
    }

    private static func name(of occurrence: Occurrence) -> String {
        if let instance = occurrence.instance {
            return instance.replica == 1 ? instance.service.description : instance.description
        }
        if let service = occurrence.service { return "\(occurrence.stack)/\(service)" }
        return occurrence.stack.isEmpty ? "daemon" : occurrence.stack
    }
}

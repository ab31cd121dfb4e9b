// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// What went wrong with one instance, where in the manifest, what it wrote last, and where to read on.
struct FailureView {
    var status: InstanceStatus
    /// What it wrote last, already cut into lines.
    var lastLines: [String]
    var time: TimeText
    var width: Int?

    /// How much of a log is shown.
    static let lineCount = 5
    static let tailBytes = 8 << 10

    func lines() -> [Line] {
        var head = Line("  ✗ ", .bad) + Line(status.label, .strong) + "  "
        head += Line(status.phase.rawValue, PhaseText.style(of: status.phase))
        let reason = PhaseText.reason(of: status, at: time)
        var result: [Line] = []
        let whole = reason.isEmpty ? head : head + ": " + reason
        if let width, whole.width > width {
            result.append(head)
            result += DisplayWidth.wrapped(reason.text, to: max(20, width - 6)).map { Line("      \($0)") }
        } else {
            result.append(whole)
        }
        if let exit = status.exit, !status.reason.contains(exit.text) {
            result.append(Line("      last end: \(exit.text)"))
        }
        if let log = status.stderrLog ?? status.stdoutLog {
            result.append(Line("      log: \(log)", .faint))
            result += lastLines.map { (Line("      │ ", .faint) + Line($0)).fitted(to: width) }
        }
        return result + [Line("      `orch why \(status.label)` tells the story", .faint)]
    }

    /// The last lines of a log's end, which is at most `tailBytes` of it. Half a line may be half of what is to be masked, which no pattern
    /// finds: where something is, it is left out.
    static func lastLines(of bytes: [UInt8], _ redaction: Redaction) -> [String] {
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: true)
        if !redaction.isEmpty, bytes.count >= tailBytes, !lines.isEmpty { lines.removeFirst() }
        return lines.suffix(lineCount).map { String(decoding: redaction.applied(to: Array($0)), as: UTF8.self) }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

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

    /// The last whole lines of a log's end.
    static func lastLines(of bytes: [UInt8]) -> [String] {
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: true)
        return lines.suffix(lineCount).map { String(decoding: $0, as: UTF8.self) }
    }
}

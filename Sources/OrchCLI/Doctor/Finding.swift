// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// One thing that was looked at: the fact, and where it is not as it should be the reason and the remedy.
struct Finding: Equatable {
    enum Mark: String {
        case ok
        /// It works, with less than it could, or not for long.
        case warning
        /// It does not work.
        case error
    }
    var mark: Mark
    /// What it is about: `daemon`, `kernel`, the name of a service.
    var about: String
    var fact: String
    var reason: String?
    var remedy: String?
    /// Where in the manifest.
    var position: Position?

    init(
        _ mark: Mark, _ about: String, _ fact: String, because reason: String? = nil, remedy: String? = nil,
        at position: Position? = nil
    ) {
        self.mark = mark
        self.about = about
        self.fact = fact
        self.reason = reason
        self.remedy = remedy
        self.position = position
    }

    init(_ mark: Mark, _ about: String, _ fault: Fault, at position: Position? = nil) {
        let text = Fault(step: fault.step, subject: fault.subject, reason: fault.reason).text
        self.init(mark, about, text, remedy: fault.remedy, at: position)
    }
}

/// All that was found, in the order in which a person reads it: the machine first, then the manifest.
struct Examination: Equatable {
    var findings: [Finding] = []

    /// Nothing is an error. Warnings are no reason to fail: what they are about works.
    var isHealthy: Bool { !findings.contains { $0.mark == .error } }

    var value: Value {
        let rows: [Value] = findings.map { finding in
            [
                "mark": .string(finding.mark.rawValue), "about": .string(finding.about), "fact": .string(finding.fact),
                "reason": .optional(finding.reason), "remedy": .optional(finding.remedy),
                "position": finding.position?.value ?? .null,
            ]
        }
        return ["healthy": .bool(isHealthy), "findings": .array(rows)]
    }

    /// Nil `width`: as wide as it gets.
    func lines(width: Int?) -> [Line] {
        let column = min(24, findings.reduce(0) { max($0, DisplayWidth.of($1.about)) })
        let margin = Self.markWidth + column + 2
        var result: [Line] = []
        for finding in findings {
            var head =
                Line(finding.mark.rawValue, Self.style(of: finding.mark)).padded(to: Self.markWidth)
                + Line(finding.about, .strong).fitted(to: column).padded(to: column) + "  "
            let place = finding.position.map { "  \($0.text)" } ?? ""
            for text in Self.wrapped(finding.fact + place, margin, width) {
                result.append(head + Line(text))
                head = Self.blank(margin)
            }
            for text in finding.reason.map({ Self.wrapped($0, margin, width) }) ?? [] {
                result.append(head + Line(text, .faint))
            }
            head += Line("help: ", .active)
            for text in finding.remedy.map({ Self.wrapped($0, margin + 6, width) }) ?? [] {
                result.append(head + Line(text))
                head = Self.blank(margin + 6)
            }
        }
        return result + [Line(), summary]
    }

    private var summary: Line {
        let (errors, warnings) = (count(.error), count(.warning))
        guard errors + warnings > 0 else { return Line("Nothing is wrong.", .good) }
        var parts: [String] = []
        if errors > 0 { parts.append(CountText.of(errors, "error")) }
        if warnings > 0 { parts.append(CountText.of(warnings, "warning")) }
        return Line("\(parts.joined(separator: ", ")).", errors > 0 ? .bad : .caution)
    }

    private func count(_ mark: Finding.Mark) -> Int { findings.count { $0.mark == mark } }

    private static let markWidth = 9

    private static func blank(_ columns: Int) -> Line { Line(String(repeating: " ", count: columns)) }

    private static func wrapped(_ text: String, _ margin: Int, _ width: Int?) -> [String] {
        guard let width else { return [text] }
        return DisplayWidth.wrapped(text, to: max(20, width - margin))
    }

    private static func style(of mark: Finding.Mark) -> Style {
        switch mark {
        case .ok: .good
        case .warning: .caution
        case .error: .bad
        }
    }
}

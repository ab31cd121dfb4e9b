// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What would be done: `+` comes, `-` goes, `~` changes; every field with both values and what its change does.
struct PlanView {
    var plan: Plan
    var width: Int?

    func lines() -> [Line] {
        if plan.isInSync {
            return [Line(plan.stack, .strong) + " is in sync with the manifest: nothing to do."]
        }
        var result = [
            Line("Plan for ") + Line(plan.stack, .strong) + Line("  revision \(shortRevision)", .faint), Line(),
        ]
        let column = plan.changes.reduce(0) { max($0, DisplayWidth.of($1.service)) }
        for change in plan.changes { result += lines(of: change, nameWidth: min(column, 40)) }
        return result + [Line(), Line(summary + ".")]
    }

    private var shortRevision: String { String(plan.revision.prefix(12)) }

    private func lines(of change: Change, nameWidth: Int) -> [Line] {
        let (symbol, style) = Self.symbol(of: change.action)
        var head = Line("  \(symbol) ", style) + Line(change.service, .strong).padded(to: nameWidth) + "  "
        head += Line(change.action.rawValue, style)
        // A single reason stands on the line of its change, if it fits there.
        let reasons = change.because.joined(separator: "; ")
        let margin = String(repeating: " ", count: nameWidth + 6)
        var result: [Line] = []
        let inline = reasons.isEmpty ? head : head + Line("  because \(reasons)", .faint)
        if let width, inline.width > width, !reasons.isEmpty {
            result.append(head)
            let room = max(20, width - margin.utf8.count)
            result += DisplayWidth.wrapped("because \(reasons)", to: room).map { Line(margin) + Line($0, .faint) }
        } else {
            result.append(inline)
        }
        return result + fields(of: change, margin: margin)
    }

    private func fields(of change: Change, margin: String) -> [Line] {
        let paths = change.fields.reduce(0) { max($0, DisplayWidth.of($1.path)) }
        return change.fields.map { field in
            let fate = Line("  \(field.fate.rawValue)", Self.style(of: field.fate))
            let path = Line(margin) + Line(field.path).padded(to: min(paths, 40)) + "  "
            var (from, to) = (ValueText.of(field.from), ValueText.of(field.to))
            if let width {
                // Both values share what the line has left; the shorter one gives what it doesn't need.
                let room = max(16, width - path.width - fate.width - 3)
                let (fromWidth, toWidth) = (DisplayWidth.of(from), DisplayWidth.of(to))
                from = DisplayWidth.fitted(from, to: max(room / 2, room - toWidth))
                to = DisplayWidth.fitted(to, to: max(room / 2, room - fromWidth))
            }
            return path + Line(from, .bad) + Line(" → ", .faint) + Line(to, .good) + fate
        }
    }

    /// `2 to create, 1 to restart, 3 changed live`.
    var summary: String {
        let parts: [String] = Change.Action.allCases.compactMap { action in
            let count = plan.changes.count { $0.action == action }
            guard count > 0 else { return nil }
            return action == .live ? "\(count) changed live" : "\(count) to \(action.rawValue)"
        }
        return parts.joined(separator: ", ")
    }

    private static func symbol(of action: Change.Action) -> (String, Style) {
        switch action {
        case .create, .start, .run: ("+", .good)
        case .remove, .stop: ("-", .bad)
        case .restart, .reload: ("~", .caution)
        case .live, .scale, .rename: ("~", .active)
        }
    }

    private static func style(of fate: Fate) -> Style {
        switch fate {
        case .live: .active
        case .reload, .restart: .caution
        }
    }
}

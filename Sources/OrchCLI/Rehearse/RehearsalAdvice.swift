// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What a person should know of a play: drawn from the score and the manifest.
struct RehearsalAdvice {
    var rehearsal: Rehearsal
    var score: RehearsalScore

    /// More are a loop.
    private static let manyLaunches = 5

    private var stack: Stack { rehearsal.request.stack }
    /// When everything was told to go.
    private var curtain: Duration {
        score.acts.last.map { $0.isDown ? $0.from : $0.to } ?? .zero
    }

    // MARK: Numbers

    /// When it was first ready, or a task over.
    func upAfter(_ part: RehearsalScore.Part) -> Duration? { part.spans.first { $0.phase.isUp(part.kind) }?.from }

    /// How long it was not, after it had been and before all was told to go.
    func away(_ part: RehearsalScore.Part) -> Duration { away(part, from: .zero, to: curtain) }

    func away(_ part: RehearsalScore.Part, from: Duration, to: Duration) -> Duration {
        guard let first = upAfter(part) else { return .zero }
        return part.spans.reduce(.zero) { sum, span in
            guard !span.phase.isUp(part.kind) else { return sum }
            let overlap = min(span.to, to) - max(span.from, max(first, from))
            return overlap > .zero ? sum + overlap : sum
        }
    }

    // MARK: Acts

    /// What an act came to, in a sentence or two.
    func sentence(on act: RehearsalScore.Act) -> Line {
        let span = PlayTime.text(act.to - act.from)
        let isFirst = act == score.acts.first
        let lack = act.isDown ? "not all is gone" : "not all is up"
        switch act.outcome {
        case .settled:
            let others = bystanders(of: act)
            return Line("all is up \(isFirst ? "after" : "again after") \(span)", .good)
                + Line(others.isEmpty ? "" : "; \(others)")
        case .gone: return Line("all is gone after \(span)", .good)
        case .failed(let reason): return Line("\(lack) after \(span): \(reason)", .bad)
        case .stuck: return Line("\(lack), and nothing more will happen by itself: \(missing)", .bad)
        case .unsettled: return Line("\(lack) after \(span): \(missing)", .caution)
        }
    }

    private var missing: String {
        let rows = score.parts.filter { part in
            part.last.map { !$0.phase.isUp(part.kind) && $0.phase != .idle } ?? false
        }
        let named = rows.prefix(6).map { "\($0.label) is \($0.last?.phase.rawValue ?? "")" }
        return named.isEmpty ? "it comes and goes" : named.joined(separator: ", ") + (rows.count > 6 ? ", …" : "")
    }

    /// Who was away, and which dependants were not touched by it.
    private func bystanders(of act: RehearsalScore.Act) -> String {
        let absent = score.parts.compactMap { part -> (part: RehearsalScore.Part, span: Duration)? in
            let span = away(part, from: act.from, to: act.to)
            return span > .zero ? (part, span) : nil
        }
        guard !absent.isEmpty else { return act == score.acts.first ? "" : "nobody was away" }
        let names = Set(absent.map(\.part.id.service.service))
        let untouched = dependants(of: names).filter { spec in
            score.parts.contains {
                $0.id.service.service == spec.name && $0.kind == .service && $0.last?.phase == .ready
            }
        }
        var text = absent.prefix(6).map { "\($0.part.label) was away for \(PlayTime.text($0.span))" }.joined(
            separator: ", ")
        if absent.count > 6 { text += " and \(absent.count - 6) more" }
        if !untouched.isEmpty {
            let listed = untouched.prefix(6).map(\.name).joined(separator: ", ") + (untouched.count > 6 ? ", …" : "")
            text += "; \(listed) ran on"
        }
        return text
    }

    /// Who needs one of them, or needs who does; without themselves.
    private func dependants(of names: Set<String>) -> [ServiceSpec] {
        var reached = names
        var count = 0
        while count != reached.count {
            count = reached.count
            for spec in stack.services where spec.dependsOn.contains(where: { reached.contains($0.on) }) {
                reached.insert(spec.name)
            }
        }
        return stack.services.filter { reached.contains($0.name) && !names.contains($0.name) }
    }

    // MARK: Instances

    /// What should be known of one.
    func notes(on part: RehearsalScore.Part) -> [Line] {
        guard let spec = stack.service(part.id.service.service), let last = part.last else { return [] }
        var notes: [Line] = []
        switch last.phase {
        case .waiting: notes.append(waiting(last, spec))
        case .failed: notes.append(givenUp(last, spec))
        case .running:
            let reason =
                spec.startTimeout == nil
                ? "still at work: `timeout` is not set, so it may take for ever"
                : "still at work; its timeout is \(spec.startTimeout?.text ?? "")"
            notes.append(placed(reason, spec.name, "timeout"))
        case .backoff, .starting, .unhealthy, .reloading, .stopping, .stuck:
            notes.append(placed("\(Self.clause(last.phase)) in the end: \(last.reason)", spec.name, nil))
        case .done:
            if spec.kind == .service {
                notes.append(
                    placed(
                        "\(last.reason), and is not started again: restart is \(spec.restart.policy.rawValue)",
                        spec.name,
                        "restart"))
            }
        case .idle, .ready: break
        }
        if part.launches > Self.manyLaunches, spec.restart.maxAttempts == nil, last.phase != .failed,
            last.phase != .done
        {
            notes.append(
                placed(
                    "launched \(part.launches) times and never given up: restart.max_attempts is not set", spec.name,
                    "restart"))
        }
        if let held = heldUp(part) { notes.append(held) }
        if let killed = killed(part) { notes.append(killed) }
        if last.id.replica == 1, let hasty = hasty(spec) { notes.append(hasty) }
        return notes
    }

    private func waiting(_ status: InstanceStatus, _ spec: ServiceSpec) -> Line {
        for need in spec.dependsOn {
            let missing = score.parts.filter {
                $0.id.service.service == need.on && !($0.last?.phase.isUp($0.kind) ?? false)
            }
            guard let first = missing.first, let phase = first.last?.phase else { continue }
            let who = "\(first.label), which \(Self.clause(phase))"
            if let timeout = need.timeout {
                return placed(
                    "waits for \(who); it is given up after \(timeout.text)", spec.name,
                    "depends_on.\(need.on).timeout")
            }
            return placed(
                "would wait for ever for \(who): depends_on.\(need.on).timeout is not set", spec.name,
                "depends_on.\(need.on)")
        }
        return placed(status.reason, spec.name, "depends_on")
    }

    private static func clause(_ phase: Phase) -> String {
        switch phase {
        case .failed: "has failed"
        case .backoff: "fails again and again"
        case .running: "still runs"
        case .starting: "is not ready yet"
        case .waiting: "waits itself"
        case .done: "has ended"
        case .idle, .ready, .unhealthy, .reloading, .stopping, .stuck: "is \(phase.rawValue)"
        }
    }

    private func givenUp(_ status: InstanceStatus, _ spec: ServiceSpec) -> Line {
        if let again = spec.restart.retryAfter {
            return placed(
                "given up (\(status.reason)); tried again \(again.text) later", spec.name, "restart.retry_after")
        }
        return placed(
            "given up (\(status.reason)), until a person or a new revision starts it: restart.retry_after is not set",
            spec.name, "restart")
    }

    /// It was away because of others.
    private func heldUp(_ part: RehearsalScore.Part) -> Line? {
        guard let first = upAfter(part) else { return nil }
        var spans: [(reason: String, length: Duration)] = []
        for span in part.spans where span.phase == .waiting && span.from >= first && span.from < curtain {
            let length = min(span.to, curtain) - span.from
            // Without what the awaited one is doing meanwhile.
            let reason = span.reason.firstIndex(of: "(").map { String(span.reason[..<$0].dropLast()) } ?? span.reason
            if let known = spans.firstIndex(where: { $0.reason == reason }) {
                spans[known].length += length
            } else {
                spans.append((reason, length))
            }
        }
        let told = spans.filter { $0.length > .zero }.prefix(2).map { "\(PlayTime.text($0.length)) \($0.reason)" }
        return told.isEmpty
            ? nil : placed("was away \(told.joined(separator: ", "))", part.id.service.service, "depends_on")
    }

    private func killed(_ part: RehearsalScore.Part) -> Line? {
        for act in score.acts {
            for entry in act.entries {
                guard case .orch(let occurrence) = entry.content, occurrence.instance == part.id,
                    occurrence.kind == .killing
                else { continue }
                let stopping = act.entries.last { other in
                    guard case .orch(let earlier) = other.content else { return false }
                    return earlier.instance == part.id && earlier.kind == .stopping && other.at <= entry.at
                }
                let patience = stopping.map { ", \(PlayTime.text(entry.at - $0.at)) after it was asked to stop" } ?? ""
                return placed("SIGKILL was needed\(patience)", part.id.service.service, "stop")
            }
        }
        return nil
    }

    /// Others rely on a readiness that it never claims.
    private func hasty(_ spec: ServiceSpec) -> Line? {
        guard spec.kind == .service, spec.enabled, !spec.announcesReadiness else { return nil }
        let dependants = stack.services.filter { other in
            other.dependsOn.contains { $0.on == spec.name && $0.condition != .started }
        }
        guard !dependants.isEmpty else { return nil }
        let names = dependants.prefix(4).map(\.name).joined(separator: ", ") + (dependants.count > 4 ? ", …" : "")
        return placed(
            "counts as ready as soon as it is executed, and \(names) start\(dependants.count == 1 ? "s" : "") then:"
                + " it has no readiness probe", spec.name, "health")
    }

    // MARK: Places

    /// With the line of the manifest that it is about.
    private func placed(_ text: String, _ service: String, _ key: String?) -> Line {
        Line(text) + (position(service, key).map { Line("  \($0.text)", .faint) } ?? Line())
    }

    private func position(_ service: String, _ key: String?) -> Position? {
        rehearsal.request.positions.nearest(to: key.map { "\(service).\($0)" } ?? service)
    }
}

extension Phase {
    /// As it is to be.
    func isUp(_ kind: ServiceSpec.Kind) -> Bool {
        switch self {
        case .ready, .reloading: true
        case .done: kind == .task
        case .idle, .waiting, .backoff, .starting, .running, .unhealthy, .stopping, .failed, .stuck: false
        }
    }
}

/// Times of a play.
enum PlayTime {
    /// `0.204s`, `1m04.2s`, `2h03m`.
    static func text(_ span: Duration) -> String {
        let milliseconds = max(0, span.nanoseconds) / 1_000_000
        let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000)
        if minutes == 0 { return "\(rest / 1_000).\(padded(rest % 1_000, 3))s" }
        if minutes < 60 { return "\(minutes)m\(padded(rest / 1_000, 2)).\(rest % 1_000 / 100)s" }
        return "\(minutes / 60)h\(padded(minutes % 60, 2))m\(padded(rest / 1_000, 2))s"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

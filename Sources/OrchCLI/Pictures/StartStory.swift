// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// How the services of a stack came up the last time: for each instance what it did until it was first up, or given up.
struct StartStory: Equatable {
    struct Span: Equatable {
        var phase: Phase
        var from: WallTime
        var to: WallTime
        /// Why it was there, in words.
        var cause: String
    }
    struct Part: Equatable {
        var instance: InstanceID
        var label: String
        /// In the order of time, each from the end of the one before.
        var spans: [Span]
        /// Where it came to; nil: it was under way still.
        var end: Phase?
        /// Launches that it took.
        var attempts: Int
        /// When its process was executed first.
        var startedAt: WallTime?
        /// What its longest wait ended with, or what is missing still; nil where that can't be told.
        var waitedFor: String?

        /// For whom or what it waited longest; nil when it did not.
        var longestWait: Span? {
            spans.filter { $0.phase == .waiting }.max { $0.to - $0.from < $1.to - $1.from }
        }
        var from: WallTime { spans.first?.from ?? WallTime(nanoseconds: 0) }
        var to: WallTime { spans.last?.to ?? from }
    }

    var stack: String
    /// What it all began with; nil when nothing of it is known any more.
    var beginning: Occurrence?
    /// By when each began, and then by name.
    private(set) var parts: [Part] = []
    var from: WallTime { beginning?.time ?? parts.map(\.from).min() ?? WallTime(nanoseconds: 0) }
    var to: WallTime { parts.map(\.to).max() ?? from }

    /// - Parameters:
    ///   - definition: what needs what; nil where it can't be read.
    ///   - occurrences: of the stack and of the daemon, the oldest first.
    ///   - instances: as they stand at `now`: those of them are told.
    init(
        stack: String, definition: Stack? = nil, _ occurrences: [Occurrence], instances: [InstanceStatus],
        now: WallTime
    ) {
        self.stack = stack
        let known = Set(instances.map(\.id))
        for place in Self.beginnings(of: stack, in: occurrences).reversed() {
            var tellers: [InstanceID: Teller] = [:]
            for occurrence in occurrences[place...] {
                guard let id = occurrence.instance, known.contains(id) else { continue }
                tellers[id, default: Teller()].hear(occurrence)
            }
            beginning = occurrences[place]
            // By the instances' order: a dictionary has none.
            parts = instances.compactMap { row in
                guard var teller = tellers[row.id] else { return nil }
                teller.end(at: now)
                guard teller.attempts > 0 || !teller.spans.isEmpty else { return nil }
                return Part(
                    instance: row.id, label: row.label, spans: teller.spans, end: teller.outcome,
                    attempts: teller.attempts,
                    startedAt: teller.startedAt)
            }
            // What changed nothing started nothing.
            if !parts.isEmpty { break }
        }
        parts.sort { ($0.from, $0.instance) < ($1.from, $1.instance) }
        for place in parts.indices { parts[place].waitedFor = definition.flatMap { missing(parts[place], $0) } }
    }

    /// The history says what an instance waited for when it began to; what came last is told by the others.
    private func missing(_ part: Part, _ definition: Stack) -> String? {
        guard let wait = part.longestWait, let spec = definition.service(part.instance.service.service) else {
            return nil
        }
        let isWaiting = part.end == nil && part.spans.last == wait
        var last: (name: String, at: WallTime)?
        for need in spec.dependsOn where parts.contains(where: { $0.instance.service.service == need.on }) {
            guard let time = reached(need) else {
                if isWaiting { return need.on }
                continue
            }
            if time > wait.from, time <= wait.to, last.map({ time > $0.at }) ?? true { last = (need.on, time) }
        }
        return last?.name
    }

    /// By when all instances of a need had come so far; nil: not yet.
    private func reached(_ need: Dependency) -> WallTime? {
        var latest: WallTime?
        for part in parts where part.instance.service.service == need.on {
            let isUp = part.end == .ready || part.end == .done
            guard let time = need.condition == .started ? part.startedAt : isUp ? part.to : nil else { return nil }
            latest = max(latest ?? time, time)
        }
        return latest
    }

    /// Where something that starts services begins: an apply, a daemon.
    private static func beginnings(of stack: String, in occurrences: [Occurrence]) -> [Int] {
        occurrences.indices.filter { place in
            switch occurrences[place].kind {
            case .applied, .rolledBack: occurrences[place].stack == stack
            case .daemonStarted: true
            case .removed, .waiting, .launching, .started, .ready, .unready, .unhealthy, .healthy, .stopping, .exited,
                .killing, .stopped, .backoff, .failed, .done, .halted, .departed, .returned, .stuck, .adopted, .renamed,
                .step, .warning, .superseded, .changed, .exceeded, .recovered, .degraded, .reloading, .reloaded,
                .notReloaded, .hook, .hooked, .hookFailed, .signalled, .skipped,
                .daemonStopping:
                false
            }
        }
    }

    /// Makes spans of what happens to one instance, until it is up.
    private struct Teller {
        var spans: [Span] = []
        var outcome: Phase?
        var attempts = 0
        var startedAt: WallTime?
        private var open: (phase: Phase, from: WallTime, cause: String)?

        mutating func hear(_ occurrence: Occurrence) {
            guard outcome == nil else { return }
            switch occurrence.kind {
            case .waiting: begin(.waiting, occurrence)
            case .launching:
                attempts += 1
                begin(.starting, occurrence)
            case .started:
                startedAt = startedAt ?? occurrence.time
                if attempts == 0 { begin(.starting, occurrence) }
            case .backoff: begin(.backoff, occurrence)
            case .ready: finish(.ready, occurrence)
            case .done: finish(.done, occurrence)
            case .failed, .halted: finish(.failed, occurrence)
            case .stuck: finish(.stuck, occurrence)
            case .stopped, .departed: if attempts > 0 { finish(.idle, occurrence) }
            // The former launch has to go first, where there is one.
            case .stopping: begin(.stopping, occurrence)
            case .applied, .removed, .unready, .unhealthy, .healthy, .exited, .killing, .returned, .adopted, .renamed,
                .step,
                .warning, .rolledBack, .superseded, .changed, .exceeded, .recovered, .degraded, .reloading, .reloaded,
                .notReloaded, .hook, .hooked, .hookFailed, .signalled, .skipped,
                .daemonStarted, .daemonStopping:
                break
            }
        }

        private mutating func begin(_ phase: Phase, _ occurrence: Occurrence) {
            close(at: occurrence.time)
            open = (phase, occurrence.time, occurrence.cause)
        }

        private mutating func finish(_ phase: Phase, _ occurrence: Occurrence) {
            close(at: occurrence.time)
            // That a former launch was stopped is no end of a start.
            if spans.isEmpty, attempts == 0 {
                spans = [Span(phase: phase, from: occurrence.time, to: occurrence.time, cause: occurrence.cause)]
            }
            outcome = phase
        }

        private mutating func close(at time: WallTime) {
            guard let open else { return }
            spans.append(Span(phase: open.phase, from: open.from, to: max(open.from, time), cause: open.cause))
            self.open = nil
        }

        mutating func end(at now: WallTime) { close(at: now) }
    }
}

extension StartStory {
    var value: Value {
        let instances: [Value] = parts.map { part in
            let spans: [Value] = part.spans.map { span in
                [
                    "phase": .string(span.phase.rawValue), "from": .string(span.from.rfc3339),
                    "to": .string(span.to.rfc3339), "cause": .string(span.cause),
                ]
            }
            return [
                "instance": .string(part.instance.name), "label": .string(part.label),
                "end": .optional(part.end?.rawValue),
                "launches": .int(Int64(part.attempts)), "waited_for": .optional(part.waitedFor), "spans": .array(spans),
            ]
        }
        return [
            "stack": .string(stack), "because": .optional(beginning?.cause), "from": .optional(beginning?.time.rfc3339),
            "instances": .array(instances),
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// How the words of the model look.
enum PhaseText {
    static func style(of phase: Phase) -> Style {
        switch phase {
        case .ready, .done: .good
        case .failed, .stuck: .bad
        case .unhealthy, .backoff: .caution
        case .starting, .running, .reloading, .stopping, .waiting: .active
        case .idle: .faint
        }
    }

    static func style(of phase: StackPhase) -> Style {
        switch phase {
        case .ready: .good
        case .progressing: .active
        case .degraded: .caution
        case .failed: .bad
        case .stopped: .faint
        }
    }

    static func style(of health: Health) -> Style {
        switch health {
        case .healthy: .good
        case .unhealthy: .bad
        case .unknown, .none: .faint
        }
    }

    static func style(of kind: Occurrence.Kind) -> Style {
        switch kind {
        case .ready, .healthy, .recovered, .reloaded, .hooked, .done: .good
        case .failed, .stuck, .killing: .bad
        case .unready, .unhealthy, .notReloaded, .hookFailed, .exceeded, .degraded, .backoff, .exited, .halted,
            .warning, .skipped:
            .caution
        case .changed, .hook, .signalled, .reloading, .launching, .started, .stopping, .waiting, .step: .active
        case .applied, .rolledBack, .removed, .stopped, .departed, .returned, .adopted, .renamed, .superseded,
            .daemonStarted,
            .daemonStopping:
            .plain
        }
    }

    /// What a reason leaves out: when the next thing happens by itself, and where in the manifest it lies.
    static func reason(of status: InstanceStatus, at time: TimeText) -> Line {
        var line = Line(status.reason)
        if let until = status.until {
            let ahead = time.ahead(until)
            if !ahead.isEmpty { line += Line(status.reason.isEmpty ? "next step \(ahead)" : "; next step \(ahead)") }
        }
        if let position = status.position { line += Line("  \(position.text)", .faint) }
        return line
    }
}

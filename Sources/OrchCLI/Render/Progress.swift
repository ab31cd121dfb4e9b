// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// How far a goal is, instance by instance: fed with statuses, drawn as frames on a terminal or told as plain lines.
struct Progress {
    /// What counts as being there.
    enum Aim: Equatable {
        /// Ready, done, or not wanted.
        case up
        /// No process is left.
        case down
    }
    enum Standing { case underWay, settled, broken }

    struct Entry {
        var status: InstanceStatus
        /// When it came to where it stands, on the clock of the command; nil while under way.
        var settledAt: Instant?
        /// It stood there from the beginning: nothing was done to it.
        var isUntouched: Bool
    }

    let title: String
    let aim: Aim
    let startedAt: Instant
    /// What the longest name will be, as far as that is known before it is seen.
    var labelWidth = 0
    private(set) var entries: [Entry] = []
    /// Of the longest name that was seen.
    private var seenWidth = 0
    /// So many more stand where they are to be, and did from the beginning.
    var resting = 0
    /// An index into `entries`; never iterated.
    private var places: [InstanceID: Int] = [:]

    init(title: String, aim: Aim, startedAt: Instant) {
        self.title = title
        self.aim = aim
        self.startedAt = startedAt
    }

    /// Takes up a status; true when the phase changed, which is what a plain line tells.
    @discardableResult
    mutating func update(_ status: InstanceStatus, at now: Instant) -> Bool {
        seenWidth = max(seenWidth, DisplayWidth.of(status.label))
        guard let place = places[status.id] else {
            let isThere = standing(of: status) != .underWay
            // One of those moved.
            if resting > 0 { resting -= 1 }
            places[status.id] = entries.count
            entries.append(Entry(status: status, settledAt: isThere ? now : nil, isUntouched: isThere))
            return !isThere || standing(of: status) == .broken
        }
        let old = entries[place].status
        entries[place].status = status
        let moved = old.phase != status.phase
        if standing(of: status) == .underWay {
            entries[place].settledAt = nil
        } else if entries[place].settledAt == nil || moved {
            entries[place].settledAt = now
        }
        if moved || old.launch != status.launch { entries[place].isUntouched = false }
        return moved
    }

    /// It was removed: nothing of it is left.
    mutating func vanish(_ id: InstanceID, at now: Instant) {
        guard let place = places[id] else {
            if resting > 0 { resting -= 1 }
            return
        }
        entries[place].status.phase = .idle
        entries[place].status.reason = ""
        entries[place].status.until = nil
        entries[place].settledAt = entries[place].settledAt ?? now
        entries[place].isUntouched = false
    }

    func standing(of status: InstanceStatus) -> Standing {
        switch aim {
        case .up:
            switch status.phase {
            case .ready, .done, .idle: .settled
            case .failed, .stuck: .broken
            case .waiting, .backoff, .starting, .running, .unhealthy, .reloading, .stopping: .underWay
            }
        case .down:
            switch status.phase {
            case .idle, .done, .failed: .settled
            case .stuck: .broken
            case .waiting, .backoff, .starting, .running, .ready, .unhealthy, .reloading, .stopping: .underWay
            }
        }
    }

    /// Instances that the goal counts: what is disabled is neither here nor there.
    var counted: [Entry] { aim == .up ? entries.filter { $0.status.phase != .idle } : entries }
    var settledCount: Int { resting + counted.count { standing(of: $0.status) == .settled } }
    var total: Int { resting + counted.count }
    var broken: [InstanceStatus] { entries.map(\.status).filter { standing(of: $0) == .broken } }

    /// `4 of 6 ready`.
    var score: String { "\(settledCount) of \(total) \(aim == .up ? "ready" : "stopped")" }

    /// `1.2s web   starting  waiting for db to be ready`: one line a change, for pipes and files.
    func plainLine(of status: InstanceStatus, at now: Instant) -> Line {
        var line = Line("\(TimeText.elapsed(now - startedAt))", .faint).padded(to: 7, alignedRight: true) + "  "
        line += Line(status.label).padded(to: min(40, max(labelWidth, seenWidth))) + "  "
        line += Line(status.phase.rawValue, PhaseText.style(of: status.phase))
        if !status.reason.isEmpty, standing(of: status) != .settled {
            line = line.padded(to: line.width + max(0, 9 - status.phase.rawValue.utf8.count)) + "  \(status.reason)"
        }
        return line
    }
}

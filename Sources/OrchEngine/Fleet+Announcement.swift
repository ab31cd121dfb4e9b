// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// How a service says that it is ready, and what is said of it meanwhile.
extension ReadySpec {
    /// What it waits for.
    public var notice: Notice {
        switch self {
        case .notify: .ready
        case .log, .fd: .line
        }
    }

    /// Why it was not ready before and is now.
    var achievement: String {
        switch self {
        case .notify: "it said READY=1"
        case .log(let pattern): "a line that it wrote matched \(Self.shown(pattern))"
        case .fd(let number): "it wrote a newline to descriptor \(number)"
        }
    }

    /// Why it is not ready yet.
    var lack: String {
        switch self {
        case .notify: "it has not said READY=1 yet"
        case .log(let pattern): "no line that it wrote has matched \(Self.shown(pattern)) yet"
        case .fd(let number): "it has not written a newline to descriptor \(number) yet"
        }
    }

    /// A pattern may be longer than a reason should be.
    private static func shown(_ pattern: String) -> String {
        pattern.count <= 80 ? "\"\(pattern)\"" : "\"\(pattern.prefix(79))…\""
    }
}

extension Fleet {
    /// What it is to say before it is ready, and has not said.
    func lack(_ spec: ServiceSpec, _ incarnation: Incarnation) -> ReadySpec? {
        incarnation.isAnnounced ? nil : spec.ready
    }

    /// Kept for the next daemon as soon as it is known, unless that keeps that it is ready.
    mutating func noteAnnouncement(_ place: Int, _ effects: inout [Effect]) {
        guard let incarnation = slots[place]?.current, incarnation.isAnnounced, !incarnation.isAnnouncementNoted,
            incarnation.readyAt == nil
        else { return }
        slots[place]?.current?.isAnnouncementNoted = true
        effects.append(.note(.announced(incarnation.launch)))
    }
}

extension Incarnation {
    /// What the service says of itself.
    mutating func hear(_ notice: Notice, awaited: ReadySpec?, at now: Instant) {
        guard !hasEnded else { return }
        reload?.hear(notice)
        if notice == awaited?.notice ?? .ready { isAnnounced = true }
        switch notice {
        case .ready:
            reloadingSince = nil
            told.isReady = true
            if readyAt != nil { told.extendedTo = nil }
        case .line, .stored: break
        case .stopping:
            guard told.stoppingSince == nil else { return }
            told.stoppingSince = now
            told.extendedTo = nil
        case .reloading: reloadingSince = now
        case .status(let text): said = text
        case .mainPID(let number): pid = number
        case .watchdog:
            fedAt = now
            isFed = true
        case .watchdogTrigger: isTriggered = true
        case .watchdogTime(let span):
            told.watchdog = span
            fedAt = now
        case .extend(let span): extend(to: now + span)
        }
    }
}

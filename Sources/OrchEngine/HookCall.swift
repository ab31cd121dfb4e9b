// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// One hook that is to run once, and what it is told.
public struct HookCall: Equatable, Sendable {
    /// Its own, of the same row as the numbers of launches: no other call and no launch has it.
    public var id: LaunchID
    public var kind: HookKind
    public var instance: InstanceID
    /// The definition of the service that it belongs to.
    public var definition: Digest
    /// The launch that it is about; none yet for `pre_start`.
    public var about: LaunchID?
    /// How that launch ended; nil while it lives, and when it never executed.
    public var exit: Exit?
    /// In words: why it starts, why it stops, how it ended.
    public var reason: String
    /// The first of so many starts in a row that came to nothing is 1.
    public var attempt: Int
    /// Of the service's main process, while it lives.
    public var pid: Int32?
    /// What that launch had.
    public var ports: [AssignedPort]

    public init(
        id: LaunchID, _ kind: HookKind, of instance: InstanceID, definition: Digest, about: LaunchID? = nil,
        exit: Exit? = nil, reason: String, attempt: Int = 1, pid: Int32? = nil, ports: [AssignedPort] = []
    ) {
        self.id = id
        self.kind = kind
        self.instance = instance
        self.definition = definition
        self.about = about
        self.exit = exit
        self.reason = reason
        self.attempt = attempt
        self.pid = pid
        self.ports = ports
    }

    /// What it finds in its environment beside what the service has.
    public var variables: [EnvironmentEntry] {
        var entries = [
            EnvironmentEntry("ORCH_HOOK", kind.rawValue),
            EnvironmentEntry("ORCH_REASON", String(decoding: reason.utf8.filter { $0 != 0 }, as: UTF8.self)),
            EnvironmentEntry("ORCH_ATTEMPT", "\(attempt)"),
        ]
        if let pid { entries.append(EnvironmentEntry("ORCH_MAIN_PID", "\(pid)")) }
        switch exit {
        case .code(let code): entries.append(EnvironmentEntry("ORCH_EXIT_CODE", "\(code)"))
        case .signal(let signal, _): entries.append(EnvironmentEntry("ORCH_EXIT_SIGNAL", signal.name))
        case .unknown, nil: break
        }
        return entries
    }
}

/// How far a call has come, for the next daemon.
public enum HookStage: Equatable, Sendable {
    case owed
    /// It runs as this launch, since then.
    case begun(LaunchID, at: Moment)
    /// What it ran as, if it did. Nothing of that is left.
    case over(LaunchID?, isSuccess: Bool)
}

extension HookStage {
    /// What it runs as, or ran.
    public var launch: LaunchID? {
        switch self {
        case .owed: nil
        case .begun(let launch, _): launch
        case .over(let launch, _): launch
        }
    }
}

/// A call that is not over.
struct HookRun: Sendable {
    var call: HookCall
    /// The keeper had it when this daemon woke up.
    var isHeld = false
    /// What it runs as; nil before it began.
    var launch: LaunchID?
    var began: Moment?
    /// When it was first tried.
    var firstTriedAt: Instant?
    /// Not tried again before.
    var notBefore: Instant?
    /// The launch is one of the starts under way.
    var isUnderWay = false
    /// Held while `pre_start` runs.
    var locks: [String] = []

    // Facts.
    var hasExecuted = false
    var fault: Fault?
    var isScarcity = false
    var exit: Exit?
    var exitAt: Instant?
    var isEmptied = false

    /// Nobody needs it any more, since then.
    var calledOffAt: Instant?
    /// Why it was ended.
    var obstacle: String?
    var killedAt: Instant?
    var killAgainAt: Instant?

    init(_ call: HookCall) { self.call = call }

    mutating func hear(_ fault: Fault, isScarcity: Bool) {
        guard self.fault == nil, exit == nil else { return }
        self.fault = fault
        self.isScarcity = isScarcity
    }

    mutating func hear(_ exit: Exit, at now: Instant) {
        guard fault == nil, self.exit == nil else { return }
        self.exit = exit
        exitAt = now
        hasExecuted = true
    }

    /// Nothing of it is left, or ever was.
    var isOver: Bool { fault != nil || exit != nil && isEmptied }

    /// Why it came to nothing; nil when it worked.
    var failure: String? {
        if let obstacle { return obstacle }
        if let fault { return fault.text }
        guard let exit, exit != .code(0) else { return nil }
        return exit.text
    }
}

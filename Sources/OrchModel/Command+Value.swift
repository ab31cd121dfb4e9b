// SPDX-License-Identifier: Apache-2.0

/// `{"command": "stop", "targets": […], "timeout": "5s"}`: the word of the command and what it takes.
extension Command: ValueCodable {
    /// The command's word.
    public var word: String {
        switch self {
        case .apply: "apply"
        case .diff: "diff"
        case .recall: "recall"
        case .applyKnown: "apply-known"
        case .rollback: "rollback"
        case .rollbackPlan: "rollback-plan"
        case .down: "down"
        case .start: "start"
        case .stop: "stop"
        case .restart: "restart"
        case .reload: "reload"
        case .scale: "scale"
        case .signal: "signal"
        case .status: "status"
        case .processes: "processes"
        case .follow: "follow"
        case .why: "why"
        case .history: "history"
        case .events: "events"
        case .rotateLogs: "rotate-logs"
        case .daemonStatus: "daemon-status"
        case .daemonStop: "daemon-stop"
        case .daemonRestart: "daemon-restart"
        case .daemonUpgrade: "daemon-upgrade"
        }
    }

    public var value: Value {
        var w = ObjectWriter()
        w.set("command", word)
        switch self {
        case .apply(let request), .diff(let request): w.set("request", request)
        case .recall(let manifest): w.set("manifest", manifest)
        case .applyKnown(let request): w.set("request", request)
        case .rollback(let request), .rollbackPlan(let request): w.set("request", request)
        case .down(let stack, let timeout):
            w.set("stack", stack)
            w.set("timeout", timeout)
        case .start(let targets), .restart(let targets), .reload(let targets): w.set("targets", list: targets)
        case .stop(let targets, let timeout):
            w.set("targets", list: targets)
            w.set("timeout", timeout)
        case .scale(let target, let replicas):
            w.set("target", target)
            w.set("replicas", replicas)
        case .signal(let targets, let signal):
            w.set("targets", list: targets)
            w.set("signal", signal.name)
        case .status(let target, let detail):
            w.set("target", target)
            w.set("detail", detail.rawValue, unless: StatusDetail.usage.rawValue)
        case .processes(let target): w.set("target", target)
        case .follow(let targets, let goal, let opening):
            w.set("targets", list: targets)
            w.set("goal", goal.word)
            w.set("opening", opening.rawValue, unless: Opening.all.rawValue)
        case .why(let target), .history(let target): w.set("target", target)
        case .events(let target, let since, let follow):
            w.set("target", target)
            w.set("since", since.map { .int($0.nanoseconds) })
            w.set("follow", follow)
        case .rotateLogs(let targets): w.set("targets", list: targets)
        case .daemonUpgrade(let upgrade): w.set("upgrade", upgrade)
        case .daemonStatus, .daemonStop, .daemonRestart: break
        }
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        switch try r.string("command") {
        case "apply": self = .apply(try r.noun("request"))
        case "diff": self = .diff(try r.noun("request"))
        case "recall": self = .recall(manifest: try r.string("manifest"))
        case "apply-known": self = .applyKnown(try r.noun("request"))
        case "rollback": self = .rollback(try r.noun("request"))
        case "rollback-plan": self = .rollbackPlan(try r.noun("request"))
        case "down": self = .down(stack: try r.string("stack"), timeout: try r.optionalDuration("timeout"))
        case "start": self = .start(try r.list("targets"))
        case "stop": self = .stop(try r.list("targets"), timeout: try r.optionalDuration("timeout"))
        case "restart": self = .restart(try r.list("targets"))
        case "reload": self = .reload(try r.list("targets"))
        case "scale": self = .scale(try r.noun("target"), replicas: try r.int("replicas", or: 0))
        case "signal": self = .signal(try r.list("targets"), try r.signal("signal"))
        case "status": self = .status(try r.optional("target"), try r.word("detail", or: .usage))
        case "processes": self = .processes(try r.optional("target"))
        case "follow":
            guard let goal = Goal(word: try r.string("goal")) else {
                throw ShapeError(path: "goal", expected: "a goal")
            }
            self = .follow(try r.list("targets"), goal: goal, opening: try r.word("opening", or: .all))
        case "why": self = .why(try r.noun("target"))
        case "history": self = .history(try r.noun("target"))
        case "events":
            let since = try r.optionalInt("since").map { WallTime(nanoseconds: Int64($0)) }
            self = .events(try r.optional("target"), since: since, follow: try r.bool("follow", or: false))
        case "rotate-logs": self = .rotateLogs(try r.list("targets"))
        case "daemon-status": self = .daemonStatus
        case "daemon-stop": self = .daemonStop
        case "daemon-restart": self = .daemonRestart
        case "daemon-upgrade": self = .daemonUpgrade(try r.noun("upgrade"))
        default: throw ShapeError(path: "command", expected: "a known command")
        }
    }
}

extension Goal {
    /// `settled`, `stopped`, `gone`, `forever`, `proven` and a revision, or the condition to reach.
    public var word: String {
        switch self {
        case .settled: "settled"
        case .reached(let condition): condition.rawValue
        case .proven(let revision): "proven \(revision.hex)"
        case .reloaded: "reloaded"
        case .stopped: "stopped"
        case .gone: "gone"
        case .forever: "forever"
        }
    }
    /// Nil for no goal's word.
    public init?(word: String) {
        switch word {
        case "settled": self = .settled
        case "reloaded": self = .reloaded
        case "stopped": self = .stopped
        case "gone": self = .gone
        case "forever": self = .forever
        default:
            if word.hasPrefix("proven ") {
                guard let revision = Digest(hex: String(word.dropFirst("proven ".count))) else { return nil }
                self = .proven(revision)
                return
            }
            guard let condition = Dependency.Condition(rawValue: word) else { return nil }
            self = .reached(condition)
        }
    }
}

/// `{"verdict": "failed", "reason": "…"}`.
extension Verdict: ValueCodable {
    public var value: Value {
        switch self {
        case .pending: ["verdict": "pending"]
        case .reached: ["verdict": "reached"]
        case .failed(let reason): ["verdict": "failed", "reason": .string(reason)]
        case .rolledBack(let told): told.value
        }
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        switch try r.string("verdict") {
        case "pending": self = .pending
        case "reached": self = .reached
        case "failed": self = .failed(try r.string("reason"))
        case "rolled-back": self = .rolledBack(try RolledBack(value))
        default: throw ShapeError(path: "verdict", expected: "a verdict")
        }
    }
}

extension RolledBack: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("verdict", "rolled-back")
        w.set("from", from.hex)
        w.set("to", to.hex)
        w.set("reason", reason)
        w.set("instance", instance)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(
            from: try r.digest("from"), to: try r.digest("to"), reason: try r.string("reason"),
            instance: try r.optional("instance"))
    }
}

extension Refusal: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("kind", kind.rawValue)
        w.set("message", message)
        w.set("remedy", remedy)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(try r.word("kind"), try r.string("message"), remedy: try r.optionalString("remedy"))
    }
}

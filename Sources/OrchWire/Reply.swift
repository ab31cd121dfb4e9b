// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// What the daemon answers. A request has any number of items and exactly one final reply.
public struct Reply: Equatable, Sendable, ValueCodable {
    public enum Body: Equatable, Sendable {
        /// It is durable and under way. The plan of an apply; a sentence if there is one to say.
        case accepted(Plan?, text: String?)
        case status([StackStatus])
        case processes([InstanceProcesses])
        case plan(Plan)
        /// Nil: the daemon does not have it, or not any more.
        case recalled(Recollection?)
        /// One row of a stream: the answer to `follow`.
        case instance(InstanceStatus)
        /// It is gone: the answer to `follow` when an instance vanishes.
        case gone(InstanceID)
        /// So many instances are there already: how the answer to `follow` may begin.
        case there(Int)
        /// One row of a stream: the answer to `events`.
        case occurrence(Occurrence)
        /// Ends `follow`.
        case verdict(Verdict)
        case why([Explanation])
        case history(StackHistory)
        /// What became of each log file.
        case rotated([LogRotation])
        case daemon(DaemonStatus)
        case refusal(Refusal)
        /// Ends `events`.
        case end
    }
    /// The request's number; 0 when the daemon speaks of the connection.
    public var id: UInt64
    public var body: Body
    public init(id: UInt64, _ body: Body) {
        self.id = id
        self.body = body
    }

    /// Nothing more comes for this request.
    public var isFinal: Bool {
        switch body {
        case .instance, .gone, .there, .occurrence: false
        case .accepted, .status, .processes, .plan, .recalled, .verdict, .why, .history, .rotated, .daemon, .refusal,
            .end:
            true
        }
    }

    public var value: Value {
        var w = ObjectWriter()
        w.set("id", Value.unsigned(id))
        switch body {
        case .accepted(let plan, let text):
            w.set("reply", "accepted")
            w.set("plan", plan)
            w.set("text", text)
        case .status(let stacks):
            w.set("reply", "status")
            w.set("stacks", .array(stacks.map(\.value)))
        case .processes(let instances):
            w.set("reply", "processes")
            w.set("instances", list: instances)
        case .plan(let plan):
            w.set("reply", "plan")
            w.set("plan", plan)
        case .recalled(let recollection):
            w.set("reply", "recalled")
            w.set("recollection", recollection)
        case .there(let count):
            w.set("reply", "there")
            w.set("count", count)
        case .instance(let status):
            w.set("reply", "instance")
            w.set("instance", status)
        case .gone(let instance):
            w.set("reply", "gone")
            w.set("stack", instance.service.stack)
            w.set("instance", instance.name)
        case .occurrence(let occurrence):
            w.set("reply", "occurrence")
            w.set("occurrence", occurrence)
        case .verdict(let verdict):
            w.set("reply", "verdict")
            w.set("verdict", verdict)
        case .why(let explanations):
            w.set("reply", "why")
            w.set("explanations", .array(explanations.map(\.value)))
        case .history(let history):
            w.set("reply", "history")
            w.set("history", history)
        case .rotated(let files):
            w.set("reply", "rotated")
            w.set("files", .array(files.map(\.value)))
        case .daemon(let status):
            w.set("reply", "daemon")
            w.set("daemon", status)
        case .refusal(let refusal):
            w.set("reply", "refusal")
            w.set("refusal", refusal)
        case .end: w.set("reply", "end")
        }
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        self.init(id: try Request.id(of: value), try Body(ObjectReader(value)))
    }
}

extension Reply.Body {
    init(_ r: ObjectReader) throws(ShapeError) {
        switch try r.string("reply") {
        case "accepted": self = .accepted(try r.optional("plan"), text: try r.optionalString("text"))
        case "status": self = .status(try r.list("stacks"))
        case "processes": self = .processes(try r.list("instances"))
        case "plan": self = .plan(try r.noun("plan"))
        case "recalled": self = .recalled(try r.optional("recollection"))
        case "there": self = .there(try r.int("count"))
        case "instance": self = .instance(try r.noun("instance"))
        case "gone":
            guard let id = InstanceID(stack: try r.string("stack"), name: try r.string("instance"))
            else { throw ShapeError(path: "instance", expected: "an instance") }
            self = .gone(id)
        case "occurrence": self = .occurrence(try r.noun("occurrence"))
        case "verdict": self = .verdict(try r.noun("verdict"))
        case "why": self = .why(try r.list("explanations"))
        case "history": self = .history(try r.noun("history"))
        case "rotated": self = .rotated(try r.list("files"))
        case "daemon": self = .daemon(try r.noun("daemon"))
        case "refusal": self = .refusal(try r.noun("refusal"))
        case "end": self = .end
        default: throw ShapeError(path: "reply", expected: "a known reply")
        }
    }
}

/// Where an instance stands and how it came there.
public struct Explanation: Equatable, Sendable, ValueCodable {
    public var status: InstanceStatus
    /// Newest first.
    public var chain: [Occurrence]
    public init(status: InstanceStatus, chain: [Occurrence]) {
        self.status = status
        self.chain = chain
    }
    public var value: Value { ["instance": status.value, "chain": .array(chain.map(\.value))] }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(status: try r.noun("instance"), chain: try r.list("chain"))
    }
}

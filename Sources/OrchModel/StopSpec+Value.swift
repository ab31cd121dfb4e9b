// SPDX-License-Identifier: Apache-2.0

/// `{scope, steps: [{signal, to, wait}, …]}`. The last step, which always kills the tree at once, is not written.
extension StopSpec: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("scope", scope.rawValue, unless: Scope.tree.rawValue)
        var written = steps.count
        if let last = steps.last, last.isKill, last.wait == .zero, written < 2 || !steps[written - 2].isKill {
            written -= 1
        }
        var values: [Value] = []
        values.reserveCapacity(written)
        for place in 0..<written { values.append(steps[place].value) }
        w.set("steps", .array(values))
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(scope: try r.word("scope", or: .tree), steps: try r.list("steps"))
    }
}

/// `{signal: SIGTERM, to: main, wait: 10s}`, `{http: …}`, `{command: …}`, `{stdin: …}`, `{kill: tree}`.
extension StopSpec.Step: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        switch action {
        case .signal(let signal, let recipient):
            w.set("signal", signal.name)
            w.set("to", recipient.rawValue)
        case .http(let request): w.set("http", request)
        case .command(let command): w.set(command: command)
        case .stdin(let text): w.set("stdin", text)
        case .kill: w.set("kill", "tree")
        }
        w.set("wait", wait, unless: action == .kill ? .zero : nil)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        let wait = try r.duration("wait", or: .zero)
        if r.has("signal") {
            self.init(.signal(try r.signal("signal"), to: try r.word("to")), wait: wait)
        } else if r.has("http") {
            self.init(.http(try r.noun("http")), wait: wait)
        } else if r.has("command") {
            self.init(.command(try r.command()), wait: wait)
        } else if let text = try r.optionalString("stdin") {
            self.init(.stdin(text), wait: wait)
        } else if r.has("kill") {
            self.init(.kill, wait: wait)
        } else {
            throw ShapeError(path: "", expected: "a stop step")
        }
    }
}

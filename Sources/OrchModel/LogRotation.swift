// SPDX-License-Identifier: Apache-2.0

/// What became of one active log file that somebody asked to have rotated.
public struct LogRotation: Equatable, Sendable {
    /// An instance whose files are to be rotated, and how it logs.
    public struct Subject: Equatable, Sendable {
        public var instance: InstanceID
        public var logging: LoggingSpec
        public init(_ instance: InstanceID, _ logging: LoggingSpec) {
            self.instance = instance
            self.logging = logging
        }
        /// The files that it writes, each once, with everything the pump has to know of them.
        public func files(in state: String) -> [(output: Output, sink: LogSink)] {
            func sink(_ stream: LogStreamKind) -> LogSink {
                LogLayout.sink(
                    for: stream, spec: logging, stack: instance.service.stack, service: instance.service.service,
                    replica: instance.replica, state: state)
            }
            let (first, second) = (sink(.stdout), sink(.stderr))
            let isShared = first.destination == second.destination
            var found: [(output: Output, sink: LogSink)] =
                isShared ? [(.both, first)] : [(.stdout, first), (.stderr, second)]
            found.removeAll { $0.sink.destination == .discard }
            if !found.isEmpty, let path = first.errorFile {
                found.append((.errors, LogSink(.file(path), rotate: logging.rotate, whenFull: logging.whenFull)))
            }
            return found
        }
    }

    /// What is in a file.
    public enum Output: String, Sendable, CaseIterable {
        case stdout, stderr
        /// Both outputs go there.
        case both
        /// Copies of bad lines of either (`logging.levels`).
        case errors
    }

    public enum Outcome: Equatable, Sendable {
        /// What was in it has this path now, and `.gz` behind it once it is compressed; the file goes on, empty.
        case rotated(segment: String)
        /// It was rotated, and the limits of `rotate` left nothing of what was in it.
        case forgotten
        /// Nothing is in it; it was left alone.
        case empty
        /// It is appended to, as others write to it too; those are never rotated.
        case shared
        /// The line that is being written has no end yet; it is rotated there.
        case unfinished
        /// Why it is as it was.
        case failed(String)
    }

    public var instance: InstanceID
    public var output: Output
    /// Absolute.
    public var file: String
    public var outcome: Outcome

    public init(_ instance: InstanceID, _ output: Output, file: String, _ outcome: Outcome) {
        self.instance = instance
        self.output = output
        self.file = file
        self.outcome = outcome
    }
}

/// `{"stack", "service", "instance", "output", "file", "outcome", "segment" or "reason"}`.
extension LogRotation: ValueCodable {
    private var word: String {
        switch outcome {
        case .rotated: "rotated"
        case .forgotten: "forgotten"
        case .empty: "empty"
        case .shared: "shared"
        case .unfinished: "unfinished"
        case .failed: "failed"
        }
    }

    public var value: Value {
        var w = ObjectWriter()
        w.set("stack", instance.service.stack)
        w.set("service", instance.service.service)
        w.set("instance", instance.name)
        w.set("output", output.rawValue)
        w.set("file", file)
        w.set("outcome", word)
        switch outcome {
        case .rotated(let segment): w.set("segment", segment)
        case .failed(let reason): w.set("reason", reason)
        case .forgotten, .empty, .shared, .unfinished: break
        }
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        guard let id = InstanceID(stack: try r.string("stack"), name: try r.string("instance")) else {
            throw ShapeError(path: "instance", expected: "an instance")
        }
        let outcome: Outcome =
            switch try r.string("outcome") {
            case "rotated": .rotated(segment: try r.string("segment"))
            case "forgotten": .forgotten
            case "empty": .empty
            case "shared": .shared
            case "unfinished": .unfinished
            case "failed": .failed(try r.string("reason"))
            default: throw ShapeError(path: "outcome", expected: "what became of the file")
            }
        self.init(id, try r.word("output"), file: try r.string("file"), outcome)
    }
}

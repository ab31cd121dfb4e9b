// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// A conversation with the daemon: requests out, replies in, over one connection.
final class Session {
    /// What comes while a request is under way.
    enum Happening: Equatable {
        case reply(Reply)
        /// Another daemon took the place of the one that was asked, and knows nothing of the request: ask again.
        case replaced
        case interrupted
        case resized
        case typed([UInt8])
    }

    private let platform: any Platform
    private var connection: ConnectionID
    private var frames = FrameBuffer()
    private var lastRequest: UInt64 = 0
    private var daemon = Hello()
    /// What was typed while a reply was waited for: `next` tells it.
    private var typed: [UInt8] = []
    /// Daemons that ended since the last reply.
    private var losses = 0

    private init(_ platform: any Platform, _ connection: ConnectionID) {
        self.platform = platform
        self.connection = connection
    }

    deinit { platform.close(connection) }

    /// How long a daemon that listens may take to say who it is.
    private static let helloTimeout = Duration.seconds(30)

    /// Daemons that may end one after the other before a request that lasts gives up.
    private static let patience = 20

    /// Connects and exchanges the first frames. Nil when no daemon runs.
    static func open(_ platform: any Platform) throws(Failure) -> Session? {
        guard let connection = try connect(platform) else { return nil }
        let session = Session(platform, connection)
        _ = try session.greet()
        return session
    }

    private static func connect(_ platform: any Platform) throws(Failure) -> ConnectionID? {
        do throws(Fault) { return try platform.connect() } catch { throw Failure(.daemon, error) }
    }

    /// Says who we are and hears who the daemon is. Returns what else happened meanwhile.
    private func greet() throws(Failure) -> [Happening] {
        try send(Frame.encode(Hello()))
        let deadline = platform.now.instant + Self.helloTimeout
        var meanwhile: [Happening] = []
        while true {
            if let value = try frame() {
                do { daemon = try Hello(value) } catch { throw Self.misunderstood(error) }
                return meanwhile
            }
            meanwhile += try absorb(until: deadline)
            guard platform.now.instant < deadline else {
                throw Failure(
                    .daemon,
                    "the daemon doesn't answer: it accepted the connection and said nothing for \(Self.helloTimeout.brief)",
                    help:
                        "look at \(platform.stateDirectory)/orchd.log; the keeper replaces a hung daemon, services run on"
                )
            }
        }
    }

    var isSameVersion: Bool { daemon.isSameVersion }

    /// Sends a command; its replies come from `next`. Refused here when the daemon is of another version and the command changes something.
    @discardableResult
    func begin(_ command: Command) throws(Failure) -> UInt64 {
        if command.needsSameVersion, !daemon.isSameVersion {
            throw Failure(.otherVersion(client: OrchVersion.text, daemon: daemon.version))
        }
        lastRequest += 1
        try send(Frame.encode(Request(id: lastRequest, command: command)))
        return lastRequest
    }

    /// The same as `next`, for requests that last: a daemon that is replaced meanwhile is no failure, services run on.
    func nextOfLasting(until deadline: Instant? = nil) throws(Failure) -> [Happening] {
        do throws(Failure) { return try next(until: deadline) } catch {
            guard error == ended, losses < Self.patience else { throw error }
            losses += 1
            platform.close(connection)
            frames = FrameBuffer()
            // Nobody listens: it has ended for good.
            guard let again = try Self.connect(platform) else { throw error }
            connection = again
            return [.replaced] + (try greetSuccessor())
        }
    }

    /// One that ends before it speaks is as good as one that ended a moment ago.
    private func greetSuccessor() throws(Failure) -> [Happening] {
        do throws(Failure) { return try greet() } catch {
            guard error == ended else { throw error }
            return []
        }
    }

    /// What has happened, at least one thing; empty when the deadline came first. A refusal is thrown.
    func next(until deadline: Instant? = nil) throws(Failure) -> [Happening] {
        guard typed.isEmpty else {
            defer { typed = [] }
            return [.typed(typed)]
        }
        while true {
            var happenings = try replies()
            if !happenings.isEmpty { return happenings }
            happenings = try absorb(until: deadline)
            happenings += try replies()
            if !happenings.isEmpty { return happenings }
            if let deadline, platform.now.instant >= deadline { return [] }
        }
    }

    /// Sends a command and waits for its final reply. Ctrl-C, if it is caught, ends the wait.
    func ask(_ command: Command) throws(Failure) -> Reply.Body {
        var id = try begin(command)
        var meanwhile: [UInt8] = []
        defer { typed += meanwhile }
        while true {
            for happening in try Self.mayRepeat(command) ? nextOfLasting() : next() {
                switch happening {
                case .reply(let reply): if reply.id == id, reply.isFinal { return reply.body }
                case .replaced: id = try begin(command)
                case .interrupted: throw .interrupted
                case .typed(let keys): meanwhile += keys
                case .resized: break
                }
            }
        }
    }

    /// Whether asking twice is the same as asking once: a daemon that died with the question may have done it.
    private static func mayRepeat(_ command: Command) -> Bool {
        switch command {
        case .diff, .recall, .rollbackPlan, .status, .processes, .why, .history, .daemonStatus, .apply, .applyKnown,
            .start, .stop:
            true
        case .rollback, .down, .restart, .reload, .scale, .signal, .follow, .events, .rotateLogs, .daemonStop,
            .daemonRestart,
            .daemonUpgrade:
            false
        }
    }

    /// The answer to `status` as the documented JSON, without reading it: `{"stacks":[…]}`. Only while nothing else is under way.
    func statusText() throws(Failure) -> [UInt8] {
        let id = try begin(.status(nil))
        let head = Array("{\"id\":\(id),\"reply\":\"status\",".utf8)
        while true {
            let body: [UInt8]?
            do throws(FrameError) { body = try frames.nextBody() } catch { throw Self.garbled(error) }
            guard let body else {
                _ = try absorb(until: nil)
                continue
            }
            if body.starts(with: head) { return [UInt8(ascii: "{")] + body.dropFirst(head.count) }
            let reply: Reply
            do { reply = try Reply(try JSON.parse(body)) } catch { throw .unexpectedReply }
            switch reply.body {
            case .refusal(let refusal): throw Failure(refusal)
            case .status(let stacks): return JSON.bytes(of: ["stacks": .array(stacks.map(\.value))])
            case .accepted, .processes, .plan, .recalled, .there, .instance, .gone, .occurrence, .verdict, .why,
                .history, .rotated,
                .daemon, .end:
                throw .unexpectedReply
            }
        }
    }

    private func replies() throws(Failure) -> [Happening] {
        var result: [Happening] = []
        while let value = try frame() {
            let reply: Reply
            do throws(ShapeError) { reply = try Reply(value) } catch { throw Self.misunderstood(error) }
            if case .refusal(let refusal) = reply.body { throw Failure(refusal) }
            losses = 0
            result.append(.reply(reply))
        }
        return result
    }

    private func frame() throws(Failure) -> Value? {
        do throws(FrameError) { return try frames.next() } catch { throw Self.garbled(error) }
    }

    /// Waits once and takes up what came.
    private func absorb(until deadline: Instant?) throws(Failure) -> [Happening] {
        var result: [Happening] = []
        for wakeup in platform.wait(until: deadline) {
            switch wakeup {
            case .received(let from, let bytes): if from == connection { frames.append(bytes) }
            case .closed(let from):
                guard from == connection else { continue }
                throw ended
            case .interrupted: result.append(.interrupted)
            case .resized: result.append(.resized)
            case .typed(let keys): result.append(.typed(keys))
            }
        }
        return result
    }

    private var ended: Failure {
        Failure(
            .daemon, "the daemon ended the connection",
            help:
                "`orch status` shows what it does now; services run on; its own log is \(platform.stateDirectory)/orchd.log"
        )
    }

    private func send(_ bytes: [UInt8]) throws(Failure) {
        do throws(Fault) { try platform.send(bytes, to: connection) } catch { throw Failure(.daemon, error) }
    }

    private static func garbled(_ error: FrameError) -> Failure {
        Failure(
            .daemon, "the daemon sent \(error.reason)",
            help: "`orch daemon status` shows its version; this is \(OrchVersion.text)")
    }

    private static func misunderstood(_ error: ShapeError) -> Failure {
        let place = error.path.isEmpty ? "" : " at \(error.path)"
        return Failure(
            .daemon, "the daemon's answer can't be understood: expected \(error.expected)\(place)",
            help:
                "are both programs of version \(OrchVersion.text)? `orch daemon upgrade` replaces the daemon; services run on"
        )
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// A connection that is being tried.
final class ConnectionProbe {
    let question: HostQuestion
    let endpoint: Endpoint
    let timeout: Duration
    /// To be tried next.
    var addresses: ArraySlice<String>
    var socket: Descriptor?

    init(_ question: HostQuestion, _ endpoint: Endpoint, _ addresses: [String], _ timeout: Duration) {
        self.question = question
        self.endpoint = endpoint
        self.addresses = addresses[...]
        self.timeout = timeout
    }
}

/// Questions to services.
extension LinuxHost {
    func ask(_ launch: LaunchID, _ kind: ProbeKind, _ round: UInt64, _ probe: Probe, runner: LaunchID) {
        switch probe.action {
        case .http(let request): askEdge(request, timeout: probe.timeout, .probe(launch, kind, round))
        case .tcp(let target):
            connect(resolve(target, for: launch), timeout: probe.timeout, .probe(launch, kind, round))
        case .command(let command):
            run(command, as: runner, for: launch, .probe(of: launch, kind, round: round), limit: probe.timeout)
        case .log(let pattern): listen(launch, kind, round, pattern, for: probe.timeout)
        case .file(let path): answer(.probe(launch, kind, round), Self.isThere(resolve(path, for: launch), named: true))
        case .notify: answer(.probe(launch, kind, round), .unasked("nobody asks for what a service says by itself"))
        }
    }

    /// Nobody waits for the answers any more.
    func endProbes(of launch: LaunchID) {
        for (number, connection) in connections where connection.question.launch == launch {
            forget(number, connection)
        }
        for runner in records[launch]?.probes ?? [] {
            guard let record = records[runner], !record.isEmpty else { continue }
            record.hasAnswered = true
            kill(record.launch)
        }
        endEdgeQuestions(of: launch)
        for kind in ProbeKind.allCases { awaitedSigns[LineSign(launch: launch, kind: kind)] = nil }
    }

    /// What `${PORT}` and `${ORCH_…}` stand for in what is asked of a launch.
    func resolve(_ text: String, for launch: LaunchID) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        return LaunchTemplate.resolve(text, with: records[launch]?.context?.environment.launchVariables ?? [:])
    }

    /// Tries the addresses of `host:port` in turn.
    func connect(_ target: String, timeout: Duration, _ question: HostQuestion) {
        guard let endpoint = Endpoint(target) else { return answer(question, .unasked("\(target) is no host:port")) }
        guard let addresses = endpoint.addresses else {
            return answer(question, .unasked("\(endpoint.host) is neither an address nor in /etc/hosts"))
        }
        let number = nextConnection
        nextConnection += 1
        connections[number] = ConnectionProbe(question, endpoint, addresses, timeout)
        appointments.add(.connection(number), at: now.instant + timeout)
        tryNext(number, after: nil)
    }

    private func tryNext(_ number: UInt64, after failure: Int32?) {
        guard let connection = connections[number] else { return }
        guard let address = connection.addresses.popFirst() else {
            forget(number, connection)
            let reason =
                "\(connection.endpoint.host):\(connection.endpoint.port): \(Reason.text(failure ?? ECONNREFUSED))"
            return answer(connection.question, .failure(reason))
        }
        do {
            let socket = try Descriptor("connect", unsafe corch_tcp_connect(address, connection.endpoint.port))
            try poller.watch(socket.number, .writing, as: .connection(number))
            connection.socket = consume socket
        } catch {
            guard !Reason.isScarcity(error.code) else {
                forget(number, connection)
                return answer(connection.question, .unasked(Reason.text(error.code)))
            }
            tryNext(number, after: error.code)
        }
    }

    func connectionDecided(_ number: UInt64) {
        guard let connection = connections[number], let socket = connection.socket?.number else { return }
        let error = -corch_socket_error(socket)
        guard error != 0 else {
            forget(number, connection)
            return answer(connection.question, .success)
        }
        poller.forget(socket)
        connection.socket = nil
        tryNext(number, after: error)
    }

    func connectionIsLate(_ number: UInt64) {
        guard let connection = connections[number] else { return }
        forget(number, connection)
        let reason =
            "\(connection.endpoint.host):\(connection.endpoint.port): no answer within \(connection.timeout.text)"
        answer(connection.question, .failure(reason))
    }

    private func forget(_ number: UInt64, _ connection: ConnectionProbe) {
        if let socket = connection.socket?.number { poller.forget(socket) }
        connection.socket = nil
        connections[number] = nil
    }
}

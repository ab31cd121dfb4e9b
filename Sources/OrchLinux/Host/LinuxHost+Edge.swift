// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// The daemon's side of orch-edge: the process, the socket, and who asked what.
struct EdgeSeat: ~Copyable {
    /// Absolute; nil when it is not installed.
    let program: String?
    var link: EdgeLink?
    var isWatchedForWriting = false
    var questions: [UInt64: HostQuestion] = [:]
    var nextQuestion: UInt64 = 1
    /// One that ends at once is not started again and again.
    var notBefore = Instant.zero

    init(program: String?) { self.program = program }
}

/// HTTP, which the edge speaks: it is started when the first question comes.
extension LinuxHost {
    /// Where orch-edge looks for its socket.
    private static let edgeDescriptor: Int32 = 3
    /// Between two starts of the edge.
    private static let edgePause = Duration.seconds(1)

    func askEdge(_ request: HTTPProbe, timeout: Duration, _ question: HostQuestion) {
        var resolved = request
        if let launch = question.launch {
            resolved.url = resolve(request.url, for: launch)
            resolved.headers = request.headers.map { EnvironmentEntry($0.name, resolve($0.text, for: launch)) }
            resolved.body = request.body.map { resolve($0, for: launch) }
        }
        if edge.link == nil, let fault = startEdge() { return answer(question, .unasked(fault.text)) }
        let number = edge.nextQuestion
        edge.nextQuestion += 1
        edge.questions[number] = question
        edge.link?.ask(id: number, request: resolved, timeout: timeout, now: now.instant)
        // What was refused here, no event announces.
        if edge.link?.hasAnswers == true { hearEdge() } else { tendEdge() }
    }

    /// Something happened at its socket, or time went by.
    func hearEdge() {
        guard edge.link != nil else { return }
        edge.link?.expire(at: now.instant)
        let answers = edge.link?.receive() ?? []
        for (number, result) in answers {
            if let question = edge.questions.removeValue(forKey: number) { answer(question, result) }
        }
        tendEdge()
    }

    /// Nobody waits for answers about this launch any more.
    func endEdgeQuestions(of launch: LaunchID) {
        edge.questions = edge.questions.filter { $0.value.launch != launch }
    }

    /// Wakes for what can be written, takes what no event announces, lets a dead one go.
    private func tendEdge() {
        guard let fd = edge.link?.descriptor else { return }
        if edge.link?.isAlive == false {
            poller.forget(fd)
            edge.link = nil
            edge.isWatchedForWriting = false
            return endEdgeProcess()
        }
        let wantsToWrite = edge.link?.wantsToWrite ?? false
        guard wantsToWrite != edge.isWatchedForWriting else { return }
        edge.isWatchedForWriting = wantsToWrite
        poller.change(fd, wantsToWrite ? [.reading, .writing] : .reading, as: .edge)
    }

    private func endEdgeProcess() {
        for record in records.values {
            if case .edge = record.role { kill(record.launch) }
        }
    }

    private func startEdge() -> Fault? {
        guard let program = edge.program else {
            return Fault(step: "ask", subject: "orch-edge", reason: "it is not installed beside orchd")
        }
        guard now.instant >= edge.notBefore else {
            return Fault(step: "ask", subject: "orch-edge", reason: "it ended a moment ago and is started again soon")
        }
        edge.notBefore = now.instant + Self.edgePause
        let launch = LaunchID(takeOwnNumber())
        do {
            try startEdge(program, as: launch)
            return nil
        } catch { return error.fault(step: "start", subject: program) }
    }

    /// Of what is the daemon's own at the keeper; rising over all daemons of it.
    func takeOwnNumber() -> UInt64 {
        ownNumbers += 1
        return highestOwnNumber
    }
    var highestOwnNumber: UInt64 { KeeperLink.ownBit | daemonStarts << 32 | ownNumbers }

    private func startEdge(_ program: String, as launch: LaunchID) throws(SystemError) {
        let record = LaunchRecord(launch, .edge)
        var request = KeeperLink.Launch(identifier: launch.number, arguments: [program])
        request.environment = [
            "PATH=\(LaunchEnvironment.standardPath)", "SWIFT_BACKTRACE=enable=no", "ORCH_RUN=\(run.mark)",
            "ORCH_LAUNCH=\(launch.number)",
        ]
        request.fileModeMask = 0o077
        request.standardError = STDERR_FILENO
        let null = HeldDescriptor(try SmallFile.open("/dev/null", O_WRONLY))
        request.standardOutput = null.number
        let sockets = try EdgeLink.pair()
        request.extraDescriptors = [(number: Self.edgeDescriptor, descriptor: sockets.edge.number)]
        let group = try enter(record)
        request.controlGroup = group?.number
        try keeper.spawn(request)
        record.isKnownToKeeper = true
        records[launch] = record
        let link = EdgeLink(descriptor: Self.daemonEnd(sockets))
        try poller.watch(link.descriptor, .reading, as: .edge)
        edge.link = .some(link)
    }

    private static func daemonEnd(_ sockets: consuming EdgeSockets) -> Descriptor { sockets.daemon }
}

// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// Commands that serve a launch: probes, steps of the ladder, errands. Each is a launch of its own in the service's surroundings, with its own tree.
extension LinuxHost {
    func runStep(_ step: Int, _ action: StopSpec.Action, of launch: LaunchID, runner: LaunchID, limit: Duration) {
        switch action {
        case .command(let command): run(command, as: runner, for: launch, .step(of: launch, step: step), limit: limit)
        case .stdin(let text): stepEnded(launch, step, write(text, toInputOf: launch))
        case .http(let request): askEdge(request, timeout: limit, .step(launch, step))
        case .signal(let signal, let recipient):
            send(signal, to: recipient, of: launch)
            stepEnded(launch, step, nil)
        case .kill:
            kill(launch)
            stepEnded(launch, step, nil)
        }
    }

    func stepEnded(_ launch: LaunchID, _ step: Int, _ fault: Fault?) {
        outbox.append(.event(.stepEnded(launch, step: step, fault)))
    }

    /// Makes the process. Its answer comes when it ends, or when its time is over.
    func run(
        _ command: CommandLine, as runner: LaunchID, for launch: LaunchID, _ role: LaunchRecord.Role, limit: Duration,
        orElse failed: (Fault) -> Void = { _ in }
    ) {
        guard records[runner] == nil else { return }
        let record = LaunchRecord(runner, role)
        record.limit = limit
        guard let service = records[launch]?.context else {
            let fault = Fault(step: "run", subject: "a command", reason: "the launch's surroundings are not known")
            answer(record, isScarce: true, fault)
            return failed(fault)
        }
        let environment = service.environment.serving(runner)
        let words = environment.words(of: command)
        var context = service
        context.environment = environment
        context.program = words.first ?? ""
        context.pipes = []
        context.ports = []
        record.context = context
        do throws(Obstacle) { try start(record, words, context, beside: launch) } catch {
            answer(record, isScarce: error.isScarcity, error.fault)
            failed(error.fault)
        }
    }

    private func start(
        _ record: LaunchRecord, _ words: [String], _ context: LaunchContext, beside served: LaunchID
    ) throws(Obstacle) {
        var request = KeeperLink.Launch(identifier: record.launch.number, arguments: words)
        let beside = records[served].flatMap { join(&request, beside: $0) }
        defer { withExtendedLifetime(beside) {} }
        do throws(Fault) {
            request.fill(context, try Account.of(context.user, context.process))
            request.environment += try SecretFiles.entries(of: context.secrets)
        } catch { throw Obstacle(error) }
        do {
            let group = try enter(record)
            request.controlGroup = group?.number
            let ends = try Descriptor.pipe(flags: O_NONBLOCK)
            let writeEnd = try SmallFile.open("/proc/self/fd/\(ends.write.number)", O_WRONLY)
            request.standardOutput = writeEnd.number
            let output = CommandOutput(Self.readEnd(ends), keepsEnd: record.isErrand)
            try poller.watch(output.descriptor.number, .reading, as: .output(record.launch.number))
            record.output = output
            try keeper.spawn(request)
        } catch {
            closeOutput(of: record)
            dropGroup(of: record)
            throw Obstacle(error, step: "run", subject: context.program)
        }
        record.isKnownToKeeper = true
        records[record.launch] = record
        if case .probe(let served, _, _) = record.role { records[served]?.probes.insert(record.launch) }
        appointments.add(.runner(record.launch), at: now.instant + record.limit)
    }

    private static func readEnd(_ ends: consuming PipeEnds) -> Descriptor { ends.read }

    // MARK: Errands

    func run(_ errand: Errand) {
        let role = LaunchRecord.Role.errand(of: errand.launch)
        guard records[errand.runner] == nil else { return }
        run(errand.command, as: errand.runner, for: errand.launch, role, limit: errand.limit) { fault in
            // It never came to be: there is nothing that could be left of it.
            self.outbox.append(.event(.errandEnded(errand.launch, runner: errand.runner, fault)))
        }
    }

    func endErrand(_ runner: LaunchID) {
        guard let record = records[runner], record.isErrand, !record.isOver else { return }
        answer(
            record, isScarce: false,
            Fault(step: "run", subject: record.context?.program ?? "", reason: "it was not needed any more"))
        kill(runner)
    }

    /// Nothing of it is left.
    func errandIsGone(_ record: LaunchRecord) {
        guard case .errand(let launch) = record.role else { return }
        outbox.append(.event(.errandEnded(launch, runner: record.launch, record.errandFault)))
    }

    // MARK: Answers

    func outputCame(_ launch: LaunchID) {
        guard let record = records[launch], let output = record.output else { return }
        // At its end there is nothing to wait for; what was read stays for the answer.
        if !output.drain() { poller.forget(output.descriptor.number) }
    }

    func closeOutput(of record: LaunchRecord) {
        guard let output = record.output else { return }
        poller.forget(output.descriptor.number)
        record.output = nil
    }

    func runnerEnded(_ record: LaunchRecord, _ exit: Exit) {
        _ = record.output?.drain()
        let said = said(by: record)
        let words = said.isEmpty ? exit.text : "\(exit.text): \(said)"
        let fault = exit == .code(0) ? nil : Fault(step: "run", subject: record.context?.program ?? "", reason: words)
        answer(record, isScarce: false, fault)
    }

    func runnerIsLate(_ launch: LaunchID) {
        guard let record = records[launch], !record.isOver else { return }
        let said = said(by: record)
        let reason = "no answer within \(record.limit.text)" + (said.isEmpty ? "" : ": \(said)")
        answer(record, isScarce: false, Fault(step: "run", subject: record.context?.program ?? "", reason: reason))
        kill(launch)
    }

    private func said(by record: LaunchRecord) -> String {
        (record.isErrand ? record.output?.lastLine : record.output?.text) ?? ""
    }

    /// Tells the mind what came of it, once. `isScarce`: it could not be asked.
    func answer(_ record: LaunchRecord, isScarce: Bool, _ fault: Fault?) {
        guard !record.hasAnswered else { return }
        record.hasAnswered = true
        switch record.role {
        case .service, .edge, .stray: break
        case .errand: record.errandFault = fault
        case .step(let launch, let step): stepEnded(launch, step, fault)
        case .reaction(let launch): outbox.append(.event(.reacted(launch, fault)))
        case .probe(let launch, let kind, let round):
            let result: ProbeResult = fault.map { isScarce ? .unasked($0.text) : .failure(Self.words($0)) } ?? .success
            outbox.append(.event(.probed(launch, kind, round: round, result)))
        }
    }

    /// A command that ran says enough by its end; one that could not run says why.
    private static func words(_ fault: Fault) -> String { fault.step == "run" ? fault.reason : fault.text }
}

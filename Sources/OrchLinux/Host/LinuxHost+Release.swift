// SPDX-License-Identifier: Apache-2.0
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// The end of launches, and of the daemon.
extension LinuxHost {
    /// Closed in the mind: what it wrote goes to its files, then the keeper may forget it.
    func release(_ launch: LaunchID) {
        guard let record = records[launch] else {
            outbox.append(.event(.drained(launch)))
            return
        }
        guard !record.isReleased else { return }
        record.isReleased = true
        endProbes(of: launch)
        guard record.readEnds.isEmpty else { return finish(record) }
        outbox.append(.event(.drained(launch)))
        dispose(record)
    }

    func relog(_ launch: LaunchID, _ logging: LoggingSpec) {
        guard let record = records[launch], let context = record.context else { return }
        for pipe in context.pipes {
            pump.reconfigure(launch, pipe.stream, sink: sink(of: pipe, logging, context))
        }
        record.isForwarded = logging.forward != .none
        tellPid(of: record)
    }

    /// The launch goes on under another name: its context says so to the next daemon, its output goes to that name's files.
    func rename(_ launch: LaunchID, _ instance: InstanceID, _ logging: LoggingSpec) {
        guard let record = records[launch], var context = record.context else { return }
        if context.instance != instance {
            context.label = instance.label(alone: context.label == context.instance.service.service)
            context.instance = instance
            record.context = context
            do { try context.replace(launch, in: run.launches) } catch {
                outbox.append(.remarked(error.fault(step: "record the new name in", subject: run.launches).text))
            }
        }
        relog(launch, logging)
    }

    func sink(of pipe: LaunchContext.Pipe, _ logging: LoggingSpec, _ context: LaunchContext) -> LogSink {
        let instance = context.instance
        var sink = LogLayout.sink(
            for: pipe.stream ?? .stdout, spec: logging, stack: instance.service.stack,
            service: instance.service.service,
            replica: instance.replica, state: state)
        sink.isTerminal = context.process.hasTerminal
        return sink
    }

    func logsChanged() { hear(pump.takeNotices()) }

    func hear(_ notices: [LogNotice]) {
        for notice in notices {
            switch notice {
            case .drained(let launch, let bytesLeft): drained(launch, bytesLeft: bytesLeft)
            case .readyLine(let launch): lineCame(launch)
            case .sign(let sign): signCame(sign)
            case .remark(let text): outbox.append(.remarked(text))
            case .hangs(let hang): outbox.append(.remarked(remark(on: hang)))
            case .answers(let file, let waited):
                outbox.append(
                    .remarked("log \(file) takes bytes again: its file system answers, after \(waited.brief)"))
            case .rotated(let number, let files): outbox.append(.rotated(number, files))
            }
        }
    }

    private func drained(_ launch: LaunchID, bytesLeft: Int) {
        guard let record = records[launch], record.isReleased else { return }
        guard bytesLeft == 0 else {
            let label = record.context?.label ?? "launch \(launch.number)"
            outbox.append(
                .remarked("\(bytesLeft) bytes of \(label) wait in its pipe until its log file can be written"))
            return
        }
        Failpoint.outputDrained.reach()
        outbox.append(.event(.drained(launch)))
        dispose(record)
    }

    /// Nothing of it is needed any more.
    func dispose(_ record: LaunchRecord) {
        if record.isKnownToKeeper {
            do { try keeper.acknowledge(record.launch.number) } catch {
                outbox.append(.remarked(error.fault(step: "release", subject: "launch \(record.launch.number)").text))
            }
        }
        Failpoint.launchReleased.reach()
        closeOutput(of: record)
        groups?.forget(record.launch)
        record.group?.remove()
        Failpoint.groupRemoved.reach()
        tracker.forget(record.launch)
        LaunchContext.remove(record.launch, from: run.launches)
        SecretFiles.remove(run.secrets(of: record.launch))
        readyFiles.forget(record.launch)
        if case .probe(let served, _, _) = record.role { records[served]?.probes.remove(record.launch) }
        records[record.launch] = nil
        lastUsage[record.launch] = nil
    }

    /// Ends the threads and tells the keeper why the daemon goes. The process is expected to exit next.
    func end(_ ending: Ending) {
        if ending == .shutdown {
            closeRemains()
            if records.isEmpty {
                closeAllSockets()
                dropAllStored()
            }
            // With a launch left the keeper starts another daemon, which needs the socket.
            if records.isEmpty { clients?.refuse(poller) }
        }
        clients?.flushAll(poller)
        fileWatch.stop()
        terminals.stop()
        pump.stop()
        Failpoint.daemonLeaving.reach()
        do {
            switch ending {
            case .shutdown: try keeper.shutdown()
            case .replaced: try keeper.restart()
            }
            try keeper.flush()
        } catch {
            outbox.append(.remarked(error.fault(step: "talk to", subject: "the keeper").text))
        }
        if ending == .shutdown, records.isEmpty { groups?.remove() }
    }

    /// Probes and steps end; what waits to be drained is drained. With a launch left the keeper would start another daemon.
    private func closeRemains() {
        let deadline = now.instant + Limits.logDrainWait + Self.killPatience
        for record in records.values.sorted(by: { $0.launch < $1.launch }) {
            if record.isService { release(record.launch) } else { kill(record.launch) }
        }
        while !records.isEmpty, now.instant < deadline, !isKeeperLost { _ = pass(until: deadline) }
    }
}

extension LaunchContext.Pipe {
    /// Nil when both outputs come through it.
    var stream: LogStreamKind? {
        switch self {
        case .stdout: .stdout
        case .stderr: .stderr
        case .both: nil
        }
    }
}

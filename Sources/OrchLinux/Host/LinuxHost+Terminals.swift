// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// What services read, and the terminals that they have.
extension LinuxHost {
    /// For the process: both ends of a pipe in one, opened so that the service itself keeps it from ending. Whoever writes opens it by way
    /// of `/proc/PID/fd/0`, also after the daemon was replaced.
    static func inputPipe() throws(SystemError) -> HeldDescriptor {
        let ends = try Descriptor.pipe()
        return HeldDescriptor(try SmallFile.open("/proc/self/fd/\(ends.read.number)", O_RDWR))
    }

    /// Another end to write to of the pipe with that end, non-blocking.
    static func writeEnd(of number: Int32) throws(SystemError) -> HeldDescriptor {
        HeldDescriptor(try SmallFile.open("/proc/self/fd/\(number)", O_WRONLY | O_NONBLOCK))
    }

    /// A new one, if it has any.
    func terminal(of record: LaunchRecord, _ account: Account?) throws(SystemError) -> TerminalEnds? {
        guard record.context?.process.hasTerminal == true else { return nil }
        let ends = try TerminalEnds(owner: getuid() == 0 ? account?.uid : nil)
        record.terminal = ends.holder
        return ends
    }

    /// From now on it may be attached to, if it has what for. Nobody else moves what a terminal shows.
    func seat(_ record: LaunchRecord, log: HeldDescriptor?, input: HeldDescriptor?) {
        guard record.isAttachable else { return }
        record.isSeated = true
        do throws(SystemError) {
            var seat = Terminals.Seat(terminal: record.terminal, log: log)
            if record.terminal == nil, let input { seat.input = try Self.writeEnd(of: input.number) }
            try terminals.send(.add(record.launch, seat))
        } catch {
            let label = record.context?.label ?? "launch \(record.launch.number)"
            outbox.append(.remarked(error.fault(step: "let anybody attach to", subject: label).text))
        }
    }

    /// As `seat`, of a launch of a former daemon.
    func resumeSeat(of record: LaunchRecord, _ context: LaunchContext, _ state: KeeperState) {
        guard record.isAttachable else { return }
        // It may have closed its input by itself: whoever attaches is told.
        guard context.process.hasTerminal else { return seat(record, log: nil, input: try? inputPipe(of: record)) }
        // Otherwise it is read to its end, or nobody had it any more.
        guard state.heldReadEnds.count == 2, let holder = state.heldReadEnds[1].take() else { return }
        record.terminal = HeldDescriptor(holder)
        var log: HeldDescriptor?
        do throws(SystemError) { log = try Self.writeEnd(of: state.heldReadEnds[0].borrowed) } catch {
            let fault = error.fault(step: "log the terminal of", subject: context.label, remedy: "restart it")
            outbox.append(.remarked(fault.text))
        }
        seat(record, log: log, input: nil)
    }

    /// What it wrote last is read, from its terminal first.
    func finish(_ record: LaunchRecord) {
        guard record.isSeated else { return pump.finish(record.launch) }
        do { try terminals.send(.finish(record.launch)) } catch { pump.finish(record.launch) }
    }

    private static let inputStep = "write to the standard input of"

    /// The pipe that the service was started with.
    private func inputPipe(of record: LaunchRecord) throws(Fault) -> HeldDescriptor {
        let subject = record.context?.label ?? "launch \(record.launch.number)"
        guard let main = record.main, corch_process_start_ticks(main.pid) == Int64(main.startTicks) else {
            throw Fault(step: Self.inputStep, subject: subject, reason: "its main process is gone")
        }
        let input: Descriptor
        do { input = try SmallFile.open("/proc/\(main.pid)/fd/0", O_WRONLY | O_NONBLOCK) } catch {
            throw error.fault(step: Self.inputStep, subject: subject)
        }
        var facts = stat()
        guard unsafe fstat(input.number, &facts) == 0, facts.st_mode & S_IFMT == S_IFIFO else {
            throw Fault(
                step: Self.inputStep, subject: subject, reason: "it is not a pipe of orch's", remedy: "restart it")
        }
        return HeldDescriptor(input)
    }

    /// `stdin` step: as if it were typed at its terminal, else into its pipe.
    func write(_ text: String, toInputOf launch: LaunchID) -> Fault? {
        guard let record = records[launch] else {
            return Fault(step: Self.inputStep, subject: "launch \(launch.number)", reason: "its main process is gone")
        }
        do throws(Fault) {
            let input: HeldDescriptor
            if let terminal = record.terminal { input = terminal } else { input = try inputPipe(of: record) }
            do throws(SystemError) { try SmallFile.write(Array(text.utf8), to: input.number) } catch {
                throw error.fault(step: Self.inputStep, subject: record.context?.label ?? "launch \(launch.number)")
            }
            return nil
        } catch { return error }
    }
}

extension LaunchRecord {
    /// It has a terminal, or a standard input that is kept open for whoever attaches.
    var isAttachable: Bool {
        guard isService, let process = context?.process else { return false }
        return process.hasTerminal || process.input == .open
    }
}

extension LaunchOrder {
    /// What the service itself reads, and its terminal, are not its hooks'.
    var process: ProcessSpec {
        var process = spec.process
        guard hook != nil else { return process }
        process.hasTerminal = false
        process.input = nil
        return process
    }

    /// It is to read a pipe that others write to.
    var hasInputPipe: Bool {
        guard !process.hasTerminal else { return false }
        switch process.input {
        case .open: return true
        case .file: return false
        case nil: return spec.stop.steps.contains { if case .stdin = $0.action { true } else { false } }
        }
    }
}

extension KeeperLink.Launch {
    /// All three are the terminal, and the keeper holds its other side beside the log pipe.
    mutating func wire(_ terminal: TerminalEnds) {
        standardInput = terminal.terminal.number
        standardOutput = terminal.terminal.number
        standardError = nil
        heldReadEnds.append(terminal.holder.number)
        hasTerminal = true
    }
}

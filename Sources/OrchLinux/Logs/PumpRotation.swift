// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A rotation that somebody waits for. Lives on the pump's thread.
final class AskedRotation {
    let number: UInt64
    /// When it is answered though a line has not ended.
    let until: Instant
    /// In the order in which files were named; nil while the end of a line is waited for.
    fileprivate(set) var answers: [(order: LogRotationOrder, outcome: LogRotation.Outcome?)] = []

    init(_ number: UInt64, until: Instant) {
        self.number = number
        self.until = until
    }
}

/// One file to rotate.
struct LogRotationOrder {
    var instance: InstanceID
    var output: LogRotation.Output
    var sink: LogSink
}

/// Rotation on demand: at the end of the line that is being written, with an answer that says which files were made.
extension PumpLoop {
    func rotate(_ number: UInt64, _ orders: [LogRotationOrder]) {
        let asked = AskedRotation(number, until: now + Limits.logRotateWait)
        var named: Set<String> = []
        for order in orders {
            guard let path = order.sink.destination.path, named.insert(path).inserted else { continue }
            let place = asked.answers.count
            asked.answers.append((order, nil))
            switch order.sink.destination {
            case .discard: break
            case .append: asked.answers[place].outcome = .shared
            case .file: asked.answers[place].outcome = begin(order.sink, path, asked, place)
            }
        }
        rotations.append(asked)
        answerRotations()
    }

    /// Nil: it is rotated at the end of its line.
    private func begin(_ sink: LogSink, _ path: String, _ asked: AskedRotation, _ place: Int) -> LogRotation.Outcome? {
        guard let file = openFile(path) else { return rotateResting(path, sink) }
        if file.appends { return .shared }
        // What was written before the question goes into the old file.
        for pipe in file.feeders {
            for _ in 0...(pipe.waitingBytes / Limits.logTurnBytes) { _ = turn(pipe) }
            enqueue(pipe)
        }
        touch(path)
        do throws(LogTrouble) {
            try file.prepare(now)
            guard file.offset > 0 else { return .empty }
            if file.endsLine() { return try rotate(file) }
            file.rotationAsked = file.rotationAsked ?? file.offset
            file.rotationsAwaited.append((asked, place))
            return nil
        } catch {
            wait(for: file, error)
            return .failed(error.reason)
        }
    }

    /// The file of something that does not run: nobody ends its last line any more.
    private func rotateResting(_ path: String, _ sink: LogSink) -> LogRotation.Outcome {
        let (folder, name) = LogLayout.split(path)
        guard let size = try? LogFolder(reading: folder).status(of: name)?.size, size > 0 else { return .empty }
        let file = LogFile(path: path, appends: false, sink: sink, work: work)
        do throws(LogTrouble) {
            try file.prepare(now)
            return try file.rotateNow(now, at: wall)
        } catch {
            return .failed(error.reason)
        }
    }

    /// Rotates a file that is to be, if its line has ended by now.
    func rotateIfAwaited(_ file: LogFile) {
        guard !file.rotationsAwaited.isEmpty, file.waiting == nil, file.offset > 0 else { return }
        touch(file.path)
        guard file.endsLine() else { return }
        do throws(LogTrouble) { try rotate(file) } catch { wait(for: file, error) }
    }

    /// Tells those who wait for it what became of the file.
    func settle(_ file: LogFile, _ outcome: LogRotation.Outcome) {
        for (asked, place) in file.rotationsAwaited { asked.answers[place].outcome = outcome }
        if !file.rotationsAwaited.isEmpty { answersAreReady = true }
        file.rotationsAwaited = []
    }

    /// Nobody will end the last line of this file any more.
    func rotateUnfinished(_ file: LogFile) {
        guard !file.rotationsAwaited.isEmpty else { return }
        do throws(LogTrouble) { try rotate(file) } catch { settle(file, .failed(error.reason)) }
    }

    /// Answers those that are done or have waited long enough.
    func answerRotations() {
        answersAreReady = false
        let due = rotations.filter { asked in asked.until <= now || asked.answers.allSatisfy { $0.outcome != nil } }
        guard !due.isEmpty else { return }
        rotations.removeAll { asked in due.contains { $0 === asked } }
        for asked in due {
            let told = asked.answers.map { order, outcome in
                LogRotation(
                    order.instance, order.output, file: order.sink.destination.path ?? "", outcome ?? .unfinished)
            }
            mailbox.post(.rotated(asked.number, told))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// What the pump tells the daemon.
public enum LogNotice: Equatable, Sendable {
    /// The pipes of a finished launch are read to their end, or let go at the drain deadline. With `bytesLeft` > 0 its file can't be
    /// written: the bytes wait in the pipe, and a second notice with 0 follows once they are written. Until then the keeper's copy
    /// of the read end protects them against the daemon's death.
    case drained(LaunchID, bytesLeft: Int)
    /// What the launch wrote last matches its pattern. The line waits in its pipe until `LogPump.letGo`.
    case readyLine(LaunchID)
    /// A line came that a probe has asked for.
    case sign(LineSign)
    /// A fallback taken, a file that can't be written, bytes dropped: for status and doctor.
    case remark(String)
    /// A file system does not answer: told once, after `Limits.logHangTold`.
    case hangs(LogPump.Hang)
    /// It does again, after so long.
    case answers(file: String, after: Duration)
    /// The answer to `rotate` of that number: what became of each file.
    case rotated(UInt64, [LogRotation])
}

/// What the daemon tells the pump.
enum LogRequest {
    /// The number is owned by the request.
    case attach(LaunchID, LogStreamKind?, descriptor: Int32, LogSink, awaiting: String?, listening: [ProbeKind: String])
    /// `LogNotice.sign` answers, once.
    case listen(LineSign, String)
    case reconfigure(LaunchID, LogStreamKind?, LogSink)
    /// `LogNotices.Word.handedOver` answers.
    case handOver(LaunchID, LogStreamKind?)
    case rotate(UInt64, [LogRotationOrder])
    /// The main process of a launch.
    case name(LaunchID, pid: Int32)
    case letGo(LaunchID)
    /// Somebody wants to see what comes out of it.
    case show(LaunchID, HeldDescriptor)
    case finish(LaunchID)
    case stop
}

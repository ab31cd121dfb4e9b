// SPDX-License-Identifier: Apache-2.0
internal import OrchDaemon
public import OrchModel

/// Logs whose file systems do not answer.
extension LinuxHost {
    public func logHangs() -> [LogHang] {
        let now = now.instant
        return pump.hangs.map { told($0, at: now) }
    }

    func remark(on hang: LogPump.Hang) -> String {
        let now = now
        return told(hang, at: now.instant).remark(since: now.wall + (hang.since - now.instant))
    }

    private func told(_ hang: LogPump.Hang, at now: Instant) -> LogHang {
        let waiting = hang.launches.compactMap { records[$0]?.context?.instance }
        return LogHang(file: hang.file, waited: now - hang.since, instances: Set(waiting).sorted())
    }

    /// Answered in time, though a file system does not.
    func rotate(_ number: UInt64, _ subjects: [LogRotation.Subject]) {
        pump.rotate(number, subjects, state: state)
        appointments.add(.rotation(number), at: now.instant + Limits.logRotateWait + Self.rotationPatience)
    }

    /// What threads that have waited for the end of a line need to say so.
    private static let rotationPatience = Duration.seconds(1)
}

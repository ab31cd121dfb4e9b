// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import OrchDaemon
public import OrchModel

/// What launches use. A measurement costs some ten microseconds a process, most of it the kernel's for opening files, so it is kept for a
/// moment: whoever asks more often gets the same answer.
extension LinuxHost {
    /// One look at a launch.
    struct Measured {
        var microseconds: UInt64
        var at: Instant
        var usage: Usage
    }

    public func usage(of launches: [LaunchID]) -> [Usage] {
        let instant = now.instant
        var answers: [Usage] = []
        answers.reserveCapacity(launches.count)
        var stale: [LaunchRecord] = []
        for launch in launches {
            guard let record = records[launch], !record.isEmpty, record.main != nil else { continue }
            if let known = lastUsage[launch], instant < known.at + Limits.usageAge {
                answers.append(known.usage)
            } else {
                stale.append(record)
            }
        }
        guard !stale.isEmpty else { return answers }
        let scan = stale.contains { $0.group == nil } ? tracker.scan() : [:]
        if let group = stale.lazy.compactMap(\.group).first { groupsCountMemory = group.memoryBytes != nil }
        var meter = TreeMeter()
        for record in stale {
            guard
                let (microseconds, memory) = meter.use(
                    of: record, scan[record.launch] ?? [], groupsCountMemory: groupsCountMemory)
            else { continue }
            answers.append(take(microseconds, memory, of: record.launch, at: instant))
        }
        return answers
    }

    private func take(_ microseconds: UInt64, _ memory: Int64?, of launch: LaunchID, at instant: Instant) -> Usage {
        let before = lastUsage[launch]
        let elapsed = before.map { (instant - $0.at).nanoseconds / 1000 } ?? 0
        // A process that ended takes its time along where nobody sums it up.
        let used = before.map { microseconds > $0.microseconds ? microseconds - $0.microseconds : 0 }
        let percent = elapsed > 0 ? used.map { Double($0) / Double(elapsed) * 100 } : nil
        let usage = Usage(launch: launch, cpuPercent: percent, memoryBytes: memory)
        lastUsage[launch] = Measured(microseconds: microseconds, at: instant, usage: usage)
        return usage
    }
}

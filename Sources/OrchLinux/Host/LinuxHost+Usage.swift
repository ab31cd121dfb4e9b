// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import OrchDaemon
public import OrchModel

/// What launches use.
extension LinuxHost {
    public func usage(of launches: [LaunchID]) -> [Usage] {
        let open = launches.compactMap { records[$0] }.filter { !$0.isEmpty && $0.main != nil }
        let scan = open.contains { $0.group == nil } ? tracker.scan() : [:]
        if let group = open.lazy.compactMap(\.group).first { groupsCountMemory = group.memoryBytes != nil }
        return open.compactMap { usage(of: $0, scan[$0.launch] ?? []) }
    }

    private func usage(of record: LaunchRecord, _ scanned: [ProcessEntry]) -> Usage? {
        let instant = now.instant
        var microseconds: UInt64 = 0
        var memory: Int64?
        if let group = record.group, groupsCountMemory {
            memory = group.memoryBytes
            microseconds = group.processorMicroseconds ?? 0
        } else if let group = record.group {
            // Without the controller the process table tells both: two files for most services.
            let members = group.members()
            memory = members.reduce(0) { $0 + $1.residentBytes }
            microseconds = Self.microseconds(of: members)
        } else {
            guard !scanned.isEmpty else { return nil }
            memory = scanned.reduce(0) { $0 + $1.residentBytes }
            microseconds = Self.microseconds(of: scanned)
        }
        let before = lastUsage[record.launch]
        lastUsage[record.launch] = (microseconds, instant)
        let elapsed = before.map { (instant - $0.at).nanoseconds / 1000 } ?? 0
        // A process that ended takes its time along where nobody sums it up.
        let used = before.map { microseconds > $0.ticks ? microseconds - $0.ticks : 0 }
        let percent = elapsed > 0 ? used.map { Double($0) / Double(elapsed) * 100 } : nil
        return Usage(launch: record.launch, cpuPercent: percent, memoryBytes: memory)
    }

    private static func microseconds(of members: [ProcessEntry]) -> UInt64 {
        let perSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        return members.reduce(0) { $0 + $1.ticks } * 1_000_000 / perSecond
    }
}

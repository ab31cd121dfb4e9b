// SPDX-License-Identifier: Apache-2.0
public import OrchDaemon
public import OrchModel

extension LinuxHost {
    public func members(of launches: [LaunchID]) -> [LaunchMembers] {
        let known = launches.compactMap { records[$0] }.filter { !$0.isEmpty && $0.main != nil }
        let scan = known.contains { $0.group == nil } ? tracker.scan() : [:]
        return known.compactMap { record in
            let found = record.group.map { $0.members().filter(\.isAlive) } ?? scan[record.launch] ?? []
            guard !found.isEmpty else { return nil }
            let marks = found.map { ProcessMark(pid: $0.pid, startTicks: $0.identity.startTicks) }
            return LaunchMembers(launch: record.launch, members: marks.sorted { $0.pid < $1.pid })
        }
    }
}

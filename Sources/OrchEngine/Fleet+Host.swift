// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// How the host stands against the thresholds of stacks. Looked at only where a stack has some.
extension Fleet {
    /// A stack has come, gone or changed: what was seen of what it still asks for stays.
    mutating func attendHost(of stack: Int) {
        let before = stacks[stack].host
        stacks[stack].host = stacks[stack].applied.request.stack.host.all.map { resource, above in
            let known = before.first { $0.resource == resource && $0.degradedAbove == above }
            return known ?? HostStatus(resource: resource, degradedAbove: above, used: nil, degradedSince: nil)
        }
        if stacks[stack].host.contains(where: { $0.used == nil }) { hostAt = clock }
    }

    mutating func lookAtHost(_ effects: inout [Effect]) {
        guard let due = hostAt, due <= clock else { return }
        var wanted: [HostResource] = []
        for stack in stacks where !stack.applied.isLeaving {
            for one in stack.host where !wanted.contains(one.resource) { wanted.append(one.resource) }
        }
        hostAt = wanted.isEmpty ? nil : clock + Limits.hostLook
        if !wanted.isEmpty { effects.append(.measureHost(wanted)) }
    }

    mutating func observe(_ readings: [HostReading], at now: Moment) {
        for place in stacks.indices {
            for index in stacks[place].host.indices {
                guard let found = readings.first(where: { $0.resource == stacks[place].host[index].resource }) else {
                    continue
                }
                var status = stacks[place].host[index]
                status.used = found.used
                judge(&status, of: stacks[place].name, at: now)
                stacks[place].host[index] = status
            }
        }
    }

    /// Just below the threshold it is still degraded: what stands at it would be told again and again.
    private static let margin = 0.01

    private mutating func judge(_ status: inout HostStatus, of stack: String, at now: Moment) {
        let wasUnreadable = status.isUnreadable
        status.isUnreadable = status.used == nil
        guard let used = status.used else {
            if !wasUnreadable { tellHost(.warning, status.text, stack, at: now) }
            return
        }
        let percent = Int((status.degradedAbove * 100).rounded())
        if status.degradedSince == nil, used > status.degradedAbove {
            status.degradedSince = now.wall
            tellHost(.degraded, "\(status.text), above \(percent)%", stack, at: now)
        } else if status.degradedSince != nil, used <= status.degradedAbove - Self.margin {
            status.degradedSince = nil
            tellHost(.recovered, "\(status.text), below \(percent)% again", stack, at: now)
        }
    }

    private mutating func tellHost(_ kind: Occurrence.Kind, _ cause: String, _ stack: String, at now: Moment) {
        pending.append(
            .record(Occurrence(time: now.wall, stack: stack, kind: kind, cause: "the host's \(cause)")))
    }
}

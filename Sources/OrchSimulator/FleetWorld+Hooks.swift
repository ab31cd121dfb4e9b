// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Hooks are processes that end by themselves.
extension FleetWorld {
    mutating func launch(_ order: LaunchOrder, as hook: HookCall) {
        let others = processes.filter { $0.isAlive && $0.instance == order.instance && $0.hook != nil }
        if !others.isEmpty {
            violate("\(order.instance): \(hook.kind.rawValue) is launched beside \(others.map(\.launch.number))")
        }
        var life = SimulatedLife()
        life.endsAfter = .milliseconds(1)
        var process = SimulatedProcess(
            launch: order.launch, instance: order.instance, definition: hook.definition, life: life,
            orderedAt: now.instant, needs: [], locks: order.spec.locks, says: nil, isTask: true)
        process.hook = hook.kind
        processes.append(process)
        let pid = Int32(truncatingIfNeeded: order.launch.number)
        schedule(.launched(order.launch, pid: pid, ports: [], tracking: "cgroup"), after: life.execution)
    }
}

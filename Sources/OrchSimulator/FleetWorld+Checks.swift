// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What is seen at each launch.
extension FleetWorld {
    /// At most one launch of an instance, but for `start-first`: then two of different definitions, of at most `parallelism` instances.
    mutating func checkDoubles(_ order: LaunchOrder) {
        let others = processes.filter { $0.isAlive && $0.instance.service == order.instance.service }
        let twins = others.filter { $0.instance == order.instance && $0.hook == nil }
        for other in others
        where other.instance == order.instance && other.launch.number > (twins.first?.launch.number ?? 0) {
            if let hook = other.hook, hook == .preStart || hook == .postStop {
                violate("\(order.instance) is launched while its \(hook.rawValue) runs")
            }
        }
        guard !twins.isEmpty else { return }
        let update = fleet.spec(of: order.instance.service)?.update ?? UpdatePolicy()
        guard update.order == .startFirst, twins.count == 1 else {
            return violate(
                "two of \(order.instance) at once: \(order.launch.number) beside \(twins.map(\.launch.number))")
        }
        if twins[0].definition == order.spec.definitionDigest {
            violate("two of \(order.instance) with the same definition at once")
        }
        let launches = others.filter { $0.hook == nil }
        let pairs = launches.count - Set(launches.map(\.instance)).count + 1
        if pairs > update.parallelism {
            violate(
                "\(pairs) instances of \(order.instance.service) are doubled, with parallelism \(update.parallelism)")
        }
    }

    /// Started before what it needs?
    mutating func check(_ need: Dependency, of order: LaunchOrder) {
        switch need.condition {
        case .started, .ready, .healthy:
            let rows = fleet.status(of: Target(stack: order.instance.service.stack, service: need.on)).flatMap(
                \.instances)
            let isThere = rows.allSatisfy { row in
                row.phase == .done || row.reason.contains("scaled down")
                    || processes.contains { $0.instance == row.id && $0.hasExecuted && $0.isMainAlive }
            }
            if !isThere { violate("\(order.instance) started before its need \(need.on)") }
        case .completed, .succeeded:
            if processes.contains(where: { $0.instance.service.service == need.on && $0.isAlive }) {
                violate("\(order.instance) started while its task \(need.on) runs")
            }
        }
    }
}
